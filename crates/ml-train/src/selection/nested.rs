//! How well a search as a whole does, on rows that it has not seen.
//!
//! The best of many candidates looks better than it is, for it was chosen by its score. Here the whole search is done on some
//! of the rows and its choice scored on the others, so that no row has a say in the choice that it judges.

use ml_core::table::Table;

use super::outcome::{FoldScore, NestedFold, NestedScore, mean_and_std};
use super::search::{SearchError, SearchProgress, choose};
use super::spec::SearchSpec;
use crate::evaluate::evaluate_rows;
use crate::progress::{Losses, Progress, Stage};
use crate::spec::PipelineSpec;
use crate::train::train_rows;

/// Keeps the outer folds apart from the inner ones.
const OUTER_SEED: u64 = 0x6f_7574_6572;

pub(super) fn nested(
    pipeline: &PipelineSpec,
    search: &SearchSpec,
    n_folds: usize,
    table: &Table,
    rows: &[usize],
    progress: &dyn SearchProgress,
) -> Result<NestedScore, SearchError> {
    let outer = search.split.clone().with_folds(n_folds);
    let mut folds = Vec::with_capacity(n_folds);
    for fold in outer.folds(pipeline, table, rows, search.seed ^ OUTER_SEED)? {
        let inner = InnerProgress(progress);
        let choice = choose(pipeline, search, table, &fold.training, &inner)?;
        let begun = std::time::Instant::now();
        let trained = train_rows(&choice.best_spec, table, &fold.training, &inner)?;
        let fit_seconds = begun.elapsed().as_secs_f64();
        progress.fitted();
        let evaluation = evaluate_rows(&trained.model, table, &fold.validation)?;
        let score = FoldScore {
            n_training: trained.summary.n_rows_used as u64,
            n_scored: evaluation.n_samples as u64,
            metrics: evaluation.metrics,
            fit_seconds,
        };
        folds.push(NestedFold { params: choice.best_trial().params.clone(), score });
    }
    let values: Vec<f64> = folds.iter().filter_map(|fold| fold.score.metrics.get(search.score.name)).copied().collect();
    if values.len() < folds.len() {
        return Err(SearchError::NoNestedScore { score: search.score.name });
    }
    let (mean, std) = mean_and_std(&values);
    Ok(NestedScore { mean, std, folds })
}

/// Counts the fits of an inner search, and keeps its trials to itself: they are on part of the rows.
struct InnerProgress<'a>(&'a dyn SearchProgress);

impl SearchProgress for InnerProgress<'_> {
    fn planned(&self, n_fits: u64) {
        self.0.planned(n_fits + 1);
    }

    fn fitted(&self) {
        self.0.fitted();
    }

    fn finished(&self, _trial: &super::outcome::Trial) {}

    fn find_finished(&self, _key: &str) -> Option<Vec<FoldScore>> {
        None
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl Progress for InnerProgress<'_> {
    fn begin(&self, _stage: Stage) {}

    fn advance(&self, _total: u64) {}

    fn losses(&self, _losses: &Losses) {}

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
