//! How many trees a forest has, and how large each grows.

use serde::{Deserialize, Serialize};

use super::Faults;
use crate::estimator::Target;

/// Settings that forests share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForestSettings {
    /// The number of trees.
    pub n_trees: usize,
    /// How many features, drawn anew, each split chooses from; by default the square root of all for categories, and all for
    /// numbers.
    pub max_features: Option<usize>,
    /// The most splits from the root to a leaf.
    pub max_depth: Option<u16>,
    /// The least rows in a leaf.
    pub min_samples_leaf: usize,
    /// The least rows that are split further.
    pub min_samples_split: usize,
}

impl Default for ForestSettings {
    fn default() -> ForestSettings {
        ForestSettings { n_trees: 100, max_features: None, max_depth: None, min_samples_leaf: 1, min_samples_split: 2 }
    }
}

impl ForestSettings {
    /// Returns what is wrong with them: the setting and the reason.
    pub(in crate::estimator) fn faults(&self) -> Vec<(&'static str, String)> {
        Faults::default()
            .at_least("n_trees", 1, self.n_trees)
            .at_least("max_features", 1, self.max_features.unwrap_or(1))
            .at_least("max_depth", 1, self.max_depth.map_or(1, usize::from))
            .at_least("min_samples_leaf", 1, self.min_samples_leaf)
            .at_least("min_samples_split", 2, self.min_samples_split)
            .list()
    }

    /// Returns how many of `n_features` each split chooses from.
    pub(in crate::estimator) fn width(&self, target: &Target, n_features: usize) -> usize {
        let default_width = match target {
            Target::Classes { .. } => (n_features as f64).sqrt() as usize,
            Target::Numbers(_) => n_features,
        };
        self.max_features.unwrap_or(default_width).clamp(1, n_features)
    }
}
