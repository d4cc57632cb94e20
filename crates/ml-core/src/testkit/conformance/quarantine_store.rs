//! Cases of [`crate::quarantine::QuarantineStore`]; records enter through the sync.

use serde_json::json;

use super::awkward;
use super::outcome::assert_not_found;
use super::pages::joined;
use crate::error::Entity;
use crate::page::PageRequest;
use crate::quarantine::{QuarantineKey, QuarantineQuery, QuarantinedRecord};
use crate::record::Collection::{MarketData, RawRecords, SocialContent, TextCorpus};
use crate::testkit::build::{
    a_quarantined_record, a_raw_record, a_reason, a_sync_batch, data_type, record_id, second, source_app,
};
use crate::testkit::side::SyncSide;

async fn quarantine(side: &dyn SyncSide, records: &[QuarantinedRecord]) {
    for record in records {
        let batch = a_sync_batch().collection(record.collection).replayed().quarantined(vec![record.clone()]);
        side.sync().commit(&batch.build()).await.unwrap();
    }
}

/// Lists and counts, and compares both with the ids expected.
async fn check_query(side: &dyn SyncSide, query: &QuarantineQuery, expected: &[&str]) {
    let page = side.quarantine().list(query, PageRequest::first(1000)).await.unwrap();
    let found: Vec<&str> = page.items.iter().map(|entry| entry.record.id.as_str()).collect();
    assert_eq!(found, expected, "{query:?}");
    assert_eq!(page.next_cursor, None);
    assert_eq!(side.quarantine().count(query).await.unwrap(), expected.len() as u64, "count of {query:?}");
}

fn all() -> QuarantineQuery {
    QuarantineQuery::default()
}

pub async fn an_empty_quarantine_has_no_records(side: &dyn SyncSide) {
    check_query(side, &all(), &[]).await;
    assert_eq!(side.quarantine().count_by_reason().await.unwrap(), []);
    assert_eq!(side.quarantine().find_by_raw_id(&record_id("r1")).await.unwrap(), []);
    let key = QuarantineKey { collection: TextCorpus, raw_id: record_id("r1") };
    assert_not_found(side.quarantine().get(&key).await, Entity::QuarantinedRecord);
}

pub async fn a_record_comes_back_as_it_was_judged(side: &dyn SyncSide) {
    let text = awkward::text_with_everything();
    let content = json!({"body": text, "deep": awkward::nested(60), "n": [1, 1.0, i64::MIN, 1e300, null]});
    let mut metadata = serde_json::Map::new();
    metadata.insert(String::new(), json!("no name"));
    let record = a_raw_record().content(content).metadata(metadata).source("o'wire").scraped_at(None).build();
    let reasons =
        vec![a_reason("required", Some("headline")), a_reason("length", Some(&text)), a_reason("unique", None)];
    let entry = a_quarantined_record().record(record).reasons(reasons).seen_at(awkward::times()[2]).attempts(7).build();

    quarantine(side, std::slice::from_ref(&entry)).await;

    assert_eq!(side.quarantine().get(&entry.key()).await.unwrap(), entry);
    let listed = side.quarantine().list(&all(), PageRequest::first(10)).await.unwrap();
    assert_eq!(listed.items, [entry]);
}

pub async fn a_raw_id_is_found_in_every_collection(side: &dyn SyncSide) {
    let in_collection = |collection| a_quarantined_record().collection(collection).build();
    let other = a_quarantined_record().id("r2").build();
    quarantine(side, &[in_collection(TextCorpus), in_collection(MarketData), other]).await;

    let mut found = side.quarantine().find_by_raw_id(&record_id("r1")).await.unwrap();

    found.sort_by_key(|entry| entry.collection);
    assert_eq!(found, [in_collection(TextCorpus), in_collection(MarketData)]);
}

pub async fn records_are_listed_by_collection_name_and_id(side: &dyn SyncSide) {
    let entry = |collection, id: &str| a_quarantined_record().collection(collection).id(id).build();
    let sorted = [
        entry(MarketData, "b"),
        entry(RawRecords, "a"),
        entry(RawRecords, "c"),
        entry(SocialContent, "a"),
        entry(TextCorpus, "a"),
        entry(TextCorpus, "b"),
    ];
    let mut backwards = sorted.to_vec();
    backwards.reverse();
    quarantine(side, &backwards).await;
    for limit in [1, 2, 5, 6, 7] {
        let list = joined(limit, async |page| side.quarantine().list(&all(), page).await).await;
        assert_eq!(list, sorted, "in pages of {limit}");
    }
}

pub async fn awkward_ids_are_ordinary_ids(side: &dyn SyncSide) {
    let entries = awkward::TEXTS.map(|id| a_quarantined_record().id(id).build());
    quarantine(side, &entries).await;
    for entry in &entries {
        assert_eq!(side.quarantine().get(&entry.key()).await.unwrap(), *entry);
        assert_eq!(side.quarantine().find_by_raw_id(&entry.record.id).await.unwrap(), std::slice::from_ref(entry));
    }
    check_query(side, &all(), &awkward::TEXTS).await;
}

pub async fn records_that_leave_between_pages_shift_nothing(side: &dyn SyncSide) {
    let entries = ["a", "b", "c", "d"].map(|id| a_quarantined_record().id(id).build());
    quarantine(side, &entries).await;
    let first = side.quarantine().list(&all(), PageRequest::first(2)).await.unwrap();
    let passed = crate::testkit::build::a_global_record().id("b").build();
    side.sync().commit(&a_sync_batch().replayed().global(passed).build()).await.unwrap();

    let rest = PageRequest::first(2).after(first.next_cursor.unwrap());
    let rest = side.quarantine().list(&all(), rest).await.unwrap();

    assert_eq!(rest.items, entries[2..]);
    assert_eq!(rest.next_cursor, None);
}

pub async fn queries_restrict_the_list(side: &dyn SyncSide) {
    let record = |id: &str, app, kind| a_raw_record().id(id).source_app(app).data_type(kind).build();
    let in_text = |record, reasons| a_quarantined_record().record(record).reasons(reasons).build();
    let both = vec![a_reason("range", Some("score")), a_reason("required", Some("headline"))];
    let in_social = a_quarantined_record()
        .collection(SocialContent)
        .record(record("c", "blog", "social"))
        .reasons(vec![a_reason("o'rule", None)])
        .build();
    quarantine(
        side,
        &[
            in_text(record("a", "desk", "text"), vec![a_reason("required", Some("headline"))]),
            in_text(record("b", "blog", "text"), both),
            in_social,
        ],
    )
    .await;
    check_query(side, &all(), &["c", "a", "b"]).await;
    check_query(side, &QuarantineQuery { collection: Some(TextCorpus), ..all() }, &["a", "b"]).await;
    check_query(side, &QuarantineQuery { data_type: Some(data_type("social")), ..all() }, &["c"]).await;
    check_query(side, &QuarantineQuery { source_app: Some(source_app("blog")), ..all() }, &["c", "b"]).await;
    check_query(side, &QuarantineQuery { rule: Some("range".to_owned()), ..all() }, &["b"]).await;
    check_query(side, &QuarantineQuery { rule: Some("required".to_owned()), ..all() }, &["a", "b"]).await;
    check_query(side, &QuarantineQuery { rule: Some("o'rule".to_owned()), ..all() }, &["c"]).await;
    check_query(side, &QuarantineQuery { rule: Some("headline".to_owned()), ..all() }, &[]).await;
    check_query(side, &QuarantineQuery { rule: Some("r%".to_owned()), ..all() }, &[]).await;
    let narrow = QuarantineQuery { source_app: Some(source_app("blog")), rule: Some("range".to_owned()), ..all() };
    check_query(side, &narrow, &["b"]).await;
}

pub async fn pages_hold_what_matches(side: &dyn SyncSide) {
    let rule = |number: u32| if number.is_multiple_of(3) { "third" } else { "other" };
    let entry = |number| {
        a_quarantined_record().id(&format!("r{number:02}")).reasons(vec![a_reason(rule(number), None)]).build()
    };
    let entries: Vec<QuarantinedRecord> = (0..20).map(entry).collect();
    quarantine(side, &entries).await;
    let query = QuarantineQuery { rule: Some("third".to_owned()), ..all() };
    let list = joined(2, async |page| side.quarantine().list(&query, page).await).await;
    let expected: Vec<QuarantinedRecord> = entries.into_iter().step_by(3).collect();
    assert_eq!(list, expected);
}

async fn counts_by_reason(side: &dyn SyncSide) -> Vec<(&'static str, String, Option<String>, u64)> {
    let counts = side.quarantine().count_by_reason().await.unwrap();
    counts.into_iter().map(|count| (count.collection.name(), count.rule, count.field, count.n_records)).collect()
}

pub async fn reasons_are_counted_most_frequent_first(side: &dyn SyncSide) {
    let entry = |id: &str, reasons| a_quarantined_record().id(id).reasons(reasons).build();
    let reason = |rule, field| a_reason(rule, Some(field));
    let in_market = a_quarantined_record().collection(MarketData).reasons(vec![reason("range", "close")]).build();
    quarantine(
        side,
        &[
            entry("a", vec![reason("required", "headline"), reason("range", "score")]),
            entry("b", vec![reason("required", "headline"), reason("length", "body")]),
            entry("c", vec![reason("length", "abstract"), a_reason("length", None)]),
            in_market,
        ],
    )
    .await;
    let expected = [
        ("text_corpus", "required", Some("headline"), 2),
        ("market_data", "range", Some("close"), 1),
        ("text_corpus", "length", None, 1),
        ("text_corpus", "length", Some("abstract"), 1),
        ("text_corpus", "length", Some("body"), 1),
        ("text_corpus", "range", Some("score"), 1),
    ];
    let expected = expected.map(|(name, rule, field, n)| (name, rule.to_owned(), field.map(ToOwned::to_owned), n));
    assert_eq!(counts_by_reason(side).await, expected);
}

pub async fn a_record_counts_once_for_a_reason(side: &dyn SyncSide) {
    let mut twice = a_reason("range", Some("score"));
    twice.message.push_str(" in another way");
    let entry = a_quarantined_record().reasons(vec![a_reason("range", Some("score")), twice]).build();
    quarantine(side, &[entry]).await;
    assert_eq!(counts_by_reason(side).await, [("text_corpus", "range".to_owned(), Some("score".to_owned()), 1)]);
    check_query(side, &QuarantineQuery { rule: Some("range".to_owned()), ..all() }, &["r1"]).await;
}

pub async fn replaced_reasons_are_counted_no_more(side: &dyn SyncSide) {
    let first = a_quarantined_record().reasons(vec![a_reason("required", Some("headline"))]).build();
    let again = a_quarantined_record().reasons(vec![a_reason("type", Some("headline"))]).seen_at(second(2)).build();
    quarantine(side, &[first, again]).await;
    assert_eq!(counts_by_reason(side).await, [("text_corpus", "type".to_owned(), Some("headline".to_owned()), 1)]);
    check_query(side, &QuarantineQuery { rule: Some("required".to_owned()), ..all() }, &[]).await;
    check_query(side, &QuarantineQuery { rule: Some("type".to_owned()), ..all() }, &["r1"]).await;
}

pub async fn many_records_are_read_in_pages(side: &dyn SyncSide) {
    let entries: Vec<QuarantinedRecord> =
        (0..5000).map(|number| a_quarantined_record().id(&format!("r{number:05}")).build()).collect();
    side.sync().commit(&a_sync_batch().quarantined(entries.clone()).build()).await.unwrap();
    assert_eq!(side.quarantine().count(&all()).await.unwrap(), 5000);
    let list = joined(1999, async |page| side.quarantine().list(&all(), page).await).await;
    assert_eq!(list, entries);
}

/// Tests a [`QuarantineStore`](crate::quarantine::QuarantineStore) on a store that is a
/// [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! quarantine_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            quarantine_store,
            $fresh,
            [
                an_empty_quarantine_has_no_records,
                a_record_comes_back_as_it_was_judged,
                a_raw_id_is_found_in_every_collection,
                records_are_listed_by_collection_name_and_id,
                awkward_ids_are_ordinary_ids,
                records_that_leave_between_pages_shift_nothing,
                queries_restrict_the_list,
                pages_hold_what_matches,
                reasons_are_counted_most_frequent_first,
                a_record_counts_once_for_a_reason,
                replaced_reasons_are_counted_no_more,
                many_records_are_read_in_pages,
            ]
        );
    };
}
