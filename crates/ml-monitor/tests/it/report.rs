//! The rows that are kept of a report.

use std::collections::BTreeMap;

use chrono::DateTime;
use ml_core::id::ReportId;
use ml_core::model::ModelName;
use ml_core::table::{Column, Table};
use ml_monitor::drift::report::{DriftFindings, DriftThresholds, drift_report};
use ml_monitor::live::{LiveScores, ScoreKind};
use ml_monitor::profile::{ProfileOptions, ReferenceProfile};
use ml_monitor::quality::DataQuality;
use ml_monitor::report::MonitorReport;
use serde_json::Value;

fn report(n_scored: u64) -> MonitorReport {
    let rows = |offset: f64| {
        Table::new(vec![Column::numbers("x", (0..100).map(|i| f64::from(i) + offset).collect())]).unwrap()
    };
    let reference = ReferenceProfile::of(&rows(0.0), &ProfileOptions::default());
    let current = rows(90.0);
    MonitorReport {
        model_name: ModelName::parse("news").unwrap(),
        model_version: 3,
        window: "last 7 days".to_owned(),
        created_at: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        n_rows: 100,
        n_predictions: 100,
        quality: Some(DataQuality::of(&current)),
        drift: Some(drift_report(&reference, &current, None, &DriftThresholds::default())),
        live: Some(LiveScores {
            target: "topic".to_owned(),
            kind: ScoreKind::Classification,
            n_predictions: 100,
            n_without_value: 0,
            n_scored,
            n_not_comparable: 0,
            pending_share: 0.5,
            metrics: BTreeMap::from([("accuracy".to_owned(), 0.75)]),
            details: Value::Null,
        }),
    }
}

fn id() -> ReportId {
    ReportId::parse("r1").unwrap()
}

#[test]
fn drift_is_kept_with_its_findings() {
    let report = report(50);
    let row = report.drift_row(id()).unwrap();
    assert!(row.drifted && report.is_drifted());
    assert_eq!((row.n_samples, row.window.as_str(), row.model_version), (100, "last 7 days", 3));
    let findings: DriftFindings = serde_json::from_value(row.details).unwrap();
    assert_eq!(Some(findings), report.drift);
}

#[test]
fn live_scores_are_kept_once_there_are_any() {
    assert_eq!(report(0).performance_row(id()), None);
    let row = report(50).performance_row(id()).unwrap();
    assert_eq!((row.split.as_str(), row.n_samples, row.metrics["accuracy"]), ("live", 50, 0.75));
}

#[test]
fn a_report_survives_json() {
    let report = report(50);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<MonitorReport>(&json).unwrap(), report);
}
