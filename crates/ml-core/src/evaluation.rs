//! Figures about models and data that are kept: evaluations, checks, drift.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;
use crate::id::{ReportId, RunId};
use crate::model::ModelName;
use crate::outbox::OutboxEntry;

/// A row of `model_performance`: the figures of one model on one set of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelPerformance {
    /// Unique among all evaluations.
    pub id: ReportId,
    /// The run that was evaluated, if the figures are of a training run.
    pub run_id: Option<RunId>,
    /// The registered model, if it was registered.
    pub model_name: Option<ModelName>,
    /// The number of its version.
    pub model_version: Option<u32>,
    /// What it was scored on: `name@version`, or a description of the window for live scores.
    pub dataset: String,
    /// The part of it: `train`, `validation`, `test` or `live`.
    pub split: String,
    /// How many rows were scored.
    pub n_samples: u64,
    /// Figures by name, such as `accuracy`; only finite ones.
    pub metrics: BTreeMap<String, f64>,
    /// Everything else: per-class figures, the confusion matrix, baselines.
    pub details: Value,
    /// When it was scored.
    pub evaluated_at: DateTime<Utc>,
}

/// A row of `validation_results`: the outcome of checks over some data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationResult {
    /// Unique among all results.
    pub id: ReportId,
    /// What was checked: `name@version` of a dataset, or a collection.
    pub subject: String,
    /// Whether every check passed.
    pub passed: bool,
    /// The checks and their outcomes.
    pub details: Value,
    /// When it was checked.
    pub validated_at: DateTime<Utc>,
}

/// A row of `drift_reports`: a window compared with the training reference of a model version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// Unique among all reports.
    pub id: ReportId,
    /// The registered model.
    pub model_name: ModelName,
    /// The number of its version.
    pub model_version: u32,
    /// The window that was judged, in words.
    pub window: String,
    /// How many rows the window has.
    pub n_samples: u64,
    /// Whether any column drifted.
    pub drifted: bool,
    /// The columns and their figures.
    pub details: Value,
    /// When it was compared.
    pub created_at: DateTime<Utc>,
}

/// Figures about models and data.
#[async_trait]
pub trait EvaluationStore: Send + Sync {
    /// Inserts evaluation figures and, in the same transaction, puts their publication into the outbox where there is one, or
    /// [`StoreError::AlreadyExists`].
    async fn create_performance(
        &self,
        performance: &ModelPerformance,
        publication: Option<&OutboxEntry>,
    ) -> Result<(), StoreError>;

    /// Lists evaluations of one model or of all, newest first, then by id.
    async fn list_performance(&self, model: Option<&ModelName>) -> Result<Vec<ModelPerformance>, StoreError>;

    /// Inserts the outcome of checks and, in the same transaction, puts its publication into the outbox where there is one, or
    /// [`StoreError::AlreadyExists`].
    async fn create_validation(
        &self,
        result: &ValidationResult,
        publication: Option<&OutboxEntry>,
    ) -> Result<(), StoreError>;

    /// Lists outcomes of checks, newest first, then by id.
    async fn list_validations(&self) -> Result<Vec<ValidationResult>, StoreError>;

    /// Inserts a drift report, or [`StoreError::AlreadyExists`].
    async fn create_drift_report(&self, report: &DriftReport) -> Result<(), StoreError>;

    /// Lists drift reports of one model or of all, newest first, then by id.
    async fn list_drift_reports(&self, model: Option<&ModelName>) -> Result<Vec<DriftReport>, StoreError>;
}
