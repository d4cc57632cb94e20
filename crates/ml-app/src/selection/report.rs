//! What a search found, for people and programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use ml_core::id::RunId;
use ml_train::selection::outcome::{NestedScore, SearchOutcome, Trial};
use ml_train::selection::spec::SearchSpec;
use ml_train::selection::values::in_one_line;

use super::RunIds;
use crate::output;

/// How many trials a person is shown.
const MAX_SHOWN: usize = 20;

/// What a search found.
#[derive(Debug, Serialize)]
pub(crate) struct SearchReport {
    /// How candidates were found and judged.
    method: &'static str,
    /// What they were compared by.
    score: &'static str,
    /// How the train split was divided.
    split: &'static str,
    /// Into how many folds.
    n_folds: usize,
    /// How many trials failed.
    n_failed: usize,
    /// How many trials an earlier search had done.
    n_reused: usize,
    /// How long the search took.
    seconds: f64,
    /// How well the search does on rows that it has not seen, where that was asked for.
    nested: Option<NestedReport>,
    /// Every trial, the best first.
    ranking: Vec<TrialReport>,
}

/// How well a search does on rows that it has not seen.
#[derive(Debug, Serialize)]
struct NestedReport {
    mean: f64,
    std: f64,
    folds: Vec<NestedFoldReport>,
}

#[derive(Debug, Serialize)]
struct NestedFoldReport {
    params: BTreeMap<String, serde_yaml_ng::Value>,
    metrics: BTreeMap<String, f64>,
    n_scored: u64,
}

/// A trial.
#[derive(Debug, Serialize)]
struct TrialReport {
    candidate: usize,
    round: usize,
    resource: Option<u64>,
    params: BTreeMap<String, serde_yaml_ng::Value>,
    mean: Option<f64>,
    std: Option<f64>,
    folds: Vec<f64>,
    fit_seconds: Option<f64>,
    failure: Option<String>,
    is_reused: bool,
    run_id: Option<RunId>,
}

impl SearchReport {
    pub(super) fn new(spec: &SearchSpec, outcome: &SearchOutcome, run_ids: &RunIds, took: Duration) -> SearchReport {
        let ranking = outcome.ranking();
        SearchReport {
            method: spec.method.name(),
            score: outcome.score.name,
            split: spec.split.name(),
            n_folds: spec.split.n_folds(),
            n_failed: ranking.iter().filter(|trial| trial.result.is_err()).count(),
            n_reused: ranking.iter().filter(|trial| trial.is_reused).count(),
            seconds: took.as_secs_f64(),
            nested: outcome.nested.as_ref().map(NestedReport::new),
            ranking: ranking.into_iter().map(|trial| TrialReport::new(trial, outcome.score.name, run_ids)).collect(),
        }
    }

    /// Returns the text for people, without a final line break.
    pub(crate) fn text(&self) -> String {
        let count = |n: usize| output::count(n as u64);
        let mut trials = format!("{} of {} in {:.2} s", count(self.ranking.len()), self.method, self.seconds);
        if self.n_failed > 0 {
            let _ = write!(trials, ", {} failed", count(self.n_failed));
        }
        if self.n_reused > 0 {
            let _ = write!(trials, ", {} done before", count(self.n_reused));
        }
        let mut pairs = vec![
            ("trials", trials),
            ("compared by", format!("{} over {} folds of the train split ({})", self.score, self.n_folds, self.split)),
        ];
        if let Some(nested) = &self.nested {
            let (mean, std) = (output::figure(nested.mean), output::figure(nested.std));
            pairs.push(("nested", format!("{mean} ± {std} on rows that no choice saw, {} folds", nested.folds.len())));
        }
        let mut text = format!("{}\n{}", output::pairs(pairs), self.table());
        if self.ranking.len() > MAX_SHOWN {
            let _ = write!(text, "\nand {} more; `--output json` has all", count(self.ranking.len() - MAX_SHOWN));
        }
        text
    }

    fn table(&self) -> String {
        let is_halving = self.ranking.iter().any(|trial| trial.resource.is_some());
        let mut heads = vec!["rank", self.score, "±", "fit s"];
        if is_halving {
            heads.extend(["round", "resource"]);
        }
        let right: Vec<usize> = (0..heads.len()).collect();
        heads.push("trial");
        let rows = self.ranking.iter().take(MAX_SHOWN).enumerate().map(|(index, trial)| {
            let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), output::figure);
            let seconds = trial.fit_seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}"));
            let mut row = vec![(index + 1).to_string(), shown(trial.mean), shown(trial.std), seconds];
            if is_halving {
                row.push(trial.round.to_string());
                row.push(trial.resource.map_or_else(|| "-".to_owned(), output::count));
            }
            row.push(trial.label());
            row
        });
        output::table(&heads, rows, &right)
    }
}

impl NestedReport {
    fn new(nested: &NestedScore) -> NestedReport {
        let folds = nested.folds.iter().map(|fold| NestedFoldReport {
            params: fold.params.clone(),
            metrics: fold.score.metrics.clone(),
            n_scored: fold.score.n_scored,
        });
        NestedReport { mean: nested.mean, std: nested.std, folds: folds.collect() }
    }
}

impl TrialReport {
    fn new(trial: &Trial, score: &str, run_ids: &RunIds) -> TrialReport {
        let scores = trial.result.as_ref().ok();
        let folds = scores.map_or(&[][..], |scores| &scores.folds);
        TrialReport {
            candidate: trial.candidate,
            round: trial.round,
            resource: trial.resource,
            params: trial.params.clone(),
            mean: scores.map(|scores| scores.mean),
            std: scores.map(|scores| scores.std),
            folds: folds.iter().filter_map(|fold| fold.metrics.get(score)).copied().collect(),
            fit_seconds: scores.map(|_| folds.iter().map(|fold| fold.fit_seconds).sum()),
            failure: trial.result.as_ref().err().cloned(),
            is_reused: trial.is_reused,
            run_id: run_ids.get(&(trial.candidate, trial.round)).cloned(),
        }
    }

    fn label(&self) -> String {
        let params = self.params.iter().map(|(path, value)| format!("{path}={}", in_one_line(value)));
        let label = params.collect::<Vec<_>>().join(" ");
        match &self.failure {
            Some(reason) => format!("{label} failed: {reason}"),
            None => label,
        }
    }
}
