//! The composition root: configuration in, stores and services out. Nothing else constructs a backend.

mod documents;
mod sql;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use ml_core::artifact::ArtifactStore;
use ml_core::clock::{Clock, SystemClock};
use ml_core::id::{IdSource, RandomIds};
use ml_core::model::ModelStore;
use ml_core::record::DataType;
use ml_data::dataset::builder::{DatasetBuilder, DatasetStores};
use ml_data::dataset::spec::DatasetSource;
use ml_data::manager::{DataManager, DataStores};
use ml_data::pipeline::Pipeline;
use ml_data::routing::Routing;
use ml_registry::fs_artifacts::FsArtifacts;
use ml_registry::registry::Registry;
use ml_store_sql::SqlStore;

use crate::config::Config;

pub(crate) use self::documents::{Documents, DocumentsBackend};
pub(crate) use self::sql::Sql;

/// The folder of the artifacts, in the data folder.
const ARTIFACTS_FOLDER: &str = "artifacts";

/// Everything a command works with.
#[derive(Clone)]
pub(crate) struct App {
    /// The effective configuration.
    pub(crate) config: Arc<Config>,
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where new ids come from.
    pub(crate) ids: Arc<dyn IdSource>,
    /// The document side.
    pub(crate) documents: Documents,
    /// The SQL side.
    pub(crate) sql: Sql,
    /// Where each data type and result lives, and the way there.
    pub(crate) data: DataManager,
    /// Dataset versions, made and loaded.
    pub(crate) datasets: DatasetBuilder,
    /// Model versions, registered and resolved.
    pub(crate) registry: Registry,
}

impl App {
    /// Opens the configured stores, and brings them up to date.
    pub(crate) async fn open(config: Config) -> anyhow::Result<App> {
        let (documents, sql) = open_stores(&config).await?;
        documents.migrate().await.context("cannot bring the document store up to date")?;
        sql.migrate().await.context("cannot bring the SQL store up to date")?;
        let artifacts = open_artifacts(&config.settings.data_dir)?;
        App::of(config, documents.interfaces(), Arc::new(sql), artifacts)
    }

    fn of(
        config: Config,
        documents: Documents,
        sql: Arc<SqlStore>,
        artifacts: Arc<dyn ArtifactStore>,
    ) -> anyhow::Result<App> {
        let data_stores = DataStores {
            documents: documents.records.clone(),
            global_data: sql.clone(),
            market_metrics: sql.clone(),
            user_interactions: sql.clone(),
            ground_truth: sql.clone(),
            predictions: documents.predictions.clone(),
            embeddings: documents.embeddings.clone(),
            intermediate_results: documents.intermediate_results.clone(),
            figures: documents.figures.clone(),
            evaluations: sql.clone(),
            outbox: sql.clone(),
        };
        let routing = Arc::new(Routing::new(&config.database.routing)?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let dataset_stores = DatasetStores {
            global_data: sql.clone(),
            market_metrics: sql.clone(),
            user_interactions: sql.clone(),
            documents: documents.records.clone(),
            references: sql.clone(),
            sync: sql.clone(),
            datasets: sql.clone(),
            artifacts: artifacts.clone(),
        };
        let pipeline = Arc::new(Pipeline::new(&config.pipeline)?);
        let datasets = DatasetBuilder::new(dataset_stores, pipeline, clock.clone());
        let models: Arc<dyn ModelStore> = sql.clone();
        Ok(App {
            data: DataManager::new(routing, data_stores, clock.clone()),
            datasets: datasets.sorting_in(config.settings.data_dir.clone()),
            registry: Registry::new(models, artifacts, clock.clone()),
            config: Arc::new(config),
            clock,
            ids: Arc::new(RandomIds),
            documents,
            sql: Sql::of(sql),
        })
    }

    /// Returns the table that the validated rows of `data_type` are in.
    pub(crate) fn dataset_source(&self, data_type: &DataType) -> anyhow::Result<DatasetSource> {
        self.data.routing().data_route(data_type)?;
        let plan = self.config.pipeline.data_types.get(data_type);
        let table = plan.and_then(|plan| plan.target.get("table")).and_then(|table| table.as_str());
        match table {
            Some("global_ml_data") => Ok(DatasetSource::GlobalMlData { data_type: data_type.clone() }),
            Some("market_metrics") => Ok(DatasetSource::MarketMetrics {}),
            Some("user_interactions") => Ok(DatasetSource::UserInteractions {}),
            Some(table) => anyhow::bail!("rows of `{data_type}` are in `{table}`, which datasets are not made of"),
            None => anyhow::bail!("no pipeline is declared for data type `{data_type}`: add it to pipeline.yaml"),
        }
    }
}

/// Opens the configured stores as they are.
pub(crate) async fn open_stores(config: &Config) -> anyhow::Result<(DocumentsBackend, SqlStore)> {
    let data_dir = &config.settings.data_dir;
    let documents = DocumentsBackend::open(&config.database.documents, data_dir).await?;
    Ok((documents, open_sql(config).await?))
}

/// Opens the configured SQL store as it is.
pub(crate) async fn open_sql(config: &Config) -> anyhow::Result<SqlStore> {
    sql::open(&config.database.sql, &config.settings.data_dir).await
}

/// Returns where the artifacts are.
pub(crate) fn artifacts_folder(data_dir: &Path) -> PathBuf {
    data_dir.join(ARTIFACTS_FOLDER)
}

fn open_artifacts(data_dir: &Path) -> anyhow::Result<Arc<dyn ArtifactStore>> {
    let folder = artifacts_folder(data_dir);
    let artifacts =
        FsArtifacts::open(&folder).with_context(|| format!("cannot open the artifacts {}", folder.display()))?;
    Ok(Arc::new(artifacts))
}
