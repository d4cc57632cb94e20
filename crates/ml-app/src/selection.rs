//! Searches of `train --search`: the best pipeline is chosen on the train split, and every trial is recorded as it is done.

mod record;
mod report;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use ml_core::dataset::Split;
use ml_core::table::Table;
use ml_data::dataset::split::split_of;
use ml_train::selection::outcome::{FoldScore, SearchOutcome, Trial};
use ml_train::selection::search::{self, SearchProgress};
use ml_train::selection::spec::SearchSpec;
use ml_train::spec::PipelineSpec;

use crate::compose::App;
use crate::progress::Progress;
use crate::run_record::RunRecord;
use crate::training::{PipelineFile, TrainRequest};

use record::{KnownTrial, TrialRecorder};
pub(crate) use report::SearchReport;

/// How many trials may wait to be recorded.
const MAX_WAITING: usize = 64;

/// A search file, as read.
#[derive(Debug, Clone)]
pub(crate) struct SearchFile {
    /// The text, which is kept with the run.
    pub(crate) text: String,
    /// What it declares.
    pub(crate) spec: SearchSpec,
}

/// Reads a search file for `pipeline`; every fault of it is told at once.
pub(crate) fn read_search(path: &Path, pipeline: &PipelineSpec) -> anyhow::Result<SearchFile> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the search {}", path.display()))?;
    let spec = SearchSpec::from_yaml(&text, pipeline).with_context(|| format!("{} is no search", path.display()))?;
    Ok(SearchFile { text, spec })
}

/// Searches on the train split, records each trial as a run under `parent`, and returns the best pipeline. Trials of an earlier
/// search in the same experiment on the same rows are not done again.
pub(crate) async fn choose(
    app: &App,
    request: &TrainRequest,
    file: &SearchFile,
    table: Arc<Table>,
    parent: &RunRecord,
    stop: &CancellationToken,
) -> anyhow::Result<(PipelineFile, SearchReport)> {
    let recorder = TrialRecorder::new(request, file, parent);
    recorder.log_search(app).await?;
    let known = recorder.find_known(app).await?;
    let begun = Instant::now();
    let (outcome, run_ids) = follow(app, request, file, table, &recorder, &known, stop).await?;
    recorder.log_outcome(app, &outcome).await?;
    let report = SearchReport::new(&file.spec, &outcome, &run_ids, begun.elapsed());
    let text = format!(
        "# Chosen by a search: {}\n{}",
        outcome.best_trial().label(),
        outcome.best_spec.to_yaml().context("the chosen pipeline cannot be written")?
    );
    Ok((PipelineFile { text, spec: outcome.best_spec }, report))
}

/// The runs of trials, by candidate and round.
type RunIds = BTreeMap<(usize, usize), ml_core::id::RunId>;

/// Runs the search on threads of its own and records what it tells.
async fn follow(
    app: &App,
    request: &TrainRequest,
    file: &SearchFile,
    table: Arc<Table>,
    recorder: &TrialRecorder<'_>,
    known: &BTreeMap<String, KnownTrial>,
    stop: &CancellationToken,
) -> anyhow::Result<(SearchOutcome, RunIds)> {
    // The search ends with the command, and when its trials cannot be recorded.
    let stop = stop.child_token();
    let (sender, mut trials) = mpsc::channel(MAX_WAITING);
    let (pipeline, spec) = (request.pipeline.spec.clone(), file.spec.clone());
    let follower = Follower {
        bar: Progress::counts(&pipeline.name, Some(0)),
        stop: stop.clone(),
        trials: sender,
        known: known.iter().map(|(key, trial)| (key.clone(), trial.folds.clone())).collect(),
        n_planned: AtomicU64::new(0),
    };
    let work = move || {
        let rows = split_of(&table)?;
        anyhow::Ok(search::search(&pipeline, &spec, &table, rows.of(Split::Train), &follower)?)
    };
    let searching = tokio::task::spawn_blocking(work);

    let mut run_ids = RunIds::new();
    let mut failure = None;
    while let Some(trial) = trials.recv().await {
        if failure.is_some() {
            continue;
        }
        match recorder.record(app, &trial).await {
            Ok(id) => {
                run_ids.insert((trial.candidate, trial.round), id);
            }
            Err(error) => {
                stop.cancel();
                failure = Some(error);
            }
        }
    }
    let searched = searching.await.context("the search panicked; the trials done before it are kept")?;
    if let Some(error) = failure {
        return Err(error.context("a trial cannot be recorded"));
    }
    if stop.is_cancelled() {
        let n_done = run_ids.len();
        anyhow::bail!("stopped; {n_done} trials are kept, and the same command goes on from there");
    }
    let outcome = searched?;
    for trial in outcome.trials.iter().filter(|trial| trial.is_reused) {
        if let Some(known) = known.get(&trial.key) {
            run_ids.insert((trial.candidate, trial.round), known.run_id.clone());
        }
    }
    Ok((outcome, run_ids))
}

/// Shows a search on a bar, hands its trials on, and stops it when Ctrl-C was pressed.
struct Follower {
    bar: Progress,
    stop: CancellationToken,
    trials: mpsc::Sender<Trial>,
    known: BTreeMap<String, Vec<FoldScore>>,
    n_planned: AtomicU64,
}

impl SearchProgress for Follower {
    fn planned(&self, n_fits: u64) {
        let n_planned = self.n_planned.fetch_add(n_fits, Ordering::Relaxed) + n_fits;
        self.bar.set_total(n_planned);
    }

    fn fitted(&self) {
        self.bar.advance();
    }

    fn finished(&self, trial: &Trial) {
        match &trial.result {
            Ok(scores) => self.bar.message(format!("{:.4} by {}", scores.mean, trial.label())),
            Err(reason) => {
                tracing::debug!("trial {} ({}) failed: {reason}", trial.candidate, trial.label());
            }
        }
        // Nobody listens any more once recording has failed; the search then stops anyway.
        let _ = self.trials.blocking_send(trial.clone());
    }

    fn find_finished(&self, key: &str) -> Option<Vec<FoldScore>> {
        self.known.get(key).cloned()
    }

    fn is_cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}
