//! Training: loads rows, fits and scores off the async threads, records the run, registers the version.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use ml_core::artifact::ArtifactRef;
use ml_core::dataset::{DatasetVersion, Split};
use ml_core::digest::Digest;
use ml_core::evaluation::ModelPerformance;
use ml_core::id::{ReportId, RunId};
use ml_core::model::{ModelAlias, ModelName, ModelVersion};
use ml_core::run::RunStatus;
use ml_core::table::{Column, ColumnValues, Table, TableError};
use ml_data::dataset::split::{SplitRows, split_of};
use ml_data::manager::Results;
use ml_monitor::profile::{ProfileOptions, ReferenceProfile};
use ml_registry::registry::{NewRegistration, Origin};
use ml_train::evaluate::bootstrap::BootstrapOptions;
use ml_train::evaluate::leaks::{Leak, LeakRows, find_leaks};
use ml_train::evaluate::measured::Measured;
use ml_train::evaluate::{self, Comparison, Evaluation};
use ml_train::model::TrainedModel;
use ml_train::spec::{PipelineSpec, Task};
use ml_train::train::{self, TrainingSummary};

use crate::compose::App;
use crate::counted::Counted;
use crate::evaluation;
use crate::external;
use crate::packaging::{self, TrainingFacts, card_data};
use crate::progress::FitProgress;
use crate::run_record::RunRecord;
use crate::selection::{self, SearchFile, SearchReport};

/// The version of this program.
pub(crate) const APP_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A pipeline file, as read.
#[derive(Debug, Clone)]
pub(crate) struct PipelineFile {
    /// The text, which is stored with the version.
    pub(crate) text: String,
    /// What it declares.
    pub(crate) spec: PipelineSpec,
}

/// What to train, on what, and what to do with it.
#[derive(Debug)]
pub(crate) struct TrainRequest {
    /// The pipeline.
    pub(crate) pipeline: PipelineFile,
    /// How to choose among variants of the pipeline first, if so.
    pub(crate) search: Option<SearchFile>,
    /// The rows.
    pub(crate) dataset: DatasetVersion,
    /// The registered name; by default that of the pipeline.
    pub(crate) model: Option<ModelName>,
    /// An alias for the new version.
    pub(crate) alias: Option<ModelAlias>,
    /// The experiment that the run belongs to.
    pub(crate) experiment: String,
    /// Whether to register what was fitted.
    pub(crate) register: bool,
}

/// Figures of a naive baseline.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BaselineScores {
    /// What it does, such as `majority_class`.
    pub(crate) name: String,
    /// Its figures on the rows that the model was scored on.
    pub(crate) metrics: BTreeMap<String, f64>,
}

/// From where on a row is taken for a class.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DecisionReport {
    /// The class.
    pub(crate) positive: String,
    /// The least score of the class at which a row is taken for it.
    pub(crate) threshold: f64,
}

/// What a training led to.
#[derive(Debug, Serialize)]
pub(crate) struct TrainReport {
    /// `name@version`, when it was registered.
    pub(crate) model: Option<String>,
    /// The alias that names it now.
    pub(crate) alias: Option<ModelAlias>,
    /// The digest of the fitted model.
    pub(crate) artifact: Digest,
    /// How large it is.
    pub(crate) size_bytes: u64,
    /// The recorded run.
    pub(crate) run_id: RunId,
    /// `name@version` of the rows.
    pub(crate) dataset: String,
    /// Rows fitted on.
    pub(crate) n_train: u64,
    /// Rows of the train split that were not fitted on, by reason.
    pub(crate) left_out: BTreeMap<String, usize>,
    /// The split it was scored on.
    pub(crate) scored_on: Split,
    /// Rows scored.
    pub(crate) n_scored: u64,
    /// What else the rows to score had.
    #[serde(flatten)]
    pub(crate) counted: Counted,
    /// How long fitting took.
    pub(crate) fit_seconds: f64,
    /// From where on a row is taken for one of two classes, where the pipeline says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decision: Option<DecisionReport>,
    /// Figures on the scored rows.
    pub(crate) metrics: BTreeMap<String, f64>,
    /// Figures of the baselines on the same rows.
    pub(crate) baselines: Vec<BaselineScores>,
    /// The figures with the intervals they lie in.
    pub(crate) measured: Measured,
    /// What the training met, and what makes the figures doubtful.
    pub(crate) warnings: Vec<String>,
    /// How the pipeline was chosen, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<SearchReport>,
}

/// What came out of the computation, before anything is stored.
struct Fitted {
    model: TrainedModel,
    /// The package.
    bytes: Vec<u8>,
    summary: TrainingSummary,
    comparison: Comparison,
    measured: Measured,
    leaks: Vec<Leak>,
    scored_on: Split,
    fit_seconds: f64,
}

/// What an evaluation is of.
pub(crate) struct Evaluated<'a> {
    /// The run that fitted the model and evaluated it at once.
    pub(crate) run_id: Option<&'a RunId>,
    /// The version, if the model is registered.
    pub(crate) version: Option<&'a ModelVersion>,
}

/// Reads a pipeline file; every fault of it is told at once.
pub(crate) fn read_pipeline(path: &Path) -> anyhow::Result<PipelineFile> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the pipeline {}", path.display()))?;
    let spec = PipelineSpec::from_yaml(&text).with_context(|| format!("{} is no pipeline", path.display()))?;
    Ok(PipelineFile { text, spec })
}

/// Searches where that is asked for, fits, evaluates and registers; the run is recorded however it ends.
pub(crate) async fn train(
    app: &App,
    mut request: TrainRequest,
    stop: &CancellationToken,
) -> anyhow::Result<TrainReport> {
    let name = match &request.model {
        Some(name) => name.clone(),
        None => ModelName::parse(&request.pipeline.spec.name)?,
    };
    let table = Arc::new(app.datasets.load(&request.dataset).await?);
    let record = RunRecord::start(app, &request).await?;
    let outcome = choose_and_fit(app, &mut request, name, table, &record, stop).await;
    let status = match &outcome {
        Ok(_) => RunStatus::Finished,
        Err(_) if stop.is_cancelled() => RunStatus::Killed,
        Err(_) => RunStatus::Failed,
    };
    record.end(app, status).await?;
    outcome
}

/// Puts the pipeline that a search chose in place of the one given, and fits it.
async fn choose_and_fit(
    app: &App,
    request: &mut TrainRequest,
    name: ModelName,
    table: Arc<Table>,
    record: &RunRecord,
    stop: &CancellationToken,
) -> anyhow::Result<TrainReport> {
    let mut search = None;
    if let Some(file) = &request.search {
        let (chosen, report) = selection::choose(app, request, file, Arc::clone(&table), record, stop).await?;
        request.pipeline = chosen;
        search = Some(report);
    }
    let report = fit_and_register(app, request, name, table, record, stop).await?;
    Ok(TrainReport { search, ..report })
}

async fn fit_and_register(
    app: &App,
    request: &TrainRequest,
    name: ModelName,
    table: Arc<Table>,
    record: &RunRecord,
    stop: &CancellationToken,
) -> anyhow::Result<TrainReport> {
    let fitted = fit(request.pipeline.spec.clone(), table, request.dataset.clone(), stop.clone()).await?;
    record.log_outcome(app, &fitted.summary, &fitted.comparison).await?;
    let version = if request.register { Some(register(app, request, name, &fitted, record).await?) } else { None };
    let comparison = &fitted.comparison;
    let details = json!({
        "evaluation": comparison.model,
        "baselines": comparison.baselines,
        "measured": fitted.measured,
        "leaks": fitted.leaks,
    });
    let evaluated = Evaluated { run_id: Some(&record.id), version: version.as_ref() };
    let performance = performance(app, evaluated, &request.dataset, fitted.scored_on, &comparison.model, details);
    app.data.write(&Results::ModelPerformance(vec![performance])).await?;
    let artifact = ArtifactRef::of(&fitted.bytes);
    let mut warnings = fitted.summary.warnings;
    warnings.extend(fitted.leaks.into_iter().map(|leak| leak.message));
    Ok(TrainReport {
        model: version.as_ref().map(ModelVersion::reference),
        alias: request.alias.clone(),
        artifact: artifact.digest,
        size_bytes: artifact.size_bytes,
        run_id: record.id.clone(),
        dataset: request.dataset.reference(),
        n_train: fitted.summary.n_rows_used as u64,
        left_out: fitted.summary.dropped,
        scored_on: fitted.scored_on,
        n_scored: fitted.comparison.model.n_samples as u64,
        counted: Counted::of(&fitted.comparison.model),
        fit_seconds: fitted.fit_seconds,
        decision: decision(&fitted.model),
        baselines: baselines(&fitted.comparison),
        metrics: fitted.comparison.model.metrics,
        measured: fitted.measured,
        warnings,
        search: None,
    })
}

/// Fits and scores on a thread of its own, so that the runtime stays free.
async fn fit(
    spec: PipelineSpec,
    table: Arc<Table>,
    dataset: DatasetVersion,
    stop: CancellationToken,
) -> anyhow::Result<Fitted> {
    let work = move || {
        let rows = split_of(&table)?;
        let (scored_on, scored_rows) = rows_to_score(&rows)?;
        let progress = FitProgress::new(&spec.name, stop.clone());
        let begun = Instant::now();
        let trained = match external::of(&spec) {
            Some(program) => external::train(&spec, program, &table, rows.of(Split::Train), &stop)?,
            None => train::train_rows(&spec, &table, rows.of(Split::Train), &progress)?,
        };
        let fit_seconds = begun.elapsed().as_secs_f64();
        let train_rows = rows.of(Split::Train);
        let (comparison, outcome) = evaluate::compare_with_outcome(&trained.model, &table, train_rows, scored_rows)?;
        let bootstrap = BootstrapOptions { seed: spec.seed, ..BootstrapOptions::default() };
        let time_order = evaluation::time_order(&dataset);
        let leak_rows = LeakRows { table: &table, train: train_rows, scored: scored_rows, time_order };
        let (measured, leaks) = match &outcome {
            Some(outcome) => (Measured::of(outcome, &bootstrap)?, find_leaks(&trained.model, leak_rows, outcome)?),
            None => (Measured::without_intervals(&comparison.model, &bootstrap), Vec::new()),
        };
        let facts = TrainingFacts {
            table: &table,
            train_rows,
            profile: &reference_profile(&trained.model, &table, train_rows, scored_rows)?,
            summary: &trained.summary,
            comparison: &comparison,
            data: &card_data(&dataset, scored_on.name()),
        };
        let (model, bytes) = packaging::pack(trained.model, &facts)?;
        Ok(Fitted { model, bytes, summary: trained.summary, comparison, measured, leaks, scored_on, fit_seconds })
    };
    tokio::task::spawn_blocking(work).await.context("the training panicked; nothing was registered")?
}

fn decision(model: &TrainedModel) -> Option<DecisionReport> {
    let decision = model.decision()?;
    Some(DecisionReport { positive: model.classes()[decision.positive].clone(), threshold: decision.threshold })
}

/// Chooses the rows to score: the test split, else the validation split.
fn rows_to_score(rows: &SplitRows) -> anyhow::Result<(Split, &[usize])> {
    for split in [Split::Test, Split::Validation] {
        if !rows.of(split).is_empty() {
            return Ok((split, rows.of(split)));
        }
    }
    anyhow::bail!("the dataset has no test rows: make it with a split, such as --split random:80/20")
}

/// Profiles what the features are made of and the target, on the rows that were fitted on, and predictions for rows that
/// were not.
fn reference_profile(
    model: &TrainedModel,
    table: &Table,
    train_rows: &[usize],
    scored_rows: &[usize],
) -> anyhow::Result<ReferenceProfile> {
    let spec = model.spec();
    let derived = ml_train::derive::derive(spec, table)?;
    let options = ProfileOptions::default();
    let profile = ReferenceProfile::of(&profiled_columns(model, &derived)?.take(train_rows), &options);
    let profile = if spec.task.has_target() {
        let target = derived.select(&[&spec.target])?.take(train_rows);
        profile.with_target(target.get(&spec.target)?, &options)
    } else {
        profile
    };
    let predictions = prediction_column(model, table, scored_rows)?;
    Ok(profile.with_predictions(predictions.get(&spec.target)?, &options))
}

/// Returns the columns that features are made of and the other inputs of `model`, each once and in order, out of a table with
/// the derived ones.
pub(crate) fn profiled_columns(model: &TrainedModel, derived: &Table) -> Result<Table, TableError> {
    let mut seen = BTreeSet::new();
    let sources = model.spec().features.iter().flat_map(|feature| &feature.columns);
    let inputs = model.signature().inputs.iter().map(|input| &input.name);
    let columns: Vec<&str> = sources.chain(inputs).map(String::as_str).filter(|column| seen.insert(*column)).collect();
    derived.select(&columns)
}

/// Scores the rows of `table` at `rows` and returns the predictions as its only column, called like the target.
pub(crate) fn prediction_column(model: &TrainedModel, table: &Table, rows: &[usize]) -> anyhow::Result<Table> {
    let predictions = model.predict_rows(table, rows)?;
    let rows = 0..predictions.n_rows();
    let values = match predictions.values.task() {
        Task::Regression => ColumnValues::Number(rows.map(|row| predictions.number(row).unwrap_or(f64::NAN)).collect()),
        Task::Classification | Task::Clustering | Task::Anomaly => {
            ColumnValues::Text(rows.map(|row| predictions.label(row).map(str::to_owned)).collect())
        }
    };
    Ok(Table::new(vec![Column { name: model.spec().target.clone(), values }])?)
}

async fn register(
    app: &App,
    request: &TrainRequest,
    name: ModelName,
    fitted: &Fitted,
    record: &RunRecord,
) -> anyhow::Result<ModelVersion> {
    let framework = fitted.model.framework();
    let user_id = app.config.settings.user.clone();
    let registration = NewRegistration {
        name,
        model: fitted.bytes.clone(),
        // It is inside the package.
        reference_profile: None,
        pipeline: Some(request.pipeline.text.clone().into_bytes()),
        signature: fitted.model.signature().clone(),
        origin: Origin {
            run_id: Some(record.id.clone()),
            dataset: Some(request.dataset.reference()),
            dataset_hash: Some(request.dataset.content.content_hash),
            app_version: APP_VERSION.to_owned(),
            framework: format!("{} {}", framework.name, framework.version),
        },
        description: String::new(),
        tags: BTreeMap::new(),
        user_id: user_id.clone(),
    };
    let version = app.registry.register(registration).await?;
    if let Some(alias) = &request.alias {
        let reference = version.reference().parse()?;
        return Ok(app.registry.set_alias(&reference, alias, &user_id).await?);
    }
    Ok(version)
}

/// Returns the row that is kept of an evaluation on `split` of `dataset`; `details` are what the figures alone do not say.
pub(crate) fn performance(
    app: &App,
    evaluated: Evaluated<'_>,
    dataset: &DatasetVersion,
    split: Split,
    evaluation: &Evaluation,
    details: Value,
) -> ModelPerformance {
    let version = evaluated.version;
    ModelPerformance {
        id: ReportId::from_uuid(app.ids.new_uuid()),
        run_id: evaluated.run_id.cloned(),
        model_name: version.map(|version| version.content.name.clone()),
        model_version: version.map(|version| version.version),
        dataset: dataset.reference(),
        split: split.name().to_owned(),
        n_samples: evaluation.n_samples as u64,
        metrics: evaluation.metrics.clone(),
        details,
        evaluated_at: app.clock.now(),
    }
}

fn baselines(comparison: &Comparison) -> Vec<BaselineScores> {
    let scores = comparison.baselines.iter();
    scores
        .map(|baseline| BaselineScores { name: baseline.estimator.clone(), metrics: baseline.metrics.clone() })
        .collect()
}

/// Loads the model of a registered version, verified.
pub(crate) async fn load_model(app: &App, version: &ModelVersion) -> anyhow::Result<Arc<TrainedModel>> {
    let bytes = app.registry.load_artifact(version).await?;
    let shown = version.reference();
    let decode =
        move || TrainedModel::from_bytes(&bytes).with_context(|| format!("the model of `{shown}` does not load"));
    let model = tokio::task::spawn_blocking(decode).await.context("decoding the model panicked")??;
    Ok(Arc::new(model))
}
