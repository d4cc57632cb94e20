//! Parts with the same share of each class.

use std::collections::BTreeMap;

use crate::error::TrainError;
use crate::random::SplitMix64;

/// Returns the part of each row. Each class is dealt out so that parts differ by one of its rows at most, and are of equal
/// size all the same.
///
/// # Errors
/// [`TrainError::Data`] when every class has fewer rows than there are parts.
pub(super) fn parts(
    classes: &[Option<String>],
    n_parts: usize,
    mut shuffle: Option<&mut SplitMix64>,
) -> Result<Vec<usize>, TrainError> {
    let classes = classes_by_appearance(classes);
    let rows_by_class = rows_by_class(&classes);
    let greatest = rows_by_class.iter().map(Vec::len).max().unwrap_or(0);
    if greatest < n_parts {
        return Err(TrainError::data(
            format!("every class has fewer rows than there are folds: the largest has {greatest}, folds are {n_parts}"),
            "ask for fewer `folds`, or give more rows",
        ));
    }
    let quotas = quotas(&rows_by_class, n_parts);
    let mut parts = vec![0; classes.len()];
    for (rows, quotas) in rows_by_class.iter().zip(quotas) {
        let mut dealt: Vec<usize> =
            quotas.iter().enumerate().flat_map(|(part, &quota)| std::iter::repeat_n(part, quota)).collect();
        if let Some(random) = shuffle.as_deref_mut() {
            random.shuffle(&mut dealt);
        }
        for (&row, part) in rows.iter().zip(dealt) {
            parts[row] = part;
        }
    }
    Ok(parts)
}

/// Returns how many rows of each class go to each part: every `n_parts`th row of all, sorted by class, goes to the same.
fn quotas(rows_by_class: &[Vec<usize>], n_parts: usize) -> Vec<Vec<usize>> {
    let mut next = 0;
    let mut all = Vec::with_capacity(rows_by_class.len());
    for rows in rows_by_class {
        let mut quotas = vec![0; n_parts];
        for position in next..next + rows.len() {
            quotas[position % n_parts] += 1;
        }
        next += rows.len();
        all.push(quotas);
    }
    all
}

fn classes_by_appearance(labels: &[Option<String>]) -> Vec<usize> {
    let mut index_of: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    labels
        .iter()
        .map(|label| {
            let n_known = index_of.len();
            *index_of.entry(label.as_deref()).or_insert(n_known)
        })
        .collect()
}

/// Returns the class of each row: its place among the distinct labels, sorted.
pub(super) fn sorted_classes(labels: &[Option<String>]) -> Vec<usize> {
    let distinct: std::collections::BTreeSet<Option<&str>> = labels.iter().map(Option::as_deref).collect();
    let index_of: BTreeMap<Option<&str>, usize> =
        distinct.into_iter().enumerate().map(|(index, label)| (label, index)).collect();
    labels.iter().map(|label| index_of[&label.as_deref()]).collect()
}

fn rows_by_class(classes: &[usize]) -> Vec<Vec<usize>> {
    let n_classes = classes.iter().max().map_or(0, |greatest| greatest + 1);
    let mut rows = vec![Vec::new(); n_classes];
    for (row, &class) in classes.iter().enumerate() {
        rows[class].push(row);
    }
    rows
}
