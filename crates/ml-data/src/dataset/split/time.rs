//! The past trains, the future tests.

use chrono::{DateTime, Utc};
use ml_core::dataset::Split;
use ml_core::table::{Table, TableError};

use super::fractions::Fractions;
use crate::dataset::EVENT_TIME_COLUMN;
use crate::dataset::error::DatasetError;

/// Returns the event times of the rows, in their order.
pub(super) fn event_times(table: &Table) -> Result<Vec<DateTime<Utc>>, DatasetError> {
    let column = table.get(EVENT_TIME_COLUMN)?;
    let missing = || {
        let (column, found) = (EVENT_TIME_COLUMN.to_owned(), column.values.kind());
        DatasetError::Table(TableError::WrongKind { column, expected: "complete time", found })
    };
    column.as_times()?.iter().map(|time| time.ok_or_else(missing)).collect()
}

/// Returns the split of each row: test from `test_from` on, validation from `validation_from` on, training before.
pub(super) fn assign_by_cuts(
    times: &[DateTime<Utc>],
    validation_from: Option<DateTime<Utc>>,
    test_from: DateTime<Utc>,
) -> Vec<Split> {
    let split_at = |time: &DateTime<Utc>| {
        if *time >= test_from {
            Split::Test
        } else if validation_from.is_some_and(|from| *time >= from) {
            Split::Validation
        } else {
            Split::Train
        }
    };
    times.iter().map(split_at).collect()
}

/// Returns the split of each row, cut between two instants where the sizes come nearest to the fractions.
///
/// Every split that has a fraction gets at least one instant.
pub(super) fn assign_by_fractions(times: &[DateTime<Utc>], fractions: &Fractions) -> Result<Vec<Split>, DatasetError> {
    let used: Vec<Split> = Split::ALL.into_iter().filter(|split| fractions.of(*split) > 0.0).collect();
    let starts = instants(times);
    if starts.len() < used.len() {
        return Err(DatasetError::TooFewInstants { found: starts.len(), needed: used.len() });
    }

    // `cuts[i]` is the first instant of the split after `used[i]`.
    let mut cuts: Vec<DateTime<Utc>> = Vec::with_capacity(used.len());
    let (mut first, mut target) = (1, 0.0);
    for (idx, split) in used[..used.len() - 1].iter().enumerate() {
        target += fractions.of(*split) * times.len() as f64;
        let n_later_splits = used.len() - 2 - idx;
        let choices = first..starts.len() - n_later_splits;
        let distance = |&choice: &usize| (starts[choice].1 as f64 - target).abs();
        let nearest = choices.min_by(|one, other| distance(one).total_cmp(&distance(other)));
        let cut = nearest.expect("an instant is left for each split, as was checked");
        cuts.push(starts[cut].0);
        first = cut + 1;
    }
    Ok(times.iter().map(|time| used[cuts.partition_point(|cut| cut <= time)]).collect())
}

/// Returns the distinct instants in order, each with the number of rows before it.
fn instants(times: &[DateTime<Utc>]) -> Vec<(DateTime<Utc>, usize)> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let mut starts: Vec<(DateTime<Utc>, usize)> = Vec::new();
    for (n_before, time) in sorted.into_iter().enumerate() {
        if starts.last().is_none_or(|(last, _)| *last != time) {
            starts.push((time, n_before));
        }
    }
    starts
}
