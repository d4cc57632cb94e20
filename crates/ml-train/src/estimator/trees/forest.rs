//! A random forest: many decision trees, each on rows drawn anew and on some features per split.
//!
//! Source: Breiman, *Random Forests* (2001).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::best::{Choice, Grower, GrowthLimits};
use super::ranked::RankedFeatures;
use super::sides::{Learnt, Weights};
use super::{GrownTree, TreesPredictor};
use crate::error::TrainError;
use crate::estimator::dense::dense_features;
use crate::estimator::settings::{BOTH, ForestSettings};
use crate::estimator::{Estimator, Fitted, FittedPredictor, TrainingData};
use crate::progress::Progress;
use crate::random::SplitMix64;
use crate::spec::Task;

/// A random forest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomForest(pub ForestSettings);

impl Estimator for RandomForest {
    fn kind(&self) -> &'static str {
        RandomForest::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        self.0.faults()
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let features = RankedFeatures::new(&*dense_features(self.kind(), data.features)?);
        let learnt = Learnt::new(data.target);
        let limits = GrowthLimits {
            max_depth: self.0.max_depth,
            min_samples_leaf: self.0.min_samples_leaf,
            min_samples_split: self.0.min_samples_split,
        };
        let choice = Choice::Drawn(self.0.width(data.target, features.n_columns()));
        let grower = Grower { features: &features, learnt: &learnt, limits, choice };
        let grown: Vec<GrownTree> = (0..self.0.n_trees)
            .into_par_iter()
            .map(|tree| {
                let mut random = SplitMix64::new(data.seed, tree as u64);
                let weights = draw_rows(features.n_rows(), &mut random);
                let grown = grower.grow(Weights::Times(&weights), random, progress, |_| {})?;
                progress.advance(self.0.n_trees as u64);
                Ok(grown)
            })
            .collect::<Result<_, TrainError>>()?;
        let predictor = TreesPredictor::new(features.n_columns(), data.target, &grown);
        Ok(Fitted { predictor: FittedPredictor::Trees(predictor), warnings: Vec::new() })
    }
}

/// Draws as many rows as there are, each as often as it comes up, and returns how often that was.
fn draw_rows(n_rows: usize, random: &mut SplitMix64) -> Vec<u32> {
    let mut times = vec![0; n_rows];
    for _ in 0..n_rows {
        times[random.below(n_rows)] += 1;
    }
    times
}
