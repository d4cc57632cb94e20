//! Signs that figures are too good to be true: what the model is judged on has leaked into what it was fitted on.

mod duplicates;
mod near_duplicates;
mod telling;
mod time;

use ml_core::table::{Column, Table, TableError};
use serde::{Deserialize, Serialize};

use crate::error::EvaluateError;
use crate::model::TrainedModel;

use super::figures::{figures, primary_figure};
use super::outcome::Outcome;

/// What leaked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// Rows that are judged have the same inputs as rows that were fitted on.
    DuplicateRows,
    /// Texts that are judged are nearly those that were fitted on.
    NearDuplicateTexts,
    /// One column alone predicts the target nearly perfectly.
    TellingColumn,
    /// Rows that were fitted on are later than those that are judged.
    LaterTraining,
    /// A column holds instants after the event that is predicted.
    LaterColumn,
}

/// A sign of a leak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// What leaked.
    pub kind: LeakKind,
    /// The column, for leaks of one.
    pub column: Option<String>,
    /// How many rows show it.
    pub n_rows: usize,
    /// Of how many.
    pub n_samples: usize,
    /// What was found and what to do about it.
    pub message: String,
}

/// Whether the rows were divided by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOrder {
    /// Training rows are meant to be the earlier ones.
    Expected,
    /// Rows were divided without regard to time.
    NotExpected,
}

/// The rows that a leak is looked for in.
#[derive(Debug, Clone, Copy)]
pub struct LeakRows<'a> {
    /// All rows.
    pub table: &'a Table,
    /// Those that were fitted on.
    pub train: &'a [usize],
    /// Those that are judged.
    pub scored: &'a [usize],
    /// How they were divided.
    pub time_order: TimeOrder,
}

/// Looks for signs of leaks in what `model` was fitted on and is judged on; `outcome` is of the scored rows.
///
/// Nothing is looked for where the scored rows are the training rows, whose figures are flattered by nature.
///
/// # Errors
/// [`EvaluateError::Target`] when a column cannot be read.
pub fn find_leaks(model: &TrainedModel, rows: LeakRows<'_>, outcome: &Outcome) -> Result<Vec<Leak>, EvaluateError> {
    if rows.train.is_empty() || rows.scored.is_empty() || rows.train == rows.scored {
        return Ok(Vec::new());
    }
    let mut leaks = Vec::new();
    let duplicates = duplicates::find(model, rows)?;
    let is_duplicate = |row: usize| duplicates.binary_search(&row).is_ok();
    if !duplicates.is_empty() {
        leaks.push(duplicate_leak(model, rows, outcome, &duplicates)?);
    }
    let others: Vec<usize> = rows.scored.iter().copied().filter(|&row| !is_duplicate(row)).collect();
    leaks.extend(near_duplicates::find(model, rows, &others)?);
    leaks.extend(telling::find(model, rows)?);
    leaks.extend(time::find(model, rows)?);
    Ok(leaks)
}

/// Returns the columns of the data whose values of a row the features of the same row are made of.
fn columns_of_same_row<'a>(model: &TrainedModel, rows: LeakRows<'a>) -> Result<Vec<&'a Column>, TableError> {
    let read = model.spec.made_of_same_row(&model.spec.feature_columns());
    let names = model.signature.inputs.iter().map(|input| input.name.as_str()).filter(|name| read.contains(name));
    names.map(|name| rows.table.get(name)).collect()
}

fn duplicate_leak(
    model: &TrainedModel,
    rows: LeakRows<'_>,
    outcome: &Outcome,
    duplicates: &[usize],
) -> Result<Leak, EvaluateError> {
    let figure = primary_figure(model.spec.task);
    let is_other = |sample: &usize| duplicates.binary_search(&rows.scored[outcome.positions[*sample]]).is_err();
    let others: Vec<usize> = (0..outcome.n_samples()).filter(is_other).collect();
    let mut message =
        format!("{} of {} rows have the same inputs as rows of the train split", duplicates.len(), rows.scored.len());
    if others.is_empty() {
        message.push_str(": nothing new is left to judge it by");
    } else {
        let (with, without) = (figures(outcome)?.by_name, figures(&outcome.take(&others))?.by_name);
        if let (Some(with), Some(without)) = (with.get(figure), without.get(figure)) {
            message = format!("{message}: {figure} is {without:.4} without them instead of {with:.4}");
        }
    }
    message.push_str("; remove duplicates, or divide the rows by what they have in common");
    Ok(Leak {
        kind: LeakKind::DuplicateRows,
        column: None,
        n_rows: duplicates.len(),
        n_samples: rows.scored.len(),
        message,
    })
}
