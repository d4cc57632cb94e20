//! How the step `target_encode` makes numbers of categories.

use serde::{Deserialize, Serialize};

use super::UnknownPolicy;
use crate::spec::fault::Fault;

/// How categories become means of the target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetEncodeSpec {
    /// How far the mean of a category is drawn to the mean of all rows.
    pub smooth: Smoothing,
    /// In how many parts the training rows are cut: each is encoded by means of the others.
    pub folds: usize,
    /// Whether the parts are drawn by the seed; otherwise rows that follow each other are a part.
    pub shuffle: bool,
    /// What happens to a category that the training rows do not have.
    pub unknown: UnknownPolicy,
}

/// How far the mean of a category is drawn to the mean of all rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Smoothing {
    /// Found from the rows.
    Found(FoundSmoothing),
    /// As if by so many rows.
    Rows(f64),
}

/// How the smoothing is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundSmoothing {
    /// As far as the spread within the category asks for: an empirical Bayes estimate.
    Auto,
}

impl Default for TargetEncodeSpec {
    fn default() -> TargetEncodeSpec {
        TargetEncodeSpec {
            smooth: Smoothing::Found(FoundSmoothing::Auto),
            folds: 5,
            shuffle: true,
            unknown: UnknownPolicy::Ignore,
        }
    }
}

impl TargetEncodeSpec {
    pub(super) fn faults(self, key: &str, faults: &mut Vec<Fault>) {
        if matches!(self.smooth, Smoothing::Rows(rows) if !(rows.is_finite() && rows >= 0.0)) {
            faults.push(Fault::new(format!("{key}.smooth"), "must be `auto` or a number of rows, at least 0"));
        }
        if self.folds < 2 {
            let message = format!("must be at least 2, not {}: no row may be encoded by its own target", self.folds);
            faults.push(Fault::new(format!("{key}.folds"), message));
        }
    }
}
