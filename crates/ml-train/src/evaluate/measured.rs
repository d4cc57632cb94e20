//! Every figure of an outcome with the number of rows it is from and the interval it lies in.

use std::collections::BTreeMap;

use ml_core::metrics::{ClassTotals, MetricError};
use serde::{Deserialize, Serialize};

use super::Evaluation;
use super::bootstrap::{BootstrapOptions, Drawing, Rows, intervals};
use super::figures::figures;
use super::gauge::Gauge;
use super::interval::{Interval, exact_at_the_edge};
use super::outcome::{ClassOutcome, Outcome, OutcomeValues};

/// A figure, and how far it can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeasuredFigure {
    /// The figure.
    pub value: f64,
    /// How many rows it is from.
    pub n_samples: usize,
    /// Where it lies with the confidence of [`Measured::confidence`]; absent where the rows do not tell.
    pub interval: Option<Interval>,
}

/// The figures of one class against all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredClass {
    /// The class.
    pub label: String,
    /// Of the rows predicted as the class.
    pub precision: MeasuredFigure,
    /// Of the rows of the class.
    pub recall: MeasuredFigure,
    /// Of both.
    pub f1: MeasuredFigure,
}

/// The figures of some rows with their intervals, and how those were drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How many rows there are.
    pub n_samples: usize,
    /// Figures by name.
    pub figures: BTreeMap<String, MeasuredFigure>,
    /// The figures of each class; none for a regression.
    pub classes: Vec<MeasuredClass>,
    /// How sure the intervals are.
    pub confidence: f64,
    /// How often the rows were drawn anew.
    pub n_resamples: usize,
    /// Where the randomness came from.
    pub seed: u64,
    /// How the rows were drawn.
    pub drawing: Drawing,
    /// Why figures are left out.
    pub notes: Vec<String>,
}

impl Measured {
    /// Takes figures of groups that were found without a target, which say nothing about how far they can be relied on.
    pub fn without_intervals(evaluation: &Evaluation, options: &BootstrapOptions) -> Measured {
        let n_samples = evaluation.n_samples;
        let measured = |&value: &f64| MeasuredFigure { value, n_samples, interval: None };
        Measured {
            n_samples,
            figures: evaluation.metrics.iter().map(|(name, value)| (name.clone(), measured(value))).collect(),
            classes: Vec::new(),
            confidence: options.confidence,
            n_resamples: 0,
            seed: options.seed,
            drawing: Drawing::Plain,
            notes: evaluation.notes.clone(),
        }
    }

    /// Measures `outcome`.
    ///
    /// # Errors
    /// [`MetricError`] for values that no figure can be made of.
    pub fn of(outcome: &Outcome, options: &BootstrapOptions) -> Result<Measured, MetricError> {
        let n_samples = outcome.n_samples();
        let found = figures(outcome)?;
        let gauge = Gauge::new(outcome);
        let rows = rows_of(outcome);
        let drawn = intervals(&rows, options, gauge.cost(), |weights| gauge.measure(weights));
        let interval_of: BTreeMap<&str, Interval> =
            gauge.names().iter().zip(drawn).filter_map(|(name, interval)| Some((name.as_str(), interval?))).collect();
        let n_resamples = if n_samples < 2 { 0 } else { options.resamples_for(gauge.cost()) };

        let mut measured = Measured {
            n_samples,
            figures: BTreeMap::new(),
            classes: Vec::new(),
            confidence: options.confidence,
            n_resamples,
            seed: options.seed,
            drawing: rows.drawing,
            notes: found.notes,
        };
        for (name, value) in found.by_name {
            let mut interval = interval_of.get(name.as_str()).copied();
            if name == "accuracy" && n_resamples > 0 {
                interval = interval.or_else(|| exact_at_the_edge(value, n_samples, options.confidence));
            }
            measured.figures.insert(name, MeasuredFigure { value, n_samples, interval });
        }
        if let OutcomeValues::Classes(outcome) = &outcome.values {
            measured.classes = classes(outcome, &interval_of)?;
        }
        Ok(measured)
    }
}

/// Returns the rows of `outcome` as they are drawn.
pub(super) fn rows_of(outcome: &Outcome) -> Rows {
    match &outcome.values {
        OutcomeValues::Classes(outcome) => Rows::of_classes(&outcome.truth, outcome.classes.len()),
        OutcomeValues::Numbers(outcome) => Rows::plain(outcome.truth.len()),
    }
}

fn classes(outcome: &ClassOutcome, interval_of: &BTreeMap<&str, Interval>) -> Result<Vec<MeasuredClass>, MetricError> {
    let totals = ClassTotals::of(&outcome.truth, &outcome.predicted, outcome.classes.len())?;
    let mut n_predicted = vec![0; outcome.classes.len()];
    let mut n_either = vec![0; outcome.classes.len()];
    for (&truth, &predicted) in outcome.truth.iter().zip(&outcome.predicted) {
        n_predicted[predicted] += 1;
        n_either[truth] += 1;
        n_either[predicted] += usize::from(truth != predicted);
    }
    let per_class = totals.per_class().into_iter().enumerate();
    Ok(per_class
        .map(|(class, scored)| {
            let label = &outcome.classes[class];
            let figure = |name: &str, value: f64, n_samples: usize| MeasuredFigure {
                value,
                n_samples,
                interval: interval_of.get(format!("{name}[{label}]").as_str()).copied(),
            };
            MeasuredClass {
                label: label.clone(),
                precision: figure("precision", scored.scores.precision, n_predicted[class]),
                recall: figure("recall", scored.scores.recall, scored.support as usize),
                f1: figure("f1", scored.scores.f1, n_either[class]),
            }
        })
        .collect())
}
