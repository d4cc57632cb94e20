//! What a search found.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ml_core::metrics::FigureInfo;
use serde::{Deserialize, Serialize};
use serde_yaml_ng::Value;

use super::candidate::label;
use crate::spec::PipelineSpec;

/// How a candidate did on one fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldScore {
    /// How many rows it was fitted on.
    pub n_training: u64,
    /// How many rows it was scored on.
    pub n_scored: u64,
    /// Every figure of its evaluation.
    pub metrics: BTreeMap<String, f64>,
    /// How long the estimator took to fit. The preprocessing, which candidates share, is not in it.
    pub fit_seconds: f64,
}

/// A candidate on all folds.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The number of the candidate, from 1.
    pub candidate: usize,
    /// The round of a search by halving, from 1; 1 in other searches.
    pub round: usize,
    /// What the search set, by its place.
    pub params: BTreeMap<String, Value>,
    /// How much of the resource the candidate had, in a search by halving: rows of the largest fold, or the number that was set.
    pub resource: Option<u64>,
    /// What tells this trial from every other on the same rows.
    pub key: String,
    /// How the candidate did, or why it failed.
    pub result: Result<TrialScores, String>,
    /// Whether an earlier search did the work.
    pub is_reused: bool,
}

/// How a candidate did on all folds.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialScores {
    /// The mean of the score over the folds.
    pub mean: f64,
    /// Its standard deviation over the folds, which are taken as all there are, as scikit-learn does.
    pub std: f64,
    /// Each fold.
    pub folds: Vec<FoldScore>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchOutcome {
    /// What candidates were compared by.
    pub score: &'static FigureInfo,
    /// Every trial: later rounds after earlier ones, candidates in their order.
    pub trials: Vec<Trial>,
    /// The position in `trials` of the best.
    pub best: usize,
    /// The pipeline of the best.
    pub best_spec: PipelineSpec,
    /// How well the search as a whole does on rows it has not seen, where that was asked for.
    pub nested: Option<NestedScore>,
}

/// How well a search does: each time it chooses on some rows, and its choice is scored on others.
#[derive(Debug, Clone, PartialEq)]
pub struct NestedScore {
    /// The mean of the score over the outer folds.
    pub mean: f64,
    /// Its standard deviation over the outer folds.
    pub std: f64,
    /// Each outer fold.
    pub folds: Vec<NestedFold>,
}

/// One choice of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct NestedFold {
    /// What was chosen.
    pub params: BTreeMap<String, Value>,
    /// How it did on rows that the choice did not see.
    pub score: FoldScore,
}

impl Trial {
    /// Returns what the search set in one line.
    pub fn label(&self) -> String {
        label(&self.params)
    }

    /// Returns the mean of the score over the folds, if the candidate did not fail.
    pub fn mean(&self) -> Option<f64> {
        self.result.as_ref().ok().map(|scores| scores.mean)
    }
}

impl TrialScores {
    /// Returns the mean and standard deviation of `score` over `folds`, or why there is none.
    pub(super) fn new(score: &FigureInfo, folds: Vec<FoldScore>) -> Result<TrialScores, String> {
        let mut values = Vec::with_capacity(folds.len());
        for (index, fold) in folds.iter().enumerate() {
            match fold.metrics.get(score.name) {
                Some(value) => values.push(*value),
                None => return Err(format!("fold {} has no figure `{}`", index + 1, score.name)),
            }
        }
        let (mean, std) = mean_and_std(&values);
        Ok(TrialScores { mean, std, folds })
    }
}

/// Returns the mean and the standard deviation of values that are all there are.
pub fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

impl SearchOutcome {
    /// Returns the trials from best to worst: those of later rounds first, failed ones last, equals in their order.
    pub fn ranking(&self) -> Vec<&Trial> {
        ranking(self.score, &self.trials)
    }

    /// Returns the best trial.
    pub fn best_trial(&self) -> &Trial {
        &self.trials[self.best]
    }
}

/// Returns `trials` from best to worst.
pub(super) fn ranking<'t>(score: &FigureInfo, trials: &'t [Trial]) -> Vec<&'t Trial> {
    let mut ranked: Vec<&Trial> = trials.iter().collect();
    ranked.sort_by(|left, right| match (left.mean(), right.mean()) {
        (Some(left_mean), Some(right_mean)) => {
            right.round.cmp(&left.round).then_with(|| order(score, left_mean, right_mean))
        }
        (left_mean, right_mean) => right_mean.is_some().cmp(&left_mean.is_some()),
    });
    ranked
}

fn order(score: &FigureInfo, left: f64, right: f64) -> Ordering {
    if score.is_better(left, right) {
        Ordering::Less
    } else if score.is_better(right, left) {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}
