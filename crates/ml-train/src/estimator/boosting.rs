//! Gradient boosting on histograms: many small trees, each fitted to what the ones before it leave unexplained.
//!
//! Features are put in at most 255 bins first, so that a split is found from a table of sums per bin and not from sorted
//! values. Trees grow leaf by leaf; the histogram of the larger of two children is what the smaller leaves of their
//! parent's. Missing values go where they reduce the loss most, and categories are split into two groups without being
//! spread over columns. The result does not depend on threads: sums are of whole numbers.
//!
//! Sources: Ke et al., *LightGBM: A Highly Efficient Gradient Boosting Decision Tree* (2017); Chen and Guestrin, *XGBoost:
//! A Scalable Tree Boosting System* (2016). Defaults are those of scikit-learn's `HistGradientBoosting`.

mod bins;
mod fit;
mod grow;
mod histogram;
mod loss;
mod predictor;
mod sampling;
mod split;
mod tree;

use serde::{Deserialize, Serialize};

use super::settings::{BOTH, Faults};
use super::{ClassWeight, Estimator, Fitted, FittedPredictor, TrainingData};
use crate::error::TrainError;
use crate::progress::Progress;
use crate::spec::Task;

pub use predictor::{BoostedLink, BoostedTrees};

/// The most bins of a feature: what a byte tells apart, but for that of missing values.
pub(crate) const MAX_BINS: usize = bins::MAX_BINS_WITH_MISSING - 1;

/// Above this many rows `early_stopping: auto` is on.
const MIN_ROWS_TO_STOP_EARLY: usize = 10_000;

/// Gradient boosting on histograms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientBoosting {
    /// What a regression makes small; a classification makes the logarithmic loss small.
    pub loss: RegressionLoss,
    /// The most trees, per class when there are more than two.
    pub max_iterations: usize,
    /// Which share of its values each tree adds.
    pub learning_rate: f64,
    /// The most leaves of a tree.
    pub max_leaf_nodes: usize,
    /// The most splits between root and leaf.
    pub max_depth: Option<u16>,
    /// The least number of rows of a leaf.
    pub min_samples_leaf: usize,
    /// What is added to the sum of second derivatives of a leaf, which draws its value towards 0.
    pub l2: f64,
    /// The most bins of a feature.
    pub max_bins: usize,
    /// The share of features that each tree may split by.
    pub feature_share: f64,
    /// The share of rows that each iteration learns from.
    pub row_share: f64,
    /// How much a row of a class counts.
    pub class_weight: ClassWeight,
    /// Whether to set rows aside, and to stop when trees do no good on those.
    pub early_stopping: EarlyStopping,
    /// The share of rows that is set aside for it.
    pub validation_share: f64,
    /// For how many iterations the loss of the rows set aside may fail to fall.
    pub patience: usize,
    /// By how much the loss has to fall to count.
    pub tolerance: f64,
}

/// What a regression makes small.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegressionLoss {
    /// The squared error; predictions are means.
    #[default]
    SquaredError,
    /// The absolute error; predictions are medians.
    AbsoluteError,
    /// The deviance of counts, for targets that are not negative; predictions are positive means.
    Poisson,
}

/// Whether the number of trees is found on rows that are set aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyStopping {
    /// With more than 10,000 rows.
    #[default]
    Auto,
    /// Whatever the number of rows.
    Always,
    /// Never: every row is learnt from, and there are as many trees as may be.
    Never,
}

impl Default for GradientBoosting {
    fn default() -> GradientBoosting {
        GradientBoosting {
            loss: RegressionLoss::SquaredError,
            max_iterations: 100,
            learning_rate: 0.1,
            max_leaf_nodes: 31,
            max_depth: None,
            min_samples_leaf: 20,
            l2: 0.0,
            max_bins: MAX_BINS,
            feature_share: 1.0,
            row_share: 1.0,
            class_weight: ClassWeight::None,
            early_stopping: EarlyStopping::Auto,
            validation_share: 0.1,
            patience: 10,
            tolerance: 1e-7,
        }
    }
}

impl Estimator for GradientBoosting {
    fn kind(&self) -> &'static str {
        GradientBoosting::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Faults::default()
            .at_least("max_iterations", 1, self.max_iterations)
            .positive("learning_rate", self.learning_rate)
            .at_least("max_leaf_nodes", 2, self.max_leaf_nodes)
            .at_least("max_depth", 1, self.max_depth.map_or(1, usize::from))
            .at_least("min_samples_leaf", 1, self.min_samples_leaf)
            .not_negative("l2", self.l2)
            .share("feature_share", self.feature_share)
            .share("row_share", self.row_share)
            .at_least("patience", 1, self.patience)
            .not_negative("tolerance", self.tolerance)
            .list();
        if !(2..=MAX_BINS).contains(&self.max_bins) {
            faults.push(("max_bins", format!("must be from 2 to {MAX_BINS}, not {}", self.max_bins)));
        }
        if !(self.validation_share > 0.0 && self.validation_share < 1.0) {
            faults.push(("validation_share", format!("must be between 0 and 1, not {}", self.validation_share)));
        }
        faults
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let (predictor, warnings) = fit::fit(self, data, progress)?;
        Ok(Fitted { predictor: FittedPredictor::GradientBoosting(predictor), warnings })
    }
}

impl GradientBoosting {
    fn stops_early(&self, n_rows: usize) -> bool {
        match self.early_stopping {
            EarlyStopping::Auto => n_rows > MIN_ROWS_TO_STOP_EARLY,
            EarlyStopping::Always => true,
            EarlyStopping::Never => false,
        }
    }
}
