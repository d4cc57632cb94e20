//! Candidates on folds, several at a time.
//!
//! Each processor takes the next pair of candidate and fold. Pairs are in such an order that the preprocessing of a fold is
//! done once for many candidates, that whole candidates are done early, and that few folds are in memory at a time. What
//! comes out does not depend on how many processors there are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ml_core::table::Table;

use super::fold::{PreparedFold, reason};
use super::outcome::FoldScore;
use super::search::SearchProgress;
use super::split::Fold;
use crate::progress::{Losses, Progress, Stage};
use crate::spec::PipelineSpec;

/// How many candidates are done on one fold before the next: few, so that whole candidates are done early, and yet enough to be
/// worth the preprocessing where folds take too much memory to be kept.
const BLOCK: usize = 4;

/// How much memory folds may take that are kept for the candidates to come.
const KEPT_BYTES: usize = 1 << 30;

/// How a candidate did on one fold, or why it failed.
pub(super) type FoldResult = Result<FoldScore, String>;

/// The search was asked to stop.
#[derive(Debug)]
pub(super) struct Stopped;

/// Fits and scores each of `specs` on each of `folds`, and calls `finish` with the position of a candidate and its results
/// once it is done with all of them.
pub(super) fn run(
    specs: &[&PipelineSpec],
    table: &Table,
    folds: &[Fold],
    progress: &dyn SearchProgress,
    finish: &(dyn Fn(usize, Vec<FoldResult>) + Sync),
) -> Result<(), Stopped> {
    let plan = Plan::new(specs, folds.len());
    let desk = Desk {
        specs,
        table,
        folds,
        progress,
        finish,
        plan: &plan,
        next: AtomicUsize::new(0),
        kept: AtomicUsize::new(0),
    };
    let n_workers = rayon::current_num_threads().min(plan.pairs.len());
    // Threads of their own, which may wait for one another as those of rayon must not; fits use rayon's besides.
    std::thread::scope(|scope| {
        for _ in 0..n_workers {
            scope.spawn(|| desk.work());
        }
    });
    if progress.is_cancelled() { Err(Stopped) } else { Ok(()) }
}

/// A candidate on a fold.
struct Pair {
    candidate: usize,
    fold: usize,
    /// The place of the prepared fold.
    shelf: usize,
    /// The pairs that are done one after the other on this fold.
    block: usize,
}

/// Every pair in the order in which they are taken.
struct Plan {
    pairs: Vec<Pair>,
    shelves: Vec<Shelf>,
    /// How many pairs of each block are left.
    blocks: Vec<AtomicUsize>,
    results: Vec<Mutex<Vec<Option<FoldResult>>>>,
}

/// A place for a prepared fold: empty before its first use, after its last, and while it would take too much memory.
struct Shelf {
    prepared: Mutex<Option<Arc<Preparation>>>,
    n_left: AtomicUsize,
}

type Preparation = OnceLock<Result<PreparedFold, String>>;

impl Plan {
    fn new(specs: &[&PipelineSpec], n_folds: usize) -> Plan {
        let mut pairs = Vec::with_capacity(specs.len() * n_folds);
        let mut shelves = Vec::new();
        let mut blocks = Vec::new();
        for group in groups(specs) {
            let first_shelf = shelves.len();
            shelves.extend(
                (0..n_folds).map(|_| Shelf { prepared: Mutex::new(None), n_left: AtomicUsize::new(group.len()) }),
            );
            for candidates in group.chunks(BLOCK) {
                for fold in 0..n_folds {
                    let block = blocks.len();
                    blocks.push(AtomicUsize::new(candidates.len()));
                    let shelf = first_shelf + fold;
                    pairs.extend(candidates.iter().map(|&candidate| Pair { candidate, fold, shelf, block }));
                }
            }
        }
        let results = specs.iter().map(|_| Mutex::new(vec![None; n_folds])).collect();
        Plan { pairs, shelves, blocks, results }
    }
}

/// Puts together the candidates that have the same features, in their order.
fn groups(specs: &[&PipelineSpec]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (candidate, spec) in specs.iter().enumerate() {
        match groups.iter_mut().find(|group| shares_features(specs[group[0]], spec)) {
            Some(group) => group.push(candidate),
            None => groups.push(vec![candidate]),
        }
    }
    groups
}

/// Returns whether two pipelines learn from the same features of the same rows.
fn shares_features(left: &PipelineSpec, right: &PipelineSpec) -> bool {
    let (of_left, of_right) = (&left.estimator, &right.estimator);
    left.seed == right.seed
        && left.target_transform == right.target_transform
        && left.derive == right.derive
        && left.features == right.features
        && of_left.missing_values() == of_right.missing_values()
        && of_left.baseline_columns().is_some() == of_right.baseline_columns().is_some()
}

/// What workers share.
struct Desk<'a> {
    specs: &'a [&'a PipelineSpec],
    table: &'a Table,
    folds: &'a [Fold],
    progress: &'a dyn SearchProgress,
    finish: &'a (dyn Fn(usize, Vec<FoldResult>) + Sync),
    plan: &'a Plan,
    next: AtomicUsize,
    /// How much memory prepared folds take.
    kept: AtomicUsize,
}

impl Desk<'_> {
    fn work(&self) {
        while !self.progress.is_cancelled() {
            let Some(pair) = self.plan.pairs.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return };
            // What is borrowed is only read, and a result that panicked was not written: no broken state is seen.
            let result = catch_unwind(AssertUnwindSafe(|| self.score(pair)))
                .unwrap_or_else(|panic| Err(format!("it stopped with `{}`", panic_message(&*panic))));
            if result.is_err() && self.progress.is_cancelled() {
                return;
            }
            self.put_away(pair);
            self.progress.fitted();
            self.note(pair, result);
        }
    }

    fn score(&self, pair: &Pair) -> FoldResult {
        let spec = self.specs[pair.candidate];
        let fit = FitOfTrial(self.progress);
        let preparation = Arc::clone(locked(&self.plan.shelves[pair.shelf].prepared).get_or_insert_default());
        let prepared = preparation.get_or_init(|| {
            let prepared = PreparedFold::new(spec, self.table, &self.folds[pair.fold], &fit);
            let prepared = prepared.map_err(|error| reason(&error))?;
            self.kept.fetch_add(prepared.size_bytes(), Ordering::Relaxed);
            Ok(prepared)
        });
        match prepared {
            Ok(prepared) => prepared.score(spec, self.table, &fit).map_err(|error| reason(&error)),
            Err(reason) => Err(reason.clone()),
        }
    }

    /// Frees the fold of `pair` when no candidate needs it any more, or none soon and it takes too much memory.
    fn put_away(&self, pair: &Pair) {
        let shelf = &self.plan.shelves[pair.shelf];
        let is_last_of_block = self.plan.blocks[pair.block].fetch_sub(1, Ordering::AcqRel) == 1;
        let is_last = shelf.n_left.fetch_sub(1, Ordering::AcqRel) == 1;
        if is_last || (is_last_of_block && self.kept.load(Ordering::Relaxed) > KEPT_BYTES) {
            let taken = locked(&shelf.prepared).take();
            let size = taken.as_deref().and_then(Preparation::get).and_then(|prepared| prepared.as_ref().ok());
            self.kept.fetch_sub(size.map_or(0, PreparedFold::size_bytes), Ordering::Relaxed);
        }
    }

    fn note(&self, pair: &Pair, result: FoldResult) {
        let mut results = locked(&self.plan.results[pair.candidate]);
        results[pair.fold] = Some(result);
        if results.iter().all(Option::is_some) {
            let results = results.drain(..).flatten().collect();
            (self.finish)(pair.candidate, results);
        }
    }
}

/// A thread that panics while it holds a lock has written nothing by halves.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a message")
}

/// Stops the fits of a search along with it; how far each has come is not told.
struct FitOfTrial<'a>(&'a dyn SearchProgress);

impl Progress for FitOfTrial<'_> {
    fn begin(&self, _stage: Stage) {}

    fn advance(&self, _total: u64) {}

    fn losses(&self, _losses: &Losses) {}

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
