//! Whether more rows would help: the pipeline fitted on growing shares of the training rows, each judged on the same rows.
//!
//! The shares are nested and drawn at random by the seed of the pipeline, so that each holds the one before it.

use ml_core::table::Table;
use serde::{Deserialize, Serialize};

use crate::error::{EvaluateError, TrainError};
use crate::estimator::EstimatorSpec;
use crate::progress::Progress;
use crate::random::SplitMix64;
use crate::spec::PipelineSpec;
use crate::train::train_rows;

use super::bootstrap::BootstrapOptions;
use super::measured::{Measured, MeasuredFigure};
use super::outcome::Outcome;

/// The shares of the training rows that are fitted on.
pub const SHARES: [f64; 6] = [0.05, 0.1, 0.2, 0.4, 0.7, 1.0];

/// The figure of a model that was fitted on a share of the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningPoint {
    /// How many training rows there were.
    pub n_train: usize,
    /// On the rows that it was fitted on; absent where nothing could be fitted.
    pub on_train: Option<MeasuredFigure>,
    /// On the rows that it was not fitted on.
    pub on_scored: Option<MeasuredFigure>,
    /// Why nothing could be fitted or judged.
    pub note: Option<String>,
}

/// A figure by the number of training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningCurve {
    /// The figure.
    pub figure: String,
    /// From few rows to all.
    pub points: Vec<LearningPoint>,
}

/// Fits `spec` on each of [`SHARES`] of `train_rows` and judges it by `figure` on `scored_rows`.
///
/// A share that nothing can be fitted on, such as one of a single class, is a point with a note.
///
/// # Errors
/// [`EvaluateError::NotComparable`] for a pipeline that this crate does not fit, [`EvaluateError::Cancelled`] when the caller asked
/// to stop.
///
/// # Panics
/// If a row is not below [`Table::n_rows`].
pub fn learning_curve(
    spec: &PipelineSpec,
    table: &Table,
    training_rows: &[usize],
    scored_rows: &[usize],
    figure: &str,
    options: &BootstrapOptions,
    progress: &dyn Progress,
) -> Result<LearningCurve, EvaluateError> {
    check_is_fitted_here(spec)?;
    let mut shuffled = training_rows.to_vec();
    SplitMix64::new(spec.seed, 0).shuffle(&mut shuffled);
    let mut points: Vec<LearningPoint> = Vec::new();
    for share in SHARES {
        let n_train = (share * shuffled.len() as f64).round() as usize;
        if points.last().is_some_and(|point| point.n_train == n_train) {
            continue;
        }
        // In the order of the table, as a training on all rows has them.
        let mut rows = shuffled[..n_train].to_vec();
        rows.sort_unstable();
        let trained = match train_rows(spec, table, &rows, progress) {
            Ok(trained) => trained,
            Err(TrainError::Cancelled) => return Err(EvaluateError::Cancelled),
            Err(err) => {
                points.push(LearningPoint { n_train, on_train: None, on_scored: None, note: Some(err.to_string()) });
                continue;
            }
        };
        let judge = |rows: &[usize]| -> Result<Option<MeasuredFigure>, EvaluateError> {
            let outcome = Outcome::of(&trained.model, table, rows)?;
            Ok(Measured::of(&outcome, options)?.figures.get(figure).copied())
        };
        match (judge(&rows), judge(scored_rows)) {
            (Ok(on_train), Ok(on_scored)) => {
                points.push(LearningPoint { n_train, on_train, on_scored, note: None });
            }
            (Err(err), _) | (_, Err(err)) => {
                points.push(LearningPoint { n_train, on_train: None, on_scored: None, note: Some(err.to_string()) });
            }
        }
    }
    Ok(LearningCurve { figure: figure.to_owned(), points })
}

/// Refuses pipelines of models that were imported, or that another program fitted.
pub(super) fn check_is_fitted_here(spec: &PipelineSpec) -> Result<(), EvaluateError> {
    let EstimatorSpec::External(_) = spec.estimator else { return Ok(()) };
    Err(EvaluateError::NotComparable {
        what: format!("a learning curve fits a model anew, and `{}` was not fitted by this program", spec.name),
        way_out: "leave it out, or train on shares of the rows where the model comes from".to_owned(),
    })
}
