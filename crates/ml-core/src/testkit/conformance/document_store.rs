//! Cases of [`DocumentStore`].

use serde_json::{Map, Value, json};

use super::awkward;
use super::outcome::assert_not_found;
use super::pages::joined;
use crate::document::{DocumentStore, RecordHash, RecordQuery, UpsertCounts};
use crate::error::Entity;
use crate::id::{MAX_ID_BYTES, RecordId};
use crate::page::PageRequest;
use crate::record::Collection::{MarketData, RawRecords, SocialContent, TextCorpus};
use crate::record::RawRecord;
use crate::testkit::build::{a_raw_record, at, data_type, record_id, second, source_app};
use crate::testkit::concurrently::concurrently;

fn records_called(ids: &[&str]) -> Vec<RawRecord> {
    ids.iter().map(|id| a_raw_record().id(id).build()).collect()
}

fn numbered(n_records: usize) -> Vec<RawRecord> {
    let record = |number| a_raw_record().id(&format!("r{number:05}")).content(json!({"number": number})).build();
    (0..n_records).map(record).collect()
}

async fn store_in_text_corpus(store: &dyn DocumentStore, records: &[RawRecord]) {
    let counts = store.upsert(TextCorpus, records).await.unwrap();
    assert_eq!(counts, UpsertCounts { inserted: records.len() as u64, ..UpsertCounts::default() });
}

/// Lists and counts, and compares both with the ids expected.
#[track_caller]
fn check_query<'a>(
    store: &'a dyn DocumentStore,
    query: &'a RecordQuery,
    expected: &'a [&'a str],
) -> impl Future<Output = ()> + 'a {
    let caller = std::panic::Location::caller();
    async move {
        let page = store.list(TextCorpus, query, PageRequest::first(1000)).await.unwrap();
        let found: Vec<&str> = page.items.iter().map(|record| record.id.as_str()).collect();
        assert_eq!(found, expected, "{query:?}, asked at {caller}");
        assert_eq!(page.next_cursor, None);
        let n_found = store.count(TextCorpus, query).await.unwrap();
        assert_eq!(n_found, expected.len() as u64, "count of {query:?}, asked at {caller}");
    }
}

async fn check_comes_back(store: &dyn DocumentStore, record: &RawRecord) {
    store.upsert(TextCorpus, std::slice::from_ref(record)).await.unwrap();
    assert_eq!(store.get(TextCorpus, &record.id).await.unwrap(), *record);
    let listed = store.list(TextCorpus, &RecordQuery::default(), PageRequest::first(1000)).await.unwrap();
    assert!(listed.items.contains(record), "{:?}", listed.items);
}

pub async fn a_record_comes_back_as_it_was_given(store: &dyn DocumentStore) {
    let metadata =
        Map::from_iter([("url".to_owned(), json!("https://example.com/?a=1&b='2'")), ("n".to_owned(), json!(3))]);
    let full = a_raw_record().source("wire").metadata(metadata).ingested_at(at("2026-01-06T07:08:09.101112Z")).build();
    check_comes_back(store, &full).await;
    check_comes_back(store, &a_raw_record().id("bare").scraped_at(None).content(json!({})).build()).await;
}

pub async fn content_of_any_shape_comes_back(store: &dyn DocumentStore) {
    let shapes =
        [json!({}), json!([]), json!([1, "two", null]), json!("text"), json!(""), json!(1.5), json!(true), Value::Null];
    for (number, content) in shapes.into_iter().enumerate() {
        check_comes_back(store, &a_raw_record().id(&format!("shape{number}")).content(content).build()).await;
    }
}

pub async fn deep_content_comes_back(store: &dyn DocumentStore) {
    check_comes_back(store, &a_raw_record().content(json!({"deep": awkward::nested(60)})).build()).await;
}

pub async fn numbers_keep_value_and_kind(store: &dyn DocumentStore) {
    let numbers =
        json!([0, 1, 1.0, -1, 0.1, 1e-7, 1e300, f64::MIN_POSITIVE, i64::MIN, i64::MAX, 9_007_199_254_740_993_i64]);
    check_comes_back(store, &a_raw_record().content(json!({ "numbers": numbers })).build()).await;
}

pub async fn every_character_comes_back(store: &dyn DocumentStore) {
    let text = awkward::text_with_everything();
    check_comes_back(store, &a_raw_record().source(&text).content(json!({"body": text, "list": [text]})).build()).await;
}

pub async fn odd_field_names_come_back(store: &dyn DocumentStore) {
    let mut content: Map<String, Value> = awkward::TEXTS.iter().map(|name| ((*name).to_owned(), json!(1))).collect();
    content.insert(String::new(), json!({"": {"$set": {"a.b": 1}}}));
    content.insert("_id".to_owned(), json!("not the id of the record"));
    check_comes_back(store, &a_raw_record().metadata(content.clone()).content(Value::Object(content)).build()).await;
}

pub async fn times_come_back_to_the_microsecond(store: &dyn DocumentStore) {
    for (number, time) in awkward::times().into_iter().enumerate() {
        check_comes_back(
            store,
            &a_raw_record().id(&format!("t{number}")).scraped_at(Some(time)).ingested_at(time).build(),
        )
        .await;
    }
}

pub async fn a_second_upsert_changes_nothing(store: &dyn DocumentStore) {
    let first = a_raw_record().ingested_at(second(1)).build();
    let again = a_raw_record().ingested_at(second(2)).build();
    store_in_text_corpus(store, std::slice::from_ref(&first)).await;

    let counts = store.upsert(TextCorpus, &[again]).await.unwrap();

    assert_eq!(counts, UpsertCounts { unchanged: 1, ..UpsertCounts::default() });
    assert_eq!(store.get(TextCorpus, &first.id).await.unwrap(), first);
}

pub async fn other_content_replaces_the_record(store: &dyn DocumentStore) {
    store_in_text_corpus(store, &[a_raw_record().source("wire").build()]).await;
    let corrected = a_raw_record().content(json!({"body": "corrected"})).ingested_at(second(9)).build();

    let counts = store.upsert(TextCorpus, std::slice::from_ref(&corrected)).await.unwrap();

    assert_eq!(counts, UpsertCounts { changed: 1, ..UpsertCounts::default() });
    assert_eq!(store.get(TextCorpus, &corrected.id).await.unwrap(), corrected);
    assert_eq!(store.count(TextCorpus, &RecordQuery::default()).await.unwrap(), 1);
}

pub async fn counts_tell_inserted_unchanged_and_changed_apart(store: &dyn DocumentStore) {
    store_in_text_corpus(store, &records_called(&["a", "b", "c"])).await;
    let mut records = records_called(&["a", "b", "d", "e", "f"]);
    records.push(a_raw_record().id("c").content(json!("changed")).build());

    let counts = store.upsert(TextCorpus, &records).await.unwrap();

    assert_eq!(counts, UpsertCounts { inserted: 3, unchanged: 2, changed: 1 });
}

pub async fn an_empty_batch_does_nothing(store: &dyn DocumentStore) {
    assert_eq!(store.upsert(TextCorpus, &[]).await.unwrap(), UpsertCounts::default());
    check_query(store, &RecordQuery::default(), &[]).await;
}

pub async fn an_id_twice_in_a_batch_is_written_in_order(store: &dyn DocumentStore) {
    let versions = ["one", "two", "two"].map(|text| a_raw_record().content(json!(text)).build());

    let counts = store.upsert(TextCorpus, &versions).await.unwrap();

    assert_eq!(counts, UpsertCounts { inserted: 1, changed: 1, unchanged: 1 });
    assert_eq!(store.get(TextCorpus, &record_id("r1")).await.unwrap(), versions[1]);
}

pub async fn collections_are_apart(store: &dyn DocumentStore) {
    let post = a_raw_record().content(json!("a post")).ingested_at(second(1)).build();
    store_in_text_corpus(store, &[a_raw_record().build()]).await;
    store.upsert(SocialContent, std::slice::from_ref(&post)).await.unwrap();

    assert_eq!(store.get(SocialContent, &post.id).await.unwrap(), post);
    assert_eq!(store.get(TextCorpus, &post.id).await.unwrap(), a_raw_record().build());
    assert_not_found(store.get(MarketData, &post.id).await, Entity::RawRecord);
    assert_eq!(store.count(RawRecords, &RecordQuery::default()).await.unwrap(), 0);
}

pub async fn an_absent_record_is_not_found(store: &dyn DocumentStore) {
    assert_not_found(store.get(TextCorpus, &record_id("r1")).await, Entity::RawRecord);
    store_in_text_corpus(store, &records_called(&["r1"])).await;
    for absent in ["r", "r2", "R1", "r1 ", "%", "r_"] {
        assert_not_found(store.get(TextCorpus, &record_id(absent)).await, Entity::RawRecord);
    }
}

pub async fn awkward_ids_are_ordinary_ids(store: &dyn DocumentStore) {
    store_in_text_corpus(store, &records_called(&awkward::TEXTS)).await;
    for id in awkward::TEXTS {
        assert_eq!(store.get(TextCorpus, &record_id(id)).await.unwrap(), a_raw_record().id(id).build());
    }
    check_query(store, &RecordQuery::default(), &awkward::TEXTS).await;
    let counts = store.upsert(TextCorpus, &records_called(&awkward::TEXTS)).await.unwrap();
    assert_eq!(counts.unchanged, awkward::TEXTS.len() as u64);
}

pub async fn the_longest_id_is_kept(store: &dyn DocumentStore) {
    let long = "é".repeat(MAX_ID_BYTES / 2);
    check_comes_back(store, &a_raw_record().id(&long).build()).await;
}

pub async fn pages_joined_give_the_list(store: &dyn DocumentStore) {
    store_in_text_corpus(store, &numbered(10)).await;
    for limit in [1, 2, 3, 9, 10, 11] {
        let list = joined(limit, async |page| store.list(TextCorpus, &RecordQuery::default(), page).await).await;
        assert_eq!(list, numbered(10), "in pages of {limit}");
    }
    let awkward_ids = records_called(&awkward::TEXTS);
    store.upsert(SocialContent, &awkward_ids).await.unwrap();
    let list = joined(1, async |page| store.list(SocialContent, &RecordQuery::default(), page).await).await;
    assert_eq!(list, awkward_ids);
}

pub async fn pages_hold_what_matches(store: &dyn DocumentStore) {
    let of_app = |number: usize| if number.is_multiple_of(3) { "third" } else { "other" };
    let record = |number| a_raw_record().id(&format!("r{number:02}")).source_app(of_app(number)).build();
    let records: Vec<RawRecord> = (0..20).map(record).collect();
    store_in_text_corpus(store, &records).await;
    let query = RecordQuery { source_app: Some(source_app("third")), ..RecordQuery::default() };

    let list = joined(2, async |page| store.list(TextCorpus, &query, page).await).await;

    let expected: Vec<RawRecord> = records.into_iter().step_by(3).collect();
    assert_eq!(list, expected);
}

pub async fn records_added_between_pages_shift_nothing(store: &dyn DocumentStore) {
    store_in_text_corpus(store, &records_called(&["b", "d", "f", "h"])).await;
    let all = RecordQuery::default();
    let first = store.list(TextCorpus, &all, PageRequest::first(2)).await.unwrap();
    store_in_text_corpus(store, &records_called(&["a", "c", "e", "z"])).await;

    let rest = store.list(TextCorpus, &all, PageRequest::first(10).after(first.next_cursor.unwrap())).await.unwrap();

    assert_eq!(first.items, records_called(&["b", "d"]));
    assert_eq!(rest.items, records_called(&["e", "f", "h", "z"]));
}

pub async fn a_cursor_need_not_be_there(store: &dyn DocumentStore) {
    store_in_text_corpus(store, &records_called(&["b", "d"])).await;
    let page = PageRequest::first(10).after(record_id("c"));
    let list = store.list(TextCorpus, &RecordQuery::default(), page).await.unwrap();
    assert_eq!(list.items, records_called(&["d"]));
}

pub async fn queries_by_origin(store: &dyn DocumentStore) {
    let records = [
        a_raw_record().id("a").source_app("desk").source("wire").build(),
        a_raw_record().id("b").source_app("desk").source("o'hara \"%_\"").data_type("social").build(),
        a_raw_record().id("c").source_app("blog").data_type("social").build(),
    ];
    store_in_text_corpus(store, &records).await;
    let all = RecordQuery::default;
    check_query(store, &RecordQuery { data_type: Some(data_type("social")), ..all() }, &["b", "c"]).await;
    check_query(store, &RecordQuery { data_type: Some(data_type("raw_market")), ..all() }, &[]).await;
    check_query(store, &RecordQuery { source_app: Some(source_app("desk")), ..all() }, &["a", "b"]).await;
    check_query(store, &RecordQuery { source: Some("wire".to_owned()), ..all() }, &["a"]).await;
    check_query(store, &RecordQuery { source: Some("o'hara \"%_\"".to_owned()), ..all() }, &["b"]).await;
    check_query(store, &RecordQuery { source: Some("%".to_owned()), ..all() }, &[]).await;
    let both = RecordQuery { data_type: Some(data_type("social")), source_app: Some(source_app("desk")), ..all() };
    check_query(store, &both, &["b"]).await;
}

pub async fn queries_by_scrape_time(store: &dyn DocumentStore) {
    let scraped = |id: &str, time| a_raw_record().id(id).scraped_at(time).build();
    let records = [
        scraped("a", Some(second(1))),
        scraped("b", Some(second(2))),
        scraped("c", Some(second(3))),
        scraped("none", None),
    ];
    store_in_text_corpus(store, &records).await;
    let all = RecordQuery::default;
    check_query(store, &RecordQuery { scraped_from: Some(second(2)), ..all() }, &["b", "c"]).await;
    check_query(store, &RecordQuery { scraped_before: Some(second(2)), ..all() }, &["a"]).await;
    let between = RecordQuery { scraped_from: Some(second(2)), scraped_before: Some(second(3)), ..all() };
    check_query(store, &between, &["b"]).await;
    check_query(store, &RecordQuery { scraped_from: Some(second(4)), ..all() }, &[]).await;
    check_query(store, &all(), &["a", "b", "c", "none"]).await;
}

pub async fn queries_by_known_time(store: &dyn DocumentStore) {
    let ingested = |id: &str, time| a_raw_record().id(id).ingested_at(time).build();
    let late = at("2026-01-05T00:00:02.000001Z");
    store_in_text_corpus(store, &[ingested("a", second(1)), ingested("b", second(2)), ingested("c", late)]).await;
    let known_by = |time| RecordQuery { known_by: Some(time), ..RecordQuery::default() };
    check_query(store, &known_by(second(0)), &[]).await;
    check_query(store, &known_by(second(2)), &["a", "b"]).await;
    check_query(store, &known_by(late), &["a", "b", "c"]).await;
}

pub async fn times_compare_across_centuries(store: &dyn DocumentStore) {
    let times = awkward::times();
    let record =
        |(number, time)| a_raw_record().id(&format!("t{number}")).scraped_at(Some(time)).ingested_at(time).build();
    let records: Vec<RawRecord> = times.iter().copied().enumerate().map(record).collect();
    store_in_text_corpus(store, &records).await;
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    for (number, time) in times.into_iter().enumerate() {
        let all = RecordQuery::default;
        check_query(store, &RecordQuery { scraped_from: Some(time), ..all() }, &ids[number..]).await;
        check_query(store, &RecordQuery { scraped_before: Some(time), ..all() }, &ids[..number]).await;
        check_query(store, &RecordQuery { known_by: Some(time), ..all() }, &ids[..=number]).await;
    }
}

fn where_equal(field: &str, value: Value) -> RecordQuery {
    RecordQuery { content_equals: vec![(field.to_owned(), value)], ..RecordQuery::default() }
}

pub async fn queries_by_content(store: &dyn DocumentStore) {
    let contents = [
        ("a", json!({"lang": "en", "likes": 1, "ad": true, "by": null})),
        ("b", json!({"lang": "de", "likes": 1.0, "ad": false, "by": "o'hara"})),
        ("c", json!({"lang": "EN", "likes": "1", "ad": 1, "deep": {"lang": "en"}})),
        ("d", json!(["lang", "en"])),
        ("e", json!("en")),
    ];
    let records = contents.map(|(id, content)| a_raw_record().id(id).content(content).build());
    store_in_text_corpus(store, &records).await;
    check_query(store, &where_equal("lang", json!("en")), &["a"]).await;
    check_query(store, &where_equal("lang", json!("%")), &[]).await;
    check_query(store, &where_equal("likes", json!(1)), &["a", "b"]).await;
    check_query(store, &where_equal("likes", json!(1.0)), &["a", "b"]).await;
    check_query(store, &where_equal("likes", json!("1")), &["c"]).await;
    check_query(store, &where_equal("ad", json!(true)), &["a"]).await;
    check_query(store, &where_equal("ad", json!(1)), &["c"]).await;
    check_query(store, &where_equal("by", Value::Null), &["a"]).await;
    check_query(store, &where_equal("by", json!("o'hara")), &["b"]).await;
    check_query(store, &where_equal("absent", Value::Null), &[]).await;
    let mut both = where_equal("lang", json!("de"));
    both.content_equals.push(("ad".to_owned(), json!(false)));
    check_query(store, &both, &["b"]).await;
    both.content_equals.push(("likes".to_owned(), json!(2)));
    check_query(store, &both, &[]).await;
}

pub async fn queries_by_fields_with_awkward_names(store: &dyn DocumentStore) {
    let with_field = |(number, name): (usize, &&str)| {
        let content = Map::from_iter([((*name).to_owned(), json!("here"))]);
        a_raw_record().id(&format!("r{number:02}")).content(Value::Object(content)).build()
    };
    let records: Vec<RawRecord> = awkward::TEXTS.iter().enumerate().map(with_field).collect();
    store_in_text_corpus(store, &records).await;
    for (number, name) in awkward::TEXTS.iter().enumerate() {
        check_query(store, &where_equal(name, json!("here")), &[&format!("r{number:02}")]).await;
        check_query(store, &where_equal(name, json!("elsewhere")), &[]).await;
    }
}

pub async fn an_awkward_value_equals_itself_alone(store: &dyn DocumentStore) {
    let with_value = |text: &&str| a_raw_record().id(text).content(json!({ "value": text })).build();
    let records: Vec<RawRecord> = awkward::TEXTS.iter().map(with_value).collect();
    store_in_text_corpus(store, &records).await;
    for text in awkward::TEXTS {
        check_query(store, &where_equal("value", json!(text)), &[text]).await;
    }
}

pub async fn retention_deletes_what_is_older(store: &dyn DocumentStore) {
    let ingested = |id: &str, time| a_raw_record().id(id).ingested_at(time).build();
    store_in_text_corpus(store, &[ingested("a", second(1)), ingested("b", second(2)), ingested("c", second(3))]).await;
    store.upsert(SocialContent, &[ingested("a", second(1))]).await.unwrap();

    assert_eq!(store.delete_ingested_before(TextCorpus, second(2)).await.unwrap(), 1);

    check_query(store, &RecordQuery::default(), &["b", "c"]).await;
    assert_not_found(store.get(TextCorpus, &record_id("a")).await, Entity::RawRecord);
    assert_eq!(store.count(SocialContent, &RecordQuery::default()).await.unwrap(), 1);
    assert_eq!(store.delete_ingested_before(TextCorpus, second(2)).await.unwrap(), 0);
    let again = store.upsert(TextCorpus, &[ingested("a", second(9))]).await.unwrap();
    assert_eq!(again.inserted, 1);
}

pub async fn a_deleted_record_is_gone(store: &dyn DocumentStore) {
    store_in_text_corpus(store, &records_called(&["a", "b", "c"])).await;
    store.upsert(SocialContent, &records_called(&["a"])).await.unwrap();

    assert_eq!(store.delete(TextCorpus, &["c", "a", "absent"].map(record_id)).await.unwrap(), 2);

    check_query(store, &RecordQuery::default(), &["b"]).await;
    assert_not_found(store.get(TextCorpus, &record_id("a")).await, Entity::RawRecord);
    assert_eq!(store.count(SocialContent, &RecordQuery::default()).await.unwrap(), 1);
    assert_eq!(store.delete(TextCorpus, &["a"].map(record_id)).await.unwrap(), 0);
    assert_eq!(store.delete(TextCorpus, &[]).await.unwrap(), 0);
    assert_eq!(store.upsert(TextCorpus, &records_called(&["a"])).await.unwrap().inserted, 1);
    check_query(store, &RecordQuery::default(), &["a", "b"]).await;
}

pub async fn many_records_are_deleted_at_once(store: &dyn DocumentStore) {
    store_in_text_corpus(store, &numbered(3000)).await;
    let ids: Vec<RecordId> = numbered(2990).into_iter().map(|record| record.id).collect();
    assert_eq!(store.delete(TextCorpus, &ids).await.unwrap(), 2990);
    assert_eq!(store.count(TextCorpus, &RecordQuery::default()).await.unwrap(), 10);
}

pub async fn hashes_are_listed_by_id(store: &dyn DocumentStore) {
    let mut records: Vec<RawRecord> = awkward::TEXTS.iter().map(|id| a_raw_record().id(id).build()).collect();
    records.push(a_raw_record().id("zz").content(json!("other")).build());
    records.sort_by(|one, other| one.id.cmp(&other.id));
    store_in_text_corpus(store, &records).await;
    store.upsert(SocialContent, &records_called(&["elsewhere"])).await.unwrap();
    let expected: Vec<RecordHash> = records
        .iter()
        .map(|record| RecordHash { id: record.id.clone(), content_hash: Some(record.content_hash) })
        .collect();
    for limit in [1, 5, 100] {
        let hashes = joined(limit, async |page| store.list_hashes(TextCorpus, page).await).await;
        assert_eq!(hashes, expected, "in pages of {limit}");
    }
}

pub async fn a_replacement_is_never_from_before_what_it_replaces(store: &dyn DocumentStore) {
    let version = |text: &str, time| a_raw_record().content(json!(text)).ingested_at(second(time)).build();
    store.upsert(TextCorpus, &[version("first", 5)]).await.unwrap();
    for (text, given, expected) in [("second", 3, 5), ("third", 5, 5), ("fourth", 7, 7), ("fifth", 6, 7)] {
        store.upsert(TextCorpus, &[version(text, given)]).await.unwrap();
        let stored = store.get(TextCorpus, &record_id("r1")).await.unwrap();
        assert_eq!((stored.raw_content, stored.ingested_at), (json!(text), second(expected)));
    }
}

pub async fn a_large_batch_is_stored_at_once(store: &dyn DocumentStore) {
    let records = numbered(5000);
    store_in_text_corpus(store, &records).await;
    assert_eq!(store.count(TextCorpus, &RecordQuery::default()).await.unwrap(), 5000);
    assert_eq!(store.upsert(TextCorpus, &records).await.unwrap().unchanged, 5000);
    let list = joined(1500, async |page| store.list(TextCorpus, &RecordQuery::default(), page).await).await;
    assert_eq!(list, records);
}

pub async fn a_record_of_a_megabyte_comes_back(store: &dyn DocumentStore) {
    let body = "Shares rose on Monday. ".repeat(50_000);
    check_comes_back(store, &a_raw_record().content(json!({ "body": body })).build()).await;
}

pub async fn overlapping_writers_lose_nothing(store: &dyn DocumentStore) {
    let records = numbered(100);
    let writers = (0..20).map(|writer| {
        // Every record is given by two writers.
        let given: Vec<RawRecord> = records.iter().cycle().skip(writer * 5).take(10).cloned().collect();
        async move { store.upsert(TextCorpus, &given).await.unwrap() }
    });

    let mut total = UpsertCounts::default();
    for counts in concurrently(writers).await {
        total += counts;
    }

    assert_eq!(total, UpsertCounts { inserted: 100, unchanged: 100, changed: 0 });
    let ids: Vec<RecordId> = records.iter().map(|record| record.id.clone()).collect();
    let list = store.list(TextCorpus, &RecordQuery::default(), PageRequest::first(1000)).await.unwrap();
    assert_eq!(list.items.into_iter().map(|record| record.id).collect::<Vec<_>>(), ids);
}

/// Tests a [`DocumentStore`].
#[macro_export]
macro_rules! document_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            document_store,
            $fresh,
            [
                a_record_comes_back_as_it_was_given,
                content_of_any_shape_comes_back,
                deep_content_comes_back,
                numbers_keep_value_and_kind,
                every_character_comes_back,
                odd_field_names_come_back,
                times_come_back_to_the_microsecond,
                a_second_upsert_changes_nothing,
                other_content_replaces_the_record,
                counts_tell_inserted_unchanged_and_changed_apart,
                an_empty_batch_does_nothing,
                an_id_twice_in_a_batch_is_written_in_order,
                collections_are_apart,
                an_absent_record_is_not_found,
                awkward_ids_are_ordinary_ids,
                the_longest_id_is_kept,
                pages_joined_give_the_list,
                pages_hold_what_matches,
                records_added_between_pages_shift_nothing,
                a_cursor_need_not_be_there,
                queries_by_origin,
                queries_by_scrape_time,
                queries_by_known_time,
                times_compare_across_centuries,
                queries_by_content,
                queries_by_fields_with_awkward_names,
                an_awkward_value_equals_itself_alone,
                retention_deletes_what_is_older,
                a_deleted_record_is_gone,
                many_records_are_deleted_at_once,
                hashes_are_listed_by_id,
                a_replacement_is_never_from_before_what_it_replaces,
                a_large_batch_is_stored_at_once,
                a_record_of_a_megabyte_comes_back,
                overlapping_writers_lose_nothing,
            ]
        );
    };
}
