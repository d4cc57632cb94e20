//! Folds in order of time: what came before is fitted on, what came after is scored.

use ml_core::table::{Column, Table};

use super::{Fold, find_column};
use crate::derive::{compare, derive_for, entities};
use crate::error::TrainError;
use crate::frame::Frame;
use crate::spec::{DeriveOp, PipelineSpec};
use crate::unfit::RowName;

/// Sizes of folds, in instants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) folds: usize,
    pub(super) window: Option<usize>,
    pub(super) validation: Option<usize>,
    pub(super) gap: usize,
}

/// Returns the folds, the earliest first; the last one ends with the last instant.
pub(super) fn folds(
    spec: &PipelineSpec,
    table: &Table,
    rows: &[usize],
    column: &str,
    sizes: Sizes,
) -> Result<Vec<Fold>, TrainError> {
    let order = find_column(table, column)?;
    let instants = instants(table, order, rows)?;
    let n_instants = rows.iter().map(|&row| instants[row] + 1).max().unwrap_or(0);
    let n_validation = sizes.validation.unwrap_or(n_instants / (sizes.folds + 1)).max(1);
    let n_left = n_instants.checked_sub(n_validation.saturating_mul(sizes.folds).saturating_add(sizes.gap));
    if n_left.is_none_or(|n_left| n_left == 0) {
        return Err(TrainError::data(
            format!(
                "{n_instants} instants of `{column}` are too few for {} folds of {n_validation} with a gap of {}",
                sizes.folds, sizes.gap
            ),
            "ask for fewer `folds`, a smaller `validation` or a smaller `gap`",
        ));
    }
    let known = known_instants(spec, table, &instants)?;
    let first = n_instants - n_validation * sizes.folds;
    let mut folds = Vec::with_capacity(sizes.folds);
    for fold in 0..sizes.folds {
        let begin = first + fold * n_validation;
        let train_end = begin - sizes.gap;
        let train_begin = sizes.window.map_or(0, |window| train_end.saturating_sub(window));
        let is_training = |row: &usize| {
            (train_begin..train_end).contains(&instants[*row]) && known.as_ref().is_none_or(|known| known[*row] < begin)
        };
        let fold = Fold {
            training: rows.iter().copied().filter(is_training).collect(),
            validation: rows
                .iter()
                .copied()
                .filter(|&row| (begin..begin + n_validation).contains(&instants[row]))
                .collect(),
        };
        if fold.training.is_empty() {
            return Err(TrainError::data(
                format!("fold {} has no rows to fit on whose target was known before it", folds.len() + 1),
                "ask for fewer `folds`, or a greater `window`",
            ));
        }
        folds.push(fold);
    }
    Ok(folds)
}

/// A row that has no instant, or is not to be divided.
const NO_INSTANT: usize = usize::MAX;

/// Returns for each row of the table its instant, counted from the earliest of `rows`. Instants of other rows have a number
/// that tells whether they are before or after.
fn instants(table: &Table, order: &Column, rows: &[usize]) -> Result<Vec<usize>, TrainError> {
    let has_instant = |row: usize| compare(&order.values, row, row).is_some();
    if let Some(&row) = rows.iter().find(|&&row| !has_instant(row)) {
        return Err(TrainError::data(
            format!("column `{}` is missing in {}", order.name, RowName::of(table, row)),
            "folds by time need the time of every row: leave such rows out, or name another column",
        ));
    }
    let mut in_order: Vec<usize> = (0..order.values.len()).filter(|&row| has_instant(row)).collect();
    let is_before =
        |left: usize, right: usize| compare(&order.values, left, right).is_some_and(std::cmp::Ordering::is_lt);
    in_order.sort_by(|&left, &right| compare(&order.values, left, right).unwrap_or(std::cmp::Ordering::Equal));
    let mut is_divided = vec![false; order.values.len()];
    for &row in rows {
        is_divided[row] = true;
    }

    // Only instants of rows that are divided count. One of other rows alone is counted with the next that does.
    let mut instants = vec![NO_INSTANT; order.values.len()];
    let mut instant = 0;
    let mut begin = 0;
    while begin < in_order.len() {
        let mut end = begin + 1;
        while end < in_order.len() && !is_before(in_order[begin], in_order[end]) {
            end += 1;
        }
        for &row in &in_order[begin..end] {
            instants[row] = instant;
        }
        instant += usize::from(in_order[begin..end].iter().any(|&row| is_divided[row]));
        begin = end;
    }
    Ok(instants)
}

/// Returns for each row the instant at which its target is known; `None` where the target does not look ahead, and is known
/// when the row is.
fn known_instants(spec: &PipelineSpec, table: &Table, instants: &[usize]) -> Result<Option<Vec<usize>>, TrainError> {
    let leads: Vec<_> =
        spec.derived_for(&[&spec.target]).into_iter().filter(|derive| derive.op == DeriveOp::Lead).collect();
    let Some(first) = leads.first() else { return Ok(None) };
    // Leads of leads add up; several that do not are taken as if they did, which leaves out a few rows too many.
    let n_ahead: usize = leads.iter().map(|lead| lead.periods()).sum();
    let mut frame = Frame::new(table);
    derive_for(spec, &[&spec.target], &mut frame)?;
    let mut known = instants.to_vec();
    for rows in entities(first, &frame)? {
        for (position, &row) in rows.iter().enumerate() {
            if let Some(&ahead) = rows.get(position + n_ahead) {
                known[row] = known[row].max(instants[ahead]);
            }
        }
    }
    Ok(Some(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::split::SplitSpec;

    /// Four days of two symbols, the target of which is the value of the day after.
    fn panel() -> (PipelineSpec, Table) {
        let spec = PipelineSpec::from_yaml(
            "version: 1\nname: ahead\ntask: regression\ntarget: next\nfeatures: [{ columns: [value] }]\n\
             derive: [{ column: next, op: lead, of: value, by: symbol, order: day }]\nestimator: ridge\n",
        )
        .unwrap();
        let days = [1, 1, 2, 2, 3, 3, 4, 4].map(f64::from).to_vec();
        let table = Table::new(vec![
            Column::texts("symbol", ["A", "B", "A", "B", "A", "B", "A", "B"]),
            Column::numbers("day", days.clone()),
            Column::numbers("value", days),
        ])
        .unwrap();
        (spec, table)
    }

    fn time(folds: usize, gap: usize) -> SplitSpec {
        SplitSpec::Time { column: "day".to_owned(), folds, window: None, validation: None, gap }
    }

    #[test]
    fn rows_whose_target_was_not_known_yet_are_not_fitted_on() {
        let (spec, table) = panel();
        let rows: Vec<usize> = (0..8).collect();
        let folds = time(1, 0).folds(&spec, &table, &rows, 0).unwrap();
        // Days 3 and 4 are scored; the target of day 2 is the value of day 3.
        assert_eq!(folds, [Fold { training: vec![0, 1], validation: vec![4, 5, 6, 7] }]);
    }

    #[test]
    fn rows_of_one_instant_stay_together() {
        let (mut spec, table) = panel();
        spec.derive.clear();
        spec.target = "value".to_owned();
        let rows: Vec<usize> = (0..8).collect();
        let folds = time(3, 0).folds(&spec, &table, &rows, 0).unwrap();
        assert_eq!(folds[0], Fold { training: vec![0, 1], validation: vec![2, 3] });
        assert_eq!(folds[2], Fold { training: vec![0, 1, 2, 3, 4, 5], validation: vec![6, 7] });
        let folds = time(1, 1).folds(&spec, &table, &rows, 0).unwrap();
        assert_eq!(folds[0], Fold { training: vec![0, 1], validation: vec![4, 5, 6, 7] });
    }

    #[test]
    fn too_few_instants_say_so() {
        let (spec, table) = panel();
        let rows: Vec<usize> = (0..8).collect();
        let error = time(4, 0).folds(&spec, &table, &rows, 0).unwrap_err().to_string();
        assert!(error.contains("4 instants of `day` are too few for 4 folds"), "{error}");
    }

    #[test]
    fn instants_of_rows_of_another_split_do_not_count() {
        let (mut spec, table) = panel();
        spec.derive.clear();
        spec.target = "value".to_owned();
        // Day 2 is not divided: days 1, 3 and 4 are three instants.
        let folds = time(2, 0).folds(&spec, &table, &[0, 1, 4, 5, 6, 7], 0).unwrap();
        assert_eq!(folds[0], Fold { training: vec![0, 1], validation: vec![4, 5] });
        assert_eq!(folds[1], Fold { training: vec![0, 1, 4, 5], validation: vec![6, 7] });
    }
}
