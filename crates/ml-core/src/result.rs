//! What models and pipeline steps produce: predictions, embeddings, intermediate results, figures.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::document::UpsertCounts;
use crate::error::StoreError;
use crate::id::{RecordId, ResultId, RunId};
use crate::model::ModelName;
use crate::page::{Page, PageRequest};

/// The kinds of result that are written, by the names they have on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultKind {
    /// Outputs of a model for records.
    Predictions,
    /// Vectors made from records.
    Embeddings,
    /// What a pipeline step left for the next.
    IntermediateResults,
    /// Evaluation figures of a model version.
    ModelPerformance,
    /// Outcomes of checks over a dataset.
    ValidationResults,
}

impl ResultKind {
    /// All kinds.
    pub const ALL: [ResultKind; 5] = [
        ResultKind::Predictions,
        ResultKind::Embeddings,
        ResultKind::IntermediateResults,
        ResultKind::ModelPerformance,
        ResultKind::ValidationResults,
    ];

    /// Returns the name on disk.
    pub const fn name(self) -> &'static str {
        match self {
            ResultKind::Predictions => "predictions",
            ResultKind::Embeddings => "embeddings",
            ResultKind::IntermediateResults => "intermediate_results",
            ResultKind::ModelPerformance => "model_performance",
            ResultKind::ValidationResults => "validation_results",
        }
    }

    /// Returns the kind called `name` on disk.
    pub fn find_by_name(name: &str) -> Option<ResultKind> {
        ResultKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A document of `predictions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Made of model version and record, see [`Prediction::id_of`], so that scoring a record twice is one document.
    #[serde(rename = "_id")]
    pub id: ResultId,
    /// The registered model.
    pub model_name: ModelName,
    /// The number of its version.
    pub model_version: u32,
    /// The record that was scored.
    pub record_id: RecordId,
    /// The target column that is predicted.
    pub target: String,
    /// The predicted label or number; `null` when the record could not be scored, with the reason in `details`.
    pub value: Value,
    /// The probability of the predicted label, in `0..=1`, where the model gives one.
    pub probability: Option<f64>,
    /// Probabilities or scores by class, and reasons for a missing value.
    pub details: Map<String, Value>,
    /// When the scored thing happened.
    pub event_time: Option<DateTime<Utc>>,
    /// When it was scored.
    pub predicted_at: DateTime<Utc>,
}

impl Prediction {
    /// Returns the one id of the prediction of this model version for this record.
    pub fn id_of(model_name: &ModelName, model_version: u32, record_id: &RecordId) -> ResultId {
        let digest = Digest::of(format!("{model_name}\n{model_version}\n{record_id}").as_bytes());
        ResultId::parse(format!("p-{}", &digest.to_string()[..32])).expect("hexadecimal digits are an id")
    }
}

/// Which predictions to read; an absent bound does not restrict.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PredictionQuery {
    /// Of this registered model.
    pub model_name: Option<ModelName>,
    /// Of this version.
    pub model_version: Option<u32>,
    /// Of this record.
    pub record_id: Option<RecordId>,
    /// Scored at or after.
    pub predicted_from: Option<DateTime<Utc>>,
    /// Scored before.
    pub predicted_before: Option<DateTime<Utc>>,
}

/// Predictions, in the document store.
#[async_trait]
pub trait PredictionStore: Send + Sync {
    /// Inserts new predictions and replaces those that differ. Two that differ only in `predicted_at` are the same,
    /// and the first one stays. One that was made before what is there never replaces it, and counts as unchanged.
    async fn upsert(&self, predictions: &[Prediction]) -> Result<UpsertCounts, StoreError>;

    /// Deletes these predictions and returns how many there were.
    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError>;

    /// Returns those of these predictions that are there, in any order.
    async fn find_by_ids(&self, ids: &[ResultId]) -> Result<Vec<Prediction>, StoreError>;

    /// Lists matching predictions by ascending id, in the order of its bytes.
    async fn list(
        &self,
        query: &PredictionQuery,
        page: PageRequest<ResultId>,
    ) -> Result<Page<Prediction, ResultId>, StoreError>;

    /// Counts matching predictions.
    async fn count(&self, query: &PredictionQuery) -> Result<u64, StoreError>;
}

/// A document of `embeddings`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    /// Unique within the collection.
    #[serde(rename = "_id")]
    pub id: ResultId,
    /// The record that was embedded.
    pub record_id: RecordId,
    /// What made the vector, with its version.
    pub model: String,
    /// The vector; finite, of the same length for every record of a model.
    pub vector: Vec<f32>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Embeddings, in the document store.
#[async_trait]
pub trait EmbeddingStore: Send + Sync {
    /// Inserts new embeddings and replaces those that differ in more than `created_at`; the others stay as they are. One that
    /// was made before what is there never replaces it, and counts as unchanged.
    async fn upsert(&self, embeddings: &[Embedding]) -> Result<UpsertCounts, StoreError>;

    /// Deletes these embeddings and returns how many there were.
    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError>;

    /// Returns the embeddings that `model` made of these records, in any order; records without one are left out.
    async fn find_by_records(&self, model: &str, records: &[RecordId]) -> Result<Vec<Embedding>, StoreError>;
}

/// A document of `intermediate_results`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntermediateResult {
    /// Unique within the collection.
    #[serde(rename = "_id")]
    pub id: ResultId,
    /// The run that produced it.
    pub run_id: RunId,
    /// The step of the run.
    pub step: String,
    /// What the step left.
    pub body: Value,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Intermediate results, in the document store.
#[async_trait]
pub trait IntermediateResultStore: Send + Sync {
    /// Inserts new results and replaces those that differ in more than `created_at`; the others stay as they are. One that was
    /// made before what is there never replaces it, and counts as unchanged.
    async fn upsert(&self, results: &[IntermediateResult]) -> Result<UpsertCounts, StoreError>;

    /// Deletes these results and returns how many there were.
    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError>;

    /// Lists what a run left, by step and then id.
    async fn list_by_run(&self, run_id: &RunId) -> Result<Vec<IntermediateResult>, StoreError>;
}

/// The kinds of result that are rows of SQL, of which the document store may have copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureKind {
    /// Copies of rows of `model_performance`.
    ModelPerformance,
    /// Copies of rows of `validation_results`.
    ValidationResults,
}

impl FigureKind {
    /// All kinds.
    pub const ALL: [FigureKind; 2] = [FigureKind::ModelPerformance, FigureKind::ValidationResults];

    /// Returns the name of the collection, which is that of the table.
    pub fn name(self) -> &'static str {
        match self {
            FigureKind::ModelPerformance => "model_performance",
            FigureKind::ValidationResults => "validation_results",
        }
    }
}

/// A document of `model_performance` or `validation_results`: a row of SQL for whoever reads the document store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The id of the row.
    #[serde(rename = "_id")]
    pub id: ResultId,
    /// The row.
    pub body: Value,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// Copies of figures, in the document store.
#[async_trait]
pub trait FigureStore: Send + Sync {
    /// Inserts new figures and replaces those that differ in more than `recorded_at`; the others stay as they are. One that was
    /// recorded before what is there never replaces it, and counts as unchanged.
    async fn upsert(&self, kind: FigureKind, figures: &[Figure]) -> Result<UpsertCounts, StoreError>;

    /// Deletes these figures and returns how many there were.
    async fn delete(&self, kind: FigureKind, ids: &[ResultId]) -> Result<u64, StoreError>;

    /// Lists figures by ascending id, in the order of its bytes.
    async fn list(&self, kind: FigureKind, page: PageRequest<ResultId>) -> Result<Page<Figure, ResultId>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_their_names() {
        for kind in ResultKind::ALL {
            assert_eq!(ResultKind::find_by_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn a_prediction_has_one_id() {
        let name = ModelName::parse("news").unwrap();
        let record = RecordId::parse("r1").unwrap();
        assert_eq!(Prediction::id_of(&name, 1, &record), Prediction::id_of(&name, 1, &record));
        assert_ne!(Prediction::id_of(&name, 1, &record), Prediction::id_of(&name, 2, &record));
    }
}
