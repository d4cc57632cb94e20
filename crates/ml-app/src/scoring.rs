//! Scoring: rows of a dataset into the outbox, rows of a file back to the caller; and delivery of what waits.

use std::path::Path;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use ml_core::dataset::{DatasetVersion, Split};
use ml_core::id::RecordId;
use ml_core::model::ModelVersion;
use ml_core::result::Prediction;
use ml_core::table::Table;
use ml_data::dataset::split::split_of;
use ml_data::dataset::{EVENT_TIME_COLUMN, ID_COLUMN};
use ml_data::ingest::InputFormat;
use ml_data::manager::Results;
use ml_data::publish::Publisher;
use ml_train::model::TrainedModel;
use ml_train::predict::Predictions;

use crate::compose::App;
use crate::progress::Progress;
use crate::row_form::training_form;
use crate::training::load_model;

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
}

/// Scores a dataset version, or one split of it, and hands the predictions over for delivery.
pub(crate) async fn score_dataset(
    app: &App,
    version: &ModelVersion,
    dataset: &DatasetVersion,
    split: Option<Split>,
) -> anyhow::Result<ScoreReport> {
    let model = load_model(app, version).await?;
    let table = app.datasets.load(dataset).await?;
    let (scored_by, at) = (version.clone(), app.clock.now());
    let work = move || {
        let rows = match split {
            Some(split) => split_of(&table)?.of(split).to_vec(),
            None => (0..table.n_rows()).collect(),
        };
        predictions_for(&model, &scored_by, &table, &rows, at)
    };
    let predictions = tokio::task::spawn_blocking(work).await.context("scoring panicked")??;
    let n_missing = predictions.iter().filter(|prediction| prediction.value.is_null()).count() as u64;
    let n_rows = predictions.len() as u64;
    write(app, predictions).await?;
    Ok(ScoreReport {
        model: version.reference(),
        dataset: dataset.reference(),
        n_scored: n_rows - n_missing,
        n_missing,
        n_enqueued: n_rows,
    })
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

/// Scores the rows of a file, or of standard input for `-`, in the form that sync gave to the rows the version was trained on.
pub(crate) async fn score_file(
    app: &App,
    version: &ModelVersion,
    path: &Path,
    format: Option<InputFormat>,
) -> anyhow::Result<Vec<Prediction>> {
    let model = load_model(app, version).await?;
    let form = training_form(app, version).await?;
    let (path, scored_by, at) = (path.to_owned(), version.clone(), app.clock.now());
    let work = move || {
        let table = crate::table_file::read(&path, format, form.as_ref())?;
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        predictions_for(&model, &scored_by, &table, &rows, at)
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

/// Scores the rows of `table` at `rows`. Windows reach back over the edge of a split, so the model is given the whole table; it
/// derives its columns from all of it and scores these rows alone.
fn predictions_for(
    model: &TrainedModel,
    version: &ModelVersion,
    table: &Table,
    rows: &[usize],
    at: DateTime<Utc>,
) -> anyhow::Result<Vec<Prediction>> {
    let scored = model.predict_rows(table, rows)?;
    let ids = table.find(ID_COLUMN).map(|column| column.as_texts());
    let times = table.find(EVENT_TIME_COLUMN).and_then(|column| column.as_times().ok());
    let name = &version.content.name;
    let prediction = |(position, &row): (usize, &usize)| {
        let id = ids.as_ref().and_then(|ids| ids[row].clone());
        let record_id = RecordId::parse(id.map_or_else(|| format!("row-{}", row + 1), String::from))?;
        Ok(Prediction {
            id: Prediction::id_of(name, version.version, &record_id),
            model_name: name.clone(),
            model_version: version.version,
            record_id,
            target: model.spec().target.clone(),
            value: value(&scored, position),
            probability: probability(&scored, position),
            details: details(&scored, position),
            event_time: times.and_then(|times| times[row]),
            predicted_at: at,
        })
    };
    rows.iter().enumerate().map(prediction).collect()
}

fn value(scored: &Predictions, row: usize) -> Value {
    match (scored.label(row), scored.number(row)) {
        (Some(label), _) => Value::from(label),
        (None, Some(number)) => Value::from(number),
        (None, None) => Value::Null,
    }
}

fn probability(scored: &Predictions, row: usize) -> Option<f64> {
    let label = scored.label(row)?;
    let class = scored.classes.iter().position(|class| class == label)?;
    Some(scored.probabilities.as_ref()?.row(row)[class])
}

fn details(scored: &Predictions, row: usize) -> Map<String, Value> {
    let mut details = Map::new();
    if let Some(reason) = scored.missing_reason(row) {
        details.insert("missing".to_owned(), Value::from(reason));
        return details;
    }
    let scores = [("probabilities", &scored.probabilities), ("decision_scores", &scored.decision_scores)];
    for (name, scores) in scores {
        if let Some(scores) = scores {
            let by_class = scored.classes.iter().zip(scores.row(row));
            let by_class: Map<String, Value> =
                by_class.map(|(class, score)| (class.clone(), Value::from(*score))).collect();
            details.insert(name.to_owned(), Value::Object(by_class));
        }
    }
    details
}
