//! Builds figures about models and data.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{model_name, report_id, run_id, second};
use crate::evaluation::{DriftReport, ModelPerformance, ValidationResult};

/// Builds a [`ModelPerformance`].
#[derive(Debug, Clone)]
pub struct ModelPerformanceBuilder(ModelPerformance);

/// Starts with `p1`: the accuracy of version 1 of `news` on a test split, at [`second`] zero.
pub fn a_model_performance() -> ModelPerformanceBuilder {
    ModelPerformanceBuilder(ModelPerformance {
        id: report_id("p1"),
        run_id: Some(run_id("run1")),
        model_name: Some(model_name("news")),
        model_version: Some(1),
        dataset: "news@1".to_owned(),
        split: "test".to_owned(),
        n_samples: 100,
        metrics: BTreeMap::from([("accuracy".to_owned(), 0.875)]),
        details: json!({"confusion": [[40, 10], [2, 48]]}),
        evaluated_at: second(0),
    })
}

setters!(ModelPerformanceBuilder {
    /// Sets the id.
    id(id: &str) => id = report_id(id);
    /// Sets the model.
    model_name(name: &str) => model_name = Some(model_name(name));
    /// Sets the figures.
    metrics(metrics: BTreeMap<String, f64>) => metrics = metrics;
    /// Sets everything else.
    details(details: Value) => details = details;
    /// Sets when it was scored.
    evaluated_at(instant: DateTime<Utc>) => evaluated_at = instant;
});

impl ModelPerformanceBuilder {
    /// Removes run, model and version: figures of something that was never registered.
    #[must_use]
    pub fn unregistered(mut self) -> ModelPerformanceBuilder {
        self.0.run_id = None;
        self.0.model_name = None;
        self.0.model_version = None;
        self
    }
}

build_as_is!(ModelPerformanceBuilder => ModelPerformance);

/// Builds a [`ValidationResult`].
#[derive(Debug, Clone)]
pub struct ValidationResultBuilder(ValidationResult);

/// Starts with `v1`: `news@1` passed at [`second`] zero.
pub fn a_validation_result() -> ValidationResultBuilder {
    ValidationResultBuilder(ValidationResult {
        id: report_id("v1"),
        subject: "news@1".to_owned(),
        passed: true,
        details: json!([{"check": "not empty", "passed": true}]),
        validated_at: second(0),
    })
}

setters!(ValidationResultBuilder {
    /// Sets the id.
    id(id: &str) => id = report_id(id);
    /// Sets what was checked.
    subject(subject: &str) => subject = subject.to_owned();
    /// Sets whether every check passed.
    passed(passed: bool) => passed = passed;
    /// Sets when it was checked.
    validated_at(instant: DateTime<Utc>) => validated_at = instant;
});

build_as_is!(ValidationResultBuilder => ValidationResult);

/// Builds a [`DriftReport`].
#[derive(Debug, Clone)]
pub struct DriftReportBuilder(DriftReport);

/// Starts with `d1`: no drift for version 1 of `news`, at [`second`] zero.
pub fn a_drift_report() -> DriftReportBuilder {
    DriftReportBuilder(DriftReport {
        id: report_id("d1"),
        model_name: model_name("news"),
        model_version: 1,
        window: "the last 7 days".to_owned(),
        n_samples: 500,
        drifted: false,
        details: json!({"n_words": {"psi": 0.03}}),
        created_at: second(0),
    })
}

setters!(DriftReportBuilder {
    /// Sets the id.
    id(id: &str) => id = report_id(id);
    /// Sets the model.
    model_name(name: &str) => model_name = model_name(name);
    /// Sets whether a column drifted.
    drifted(drifted: bool) => drifted = drifted;
    /// Sets when it was compared.
    created_at(instant: DateTime<Utc>) => created_at = instant;
});

build_as_is!(DriftReportBuilder => DriftReport);
