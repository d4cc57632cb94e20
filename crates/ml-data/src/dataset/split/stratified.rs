//! Each class divided in the same proportion.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ml_core::dataset::Split;

use super::fractions::Fractions;
use super::hash::rank_of;

/// Returns the split of each row: within each class the rows are put in the order of their hashes and cut by the fractions.
pub(super) fn assign(ids: &[&str], classes: &[Option<Cow<'_, str>>], fractions: &Fractions, seed: u64) -> Vec<Split> {
    let mut rows_by_class: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (row, class) in classes.iter().enumerate() {
        rows_by_class.entry(class.as_deref()).or_default().push(row);
    }

    let mut splits = vec![Split::Train; ids.len()];
    for mut rows in rows_by_class.into_values() {
        rows.sort_by_cached_key(|&row| (rank_of(seed, ids[row]), ids[row]));
        let [n_train, n_validation, _] = fractions.shares_of(rows.len());
        for &row in &rows[n_train..n_train + n_validation] {
            splits[row] = Split::Validation;
        }
        for &row in &rows[n_train + n_validation..] {
            splits[row] = Split::Test;
        }
    }
    splits
}
