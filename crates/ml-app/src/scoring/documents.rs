//! Scoring the documents of a collection, where they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::bail;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use ml_data::pipeline::Pipeline;
use ml_data::scoring::{DocumentScorer, DocumentScoring, ScoringCounts, ScoringOptions, ScoringReport};

use crate::compose::App;
use crate::progress::Progress;
use crate::scorer::Scorer;

/// What scoring documents led to.
#[derive(Debug, Serialize)]
pub(crate) struct DocumentsReport {
    /// What became of the documents.
    #[serde(flatten)]
    pub(crate) scoring: ScoringReport,
    /// By column, values of categories that training did not see.
    pub(crate) unknown_categories: BTreeMap<String, u64>,
}

/// Scores the documents that need it; their predictions are in the document store at once.
pub(crate) async fn score_documents(
    app: &App,
    scorer: Scorer,
    options: &ScoringOptions,
    stop: &CancellationToken,
) -> anyhow::Result<DocumentsReport> {
    if scorer.reads_other_rows() {
        let scorer = scorer.description();
        bail!("{scorer} reads earlier rows, which single documents do not have: score a dataset with --dataset");
    }
    let scoring = DocumentScoring {
        documents: app.documents.records.clone(),
        feed: app.documents.feed.clone(),
        predictions: app.documents.predictions.clone(),
        pipeline: Arc::new(Pipeline::new(&app.config.pipeline)?),
        clock: app.clock.clone(),
        patience: app.config.settings.sync.patience(),
    };
    let bar = Progress::counts(options.collection.name(), Some(scoring.count(options).await?));
    let observer = |counts: ScoringCounts| {
        bar.set(counts.total());
        bar.message(format!("{} scored", counts.scored));
    };
    let scorer = Arc::new(scorer);
    let shared: Arc<dyn DocumentScorer> = scorer.clone();
    let scoring = scoring.run(&shared, options, &observer, stop).await?;
    Ok(DocumentsReport { scoring, unknown_categories: scorer.unknown_categories() })
}
