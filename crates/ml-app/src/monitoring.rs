//! How a model version is doing: its input, how it compares with the training rows, and how right its predictions were.

use anyhow::Context as _;

use ml_core::dataset::{DatasetVersion, Split};
use ml_core::error::StoreError;
use ml_core::id::ReportId;
use ml_core::model::ModelVersion;
use ml_core::result::PredictionQuery;
use ml_core::table::Table;
use ml_data::dataset::split::split_of;
use ml_data::manager::Results;
use ml_monitor::drift::report::{DriftFindings, DriftThresholds, drift_report};
use ml_monitor::live::{LiveScorer, LiveScores, ScoreKind};
use ml_monitor::profile::ReferenceProfile;
use ml_monitor::quality::DataQuality;
use ml_monitor::report::MonitorReport;
use ml_train::model::TrainedModel;
use ml_train::spec::Task;

use crate::compose::App;
use crate::packaging::load_reference;
use crate::training::{load_model, prediction_column, profiled_columns};

/// Judges a version on a window of rows, and keeps what was found.
pub(crate) async fn report(
    app: &App,
    version: &ModelVersion,
    dataset: &DatasetVersion,
    split: Option<Split>,
) -> anyhow::Result<MonitorReport> {
    let model = load_model(app, version).await?;
    let (target, kind) = (model.spec().target.clone(), score_kind(&model));
    let reference = load_reference(app, version).await?;
    let table = app.datasets.load(dataset).await?;
    let work = move || inspect(&model, &table, split, reference.as_ref());
    let inspected = tokio::task::spawn_blocking(work).await.context("monitoring panicked")??;
    let live = live_scores(app, version, &target, kind).await?;
    let report = MonitorReport {
        model_name: version.content.name.clone(),
        model_version: version.version,
        window: window(dataset, split),
        created_at: app.clock.now(),
        n_rows: inspected.quality.n_rows,
        n_predictions: live.n_predictions,
        quality: Some(inspected.quality),
        drift: inspected.drift,
        live: Some(live),
    };
    match keep(app, &report).await {
        // Who may only read is told how the model is doing all the same.
        Err(error) if is_read_only(&error) => tracing::warn!("the report is not kept: {error:#}"),
        outcome => outcome?,
    }
    Ok(report)
}

/// Scores what was predicted by `version`, as far as the truth is known.
pub(crate) async fn live_scores(
    app: &App,
    version: &ModelVersion,
    target: &str,
    kind: ScoreKind,
) -> anyhow::Result<LiveScores> {
    let scorer = LiveScorer::new(app.documents.predictions.clone(), app.sql.ground_truth.clone());
    let query = PredictionQuery {
        model_name: Some(version.content.name.clone()),
        model_version: Some(version.version),
        ..PredictionQuery::default()
    };
    Ok(scorer.score(&query, target, kind).await?)
}

/// Writes the window in words.
fn window(dataset: &DatasetVersion, split: Option<Split>) -> String {
    match split {
        Some(split) => format!("{} {split}", dataset.reference()),
        None => dataset.reference(),
    }
}

/// What the rows of a window are like.
struct Inspected {
    quality: DataQuality,
    drift: Option<DriftFindings>,
}

fn inspect(
    model: &TrainedModel,
    table: &Table,
    split: Option<Split>,
    reference: Option<&ReferenceProfile>,
) -> anyhow::Result<Inspected> {
    let rows = match split {
        Some(split) => split_of(table)?.of(split).to_vec(),
        None => (0..table.n_rows()).collect(),
    };
    let quality = DataQuality::of(&table.take(&rows));
    let Some(reference) = reference else {
        return Ok(Inspected { quality, drift: None });
    };
    let derived = ml_train::derive::derive(model.spec(), table)?;
    let current = profiled_columns(model, &derived)?.take(&rows);
    let predictions = prediction_column(model, table, &rows)?;
    let findings = drift_report(reference, &current, predictions.columns().first(), &DriftThresholds::default());
    Ok(Inspected { quality, drift: Some(findings) })
}

fn score_kind(model: &TrainedModel) -> ScoreKind {
    match model.spec().task {
        Task::Classification | Task::Clustering | Task::Anomaly => ScoreKind::Classification,
        Task::Regression => ScoreKind::Regression,
    }
}

fn is_read_only(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(StoreError::ReadOnly { .. })))
}

async fn keep(app: &App, report: &MonitorReport) -> anyhow::Result<()> {
    if let Some(drift) = report.drift_row(ReportId::from_uuid(app.ids.new_uuid())) {
        app.sql.evaluations.create_drift_report(&drift).await?;
    }
    if let Some(performance) = report.performance_row(ReportId::from_uuid(app.ids.new_uuid())) {
        app.data.write(&Results::ModelPerformance(vec![performance])).await?;
    }
    Ok(())
}
