//! The search: candidates, round by round, and the best of them.

use std::sync::Mutex;

use ml_core::digest::Digest;
use ml_core::table::Table;

use super::candidate::{Candidate, candidates, check_columns_of, number_at, with_number};
use super::halving::{rounds, sampled};
use super::nested::nested;
use super::outcome::{FoldScore, SearchOutcome, Trial, TrialScores, ranking};
use super::schedule::{self, FoldResult};
use super::spec::{Halving, Method, Resource, SearchSpec, SearchSpecError};
use super::split::{Fold, SplitSpec, class_numbers};
use crate::error::{EvaluateError, TrainError};
use crate::spec::{PipelineSpec, Task};

/// Changes when trials of an earlier release are not to be taken for those of this one.
const KEY_VERSION: u32 = 1;

/// Follows a search. Methods are called from several threads, and should return soon.
pub trait SearchProgress: Send + Sync {
    /// So many more fits are to come.
    fn planned(&self, n_fits: u64);

    /// One more fit is done.
    fn fitted(&self);

    /// A trial is done, well or not.
    fn finished(&self, trial: &Trial);

    /// Returns how the trial with this key did on each fold, if an earlier search on the same rows did it.
    fn find_finished(&self, key: &str) -> Option<Vec<FoldScore>>;

    /// Returns whether the search should stop as soon as it can.
    fn is_cancelled(&self) -> bool;
}

/// Why nothing was chosen.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The search is wrong, or makes pipelines that are or that do not fit the data.
    #[error(transparent)]
    Spec(#[from] SearchSpecError),
    /// The rows cannot be divided, or the choice cannot be fitted.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The choice cannot be scored.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// Every candidate failed.
    #[error("all {n_trials} trials failed, the first because {reason}")]
    NoTrial {
        /// How many there were.
        n_trials: usize,
        /// Why the first failed.
        reason: String,
    },
    /// A choice has no such figure on rows that it has not seen.
    #[error("the choice of an outer fold has no figure `{score}`: compare by another `score`, or leave `nested` out")]
    NoNestedScore {
        /// The figure.
        score: &'static str,
    },
    /// The caller asked to stop.
    #[error("the search was stopped")]
    Cancelled,
}

/// Searches for the best pipeline on `rows` of `table`, and scores the search itself where that is asked for.
///
/// The outcome depends on the pipeline, the search, the table and the rows alone; not on the number of threads.
///
/// # Errors
/// [`SearchError`].
///
/// # Panics
/// If a row is not below [`Table::n_rows`].
pub fn search(
    pipeline: &PipelineSpec,
    search: &SearchSpec,
    table: &Table,
    rows: &[usize],
    progress: &dyn SearchProgress,
) -> Result<SearchOutcome, SearchError> {
    let mut outcome = choose(pipeline, search, table, rows, progress)?;
    if let Some(n_folds) = search.nested_folds {
        outcome.nested = Some(nested(pipeline, search, n_folds, table, rows, progress)?);
    }
    Ok(outcome)
}

/// Searches, and does not score the search itself.
pub(super) fn choose(
    pipeline: &PipelineSpec,
    search: &SearchSpec,
    table: &Table,
    rows: &[usize],
    progress: &dyn SearchProgress,
) -> Result<SearchOutcome, SearchError> {
    let all = candidates(pipeline, search)?;
    check_columns_of(&all, table)?;
    let folds = search.split.folds(pipeline, table, rows, search.seed)?;
    let judge = Judge { search, table, folds: &folds, progress };
    let trials = match &search.method {
        Method::Grid | Method::Random { .. } => judge.judge_all(&all)?,
        Method::Halving(halving) => judge.halve(pipeline, &all, halving)?,
    };
    let Some(best_candidate) = ranking(search.score, &trials).first().filter(|trial| trial.result.is_ok()).copied()
    else {
        let reason = trials.iter().find_map(|trial| trial.result.as_ref().err()).cloned().unwrap_or_default();
        return Err(SearchError::NoTrial { n_trials: trials.len(), reason });
    };
    let is_best = |trial: &Trial| std::ptr::eq(trial, best_candidate);
    let best = trials.iter().position(is_best).expect("the best is one of the trials");
    let best_spec = all[trials[best].candidate - 1].spec.clone();
    Ok(SearchOutcome { score: search.score, trials, best, best_spec, nested: None })
}

/// A candidate in one round, with as much of the resource as it has there.
struct Entry<'a> {
    /// The number of the candidate, from 0.
    number: usize,
    candidate: &'a Candidate,
    /// The pipeline that is fitted.
    spec: PipelineSpec,
    resource: Option<u64>,
}

/// What candidates are judged on.
struct Judge<'a> {
    search: &'a SearchSpec,
    table: &'a Table,
    folds: &'a [Fold],
    progress: &'a dyn SearchProgress,
}

impl Judge<'_> {
    /// Judges every candidate once, on all rows.
    fn judge_all(&self, all: &[Candidate]) -> Result<Vec<Trial>, SearchError> {
        self.progress.planned((all.len() * self.folds.len()) as u64);
        let mut entries = Vec::with_capacity(all.len());
        for (number, candidate) in all.iter().enumerate() {
            entries.push(Entry { number, candidate, spec: candidate.spec.clone(), resource: None });
        }
        self.judge(&entries, 1, self.folds, 1)
    }

    /// Judges round by round; the best of each go to the next. A candidate that failed goes no further.
    fn halve(&self, pipeline: &PipelineSpec, all: &[Candidate], halving: &Halving) -> Result<Vec<Trial>, SearchError> {
        let n_rows = self.folds.iter().map(|fold| fold.training.len()).min().unwrap_or(0);
        let rounds = rounds(halving, all.len(), n_rows);
        let n_judged: usize = rounds.iter().map(|round| round.n_candidates).sum();
        self.progress.planned((n_judged * self.folds.len()) as u64);
        let classes = match pipeline.task {
            Task::Classification => Some(class_numbers(pipeline, self.table)?),
            _ => None,
        };
        let mut trials: Vec<Trial> = Vec::new();
        let mut last_round: Vec<Trial> = Vec::new();
        for (index, round) in rounds.iter().enumerate() {
            let left: Vec<usize> = if index == 0 {
                (0..all.len()).collect()
            } else {
                let passed = ranking(self.search.score, &last_round);
                let passed = passed.into_iter().filter(|trial| trial.result.is_ok()).take(round.n_candidates);
                let mut left: Vec<usize> = passed.map(|trial| trial.candidate - 1).collect();
                left.sort_unstable();
                left
            };
            trials.append(&mut last_round);
            last_round = match &halving.resource {
                Resource::Rows => {
                    let folds = sampled(self.folds, classes.as_deref(), round.divisor, self.search.seed);
                    let most_rows = folds.iter().map(|fold| fold.training.len() as u64).max();
                    let entry = |number: usize| Entry {
                        number,
                        candidate: &all[number],
                        spec: all[number].spec.clone(),
                        resource: most_rows,
                    };
                    let entries: Vec<Entry<'_>> = left.into_iter().map(entry).collect();
                    self.judge(&entries, index + 1, &folds, round.divisor)?
                }
                Resource::Param(path) => {
                    let mut entries = Vec::with_capacity(left.len());
                    for number in left {
                        let candidate = &all[number];
                        let whole = number_at(&candidate.spec, path).unwrap_or(1);
                        let part = whole.div_ceil(round.divisor as u64).max(1);
                        let spec = with_number(&candidate.spec, path, part).map_err(TrainError::from)?;
                        entries.push(Entry { number, candidate, spec, resource: Some(part) });
                    }
                    self.judge(&entries, index + 1, self.folds, 1)?
                }
            };
        }
        trials.append(&mut last_round);
        Ok(trials)
    }

    /// Judges candidates on `folds`, which have one in `divisor` of all rows to fit on; the trials are in their order.
    fn judge(
        &self,
        entries: &[Entry<'_>],
        round: usize,
        folds: &[Fold],
        divisor: usize,
    ) -> Result<Vec<Trial>, SearchError> {
        let keys: Vec<String> =
            entries.iter().map(|entry| key(&entry.spec, &self.search.split, self.search.seed, divisor)).collect();
        let trial = |position: usize, result: Result<Vec<FoldScore>, String>, is_reused: bool| Trial {
            candidate: entries[position].number + 1,
            round,
            params: entries[position].candidate.params.clone(),
            resource: entries[position].resource,
            key: keys[position].clone(),
            result: result.and_then(|folds| TrialScores::new(self.search.score, folds)),
            is_reused,
        };
        let trials: Vec<Mutex<Option<Trial>>> = entries.iter().map(|_| Mutex::new(None)).collect();
        let mut to_do = Vec::with_capacity(entries.len());
        for (position, key) in keys.iter().enumerate() {
            match self.progress.find_finished(key).filter(|found| found.len() == folds.len()) {
                Some(found) => {
                    for _ in folds {
                        self.progress.fitted();
                    }
                    *locked(&trials[position]) = Some(trial(position, Ok(found), true));
                }
                None => to_do.push(position),
            }
        }
        let specs: Vec<&PipelineSpec> = to_do.iter().map(|&position| &entries[position].spec).collect();
        let finish = |index: usize, results: Vec<FoldResult>| {
            let position = to_do[index];
            let trial = trial(position, folds_or_reason(results), false);
            self.progress.finished(&trial);
            *locked(&trials[position]) = Some(trial);
        };
        schedule::run(&specs, self.table, folds, self.progress, &finish).map_err(|_| SearchError::Cancelled)?;
        Ok(trials.into_iter().filter_map(|trial| trial.into_inner().ok().flatten()).collect())
    }
}

/// Returns the folds, or the reason of the first that failed.
fn folds_or_reason(results: Vec<FoldResult>) -> Result<Vec<FoldScore>, String> {
    let with_number =
        |(index, result): (usize, FoldResult)| result.map_err(|reason| format!("fold {}: {reason}", index + 1));
    results.into_iter().enumerate().map(with_number).collect()
}

/// Returns what tells a trial from every other on the same rows: what is fitted, and on which of them.
fn key(spec: &PipelineSpec, split: &SplitSpec, seed: u64, divisor: usize) -> String {
    let told = (KEY_VERSION, spec, split, seed, divisor);
    let bytes = rmp_serde::to_vec_named(&told).expect("a pipeline has a form in MessagePack, in which it is stored");
    Digest::of(&bytes).to_string()
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
