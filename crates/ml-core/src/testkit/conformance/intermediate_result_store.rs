//! Cases of [`IntermediateResultStore`].

use serde_json::{Value, json};

use super::awkward;
use crate::document::UpsertCounts;
use crate::result::{IntermediateResult, IntermediateResultStore};
use crate::testkit::build::{an_intermediate_result, result_id, run_id, second};

async fn of_run(store: &dyn IntermediateResultStore, run: &str) -> Vec<IntermediateResult> {
    store.list_by_run(&run_id(run)).await.unwrap()
}

pub async fn a_run_leaves_nothing_at_first(store: &dyn IntermediateResultStore) {
    assert_eq!(of_run(store, "run1").await, []);
    assert_eq!(store.upsert(&[]).await.unwrap(), UpsertCounts::default());
}

pub async fn bodies_of_any_shape_come_back(store: &dyn IntermediateResultStore) {
    let text = awkward::text_with_everything();
    let odd_names = json!({"": 1, "$set": {"a.b": [1, 1.0, 0.1]}, "_id": text});
    let bodies = [json!({}), json!([]), json!("text"), json!(0.1), Value::Null, odd_names, awkward::nested(60)];
    for (number, body) in bodies.into_iter().enumerate() {
        let run = format!("run{number}");
        let result = an_intermediate_result().id(&run).run_id(&run).body(body).created_at(second(5)).build();
        store.upsert(std::slice::from_ref(&result)).await.unwrap();
        assert_eq!(of_run(store, &run).await, [result]);
    }
}

pub async fn results_are_listed_by_step_and_id(store: &dyn IntermediateResultStore) {
    let result = |step, id| an_intermediate_result().id(id).step(step).build();
    let sorted = [result("Fit", "z"), result("fit", "a"), result("fit", "c"), result("score", "b")];
    let mut backwards = sorted.to_vec();
    backwards.reverse();
    store.upsert(&backwards).await.unwrap();
    assert_eq!(of_run(store, "run1").await, sorted);
}

pub async fn runs_are_apart(store: &dyn IntermediateResultStore) {
    let results = awkward::TEXTS.map(|text| an_intermediate_result().id(text).run_id(text).step(text).build());
    store.upsert(&results).await.unwrap();
    for (text, result) in awkward::TEXTS.iter().zip(results) {
        assert_eq!(of_run(store, text).await, [result]);
    }
}

pub async fn the_same_again_changes_nothing(store: &dyn IntermediateResultStore) {
    let first = an_intermediate_result().created_at(second(1)).build();
    store.upsert(std::slice::from_ref(&first)).await.unwrap();
    let counts = store.upsert(&[an_intermediate_result().created_at(second(2)).build()]).await.unwrap();
    assert_eq!(counts, UpsertCounts { unchanged: 1, ..UpsertCounts::default() });
    assert_eq!(of_run(store, "run1").await, [first]);
}

pub async fn an_older_result_never_replaces_a_newer_one(store: &dyn IntermediateResultStore) {
    let newer = an_intermediate_result().created_at(second(5)).build();
    store.upsert(std::slice::from_ref(&newer)).await.unwrap();
    let older = an_intermediate_result().body(json!("older")).created_at(second(4)).build();
    let counts = store.upsert(&[older]).await.unwrap();
    assert_eq!(counts, UpsertCounts { unchanged: 1, ..UpsertCounts::default() });
    assert_eq!(of_run(store, "run1").await, [newer]);
}

pub async fn deleted_results_are_gone(store: &dyn IntermediateResultStore) {
    let results = ["a", "b"].map(|id| an_intermediate_result().id(id).build());
    store.upsert(&results).await.unwrap();
    assert_eq!(store.delete(&["a", "absent"].map(result_id)).await.unwrap(), 1);
    assert_eq!(of_run(store, "run1").await, results[1..]);
}

pub async fn what_differs_is_replaced(store: &dyn IntermediateResultStore) {
    store.upsert(&[an_intermediate_result().build()]).await.unwrap();
    let other_body = an_intermediate_result().body(json!("other")).created_at(second(1)).build();
    let other_step = an_intermediate_result().body(json!("other")).step("score").created_at(second(2)).build();
    for result in [other_body, other_step] {
        let counts = store.upsert(std::slice::from_ref(&result)).await.unwrap();
        assert_eq!(counts, UpsertCounts { changed: 1, ..UpsertCounts::default() });
        assert_eq!(of_run(store, "run1").await, [result]);
    }
}

pub async fn a_large_batch_is_stored_at_once(store: &dyn IntermediateResultStore) {
    let results: Vec<IntermediateResult> =
        (0..5000).map(|number| an_intermediate_result().id(&format!("i{number:05}")).build()).collect();
    assert_eq!(store.upsert(&results).await.unwrap().inserted, 5000);
    assert_eq!(of_run(store, "run1").await, results);
}

/// Tests an [`IntermediateResultStore`].
#[macro_export]
macro_rules! intermediate_result_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            intermediate_result_store,
            $fresh,
            [
                a_run_leaves_nothing_at_first,
                bodies_of_any_shape_come_back,
                results_are_listed_by_step_and_id,
                runs_are_apart,
                the_same_again_changes_nothing,
                an_older_result_never_replaces_a_newer_one,
                deleted_results_are_gone,
                what_differs_is_replaced,
                a_large_batch_is_stored_at_once,
            ]
        );
    };
}
