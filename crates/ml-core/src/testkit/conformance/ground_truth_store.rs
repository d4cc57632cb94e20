//! Cases of [`crate::ground_truth::GroundTruthStore`]; truths come in through the sync.

use serde_json::{Value, json};

use super::awkward;
use crate::ground_truth::GroundTruth;
use crate::id::RecordId;
use crate::sync::{SyncCounts, ValidatedRow};
use crate::testkit::build::{a_ground_truth, a_sync_batch, record_id, second};
use crate::testkit::side::SyncSide;

async fn commit(side: &dyn SyncSide, truths: &[GroundTruth]) -> SyncCounts {
    let rows = truths.iter().cloned().map(ValidatedRow::GroundTruth).collect();
    side.sync().commit(&a_sync_batch().replayed().rows(rows).build()).await.unwrap()
}

/// Finds truths by the ids of their records, sorted by those.
async fn find(side: &dyn SyncSide, target: &str, ids: &[&str]) -> Vec<GroundTruth> {
    let ids: Vec<RecordId> = ids.iter().map(|id| record_id(id)).collect();
    let mut found = side.truths().find_by_records(target, &ids).await.unwrap();
    found.sort_by(|a, b| a.record_id.cmp(&b.record_id));
    found
}

pub async fn nothing_is_known_at_first(side: &dyn SyncSide) {
    assert_eq!(find(side, "direction", &["r1"]).await, []);
    assert_eq!(find(side, "direction", &[]).await, []);
    assert_eq!(side.truths().count("direction").await.unwrap(), 0);
}

pub async fn a_truth_comes_back_as_it_was_written(side: &dyn SyncSide) {
    let values =
        [json!("up"), json!("o'hara 🦀"), json!(""), json!(1), json!(1.0), json!(0.1), json!(true), Value::Null];
    for (number, value) in values.into_iter().enumerate() {
        let id = format!("r{number}");
        let truth = a_ground_truth().record_id(&id).value(value).observed_at(second(5)).created_at(second(9)).build();
        commit(side, std::slice::from_ref(&truth)).await;
        assert_eq!(find(side, "direction", &[&id]).await, [truth]);
    }
}

pub async fn records_without_a_truth_are_left_out(side: &dyn SyncSide) {
    let truths = ["a", "c"].map(|id| a_ground_truth().record_id(id).build());
    commit(side, &truths).await;
    assert_eq!(find(side, "direction", &["a", "b", "c", "d"]).await, truths);
    assert_eq!(find(side, "direction", &["c"]).await, truths[1..]);
    assert_eq!(find(side, "direction", &["%", "A"]).await, []);
}

pub async fn an_id_asked_twice_is_found_once(side: &dyn SyncSide) {
    let truth = a_ground_truth().build();
    commit(side, std::slice::from_ref(&truth)).await;
    assert_eq!(find(side, "direction", &["r1", "r1"]).await, [truth]);
}

pub async fn targets_are_apart(side: &dyn SyncSide) {
    let direction = a_ground_truth().build();
    let volatility = a_ground_truth().target("volatility").value(json!(0.02)).raw_id("other").build();
    commit(side, &[direction.clone(), volatility.clone()]).await;
    assert_eq!(find(side, "direction", &["r1"]).await, [direction]);
    assert_eq!(find(side, "volatility", &["r1"]).await, [volatility]);
    assert_eq!(find(side, "volat%", &["r1"]).await, []);
    assert_eq!(side.truths().count("volatility").await.unwrap(), 1);
}

pub async fn a_corrected_truth_replaces_the_former(side: &dyn SyncSide) {
    let first = a_ground_truth().created_at(second(1)).build();
    let corrected = a_ground_truth().value(json!("down")).created_at(second(2)).raw_id("correction").build();
    commit(side, std::slice::from_ref(&first)).await;

    let counts = commit(side, std::slice::from_ref(&corrected)).await;

    assert_eq!(counts.written, 1);
    assert_eq!(find(side, "direction", &["r1"]).await, [corrected]);
    assert_eq!(side.truths().count("direction").await.unwrap(), 1);
}

pub async fn the_same_truth_again_is_unchanged(side: &dyn SyncSide) {
    let first = a_ground_truth().created_at(second(1)).build();
    commit(side, std::slice::from_ref(&first)).await;
    let counts = commit(side, &[a_ground_truth().created_at(second(2)).build()]).await;
    assert_eq!(counts, SyncCounts { read: 1, unchanged: 1, ..SyncCounts::default() });
    assert_eq!(find(side, "direction", &["r1"]).await, [first]);
}

pub async fn awkward_ids_and_targets_are_ordinary(side: &dyn SyncSide) {
    for text in awkward::TEXTS {
        let truth = a_ground_truth().record_id(text).target(text).value(json!(text)).build();
        commit(side, std::slice::from_ref(&truth)).await;
        assert_eq!(find(side, text, &awkward::TEXTS).await, [truth]);
        assert_eq!(side.truths().count(text).await.unwrap(), 1);
    }
}

pub async fn any_number_of_records_can_be_asked_for(side: &dyn SyncSide) {
    let truths: Vec<GroundTruth> =
        (0..5000).map(|number| a_ground_truth().record_id(&format!("r{number}")).build()).collect();
    commit(side, &truths).await;
    // More than either SQL engine can bind to one statement.
    let ids: Vec<RecordId> = (0..70_000).map(|number| record_id(&format!("r{number}"))).collect();
    assert_eq!(side.truths().find_by_records("direction", &ids).await.unwrap().len(), 5000);
    assert_eq!(side.truths().count("direction").await.unwrap(), 5000);
}

/// Tests a [`GroundTruthStore`](crate::ground_truth::GroundTruthStore) on a store that is a
/// [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! ground_truth_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            ground_truth_store,
            $fresh,
            [
                nothing_is_known_at_first,
                a_truth_comes_back_as_it_was_written,
                records_without_a_truth_are_left_out,
                an_id_asked_twice_is_found_once,
                targets_are_apart,
                a_corrected_truth_replaces_the_former,
                the_same_truth_again_is_unchanged,
                awkward_ids_and_targets_are_ordinary,
                any_number_of_records_can_be_asked_for,
            ]
        );
    };
}
