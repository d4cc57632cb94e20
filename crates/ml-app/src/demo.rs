//! The whole loop on bundled data: two applications' records in, two registered and monitored models out.
//!
//! Every step is one that a command does as well, and can be repeated: a demo that was killed goes on where it was, and a
//! finished one is left alone.

mod bundle;
mod report;
mod truth;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use ml_core::dataset::{DatasetName, DatasetVersion, Split};
use ml_core::model::{ModelAlias, ModelRef};
use ml_core::record::{DataType, SourceApp};
use ml_data::dataset::spec::DatasetSpec;
use ml_data::dataset::split::SplitRule;
use ml_data::field::{FieldList, FieldPath};
use ml_data::ingest::{FieldMapping, IngestReport};

use crate::compose::App;
use crate::ingesting::{self, IngestRequest};
use crate::invocation::Invocation;
use crate::monitoring;
use crate::scorer::Scorer;
use crate::scoring;
use crate::syncing::{self, SyncRequest};
use crate::training::{self, TrainRequest};

use self::bundle::Subject;
pub(crate) use self::report::DemoReport;
use self::report::{Details, Ingested, ModelOutcome, WayOn};

/// The folder of the bundled files and the report, in the data folder.
const FOLDER: &str = "demo";

/// The alias that names the demo's models.
const ALIAS: &str = "champion";

/// Runs the loop, or returns the report of the run before.
pub(crate) async fn run(app: &App, invocation: &Invocation, stop: &CancellationToken) -> anyhow::Result<DemoReport> {
    let data_dir = &app.config.settings.data_dir;
    let folder = data_dir.join(FOLDER);
    let report_file = folder.join("report.json");
    let way_on = WayOn { data_dir, invocation };
    if let Some(report) = DemoReport::read(&report_file, &way_on)? {
        return Ok(report);
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;

    let mut ingested = Vec::new();
    for subject in &bundle::SUBJECTS {
        let file = subject.unpack(&folder)?;
        ingested.push(ingest(app, subject, file, stop).await?);
    }
    let synced = syncing::sync(app, SyncRequest::default(), stop).await?;
    let mut models = Vec::new();
    for subject in &bundle::SUBJECTS {
        models.push(train_and_watch(app, subject, &folder, stop).await?);
    }
    let details = Details {
        data_dir: data_dir.clone(),
        ingested,
        synced,
        quarantine: app.sql.quarantine.count_by_reason().await?,
        models,
    };
    let report = DemoReport::of(&details, &way_on)?;
    report.write(&report_file)?;
    Ok(report)
}

fn identified_by(fields: &[&str]) -> anyhow::Result<FieldMapping> {
    let fields = fields.iter().map(|field| FieldPath::parse(field)).collect::<Result<Vec<_>, _>>()?;
    Ok(FieldMapping { id: FieldList::new(fields), ..FieldMapping::default() })
}

async fn ingest(app: &App, subject: &Subject, file: PathBuf, stop: &CancellationToken) -> anyhow::Result<Ingested> {
    let request = IngestRequest {
        files: vec![file.display().to_string()],
        data_type: DataType::parse(subject.data_type)?,
        source_app: SourceApp::parse(subject.source_app)?,
        format: None,
        mapping: identified_by(subject.id_fields)?,
    };
    let report = ingest_whole(app, request, stop).await?;
    Ok(Ingested { file, data_type: subject.data_type.to_owned(), report })
}

/// Ingests files that are known to be sound: a failure is one of the machine.
async fn ingest_whole(app: &App, request: IngestRequest, stop: &CancellationToken) -> anyhow::Result<IngestReport> {
    let mut ingested = ingesting::ingest(app, request, stop).await?;
    ingested.failure().map_or(Ok(ingested.report), Err)
}

/// Trains the subject's model, scores the held-out rows, lets the truth arrive, and looks how the model does.
async fn train_and_watch(
    app: &App,
    subject: &Subject,
    folder: &Path,
    stop: &CancellationToken,
) -> anyhow::Result<ModelOutcome> {
    let dataset = snapshot(app, subject).await?;
    let pipeline = subject.pipeline()?;
    let request = TrainRequest {
        pipeline: pipeline.clone(),
        search: None,
        dataset: dataset.clone(),
        model: None,
        alias: Some(ModelAlias::parse(ALIAS)?),
        experiment: "demo".to_owned(),
        register: true,
    };
    let trained = training::train(app, request, stop).await?;
    let reference: ModelRef = format!("{}@{ALIAS}", pipeline.spec.name).parse()?;
    let version = app.registry.resolve(&reference).await?;
    let scorer = Scorer::of_model(app, &version, None).await?;
    let scored = scoring::score_dataset(app, scorer, &dataset, Some(Split::Test)).await?;
    let published = scoring::publisher(app).publish(stop).await?;
    let truth_file = truth::write(app, subject, &pipeline.spec, &dataset, folder).await?;
    ingest_truth(app, subject, truth_file, stop).await?;
    let monitored = monitoring::report(app, &version, &dataset, Some(Split::Test)).await?;
    Ok(ModelOutcome {
        title: subject.title.to_owned(),
        headline: subject.headline.to_owned(),
        trained,
        scored,
        n_published: published.n_delivered(),
        monitored,
    })
}

async fn snapshot(app: &App, subject: &Subject) -> anyhow::Result<DatasetVersion> {
    let data_type = DataType::parse(subject.data_type)?;
    let spec = DatasetSpec {
        source_app: Some(SourceApp::parse(subject.source_app)?),
        split: SplitRule::parse(subject.split, bundle::SEED)?,
        ..DatasetSpec::new(app.dataset_source(&data_type)?)
    };
    Ok(app.datasets.create(&DatasetName::parse(subject.dataset)?, &spec, None).await?)
}

async fn ingest_truth(app: &App, subject: &Subject, file: PathBuf, stop: &CancellationToken) -> anyhow::Result<()> {
    let request = IngestRequest {
        files: vec![file.display().to_string()],
        data_type: DataType::parse("ground_truth")?,
        source_app: SourceApp::parse(subject.source_app)?,
        format: None,
        mapping: identified_by(&["record_id", "target"])?,
    };
    ingest_whole(app, request, stop).await?;
    syncing::sync(app, SyncRequest::default(), stop).await?;
    Ok(())
}
