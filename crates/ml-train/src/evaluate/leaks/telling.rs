//! Columns that predict the target alone, nearly perfectly: mostly the target itself under another name, or what it led to.
//!
//! A guess is learnt from each column on the training rows, the best class or the mean of each value or range of values, and
//! judged on the scored rows. A column of ids has new values there, and cannot be mistaken for one that tells. Columns of which the
//! model reads earlier rows alone, such as a target that is lagged, are known in time whatever they tell.

use std::collections::BTreeMap;

use ml_core::metrics::r2_score;
use ml_core::table::{Column, ColumnKind, TableError};

use crate::model::TrainedModel;
use crate::spec::Task;

use super::super::outcome::Truth;
use super::{Leak, LeakKind, LeakRows};

/// A guess that is right in so many rows, or explains so much of the variance, is too good to be true.
const TOO_GOOD: f64 = 0.99;

/// Unless the most frequent class is right nearly as often.
const TOO_EASY: f64 = 0.9;

/// Into how many ranges of about as many training rows numbers are cut.
const N_RANGES: usize = 100;

/// Fewer rows than that say nothing.
const MIN_ROWS: usize = 20;

/// Looks at each column that features of the same row are made of.
pub(super) fn find(model: &TrainedModel, rows: LeakRows<'_>) -> Result<Vec<Leak>, TableError> {
    if rows.train.len() < MIN_ROWS || rows.scored.len() < MIN_ROWS {
        return Ok(Vec::new());
    }
    let train = Truth::read(model, rows.table, rows.train)?;
    let scored = Truth::read(model, rows.table, rows.scored)?;
    let mut leaks = Vec::new();
    for column in super::columns_of_same_row(model, rows)? {
        let cells = Cells::learnt_from(column, rows.train);
        let (train_cells, scored_cells) = (cells.of(column, rows.train), cells.of(column, rows.scored));
        let found = match (&train, &scored) {
            (Truth::Labels(train), Truth::Labels(scored)) => guess_classes(&train_cells, train, &scored_cells, scored),
            (Truth::Numbers(train), Truth::Numbers(scored)) => {
                guess_numbers(&train_cells, train, &scored_cells, scored)
            }
            _ => None,
        };
        if let Some((score, n_right, n_samples)) = found {
            let what = match model.spec.task {
                Task::Regression => format!("explains {:.1} % of the variance", 100.0 * score),
                _ => format!("is right in {:.1} % of the rows", 100.0 * score),
            };
            leaks.push(Leak {
                kind: LeakKind::TellingColumn,
                column: Some(column.name.clone()),
                n_rows: n_right,
                n_samples,
                message: format!(
                    "`{}` alone {what}: if it is known only once `{}` is, leave it out",
                    column.name, model.spec.target
                ),
            });
        }
    }
    Ok(leaks)
}

/// How the values of a column are told apart.
enum Cells {
    /// Numbers by the range they fall into, whose lower ends these are.
    Ranges(Vec<f64>),
    /// Anything else by its text.
    Values(BTreeMap<String, usize>),
}

impl Cells {
    fn learnt_from(column: &Column, rows: &[usize]) -> Cells {
        let is_number = matches!(column.values.kind(), ColumnKind::Number | ColumnKind::Integer);
        if let (true, Ok(numbers)) = (is_number, column.as_numbers()) {
            let mut sorted: Vec<f64> =
                rows.iter().map(|&row| numbers[row]).filter(|number| number.is_finite()).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let n_sorted = sorted.len();
            let mut ends: Vec<f64> =
                (1..N_RANGES).filter(|_| n_sorted > 0).map(|range| sorted[range * n_sorted / N_RANGES]).collect();
            ends.dedup();
            return Cells::Ranges(ends);
        }
        let texts = column.as_texts();
        let mut values = BTreeMap::new();
        for &row in rows {
            if let Some(text) = &texts[row] {
                let next = values.len();
                values.entry(text.clone().into_owned()).or_insert(next);
            }
        }
        Cells::Values(values)
    }

    /// Returns where each row falls; `None` for missing and unknown values.
    fn of(&self, column: &Column, rows: &[usize]) -> Vec<Option<usize>> {
        match self {
            Cells::Ranges(ends) => {
                let Ok(numbers) = column.as_numbers() else { return vec![None; rows.len()] };
                let cell = |number: f64| number.is_finite().then(|| ends.partition_point(|&end| end <= number));
                rows.iter().map(|&row| cell(numbers[row])).collect()
            }
            Cells::Values(values) => {
                let texts = column.as_texts();
                rows.iter().map(|&row| texts[row].as_deref().and_then(|text| values.get(text).copied())).collect()
            }
        }
    }
}

type Found = Option<(f64, usize, usize)>;

/// Guesses the most frequent class of each cell, or of all rows. Returns the share of right guesses, how many and of how many,
/// if that is too good to be true.
fn guess_classes(
    train_cells: &[Option<usize>],
    train: &[Option<String>],
    scored_cells: &[Option<usize>],
    scored: &[Option<String>],
) -> Found {
    let mut counts: BTreeMap<Option<usize>, BTreeMap<&str, usize>> = BTreeMap::new();
    for (cell, label) in train_cells.iter().zip(train) {
        if let Some(label) = label {
            *counts.entry(*cell).or_default().entry(label).or_default() += 1;
            *counts.entry(None).or_default().entry(label).or_default() += usize::from(cell.is_some());
        }
    }
    let best = |counts: &BTreeMap<&str, usize>| {
        counts.iter().max_by_key(|(_, count)| **count).map(|(label, _)| (*label).to_owned())
    };
    let guesses: BTreeMap<Option<usize>, Option<String>> =
        counts.iter().map(|(cell, counts)| (*cell, best(counts))).collect();
    let usual = guesses.get(&None).cloned().flatten();
    let (mut n_samples, mut n_right, mut n_usual) = (0, 0, 0);
    for (cell, label) in scored_cells.iter().zip(scored) {
        if label.is_some() {
            n_samples += 1;
            n_right += usize::from(guesses.get(cell).unwrap_or(&usual) == label);
            n_usual += usize::from(usual == *label);
        }
    }
    if n_samples < MIN_ROWS {
        return None;
    }
    let share = |n: usize| n as f64 / n_samples as f64;
    (share(n_right) >= TOO_GOOD && share(n_usual) < TOO_EASY).then(|| (share(n_right), n_right, n_samples))
}

/// Guesses the mean of each cell, or of all rows. Returns the share of the variance explained, if that is too good to be true.
fn guess_numbers(
    train_cells: &[Option<usize>],
    train: &[f64],
    scored_cells: &[Option<usize>],
    scored: &[f64],
) -> Found {
    let mut sums: BTreeMap<Option<usize>, (f64, f64)> = BTreeMap::new();
    let mut total = (0.0, 0.0);
    for (cell, &number) in train_cells.iter().zip(train) {
        if number.is_finite() {
            let (sum, n) = sums.entry(*cell).or_default();
            *sum += number;
            *n += 1.0;
            total = (total.0 + number, total.1 + 1.0);
        }
    }
    let mean = |(sum, n): (f64, f64)| sum / n;
    let known = scored_cells.iter().zip(scored).filter(|(_, number)| number.is_finite());
    let (guesses, truths): (Vec<f64>, Vec<f64>) =
        known.map(|(cell, &number)| (mean(sums.get(cell).copied().unwrap_or(total)), number)).unzip();
    if truths.len() < MIN_ROWS {
        return None;
    }
    let explained = r2_score(&truths, &guesses).ok()?;
    (explained >= TOO_GOOD).then_some((explained, truths.len(), truths.len()))
}
