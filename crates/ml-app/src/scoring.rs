//! Scoring: rows of a dataset into the outbox, rows of a file back to the caller, documents where they are; and delivery of what
//! waits.

mod documents;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::Serialize;

use ml_core::dataset::{DatasetVersion, Split};
use ml_core::id::RecordId;
use ml_core::result::Prediction;
use ml_core::table::Table;
use ml_data::dataset::split::split_of;
use ml_data::dataset::{EVENT_TIME_COLUMN, ID_COLUMN};
use ml_data::ingest::InputFormat;
use ml_data::manager::Results;
use ml_data::pipeline::RowForm;
use ml_data::publish::Publisher;
use ml_data::scoring::{DocumentScorer as _, Score};

use crate::compose::App;
use crate::progress::Progress;
use crate::scorer::Scorer;

pub(crate) use self::documents::{DocumentsReport, score_documents};

/// How many predictions are written at a time.
const BATCH_SIZE: usize = 5_000;

/// What scoring a dataset led to.
#[derive(Debug, Serialize)]
pub(crate) struct ScoreReport {
    /// `name@version` of the model.
    pub(crate) model: String,
    /// `name@version` of the rows.
    pub(crate) dataset: String,
    /// Rows scored.
    pub(crate) n_scored: u64,
    /// Rows that could not be scored; their predictions say why.
    pub(crate) n_missing: u64,
    /// Predictions that were handed over for delivery.
    pub(crate) n_enqueued: u64,
    /// By column, values of categories that training did not see.
    pub(crate) unknown_categories: BTreeMap<String, u64>,
}

/// What scoring the rows of a file led to.
pub(crate) struct FileScores {
    /// One a row, in order.
    pub(crate) predictions: Vec<Prediction>,
    /// By column, values of categories that training did not see.
    pub(crate) unknown_categories: BTreeMap<String, u64>,
}

/// Scores a dataset version, or one split of it, and hands the predictions over for delivery.
pub(crate) async fn score_dataset(
    app: &App,
    scorer: Scorer,
    dataset: &DatasetVersion,
    split: Option<Split>,
) -> anyhow::Result<ScoreReport> {
    let table = app.datasets.load(dataset).await?;
    let (model, at) = (scorer.description(), app.clock.now());
    let work = move || {
        let rows = match split {
            Some(split) => split_of(&table)?.of(split).to_vec(),
            None => (0..table.n_rows()).collect(),
        };
        anyhow::Ok((predictions_for(&scorer, &table, &rows, at)?, scorer.unknown_categories()))
    };
    let (predictions, unknown_categories) = tokio::task::spawn_blocking(work).await.context("scoring panicked")??;
    let n_missing = predictions.iter().filter(|prediction| prediction.value.is_null()).count() as u64;
    let n_rows = predictions.len() as u64;
    write(app, predictions).await?;
    let (dataset, n_scored, n_enqueued) = (dataset.reference(), n_rows - n_missing, n_rows);
    Ok(ScoreReport { model, dataset, n_scored, n_missing, n_enqueued, unknown_categories })
}

async fn write(app: &App, mut predictions: Vec<Prediction>) -> anyhow::Result<()> {
    let progress = Progress::counts("predictions", Some(predictions.len() as u64));
    let mut n_written = 0;
    while !predictions.is_empty() {
        let rest = predictions.split_off(predictions.len().min(BATCH_SIZE));
        n_written += predictions.len() as u64;
        app.data.write(&Results::Predictions(predictions)).await?;
        progress.set(n_written);
        predictions = rest;
    }
    Ok(())
}

/// Scores the rows of a file, or of standard input for `-`, each brought into `form` first.
pub(crate) async fn score_file(
    app: &App,
    scorer: Scorer,
    form: Option<RowForm>,
    path: &Path,
    format: Option<InputFormat>,
) -> anyhow::Result<FileScores> {
    let (path, at) = (path.to_owned(), app.clock.now());
    let work = move || {
        let table = crate::table_file::read(&path, format, form.as_ref())?;
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let predictions = predictions_for(&scorer, &table, &rows, at)?;
        Ok(FileScores { predictions, unknown_categories: scorer.unknown_categories() })
    };
    tokio::task::spawn_blocking(work).await.context("scoring panicked")?
}

/// Writes predictions as JSON, one a line.
pub(crate) fn json_lines(predictions: &[Prediction]) -> String {
    let line = |prediction| serde_json::to_string(prediction).expect("a prediction has text keys") + "\n";
    predictions.iter().map(line).collect()
}

/// Returns what delivers predictions that wait in the outbox.
pub(crate) fn publisher(app: &App) -> Publisher {
    Publisher {
        outbox: app.sql.outbox.clone(),
        predictions: app.documents.predictions.clone(),
        embeddings: app.documents.embeddings.clone(),
        intermediate_results: app.documents.intermediate_results.clone(),
        figures: app.documents.figures.clone(),
        clock: app.clock.clone(),
        patience: app.config.settings.sync.patience(),
    }
}

/// Scores the rows of `table` at `rows`.
fn predictions_for(
    scorer: &Scorer,
    table: &Table,
    rows: &[usize],
    at: DateTime<Utc>,
) -> anyhow::Result<Vec<Prediction>> {
    let scores = scorer.score_rows(table, rows)?;
    let ids = table.find(ID_COLUMN).map(|column| column.as_texts());
    let times = table.find(EVENT_TIME_COLUMN).and_then(|column| column.as_times().ok());
    let (name, version) = (scorer.model_name(), scorer.model_version());
    let prediction = |(score, &row): (Score, &usize)| {
        let id = ids.as_ref().and_then(|ids| ids[row].clone());
        let record_id = RecordId::parse(id.map_or_else(|| format!("row-{}", row + 1), String::from))?;
        Ok(Prediction {
            id: Prediction::id_of(name, version, &record_id),
            model_name: name.clone(),
            model_version: version,
            record_id,
            target: scorer.target().to_owned(),
            value: score.value,
            probability: score.probability,
            details: score.details,
            event_time: times.and_then(|times| times[row]),
            predicted_at: at,
        })
    };
    scores.into_iter().zip(rows).map(prediction).collect()
}
