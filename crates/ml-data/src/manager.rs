//! The data manager: reads records by data type and writes results by kind, wherever the routing table puts them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use ml_core::clock::Clock;
use ml_core::document::{DocumentStore, RecordQuery};
use ml_core::error::{Entity, StoreError};
use ml_core::evaluation::{EvaluationStore, ModelPerformance, ValidationResult};
use ml_core::global_data::{GlobalDataStore, GlobalRecord, ValidatedQuery};
use ml_core::ground_truth::{GroundTruth, GroundTruthStore};
use ml_core::id::{OutboxId, RecordId, ResultId};
use ml_core::market_metric::{MarketMetric, MarketMetricStore};
use ml_core::outbox::{OutboxAction, OutboxEntry, OutboxStore};
use ml_core::page::{Page, PageRequest};
use ml_core::record::{DataType, RawRecord, SourceApp};
use ml_core::result::{
    Embedding, EmbeddingStore, Figure, FigureKind, FigureStore, IntermediateResult, IntermediateResultStore,
    Prediction, PredictionStore, ResultKind,
};
use ml_core::user_interaction::{UserInteraction, UserInteractionStore};

use crate::routing::{ReadFrom, ResultRoute, Routing, UnknownDataType};

/// The stores that a [`DataManager`] chooses among.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct DataStores {
    /// Raw records.
    pub documents: Arc<dyn DocumentStore>,
    /// `global_ml_data`.
    pub global_data: Arc<dyn GlobalDataStore>,
    /// `market_metrics`.
    pub market_metrics: Arc<dyn MarketMetricStore>,
    /// `user_interactions`.
    pub user_interactions: Arc<dyn UserInteractionStore>,
    /// `ground_truth`.
    pub ground_truth: Arc<dyn GroundTruthStore>,
    /// `predictions`.
    pub predictions: Arc<dyn PredictionStore>,
    /// `embeddings`.
    pub embeddings: Arc<dyn EmbeddingStore>,
    /// `intermediate_results`.
    pub intermediate_results: Arc<dyn IntermediateResultStore>,
    /// Copies of `model_performance` and `validation_results`.
    pub figures: Arc<dyn FigureStore>,
    /// `model_performance` and `validation_results`.
    pub evaluations: Arc<dyn EvaluationStore>,
    /// `outbox`.
    pub outbox: Arc<dyn OutboxStore>,
}

/// Which records of a data type to read; an absent bound does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadQuery {
    /// From this application.
    pub source_app: Option<SourceApp>,
    /// Happened (for documents: scraped) at or after.
    pub event_from: Option<DateTime<Utc>>,
    /// Happened (for documents: scraped) before.
    pub event_before: Option<DateTime<Utc>>,
    /// As known at this instant.
    pub known_by: Option<DateTime<Utc>>,
}

/// A record, from whichever store holds its data type.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DataRecord {
    /// As it was sent.
    Raw(RawRecord),
    /// A row of `global_ml_data`.
    Global(GlobalRecord),
    /// A row of `market_metrics`.
    MarketMetric(MarketMetric),
    /// A row of `user_interactions`.
    UserInteraction(UserInteraction),
}

/// Results of one kind, to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Results {
    /// Outputs of a model.
    Predictions(Vec<Prediction>),
    /// Vectors made from records.
    Embeddings(Vec<Embedding>),
    /// What a pipeline step left.
    IntermediateResults(Vec<IntermediateResult>),
    /// Evaluation figures.
    ModelPerformance(Vec<ModelPerformance>),
    /// Outcomes of checks.
    ValidationResults(Vec<ValidationResult>),
}

/// What can go wrong in reading or writing by route.
#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    /// The data type has no route.
    #[error(transparent)]
    UnknownDataType(#[from] UnknownDataType),
    /// The data type is read by record, not in pages.
    #[error("`{0}` holds truths, which are read by record and target, not listed")]
    NotListed(DataType),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads by data type and writes by kind of result.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct DataManager {
    routing: Arc<Routing>,
    stores: DataStores,
    clock: Arc<dyn Clock>,
}

impl DataManager {
    /// Reads and writes `stores` by `routing`.
    pub fn new(routing: Arc<Routing>, stores: DataStores, clock: Arc<dyn Clock>) -> DataManager {
        DataManager { routing, stores, clock }
    }

    /// Returns the routing table.
    pub fn routing(&self) -> &Routing {
        &self.routing
    }

    /// Lists the records of `data_type` by ascending id, from the store that the routing table names.
    ///
    /// # Errors
    /// [`ManagerError::UnknownDataType`]; [`ManagerError::NotListed`] for truths.
    pub async fn read(
        &self,
        data_type: &DataType,
        query: &ReadQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<DataRecord, RecordId>, ManagerError> {
        let route = self.routing.data_route(data_type)?;
        let validated = query.on_rows(data_type);
        let stores = &self.stores;
        match route.read_from {
            ReadFrom::Documents => {
                let page = stores.documents.list(route.collection, &query.on_documents(data_type), page).await?;
                Ok(page_of(page, DataRecord::Raw))
            }
            ReadFrom::GlobalMlData => Ok(page_of(stores.global_data.list(&validated, page).await?, DataRecord::Global)),
            ReadFrom::MarketMetrics => {
                Ok(page_of(stores.market_metrics.list(&validated, page).await?, DataRecord::MarketMetric))
            }
            ReadFrom::UserInteractions => {
                Ok(page_of(stores.user_interactions.list(&validated, page).await?, DataRecord::UserInteraction))
            }
            ReadFrom::GroundTruth => Err(ManagerError::NotListed(data_type.clone())),
        }
    }

    /// Returns what is known of `target` for these records; records without a truth are left out.
    pub async fn read_truths(&self, target: &str, records: &[RecordId]) -> Result<Vec<GroundTruth>, ManagerError> {
        Ok(self.stores.ground_truth.find_by_records(target, records).await?)
    }

    /// Writes `results` to the store that the routing table names. Figures are rows of SQL in any case; routed to the outbox,
    /// each is written in one transaction with its publication.
    pub async fn write(&self, results: &Results) -> Result<(), ManagerError> {
        let kind = results.kind();
        let by_outbox = self.routing.result_route(kind) == ResultRoute::Outbox;
        let (stores, now) = (&self.stores, self.clock.now());
        match results {
            Results::ModelPerformance(items) => {
                for item in items {
                    let publication =
                        by_outbox.then(|| figure_entry(kind, item.id.as_str(), item, item.evaluated_at, now));
                    stores.evaluations.create_performance(item, publication.transpose()?.as_ref()).await?;
                }
            }
            Results::ValidationResults(items) => {
                for item in items {
                    let publication =
                        by_outbox.then(|| figure_entry(kind, item.id.as_str(), item, item.validated_at, now));
                    stores.evaluations.create_validation(item, publication.transpose()?.as_ref()).await?;
                }
            }
            results if by_outbox => {
                stores.outbox.enqueue(&results.outbox_entries(now)?).await?;
            }
            Results::Predictions(items) => drop(stores.predictions.upsert(items).await?),
            Results::Embeddings(items) => drop(stores.embeddings.upsert(items).await?),
            Results::IntermediateResults(items) => drop(stores.intermediate_results.upsert(items).await?),
        }
        Ok(())
    }

    /// Takes documents of a kind of result back: through the outbox where the routing table says so, else at once. Rows of SQL
    /// stay.
    pub async fn retract(&self, kind: ResultKind, ids: &[ResultId]) -> Result<(), ManagerError> {
        if self.routing.result_route(kind) == ResultRoute::Outbox {
            let now = self.clock.now();
            let entries: Result<Vec<OutboxEntry>, StoreError> =
                ids.iter().map(|id| entry(kind, id.as_str(), OutboxAction::Delete, Value::Null, now)).collect();
            self.stores.outbox.enqueue(&entries?).await?;
            return Ok(());
        }
        let stores = &self.stores;
        match kind {
            ResultKind::Predictions => stores.predictions.delete(ids).await?,
            ResultKind::Embeddings => stores.embeddings.delete(ids).await?,
            ResultKind::IntermediateResults => stores.intermediate_results.delete(ids).await?,
            ResultKind::ModelPerformance => stores.figures.delete(FigureKind::ModelPerformance, ids).await?,
            ResultKind::ValidationResults => stores.figures.delete(FigureKind::ValidationResults, ids).await?,
        };
        Ok(())
    }
}

impl ReadQuery {
    fn on_documents(&self, data_type: &DataType) -> RecordQuery {
        RecordQuery {
            data_type: Some(data_type.clone()),
            source_app: self.source_app.clone(),
            scraped_from: self.event_from,
            scraped_before: self.event_before,
            known_by: self.known_by,
            ..RecordQuery::default()
        }
    }

    fn on_rows(&self, data_type: &DataType) -> ValidatedQuery {
        ValidatedQuery {
            data_type: Some(data_type.clone()),
            source_app: self.source_app.clone(),
            event_from: self.event_from,
            event_before: self.event_before,
            known_by: self.known_by,
        }
    }
}

impl Results {
    /// Returns the kind of these results.
    pub fn kind(&self) -> ResultKind {
        match self {
            Results::Predictions(_) => ResultKind::Predictions,
            Results::Embeddings(_) => ResultKind::Embeddings,
            Results::IntermediateResults(_) => ResultKind::IntermediateResults,
            Results::ModelPerformance(_) => ResultKind::ModelPerformance,
            Results::ValidationResults(_) => ResultKind::ValidationResults,
        }
    }

    /// Returns the publications that these results become, under the ids that their documents will have; figures become theirs
    /// with their rows.
    fn outbox_entries(&self, now: DateTime<Utc>) -> Result<Vec<OutboxEntry>, StoreError> {
        match self {
            Results::Predictions(items) => self.entries_of(items, |item| &item.id, now),
            Results::Embeddings(items) => self.entries_of(items, |item| &item.id, now),
            Results::IntermediateResults(items) => self.entries_of(items, |item| &item.id, now),
            Results::ModelPerformance(_) | Results::ValidationResults(_) => Ok(Vec::new()),
        }
    }

    fn entries_of<T: Serialize>(
        &self,
        items: &[T],
        id: impl Fn(&T) -> &ResultId,
        now: DateTime<Utc>,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let put = |item| put_entry(self.kind(), id(item).as_str(), item, now);
        items.iter().map(put).collect()
    }
}

fn figure_entry(
    kind: ResultKind,
    id: &str,
    row: &impl Serialize,
    recorded_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<OutboxEntry, StoreError> {
    let corrupt = |error| StoreError::corrupt(Entity::OutboxEntry, id, error);
    let body = serde_json::to_value(row).map_err(corrupt)?;
    let of_row = ResultId::parse(id).map_err(|error| StoreError::corrupt(Entity::OutboxEntry, id, error))?;
    put_entry(kind, id, &Figure { id: of_row, body, recorded_at }, now)
}

fn put_entry(kind: ResultKind, id: &str, body: &impl Serialize, now: DateTime<Utc>) -> Result<OutboxEntry, StoreError> {
    let body = serde_json::to_value(body).map_err(|error| StoreError::corrupt(Entity::OutboxEntry, id, error))?;
    entry(kind, id, OutboxAction::Put, body, now)
}

fn entry(
    kind: ResultKind,
    id: &str,
    action: OutboxAction,
    body: Value,
    now: DateTime<Utc>,
) -> Result<OutboxEntry, StoreError> {
    let id = OutboxId::parse(id).map_err(|error| StoreError::corrupt(Entity::OutboxEntry, id, error))?;
    Ok(OutboxEntry { id, kind, action, body, created_at: now, delivered_at: None })
}

fn page_of<T>(page: Page<T, RecordId>, record: impl Fn(T) -> DataRecord) -> Page<DataRecord, RecordId> {
    Page { items: page.items.into_iter().map(record).collect(), next_cursor: page.next_cursor }
}
