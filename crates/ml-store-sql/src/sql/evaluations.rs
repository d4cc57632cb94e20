//! `model_performance`, `validation_results` and `drift_reports`: figures about models and data.

use async_trait::async_trait;
use diesel::prelude::{ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::evaluation::{DriftReport, EvaluationStore, ModelPerformance, ValidationResult};
use ml_core::id::{ReportId, RunId};
use ml_core::model::ModelName;
use ml_core::outbox::OutboxEntry;

use crate::connection::on_backend;
use crate::error::or_already_exists;
use crate::schema::sql::{drift_reports, model_performance, validation_results};
use crate::sql::outbox::OutboxRow;
use crate::sql::{SqlStore, outbox};
use crate::types::{Instant, JsonText};

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = model_performance, treat_none_as_default_value = false)]
struct PerformanceRow {
    id: String,
    run_id: Option<String>,
    model_name: Option<String>,
    model_version: Option<i64>,
    dataset: String,
    split: String,
    n_samples: i64,
    metrics: JsonText,
    details: JsonText,
    evaluated_at: Instant,
}

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = validation_results, treat_none_as_default_value = false)]
struct ValidationRow {
    id: String,
    subject: String,
    passed: bool,
    details: JsonText,
    validated_at: Instant,
}

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = drift_reports, treat_none_as_default_value = false)]
struct DriftRow {
    id: String,
    model_name: String,
    model_version: i64,
    window: String,
    n_samples: i64,
    drifted: bool,
    details: JsonText,
    created_at: Instant,
}

impl From<&ModelPerformance> for PerformanceRow {
    fn from(performance: &ModelPerformance) -> PerformanceRow {
        PerformanceRow {
            id: performance.id.as_str().to_owned(),
            run_id: performance.run_id.as_ref().map(|id| id.as_str().to_owned()),
            model_name: performance.model_name.as_ref().map(|name| name.as_str().to_owned()),
            model_version: performance.model_version.map(i64::from),
            dataset: performance.dataset.clone(),
            split: performance.split.clone(),
            n_samples: performance.n_samples as i64,
            metrics: JsonText::of(&performance.metrics),
            details: JsonText::of(&performance.details),
            evaluated_at: Instant(performance.evaluated_at),
        }
    }
}

impl PerformanceRow {
    fn into_performance(self) -> Result<ModelPerformance, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::ModelPerformance, key, err))
    }

    fn decode(self) -> Result<ModelPerformance, BoxError> {
        Ok(ModelPerformance {
            id: ReportId::parse(self.id)?,
            run_id: self.run_id.map(RunId::parse).transpose()?,
            model_name: self.model_name.as_deref().map(ModelName::parse).transpose()?,
            model_version: self.model_version.map(u32::try_from).transpose()?,
            dataset: self.dataset,
            split: self.split,
            n_samples: u64::try_from(self.n_samples)?,
            metrics: self.metrics.parse()?,
            details: self.details.parse()?,
            evaluated_at: self.evaluated_at.0,
        })
    }
}

impl From<&ValidationResult> for ValidationRow {
    fn from(result: &ValidationResult) -> ValidationRow {
        ValidationRow {
            id: result.id.as_str().to_owned(),
            subject: result.subject.clone(),
            passed: result.passed,
            details: JsonText::of(&result.details),
            validated_at: Instant(result.validated_at),
        }
    }
}

impl ValidationRow {
    fn into_result(self) -> Result<ValidationResult, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::ValidationResult, key, err))
    }

    fn decode(self) -> Result<ValidationResult, BoxError> {
        Ok(ValidationResult {
            id: ReportId::parse(self.id)?,
            subject: self.subject,
            passed: self.passed,
            details: self.details.parse()?,
            validated_at: self.validated_at.0,
        })
    }
}

impl From<&DriftReport> for DriftRow {
    fn from(report: &DriftReport) -> DriftRow {
        DriftRow {
            id: report.id.as_str().to_owned(),
            model_name: report.model_name.as_str().to_owned(),
            model_version: report.model_version.into(),
            window: report.window.clone(),
            n_samples: report.n_samples as i64,
            drifted: report.drifted,
            details: JsonText::of(&report.details),
            created_at: Instant(report.created_at),
        }
    }
}

impl DriftRow {
    fn into_report(self) -> Result<DriftReport, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::DriftReport, key, err))
    }

    fn decode(self) -> Result<DriftReport, BoxError> {
        Ok(DriftReport {
            id: ReportId::parse(self.id)?,
            model_name: ModelName::parse(&self.model_name)?,
            model_version: u32::try_from(self.model_version)?,
            window: self.window,
            n_samples: u64::try_from(self.n_samples)?,
            drifted: self.drifted,
            details: self.details.parse()?,
            created_at: self.created_at.0,
        })
    }
}

#[async_trait]
impl EvaluationStore for SqlStore {
    async fn create_performance(
        &self,
        performance: &ModelPerformance,
        publication: Option<&OutboxEntry>,
    ) -> Result<(), StoreError> {
        let publication = publication.map(OutboxRow::waiting);
        self.database
            .write("recording an evaluation", async |connection| {
                let insert = diesel::insert_into(model_performance::table).values(PerformanceRow::from(performance));
                let inserted = on_backend!(connection => insert.execute(connection).await);
                inserted.map_err(|err| or_already_exists(err, Entity::ModelPerformance, &performance.id))?;
                outbox::enqueue(connection, publication.iter().cloned().collect()).await
            })
            .await
    }

    async fn list_performance(&self, model: Option<&ModelName>) -> Result<Vec<ModelPerformance>, StoreError> {
        let rows: Vec<PerformanceRow> = self
            .database
            .read("listing evaluations", async |connection| {
                let rows = on_backend!(connection => {
                    let mut select = model_performance::table.order((model_performance::evaluated_at.desc(), model_performance::id)).into_boxed();
                    if let Some(model) = model {
                        select = select.filter(model_performance::model_name.eq(model.as_str()));
                    }
                    select.load(connection).await
                });
                Ok(rows?)
            })
            .await?;
        rows.into_iter().map(PerformanceRow::into_performance).collect()
    }

    async fn create_validation(
        &self,
        result: &ValidationResult,
        publication: Option<&OutboxEntry>,
    ) -> Result<(), StoreError> {
        let publication = publication.map(OutboxRow::waiting);
        self.database
            .write("recording a validation", async |connection| {
                let insert = diesel::insert_into(validation_results::table).values(ValidationRow::from(result));
                let inserted = on_backend!(connection => insert.execute(connection).await);
                inserted.map_err(|err| or_already_exists(err, Entity::ValidationResult, &result.id))?;
                outbox::enqueue(connection, publication.iter().cloned().collect()).await
            })
            .await
    }

    async fn list_validations(&self) -> Result<Vec<ValidationResult>, StoreError> {
        let select = validation_results::table.order((validation_results::validated_at.desc(), validation_results::id));
        let rows: Vec<ValidationRow> = self
            .database
            .read("listing validations", async |connection| {
                Ok(on_backend!(connection => select.load(connection).await)?)
            })
            .await?;
        rows.into_iter().map(ValidationRow::into_result).collect()
    }

    async fn create_drift_report(&self, report: &DriftReport) -> Result<(), StoreError> {
        self.database
            .write("recording a drift report", async |connection| {
                let insert = diesel::insert_into(drift_reports::table).values(DriftRow::from(report));
                let inserted = on_backend!(connection => insert.execute(connection).await);
                inserted.map_err(|err| or_already_exists(err, Entity::DriftReport, &report.id))?;
                Ok(())
            })
            .await
    }

    async fn list_drift_reports(&self, model: Option<&ModelName>) -> Result<Vec<DriftReport>, StoreError> {
        let rows: Vec<DriftRow> = self
            .database
            .read("listing drift reports", async |connection| {
                let rows = on_backend!(connection => {
                    let mut select = drift_reports::table.order((drift_reports::created_at.desc(), drift_reports::id)).into_boxed();
                    if let Some(model) = model {
                        select = select.filter(drift_reports::model_name.eq(model.as_str()));
                    }
                    select.load(connection).await
                });
                Ok(rows?)
            })
            .await?;
        rows.into_iter().map(DriftRow::into_report).collect()
    }
}
