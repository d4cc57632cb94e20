//! Cases of [`crate::global_data::GlobalDataStore`] alone; see [`super::validated_query`] for the rest.

use serde_json::{Map, Value, json};

use super::awkward;
use super::outcome::assert_not_found;
use crate::error::Entity;
use crate::global_data::{GlobalRecord, ValidatedQuery};
use crate::page::PageRequest;
use crate::testkit::build::{a_global_record, a_sync_batch, data_type, record_id, second};
use crate::testkit::side::SyncSide;

async fn commit(side: &dyn SyncSide, row: &GlobalRecord) {
    side.sync().commit(&a_sync_batch().replayed().global(row.clone()).build()).await.unwrap();
}

async fn check_comes_back(side: &dyn SyncSide, row: &GlobalRecord) {
    commit(side, row).await;
    assert_eq!(side.global().get(&row.id).await.unwrap(), *row);
    let listed = side.global().list(&ValidatedQuery::default(), PageRequest::first(1000)).await.unwrap();
    assert!(listed.items.contains(row), "{:?}", listed.items);
    let as_of = ValidatedQuery { known_by: Some(row.created_at), ..ValidatedQuery::default() };
    let listed = side.global().list(&as_of, PageRequest::first(1000)).await.unwrap();
    assert!(listed.items.contains(row), "{:?}", listed.items);
}

fn features(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub async fn a_row_comes_back_as_it_was_written(side: &dyn SyncSide) {
    let all_kinds =
        json!({"score": 0.1, "n": 3, "whole": 1.0, "is_ad": false, "lang": "日本語 🦀", "at": "2026-01-05T00:00:00Z"});
    check_comes_back(side, &a_global_record().features(features(&all_kinds)).raw_id("raw").build()).await;
    check_comes_back(side, &a_global_record().id("bare").content(None).features(Map::new()).build()).await;
    check_comes_back(side, &a_global_record().id("empty").content(Some("")).build()).await;
    for (id, version) in [("lowest", i32::MIN), ("highest", i32::MAX)] {
        check_comes_back(side, &a_global_record().id(id).schema_version(version).build()).await;
    }
}

pub async fn awkward_texts_come_back(side: &dyn SyncSide) {
    for text in awkward::TEXTS {
        let named = Map::from_iter([(text.to_owned(), json!(text))]);
        let row = a_global_record().id(text).raw_id(text).content(Some(text)).features(named).build();
        check_comes_back(side, &row).await;
    }
}

pub async fn nested_features_come_back(side: &dyn SyncSide) {
    let nested = json!({"deep": awkward::nested(60), "list": [1, {"a": null}], "": {"": ""}});
    check_comes_back(side, &a_global_record().features(features(&nested)).build()).await;
}

pub async fn times_come_back_to_the_microsecond(side: &dyn SyncSide) {
    for (number, time) in awkward::times().into_iter().enumerate() {
        let row = a_global_record().id(&format!("t{number}")).event_time(time).created_at(time).build();
        check_comes_back(side, &row).await;
    }
}

pub async fn an_absent_row_is_not_found(side: &dyn SyncSide) {
    commit(side, &a_global_record().build()).await;
    for absent in ["r", "R1", "r1 ", "%", "raw"] {
        assert_not_found(side.global().get(&record_id(absent)).await, Entity::GlobalRecord);
    }
}

pub async fn get_returns_the_current_version(side: &dyn SyncSide) {
    for time in 1..=3 {
        commit(side, &a_global_record().schema_version(time).created_at(second(i64::from(time))).build()).await;
    }
    assert_eq!(side.global().get(&record_id("r1")).await.unwrap().schema_version, 3);
}

pub async fn data_types_are_told_apart(side: &dyn SyncSide) {
    let of_type = |id: &str, kind| a_global_record().id(id).data_type(kind).build();
    for row in [of_type("a", "text"), of_type("b", "social"), of_type("c", "text_2")] {
        commit(side, &row).await;
    }
    for (kind, expected) in [("text", "a"), ("social", "b"), ("text_2", "c")] {
        let query = ValidatedQuery { data_type: Some(data_type(kind)), ..ValidatedQuery::default() };
        let page = side.global().list(&query, PageRequest::first(10)).await.unwrap();
        assert_eq!(page.items, [of_type(expected, kind)]);
        assert_eq!(side.global().count(&query).await.unwrap(), 1);
    }
}

/// Tests a [`GlobalDataStore`](crate::global_data::GlobalDataStore) on a store that is a
/// [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! global_data_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            global_data_store,
            $fresh,
            [
                a_row_comes_back_as_it_was_written,
                awkward_texts_come_back,
                nested_features_come_back,
                times_come_back_to_the_microsecond,
                an_absent_row_is_not_found,
                get_returns_the_current_version,
                data_types_are_told_apart,
            ]
        );
    };
}
