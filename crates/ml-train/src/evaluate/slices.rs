//! Parts of the rows by what a column holds: how good the model is on each, and where it is worst.

mod column;
mod worst;

use std::collections::BTreeMap;

use ml_core::metrics::MetricError;
use ml_core::table::Table;
use serde::{Deserialize, Serialize};

use crate::error::EvaluateError;

use super::bootstrap::{BootstrapOptions, intervals};
use super::figures::figures;
use super::gauge::Gauge;
use super::interval::Interval;
use super::measured::rows_of;
use super::outcome::Outcome;

pub use column::SliceColumn;
pub use worst::{WorstSlice, WorstSlices, worst_slices};

/// The rows whose column holds one value, or one range of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// What the column holds, such as `fr`, `2 to 5` or `(missing)`.
    pub label: String,
    /// How many rows there are.
    pub n_samples: usize,
    /// Figures by name.
    pub metrics: BTreeMap<String, f64>,
    /// Where the figure of [`Slices::figure`] lies; absent where the rows do not tell.
    pub interval: Option<Interval>,
    /// By how much that figure differs from that of all other rows.
    pub difference: Option<f64>,
    /// Where the difference lies.
    pub difference_interval: Option<Interval>,
    /// Why figures are left out.
    pub notes: Vec<String>,
}

/// The slices of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slices {
    /// The column.
    pub column: String,
    /// The figure that intervals are of.
    pub figure: String,
    /// Its value for all rows.
    pub overall: Option<f64>,
    /// The slices, in the order of what they hold.
    pub slices: Vec<Slice>,
}

/// Measures `outcome`, which is of the rows of `table` at `rows`, by the values of `column`.
///
/// # Errors
/// [`EvaluateError::Target`] when there is no such column.
pub fn slices_by(
    outcome: &Outcome,
    table: &Table,
    rows: &[usize],
    column: &str,
    figure: &str,
    options: &BootstrapOptions,
) -> Result<Slices, EvaluateError> {
    let rows: Vec<usize> = outcome.positions.iter().map(|&position| rows[position]).collect();
    let sliced = SliceColumn::of(table.get(column)?, &rows);
    let gauge = Gauge::new(outcome);
    let place = gauge.names().iter().position(|name| name == figure);
    let mut slices = Vec::new();
    for (slice, label) in sliced.labels.iter().enumerate() {
        let inside: Vec<usize> = (0..rows.len()).filter(|&row| sliced.slice_of[row] as usize == slice).collect();
        if !inside.is_empty() {
            let context = Context { outcome, gauge: &gauge, place, figure, options };
            slices.push(context.slice(label, &inside)?);
        }
    }
    let overall = figures(outcome)?.by_name.get(figure).copied();
    Ok(Slices { column: column.to_owned(), figure: figure.to_owned(), overall, slices })
}

/// What all slices of a column have in common.
struct Context<'a> {
    outcome: &'a Outcome,
    gauge: &'a Gauge,
    /// Where the gauge has the figure, if it has it.
    place: Option<usize>,
    figure: &'a str,
    options: &'a BootstrapOptions,
}

impl Context<'_> {
    fn slice(&self, label: &str, inside: &[usize]) -> Result<Slice, MetricError> {
        let part = self.outcome.take(inside);
        let found = figures(&part)?;
        let of_part = Gauge::new(&part);
        let place = of_part.names().iter().position(|name| name == self.figure);
        let interval = place.and_then(|place| {
            let measure = |weights: &[u32]| vec![of_part.measure(weights)[place]];
            intervals(&rows_of(&part), self.options, of_part.cost(), measure)[0]
        });
        let (difference, difference_interval) = self.difference(inside);
        Ok(Slice {
            label: label.to_owned(),
            n_samples: inside.len(),
            metrics: found.by_name,
            interval,
            difference,
            difference_interval,
            notes: found.notes,
        })
    }

    /// Returns by how much the figure inside differs from the one outside, and where that lies.
    fn difference(&self, inside: &[usize]) -> (Option<f64>, Option<Interval>) {
        let (Some(place), n_rows) = (self.place, self.gauge.n_rows()) else { return (None, None) };
        if inside.len() == n_rows {
            return (None, None);
        }
        let mut is_inside = vec![false; n_rows];
        for &row in inside {
            is_inside[row] = true;
        }
        let measure = |weights: &[u32]| {
            let part = |wanted: bool| -> f64 {
                let rows = weights.iter().zip(&is_inside);
                let weights: Vec<u32> =
                    rows.map(|(&weight, &inside)| if inside == wanted { weight } else { 0 }).collect();
                self.gauge.measure(&weights)[place]
            };
            vec![part(true) - part(false)]
        };
        let difference = measure(&vec![1; n_rows])[0];
        let interval = intervals(&rows_of(self.outcome), self.options, 2 * self.gauge.cost(), measure)[0];
        (difference.is_finite().then_some(difference), interval)
    }
}
