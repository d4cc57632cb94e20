//! The threshold from which on a row is taken for one of two classes, and how it is found.
//!
//! Source: Elkan, *The foundations of cost-sensitive learning* (2001). As scikit-learn's `TunedThresholdClassifierCV`, the
//! threshold is found on rows that the models which score them were not fitted on.

use std::collections::BTreeMap;

use ml_core::table::Table;
use serde::{Deserialize, Serialize};

use crate::error::{EvaluateError, TrainError};
use crate::estimator::Scores;
use crate::evaluate::outcome::Outcome;
use crate::evaluate::threshold::{Costs, least_cost_threshold};
use crate::progress::Progress;
use crate::selection::split::{SplitSpec, labels};
use crate::spec::{DecisionSpec, PipelineSpec};
use crate::train::train_rows;

/// From where on a row is taken for a class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The index of the class.
    pub positive: usize,
    /// A row whose probability of the class, or decision score for it, is at least this is taken for one of the class; others
    /// for one of the other class.
    pub threshold: f64,
}

impl Decision {
    /// Returns the decision that `spec` states or asks to find, for a model of `classes`.
    ///
    /// # Errors
    /// [`TrainError::Data`] where there are not two classes, and for a class that is none of them; and what fitting on folds of
    /// the rows fails with.
    pub(crate) fn of(
        spec: &PipelineSpec,
        classes: &[String],
        table: &Table,
        rows: &[usize],
        progress: &dyn Progress,
    ) -> Result<Option<Decision>, TrainError> {
        let Some(decision) = &spec.decision else { return Ok(None) };
        let positive = positive_class(decision, classes)?;
        let threshold = match (decision.threshold, decision.costs()) {
            (Some(threshold), _) => threshold,
            (None, Some(costs)) => threshold_of(spec, &costs, positive, table, rows, progress)?,
            // Such a pipeline is refused before it is fitted.
            (None, None) => return Ok(None),
        };
        Ok(Some(Decision { positive, threshold }))
    }

    /// Returns the class of each row of `scores`.
    pub(crate) fn classes(self, scores: &Scores) -> Vec<usize> {
        let class = |row: &[f64]| if row[self.positive] >= self.threshold { self.positive } else { 1 - self.positive };
        scores.values.chunks(scores.n_classes).map(class).collect()
    }

    /// Returns the threshold seen from `class`, one of the two.
    pub(crate) fn threshold_for(self, class: usize, are_probabilities: bool) -> f64 {
        match (class == self.positive, are_probabilities) {
            (true, _) => self.threshold,
            (false, true) => 1.0 - self.threshold,
            (false, false) => -self.threshold,
        }
    }

    /// Returns why it does not fit a model of `n_classes`, if so.
    pub(crate) fn inconsistency(self, n_classes: usize) -> Option<String> {
        let fits = n_classes == 2 && self.positive < 2 && self.threshold.is_finite();
        (!fits).then(|| format!("a threshold for one of two classes serves {n_classes}"))
    }
}

fn positive_class(decision: &DecisionSpec, classes: &[String]) -> Result<usize, TrainError> {
    if classes.len() != 2 {
        let what = format!("`decision` is for two classes, and there are {}", classes.len());
        return Err(TrainError::data(what, "leave it out"));
    }
    let Some(positive) = &decision.positive else { return Ok(1) };
    classes.iter().position(|class| class == positive).ok_or_else(|| {
        let classes = classes.join("` or `");
        TrainError::data(format!("`decision.positive` is `{positive}`, which is no class"), format!("name `{classes}`"))
    })
}

/// Finds the threshold of least cost: models of parts of the rows score the rows of the other parts, all of which are judged
/// together.
fn threshold_of(
    spec: &PipelineSpec,
    costs: &Costs,
    positive: usize,
    table: &Table,
    rows: &[usize],
    progress: &dyn Progress,
) -> Result<f64, TrainError> {
    let undecided = PipelineSpec { decision: None, ..spec.clone() };
    let mut outcomes = Vec::new();
    for fold in split_for(&undecided, table, rows)?.folds(&undecided, table, rows, spec.seed)? {
        let model = train_rows(&undecided, table, &fold.training, progress)?.model;
        match Outcome::of(&model, table, &fold.validation) {
            Ok(outcome) => outcomes.push(outcome),
            Err(EvaluateError::NoRows { .. }) => {}
            Err(err) => return Err(no_decision(err)),
        }
    }
    least_cost_threshold(&outcomes, positive, costs).map_err(no_decision)
}

/// Returns the folds that suit the pipeline; those by class are no more than the rarer class has rows, so that each has some.
fn split_for(spec: &PipelineSpec, table: &Table, rows: &[usize]) -> Result<SplitSpec, TrainError> {
    let split = SplitSpec::for_pipeline(spec);
    if !matches!(split, SplitSpec::Stratified { .. }) {
        return Ok(split);
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for label in labels(spec, table, rows)?.into_iter().flatten() {
        *counts.entry(label).or_default() += 1;
    }
    let Some((class, &n_rows)) = counts.iter().min_by_key(|(_, n_rows)| **n_rows) else { return Ok(split) };
    if n_rows < 2 {
        let what = format!("class `{class}` has one row, which is too few to find a `decision` by costs");
        return Err(TrainError::data(what, "give more rows, or state its `threshold`"));
    }
    let n_folds = split.n_folds().min(n_rows);
    Ok(split.with_folds(n_folds))
}

fn no_decision(err: EvaluateError) -> TrainError {
    match err {
        EvaluateError::NoThreshold { reason } => no_scores(&reason),
        err => TrainError::data(format!("`decision` cannot be found: {err}"), "state its `threshold`"),
    }
}

/// Returns the error for models without the scores that a threshold is for.
pub(crate) fn no_scores(reason: &str) -> TrainError {
    let way_out = "use an estimator with probabilities or decision scores, or leave `decision` out";
    TrainError::data(format!("there is no `decision` to make: {reason}"), way_out)
}
