//! Cases of [`EvaluationStore`].

use std::collections::BTreeMap;

use serde_json::json;

use super::awkward;
use super::outcome::assert_already_exists;
use crate::error::Entity;
use crate::evaluation::{DriftReport, EvaluationStore, ModelPerformance, ValidationResult};
use crate::testkit::build::{a_drift_report, a_model_performance, a_validation_result, model_name, second};

pub async fn nothing_is_evaluated_at_first(store: &dyn EvaluationStore) {
    assert_eq!(store.list_performance(None).await.unwrap(), []);
    assert_eq!(store.list_performance(Some(&model_name("news"))).await.unwrap(), []);
    assert_eq!(store.list_validations().await.unwrap(), []);
    assert_eq!(store.list_drift_reports(None).await.unwrap(), []);
    assert_eq!(store.list_drift_reports(Some(&model_name("news"))).await.unwrap(), []);
}

pub async fn figures_come_back_as_they_were_given(store: &dyn EvaluationStore) {
    let values = [0.1 + 0.2, 1.0, -1e300, 1e-300, f64::MAX, 0.0];
    let metrics: BTreeMap<String, f64> = awkward::TEXTS.map(ToOwned::to_owned).into_iter().zip(values).collect();
    let details = json!({"o'hara \"%_": [1, 1.0, 0.1, null], "deep": awkward::nested(60)});
    let rows = [
        a_model_performance().id("a").metrics(metrics).details(details).evaluated_at(awkward::times()[5]).build(),
        a_model_performance().id("b").unregistered().metrics(BTreeMap::new()).evaluated_at(second(-86_400)).build(),
    ];
    for row in &rows {
        store.create_performance(row, None).await.unwrap();
    }
    assert_eq!(store.list_performance(None).await.unwrap(), rows);
}

pub async fn validations_come_back_as_they_were_given(store: &dyn EvaluationStore) {
    let rows = [
        a_validation_result().id("a").build(),
        a_validation_result().id("b").subject("o'hara \"%_ 🦀").passed(false).build(),
    ];
    for row in &rows {
        store.create_validation(row, None).await.unwrap();
    }
    assert_eq!(store.list_validations().await.unwrap(), rows);
}

pub async fn drift_reports_come_back_as_they_were_given(store: &dyn EvaluationStore) {
    let rows =
        [a_drift_report().id("a").build(), a_drift_report().id("b").drifted(true).model_name("o'news 🦀").build()];
    for row in &rows {
        store.create_drift_report(row).await.unwrap();
    }
    assert_eq!(store.list_drift_reports(None).await.unwrap(), rows);
}

pub async fn a_taken_id_is_refused(store: &dyn EvaluationStore) {
    store.create_performance(&a_model_performance().id("same").build(), None).await.unwrap();
    store.create_validation(&a_validation_result().id("same").build(), None).await.unwrap();
    store.create_drift_report(&a_drift_report().id("same").build()).await.unwrap();

    let performance = a_model_performance().id("same").model_name("other").build();
    assert_already_exists(store.create_performance(&performance, None).await, Entity::ModelPerformance);
    let validation = a_validation_result().id("same").passed(false).build();
    assert_already_exists(store.create_validation(&validation, None).await, Entity::ValidationResult);
    let report = a_drift_report().id("same").drifted(true).build();
    assert_already_exists(store.create_drift_report(&report).await, Entity::DriftReport);

    assert_eq!(store.list_performance(None).await.unwrap(), [a_model_performance().id("same").build()]);
    assert_eq!(store.list_validations().await.unwrap(), [a_validation_result().id("same").build()]);
    assert_eq!(store.list_drift_reports(None).await.unwrap(), [a_drift_report().id("same").build()]);
}

/// Ids and the second at which each row is dated, in the order of a listing: newest first, then by id.
const NEWEST_FIRST: [(&str, i64); 5] = [("m", 9), ("B", 5), ("a", 5), ("z", 5), ("c", 1)];

pub async fn figures_are_listed_newest_first(store: &dyn EvaluationStore) {
    let row = |(id, time)| a_model_performance().id(id).evaluated_at(second(time)).build();
    let rows: Vec<ModelPerformance> = NEWEST_FIRST.into_iter().map(row).collect();
    for row in rows.iter().rev() {
        store.create_performance(row, None).await.unwrap();
    }
    assert_eq!(store.list_performance(None).await.unwrap(), rows);
    assert_eq!(store.list_performance(Some(&model_name("news"))).await.unwrap(), rows);
}

pub async fn validations_are_listed_newest_first(store: &dyn EvaluationStore) {
    let row = |(id, time)| a_validation_result().id(id).validated_at(second(time)).build();
    let rows: Vec<ValidationResult> = NEWEST_FIRST.into_iter().map(row).collect();
    for row in rows.iter().rev() {
        store.create_validation(row, None).await.unwrap();
    }
    assert_eq!(store.list_validations().await.unwrap(), rows);
}

pub async fn drift_reports_are_listed_newest_first(store: &dyn EvaluationStore) {
    let row = |(id, time)| a_drift_report().id(id).created_at(second(time)).build();
    let rows: Vec<DriftReport> = NEWEST_FIRST.into_iter().map(row).collect();
    for row in rows.iter().rev() {
        store.create_drift_report(row).await.unwrap();
    }
    assert_eq!(store.list_drift_reports(None).await.unwrap(), rows);
    assert_eq!(store.list_drift_reports(Some(&model_name("news"))).await.unwrap(), rows);
}

pub async fn models_are_told_apart(store: &dyn EvaluationStore) {
    let figures = [a_model_performance().id("a").build(), a_model_performance().id("b").model_name("News").build()];
    let reports = [a_drift_report().id("a").build(), a_drift_report().id("b").model_name("News").build()];
    for (figure, report) in figures.iter().zip(&reports) {
        store.create_performance(figure, None).await.unwrap();
        store.create_drift_report(report).await.unwrap();
    }
    store.create_performance(&a_model_performance().id("c").unregistered().build(), None).await.unwrap();
    for (number, name) in ["news", "News"].into_iter().enumerate() {
        let of_model = store.list_performance(Some(&model_name(name))).await.unwrap();
        assert_eq!(of_model, figures[number..=number]);
        let of_model = store.list_drift_reports(Some(&model_name(name))).await.unwrap();
        assert_eq!(of_model, reports[number..=number]);
    }
    assert_eq!(store.list_performance(Some(&model_name("n%"))).await.unwrap(), []);
    assert_eq!(store.list_performance(None).await.unwrap().len(), 3);
}

pub async fn awkward_ids_are_ordinary_ids(store: &dyn EvaluationStore) {
    let rows = awkward::TEXTS.map(|text| a_model_performance().id(text).build());
    for row in rows.iter().rev() {
        store.create_performance(row, None).await.unwrap();
    }
    assert_eq!(store.list_performance(None).await.unwrap(), rows);
}

/// Tests an [`EvaluationStore`].
#[macro_export]
macro_rules! evaluation_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            evaluation_store,
            $fresh,
            [
                nothing_is_evaluated_at_first,
                figures_come_back_as_they_were_given,
                validations_come_back_as_they_were_given,
                drift_reports_come_back_as_they_were_given,
                a_taken_id_is_refused,
                figures_are_listed_newest_first,
                validations_are_listed_newest_first,
                drift_reports_are_listed_newest_first,
                models_are_told_apart,
                awkward_ids_are_ordinary_ids,
            ]
        );
    };
}
