//! Pure metrics: figures computed from truths and predictions, in agreement with scikit-learn's to 1e-9.
//!
//! Classes are indices `0..n_classes`; scores and probabilities are row-major with `n_classes` values per row. Nothing
//! here knows models, tables or stores.

mod calibration;
mod catalogue;
mod class_totals;
mod confusion;
mod curve;
#[cfg(test)]
mod golden;
mod probability;
mod regression;

pub use calibration::{
    ReliabilityBin, brier_score, brier_score_binary, expected_calibration_error, reliability_bin, reliability_curve,
};
pub use catalogue::{Better, FIGURES, FigureInfo, FigureKind, find_figure};
pub use class_totals::ClassTotals;
pub use confusion::{Averages, ClassScores, ConfusionMatrix, Scores};
pub use curve::{CurvePoint, RankingCurve, average_precision};
pub use probability::{RocAucOneVsRest, log_loss, roc_auc_binary, roc_auc_one_vs_rest};
pub use regression::{
    explained_variance, max_error, mean_absolute_error, mean_absolute_percentage_error, mean_pinball_loss,
    median_absolute_error, pearson_r, r2_score, root_mean_squared_error,
};

/// Why a figure cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// There is no row.
    #[error("no rows to compute a metric on")]
    Empty,
    /// Fewer rows than the figure needs to be defined.
    #[error("{metric} needs at least {needed} rows, there are {found}")]
    TooFewRows {
        /// The figure.
        metric: &'static str,
        /// The least number of rows.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// Truths and predictions differ in length.
    #[error("{found} predicted values do not fit {expected}")]
    UnequalLengths {
        /// The length that the truths ask for.
        expected: usize,
        /// The length of the predictions.
        found: usize,
    },
    /// A value is `NaN` or infinite.
    #[error("value {index} is not a finite number")]
    NotFinite {
        /// Its position in its slice.
        index: usize,
    },
    /// A class index is not below the number of classes.
    #[error("row {index} has class {class}, there are {n_classes} classes")]
    LabelOutOfRange {
        /// The row.
        index: usize,
        /// Its class.
        class: usize,
        /// The number of classes.
        n_classes: usize,
    },
    /// A correlation needs values that differ.
    #[error("{metric} is undefined: all truths or all predictions are equal")]
    Constant {
        /// The figure.
        metric: &'static str,
    },
    /// A ranking needs rows inside and outside of the class.
    #[error("a ranking by class {class} is undefined: every row or no row is of that class")]
    OneClass {
        /// The class.
        class: usize,
    },
}

fn check_lengths(expected: usize, found: usize) -> Result<(), MetricError> {
    if expected == 0 {
        return Err(MetricError::Empty);
    }
    if expected != found {
        return Err(MetricError::UnequalLengths { expected, found });
    }
    Ok(())
}

fn check_finite(values: &[f64]) -> Result<(), MetricError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(MetricError::NotFinite { index }),
        None => Ok(()),
    }
}

fn check_classes(classes: &[usize], n_classes: usize) -> Result<(), MetricError> {
    match classes.iter().position(|&class| class >= n_classes) {
        Some(index) => Err(MetricError::LabelOutOfRange { index, class: classes[index], n_classes }),
        None => Ok(()),
    }
}
