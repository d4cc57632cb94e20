//! One decision tree.

use serde::{Deserialize, Serialize};

use super::TreesPredictor;
use super::best::{Choice, Grower, GrowthLimits};
use super::ranked::RankedFeatures;
use super::sides::{Learnt, Weights};
use crate::error::TrainError;
use crate::estimator::dense::dense_features;
use crate::estimator::settings::{BOTH, Faults};
use crate::estimator::{Estimator, Fitted, FittedPredictor, TrainingData};
use crate::progress::Progress;
use crate::random::SplitMix64;
use crate::spec::Task;

/// How many parts the growth of a tree is told in.
const N_PARTS: usize = 100;

/// A tree of questions about single features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionTree {
    /// The most questions from the root to a leaf.
    pub max_depth: Option<u16>,
    /// The least rows in a leaf.
    pub min_samples_leaf: usize,
    /// The least rows that are split further.
    pub min_samples_split: usize,
}

impl Default for DecisionTree {
    fn default() -> DecisionTree {
        DecisionTree { max_depth: None, min_samples_leaf: 1, min_samples_split: 2 }
    }
}

impl Estimator for DecisionTree {
    fn kind(&self) -> &'static str {
        DecisionTree::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default()
            .at_least("max_depth", 1, self.max_depth.map_or(1, usize::from))
            .at_least("min_samples_leaf", 1, self.min_samples_leaf)
            .at_least("min_samples_split", 2, self.min_samples_split)
            .list()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let features = RankedFeatures::new(&*dense_features(self.kind(), data.features)?);
        let learnt = Learnt::new(data.target);
        let limits = GrowthLimits {
            max_depth: self.max_depth,
            min_samples_leaf: self.min_samples_leaf,
            min_samples_split: self.min_samples_split,
        };
        let grower = Grower { features: &features, learnt: &learnt, limits, choice: Choice::All };
        let (mut n_settled, mut n_told) = (0, 0);
        let settled = |n_rows: usize| {
            n_settled += n_rows;
            while n_told < N_PARTS * n_settled / features.n_rows() {
                progress.advance(N_PARTS as u64);
                n_told += 1;
            }
        };
        let tree = grower.grow(Weights::Once, SplitMix64::new(data.seed, 0), progress, settled)?;
        let predictor = TreesPredictor::new(features.n_columns(), data.target, &[tree]);
        Ok(Fitted { predictor: FittedPredictor::Trees(predictor), warnings: Vec::new() })
    }
}
