//! Cases of [`PredictionStore`].

use serde_json::{Map, Value, json};

use super::awkward;
use super::pages::joined;
use crate::document::UpsertCounts;
use crate::page::PageRequest;
use crate::result::{Prediction, PredictionQuery, PredictionStore};
use crate::testkit::build::{a_prediction, at, model_name, record_id, second};

fn all() -> PredictionQuery {
    PredictionQuery::default()
}

/// Sorts predictions as they are listed.
fn by_id(mut predictions: Vec<Prediction>) -> Vec<Prediction> {
    predictions.sort_by(|a, b| a.id.cmp(&b.id));
    predictions
}

/// Lists and counts, and compares both with the predictions expected, in any order.
async fn check_query(store: &dyn PredictionStore, query: &PredictionQuery, expected: &[Prediction]) {
    let page = store.list(query, PageRequest::first(1000)).await.unwrap();
    assert_eq!(page.items, by_id(expected.to_vec()), "{query:?}");
    assert_eq!(page.next_cursor, None);
    assert_eq!(store.count(query).await.unwrap(), expected.len() as u64, "count of {query:?}");
}

pub async fn an_empty_store_has_no_predictions(store: &dyn PredictionStore) {
    check_query(store, &all(), &[]).await;
    assert_eq!(store.upsert(&[]).await.unwrap(), UpsertCounts::default());
}

pub async fn a_prediction_comes_back_as_it_was_given(store: &dyn PredictionStore) {
    let details = json!({"probabilities": {"up": 0.1, "o'hara \"%_": 0.9}, "$why": ["a.b", null, 1, 1.0]});
    let details: Map<String, Value> = details.as_object().unwrap().clone();
    let predictions = vec![
        a_prediction().details(details).build(),
        a_prediction().record_id("number").value(json!(0.1 + 0.2)).probability(None).event_time(None).build(),
        a_prediction().record_id("whole").value(json!(1.0)).probability(Some(1.0)).build(),
        a_prediction().record_id("truth").value(json!(true)).probability(Some(0.0)).build(),
        a_prediction().record_id("none").value(Value::Null).probability(Some(1e-300)).build(),
        a_prediction().record_id("late").predicted_at(at("2026-01-05T10:20:30.123456Z")).build(),
    ];
    store.upsert(&predictions).await.unwrap();
    check_query(store, &all(), &predictions).await;
}

pub async fn awkward_names_are_ordinary_names(store: &dyn PredictionStore) {
    let model = |text: &str| text.replace([':', '/', '@'], "-");
    let predictions = awkward::TEXTS
        .map(|text| a_prediction().model_name(&model(text)).record_id(text).target(text).value(json!(text)).build());
    store.upsert(&predictions).await.unwrap();
    check_query(store, &all(), &predictions).await;
    for (text, prediction) in awkward::TEXTS.iter().zip(&predictions) {
        let of_record = PredictionQuery { record_id: Some(record_id(text)), ..all() };
        check_query(store, &of_record, std::slice::from_ref(prediction)).await;
        let of_model = PredictionQuery { model_name: Some(prediction.model_name.clone()), ..all() };
        check_query(store, &of_model, std::slice::from_ref(prediction)).await;
    }
}

pub async fn scoring_again_changes_nothing(store: &dyn PredictionStore) {
    let first = a_prediction().predicted_at(second(1)).build();
    store.upsert(std::slice::from_ref(&first)).await.unwrap();

    let counts = store.upsert(&[a_prediction().predicted_at(second(2)).build()]).await.unwrap();

    assert_eq!(counts, UpsertCounts { unchanged: 1, ..UpsertCounts::default() });
    check_query(store, &all(), &[first]).await;
}

pub async fn what_differs_is_replaced(store: &dyn PredictionStore) {
    let details = Map::from_iter([("why".to_owned(), json!("missing text"))]);
    let versions = [
        a_prediction().build(),
        a_prediction().value(json!("down")).predicted_at(second(1)).build(),
        a_prediction().value(json!("down")).probability(Some(0.5)).predicted_at(second(2)).build(),
        a_prediction().value(json!("down")).probability(None).predicted_at(second(3)).build(),
        a_prediction().value(json!("down")).probability(None).details(details).predicted_at(second(4)).build(),
    ];
    store.upsert(&versions[..1]).await.unwrap();
    for version in &versions[1..] {
        let counts = store.upsert(std::slice::from_ref(version)).await.unwrap();
        assert_eq!(counts, UpsertCounts { changed: 1, ..UpsertCounts::default() });
        check_query(store, &all(), std::slice::from_ref(version)).await;
    }
}

pub async fn an_older_prediction_never_replaces_a_newer_one(store: &dyn PredictionStore) {
    let newer = a_prediction().predicted_at(second(5)).build();
    store.upsert(std::slice::from_ref(&newer)).await.unwrap();
    let counts = store.upsert(&[a_prediction().value(json!("older")).predicted_at(second(4)).build()]).await.unwrap();
    assert_eq!(counts, UpsertCounts { unchanged: 1, ..UpsertCounts::default() });
    check_query(store, &all(), &[newer]).await;
}

pub async fn deleted_predictions_are_gone(store: &dyn PredictionStore) {
    let predictions = ["a", "b", "c"].map(|id| a_prediction().record_id(id).build());
    store.upsert(&predictions).await.unwrap();
    let ids = [&predictions[0], &predictions[2]].map(|prediction| prediction.id.clone());
    assert_eq!(store.delete(&ids).await.unwrap(), 2);
    assert_eq!(store.delete(&ids).await.unwrap(), 0);
    check_query(store, &all(), &predictions[1..2]).await;
}

pub async fn counts_tell_inserted_unchanged_and_changed_apart(store: &dyn PredictionStore) {
    let of = |id: &str| a_prediction().record_id(id);
    store.upsert(&["a", "b", "c"].map(|id| of(id).build())).await.unwrap();
    let again = [of("a").build(), of("b").value(json!("down")).build(), of("d").build(), of("d").build()];
    let counts = store.upsert(&again).await.unwrap();
    assert_eq!(counts, UpsertCounts { inserted: 1, unchanged: 2, changed: 1 });
}

pub async fn queries_restrict_the_list(store: &dyn PredictionStore) {
    let news = a_prediction().record_id("r1").predicted_at(second(1)).build();
    let newer = a_prediction().record_id("r1").model_version(2).predicted_at(second(2)).build();
    let other = a_prediction().record_id("r2").model_name("volatility").predicted_at(second(3)).build();
    store.upsert(&[news.clone(), newer.clone(), other.clone()]).await.unwrap();
    let name = |text| Some(model_name(text));
    check_query(store, &PredictionQuery { model_name: name("news"), ..all() }, &[news.clone(), newer.clone()]).await;
    check_query(store, &PredictionQuery { model_name: name("n%"), ..all() }, &[]).await;
    check_query(store, &PredictionQuery { model_version: Some(1), ..all() }, &[news.clone(), other.clone()]).await;
    let of_record = PredictionQuery { record_id: Some(record_id("r1")), ..all() };
    check_query(store, &of_record, &[news.clone(), newer.clone()]).await;
    check_query(store, &PredictionQuery { predicted_from: Some(second(2)), ..all() }, &[newer.clone(), other]).await;
    check_query(store, &PredictionQuery { predicted_before: Some(second(2)), ..all() }, std::slice::from_ref(&news))
        .await;
    let narrow = PredictionQuery {
        model_name: name("news"),
        predicted_from: Some(second(2)),
        predicted_before: Some(second(3)),
        ..all()
    };
    check_query(store, &narrow, &[newer]).await;
}

pub async fn pages_joined_give_the_list(store: &dyn PredictionStore) {
    let predictions = (0..10).map(|number| a_prediction().record_id(&format!("r{number}")).build()).collect();
    let predictions = by_id(predictions);
    store.upsert(&predictions).await.unwrap();
    for limit in [1, 3, 9, 10, 11] {
        let list = joined(limit, async |page| store.list(&all(), page).await).await;
        assert_eq!(list, predictions, "in pages of {limit}");
    }
}

pub async fn a_large_batch_is_stored_at_once(store: &dyn PredictionStore) {
    let predictions: Vec<Prediction> =
        (0..5000).map(|number| a_prediction().record_id(&format!("r{number}")).build()).collect();
    assert_eq!(store.upsert(&predictions).await.unwrap().inserted, 5000);
    assert_eq!(store.upsert(&predictions).await.unwrap().unchanged, 5000);
    let list = joined(1999, async |page| store.list(&all(), page).await).await;
    assert_eq!(list, by_id(predictions));
}

pub async fn predictions_are_found_by_their_ids(store: &dyn PredictionStore) {
    let of = |number: usize| a_prediction().record_id(&format!("r{number}")).build();
    let stored: Vec<Prediction> = (0..3_000).map(of).collect();
    store.upsert(&stored).await.unwrap();
    assert_eq!(store.find_by_ids(&[]).await.unwrap(), []);
    assert_eq!(store.find_by_ids(&[of(7_000).id]).await.unwrap(), [], "one that is not there");
    let twice = [of(5).id, of(5).id, of(7).id];
    assert_eq!(by_id(store.find_by_ids(&twice).await.unwrap()), by_id(vec![of(5), of(7)]));
    let ids: Vec<_> = (0..6_000).map(|number| of(number).id).collect();
    assert_eq!(by_id(store.find_by_ids(&ids).await.unwrap()), by_id(stored));
}

/// Tests a [`PredictionStore`].
#[macro_export]
macro_rules! prediction_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            prediction_store,
            $fresh,
            [
                an_empty_store_has_no_predictions,
                a_prediction_comes_back_as_it_was_given,
                awkward_names_are_ordinary_names,
                scoring_again_changes_nothing,
                what_differs_is_replaced,
                an_older_prediction_never_replaces_a_newer_one,
                deleted_predictions_are_gone,
                counts_tell_inserted_unchanged_and_changed_apart,
                queries_restrict_the_list,
                pages_joined_give_the_list,
                predictions_are_found_by_their_ids,
                a_large_batch_is_stored_at_once,
            ]
        );
    };
}
