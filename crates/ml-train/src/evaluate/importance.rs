//! How much worse a model becomes when a column tells it nothing: the column's values are dealt out anew among the rows.
//!
//! A column whose values another column repeats seems not to matter, because the other one still tells. Columns are those that
//! features are made of, derived ones included.

use ml_core::metrics::find_figure;
use ml_core::table::{Column, Table};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::EvaluateError;
use crate::frame::Frame;
use crate::model::TrainedModel;
use crate::progress::Progress;
use crate::random::SplitMix64;

use super::figures::figures;
use super::outcome::{Outcome, Truth};

/// How columns are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportanceOptions {
    /// How often each column is dealt out anew.
    pub repeats: usize,
    /// On how many rows at most, drawn at random.
    pub max_rows: usize,
    /// Where the randomness comes from.
    pub seed: u64,
}

impl Default for ImportanceOptions {
    fn default() -> ImportanceOptions {
        ImportanceOptions { repeats: 5, max_rows: 10_000, seed: 0 }
    }
}

/// How much one column matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnImportance {
    /// The column.
    pub column: String,
    /// By how much the figure becomes worse, on average; near 0 or below it for a column that does not matter.
    pub mean: f64,
    /// How much that varies between repeats, as a standard deviation.
    pub spread: f64,
    /// By how much in each repeat.
    pub repeats: Vec<f64>,
}

/// How much each column matters, the most important first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The figure that becomes worse.
    pub figure: String,
    /// What it is with every column as it is.
    pub baseline: f64,
    /// On how many rows.
    pub n_samples: usize,
    /// The columns.
    pub columns: Vec<ColumnImportance>,
}

/// Judges every column that features of `model` are made of, by `figure`, on the rows of `table` at `rows`.
///
/// # Errors
/// [`EvaluateError`] when the rows cannot be scored, or have no such figure, or when the caller asked to stop.
///
/// # Panics
/// If a row is not below [`Table::n_rows`].
pub fn permutation_importance(
    model: &TrainedModel,
    table: &Table,
    rows: &[usize],
    figure: &str,
    options: &ImportanceOptions,
    progress: &dyn Progress,
) -> Result<Importance, EvaluateError> {
    let rows = drawn(rows, options);
    let truth = Truth::read(model, table, &rows)?;
    // Refuses columns that the model cannot read, as every scoring does.
    let whole = Outcome::new(model, &model.predict_rows(table, &rows)?, &truth)?;
    let baseline = value_of(&whole, figure)?;
    let Some(info) = find_figure(figure) else { return Err(no_figure(figure)) };
    let sources = model.feature_frame(table, &rows)?.into_table()?;

    let columns = model.spec.feature_columns();
    let tasks: Vec<(usize, usize)> =
        (0..columns.len()).flat_map(|column| (0..options.repeats).map(move |repeat| (column, repeat))).collect();
    let losses = tasks
        .par_iter()
        .map(|&(column, repeat)| {
            if progress.is_cancelled() {
                return Err(EvaluateError::Cancelled);
            }
            let name = columns[column];
            let mut frame = Frame::new(&sources);
            let stream = (column * options.repeats + repeat) as u64 + 1;
            let dealt = dealt_out(frame.get(name)?, options.seed, stream);
            frame.set(dealt);
            let outcome = Outcome::new(model, &model.predict_frame(frame)?, &truth)?;
            progress.advance(tasks.len() as u64);
            Ok(info.gain(baseline, value_of(&outcome, figure)?))
        })
        .collect::<Result<Vec<f64>, EvaluateError>>()?;

    let mut judged: Vec<ColumnImportance> = columns
        .iter()
        .zip(losses.chunks(options.repeats.max(1)))
        .map(|(column, repeats)| {
            let mean = repeats.iter().sum::<f64>() / repeats.len() as f64;
            let variance = repeats.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / repeats.len() as f64;
            ColumnImportance { column: (*column).to_owned(), mean, spread: variance.sqrt(), repeats: repeats.to_vec() }
        })
        .collect();
    judged.sort_by(|left, right| right.mean.total_cmp(&left.mean).then_with(|| left.column.cmp(&right.column)));
    Ok(Importance { figure: figure.to_owned(), baseline, n_samples: whole.n_samples(), columns: judged })
}

/// Returns the rows that are looked at, in their order.
fn drawn(rows: &[usize], options: &ImportanceOptions) -> Vec<usize> {
    if rows.len() <= options.max_rows {
        return rows.to_vec();
    }
    let mut places: Vec<usize> = (0..rows.len()).collect();
    SplitMix64::new(options.seed, 0).shuffle(&mut places);
    places.truncate(options.max_rows);
    places.sort_unstable();
    places.into_iter().map(|place| rows[place]).collect()
}

fn dealt_out(column: &Column, seed: u64, stream: u64) -> Column {
    let mut order: Vec<usize> = (0..column.values.len()).collect();
    SplitMix64::new(seed, stream).shuffle(&mut order);
    Column { name: column.name.clone(), values: column.values.take(&order) }
}

fn value_of(outcome: &Outcome, figure: &str) -> Result<f64, EvaluateError> {
    figures(outcome)?.by_name.get(figure).copied().ok_or_else(|| no_figure(figure))
}

fn no_figure(figure: &str) -> EvaluateError {
    EvaluateError::NotComparable {
        what: format!("the rows have no figure `{figure}` to judge columns by"),
        way_out: "choose one of the figures that the evaluation lists".to_owned(),
    }
}
