//! Live scores over the in-memory stores, which pass the same suites as the real ones.

use std::sync::Arc;

use ml_core::ground_truth::GroundTruth;
use ml_core::result::{Prediction, PredictionQuery, PredictionStore};
use ml_core::sync::{SyncStore, ValidatedRow};
use ml_core::testkit::build::{a_ground_truth, a_prediction, a_sync_batch, second};
use ml_core::testkit::memory::{MemoryDocuments, MemorySql};
use ml_monitor::live::{LiveScorer, LiveScores, LiveScoring, ScoreKind};
use serde_json::{Value, json};

fn prediction(record: usize, value: Value) -> Prediction {
    a_prediction().record_id(&format!("r{record}")).value(value).build()
}

fn truth(record: usize, value: Value) -> GroundTruth {
    a_ground_truth().record_id(&format!("r{record}")).value(value).build()
}

/// Scores pairs of truth and prediction, one per record; a missing truth is not known yet.
fn score(kind: ScoreKind, pairs: &[(Option<Value>, Value)]) -> LiveScores {
    let mut scoring = LiveScoring::new("direction", kind);
    for (record, (known, predicted)) in pairs.iter().enumerate() {
        let truths: Vec<_> = known.iter().map(|value| truth(record, value.clone())).collect();
        scoring.add(&[prediction(record, predicted.clone())], &truths);
    }
    scoring.finish().unwrap()
}

#[test]
fn labels_are_right_or_wrong() {
    let scores = score(
        ScoreKind::Classification,
        &[
            (Some(json!("up")), json!("up")),
            (Some(json!("up")), json!("down")),
            (Some(json!("down")), json!("down")),
            (Some(json!("flat")), json!("down")),
            (None, json!("up")),
            (None, Value::Null),
        ],
    );
    assert_eq!((scores.n_predictions, scores.n_without_value, scores.n_scored), (6, 1, 4));
    assert_eq!(scores.pending_share, 0.2);
    assert_eq!(scores.metrics["accuracy"], 0.5);
    // By class: down 1/2, flat 0, up 2/3.
    assert!((scores.metrics["f1_macro"] - (0.5 + 0.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12, "{scores:?}");
    assert_eq!(scores.details["labels"], json!(["down", "flat", "up"]));
    assert_eq!(scores.details["confusion_matrix"], json!([[1, 0, 0], [1, 0, 0], [1, 0, 1]]));
}

#[test]
fn a_label_is_the_same_however_it_is_written() {
    let scores = score(ScoreKind::Classification, &[(Some(json!("1")), json!(1)), (Some(json!("true")), json!(true))]);
    assert_eq!(scores.metrics["accuracy"], 1.0);
}

#[test]
fn quantities_are_off_by_some_amount() {
    let scores = score(
        ScoreKind::Regression,
        &[(Some(json!(1.0)), json!(2.0)), (Some(json!("3")), json!(3)), (Some(json!("n/a")), json!(4.0))],
    );
    assert_eq!((scores.n_scored, scores.n_not_comparable), (2, 1));
    assert_eq!(scores.metrics["mae"], 0.5);
    assert_eq!(scores.metrics["r2"], 0.5);
    assert_eq!(scores.metrics["rmse"], 0.5_f64.sqrt());
}

#[test]
fn one_quantity_has_no_r2_and_none_has_no_figures() {
    let one = score(ScoreKind::Regression, &[(Some(json!(1.0)), json!(2.0))]);
    assert!(one.metrics.contains_key("mae") && !one.metrics.contains_key("r2"));

    let none = score(ScoreKind::Regression, &[]);
    assert_eq!((none.n_predictions, none.pending_share, none.metrics.len()), (0, 0.0, 0));
}

#[test]
fn other_targets_take_no_part_and_the_later_truth_counts() {
    let mut scoring = LiveScoring::new("direction", ScoreKind::Classification);
    let other = a_prediction().record_id("r2").target("topic").build();
    let corrected = a_ground_truth().value(json!("down")).observed_at(second(60)).build();
    scoring.add(&[a_prediction().value(json!("down")).build(), other], &[corrected, a_ground_truth().build()]);

    let scores = scoring.finish().unwrap();

    assert_eq!((scores.n_predictions, scores.metrics["accuracy"]), (1, 1.0));
}

#[tokio::test]
async fn every_page_of_the_stores_is_scored() {
    const N: usize = 2500;
    let (documents, sql) = (Arc::new(MemoryDocuments::default()), Arc::new(MemorySql::default()));
    let predictions: Vec<_> = (0..N).map(|i| prediction(i, json!(if i % 2 == 0 { "up" } else { "down" }))).collect();
    PredictionStore::upsert(&*documents, &predictions).await.unwrap();
    let of_another_version = a_prediction().record_id("r0").model_version(2).value(json!("down")).build();
    PredictionStore::upsert(&*documents, &[of_another_version]).await.unwrap();
    let rows = (0..N).step_by(5).map(|i| ValidatedRow::GroundTruth(truth(i, json!("up")))).collect();
    sql.commit(&a_sync_batch().rows(rows).build()).await.unwrap();

    let query = PredictionQuery { model_version: Some(1), ..PredictionQuery::default() };
    let scorer = LiveScorer::new(documents, sql);
    let scores = scorer.score(&query, "direction", ScoreKind::Classification).await.unwrap();

    assert_eq!((scores.n_predictions, scores.n_scored), (2500, 500));
    assert_eq!((scores.pending_share, scores.metrics["accuracy"]), (0.8, 0.5));
}
