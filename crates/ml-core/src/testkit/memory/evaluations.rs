//! Figures about models and data, in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;

use super::outbox::put;
use super::{MemorySql, lock};
use crate::error::{Entity, StoreError};
use crate::evaluation::{DriftReport, EvaluationStore, ModelPerformance, ValidationResult};
use crate::id::ReportId;
use crate::model::ModelName;
use crate::outbox::OutboxEntry;

/// The three tables, by id.
#[derive(Debug, Default)]
pub(super) struct Evaluations {
    performance: BTreeMap<ReportId, ModelPerformance>,
    validations: BTreeMap<ReportId, ValidationResult>,
    drift_reports: BTreeMap<ReportId, DriftReport>,
}

fn create<T: Clone>(
    rows: &mut BTreeMap<ReportId, T>,
    entity: Entity,
    id: &ReportId,
    row: &T,
) -> Result<(), StoreError> {
    if rows.contains_key(id) {
        return Err(StoreError::already_exists(entity, id));
    }
    rows.insert(id.clone(), row.clone());
    Ok(())
}

#[async_trait]
impl EvaluationStore for MemorySql {
    async fn create_performance(
        &self,
        performance: &ModelPerformance,
        publication: Option<&OutboxEntry>,
    ) -> Result<(), StoreError> {
        let mut outbox = lock(&self.outbox);
        let rows = &mut lock(&self.evaluations).performance;
        create(rows, Entity::ModelPerformance, &performance.id, performance)?;
        publication.map(|entry| put(&mut outbox, entry));
        Ok(())
    }

    async fn list_performance(&self, model: Option<&ModelName>) -> Result<Vec<ModelPerformance>, StoreError> {
        let evaluations = lock(&self.evaluations);
        let is_wanted = |row: &&ModelPerformance| model.is_none() || row.model_name.as_ref() == model;
        let mut rows: Vec<_> = evaluations.performance.values().filter(is_wanted).cloned().collect();
        // A stable sort: rows of the same instant stay in the order of their ids.
        rows.sort_by_key(|row| Reverse(row.evaluated_at));
        Ok(rows)
    }

    async fn create_validation(
        &self,
        result: &ValidationResult,
        publication: Option<&OutboxEntry>,
    ) -> Result<(), StoreError> {
        let mut outbox = lock(&self.outbox);
        let rows = &mut lock(&self.evaluations).validations;
        create(rows, Entity::ValidationResult, &result.id, result)?;
        publication.map(|entry| put(&mut outbox, entry));
        Ok(())
    }

    async fn list_validations(&self) -> Result<Vec<ValidationResult>, StoreError> {
        let mut rows: Vec<_> = lock(&self.evaluations).validations.values().cloned().collect();
        rows.sort_by_key(|row| Reverse(row.validated_at));
        Ok(rows)
    }

    async fn create_drift_report(&self, report: &DriftReport) -> Result<(), StoreError> {
        create(&mut lock(&self.evaluations).drift_reports, Entity::DriftReport, &report.id, report)
    }

    async fn list_drift_reports(&self, model: Option<&ModelName>) -> Result<Vec<DriftReport>, StoreError> {
        let evaluations = lock(&self.evaluations);
        let is_wanted = |row: &&DriftReport| model.is_none_or(|model| row.model_name == *model);
        let mut rows: Vec<_> = evaluations.drift_reports.values().filter(is_wanted).cloned().collect();
        rows.sort_by_key(|row| Reverse(row.created_at));
        Ok(rows)
    }
}
