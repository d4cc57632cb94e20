//! Cases of [`crate::warning::WarningStore`]; warnings enter through the sync.

use super::pages::joined;
use crate::page::PageRequest;
use crate::quarantine::QuarantineReason;
use crate::record::Collection::{self, MarketData, SocialContent, TextCorpus};
use crate::sync::SyncBatch;
use crate::testkit::build::{a_global_record, a_reason, a_sync_batch, second};
use crate::testkit::side::SyncSide;
use crate::warning::WarningQuery;

fn batch(collection: Collection, raw_id: &str, warnings: Vec<QuarantineReason>) -> SyncBatch {
    let row = a_global_record().id(&format!("{}:{raw_id}", collection.name())).raw_id(raw_id).build();
    a_sync_batch().collection(collection).replayed().global(row).warned(warnings).build()
}

async fn warn(side: &dyn SyncSide, collection: Collection, raw_id: &str, warnings: Vec<QuarantineReason>) {
    side.sync().commit(&batch(collection, raw_id, warnings)).await.unwrap();
}

/// Lists what matches as `collection/id/place rule`, and compares it, and the count of records, with what is expected.
async fn check(side: &dyn SyncSide, query: &WarningQuery, expected: &[&str], n_records: u64) {
    let listed = joined(2, async |page| side.warnings().list(query, page).await).await;
    let found: Vec<String> = listed
        .iter()
        .map(|warning| format!("{}/{}/{} {}", warning.collection, warning.raw_id, warning.place, warning.reason.rule))
        .collect();
    assert_eq!(found, expected, "{query:?}");
    assert_eq!(side.warnings().count_records(query).await.unwrap(), n_records, "count of {query:?}");
}

fn all() -> WarningQuery {
    WarningQuery::default()
}

pub async fn without_warnings_nothing_is_listed(side: &dyn SyncSide) {
    warn(side, TextCorpus, "r1", Vec::new()).await;
    check(side, &all(), &[], 0).await;
    assert_eq!(side.warnings().count_by_reason().await.unwrap(), []);
}

pub async fn warnings_come_back_as_they_were(side: &dyn SyncSide) {
    let reasons = vec![a_reason("range", Some("price")), a_reason("keys", None), a_reason("range", Some("price"))];
    let committed = batch(TextCorpus, "r1", reasons.clone());
    side.sync().commit(&committed).await.unwrap();
    let listed = side.warnings().list(&all(), PageRequest::first(10)).await.unwrap().items;
    assert_eq!(listed.iter().map(|warning| warning.reason.clone()).collect::<Vec<_>>(), reasons);
    assert!(listed.iter().all(|warning| warning.warned_at == committed.committed_at), "{listed:?}");
}

pub async fn queries_restrict_the_list(side: &dyn SyncSide) {
    warn(side, TextCorpus, "b", vec![a_reason("range", Some("x")), a_reason("length", Some("x"))]).await;
    warn(side, TextCorpus, "a", vec![a_reason("range", Some("x"))]).await;
    warn(side, SocialContent, "c", vec![a_reason("length", None)]).await;
    let everything =
        ["social_content/c/0 length", "text_corpus/a/0 range", "text_corpus/b/0 range", "text_corpus/b/1 length"];
    check(side, &all(), &everything, 3).await;
    check(side, &WarningQuery { collection: Some(MarketData), ..all() }, &[], 0).await;
    check(side, &WarningQuery { collection: Some(TextCorpus), ..all() }, &everything[1..], 2).await;
    let length = WarningQuery { rule: Some("length".to_owned()), ..all() };
    check(side, &length, &["social_content/c/0 length", "text_corpus/b/1 length"], 2).await;
}

pub async fn records_are_counted_by_reason(side: &dyn SyncSide) {
    warn(side, TextCorpus, "a", vec![a_reason("range", Some("x")), a_reason("range", Some("x"))]).await;
    warn(side, TextCorpus, "b", vec![a_reason("range", Some("x")), a_reason("length", None)]).await;
    let counts = side.warnings().count_by_reason().await.unwrap();
    let counts: Vec<_> =
        counts.iter().map(|count| (count.rule.as_str(), count.field.as_deref(), count.n_records)).collect();
    assert_eq!(counts, [("range", Some("x"), 2), ("length", None, 1)]);
}

pub async fn a_record_has_the_warnings_of_its_last_version(side: &dyn SyncSide) {
    warn(side, TextCorpus, "a", vec![a_reason("range", Some("x")), a_reason("length", None)]).await;
    warn(side, SocialContent, "a", vec![a_reason("range", Some("x"))]).await;
    warn(side, TextCorpus, "a", vec![a_reason("words", None)]).await;
    check(side, &all(), &["social_content/a/0 range", "text_corpus/a/0 words"], 2).await;
    warn(side, TextCorpus, "a", Vec::new()).await;
    check(side, &all(), &["social_content/a/0 range"], 1).await;
}

pub async fn a_record_that_fails_or_is_deleted_has_none(side: &dyn SyncSide) {
    use crate::sync::Deletion;
    use crate::testkit::build::{a_quarantined_record, a_raw_record, record_id};
    warn(side, TextCorpus, "a", vec![a_reason("range", Some("x"))]).await;
    warn(side, TextCorpus, "b", vec![a_reason("range", Some("x"))]).await;
    let record = a_raw_record().id("a").ingested_at(second(9)).build();
    let failed = a_quarantined_record().record(record).build();
    let mut batch = a_sync_batch().collection(TextCorpus).replayed().quarantined(vec![failed]).build();
    batch.deleted.push(Deletion { raw_id: record_id("b"), seen: None });
    side.sync().commit(&batch).await.unwrap();
    check(side, &all(), &[], 0).await;
}

pub async fn an_older_version_changes_no_warning(side: &dyn SyncSide) {
    let row = a_global_record().id("text_corpus:a").raw_id("a").build();
    let newer = a_sync_batch().replayed().collection(TextCorpus).global_from(row, second(5));
    side.sync().commit(&newer.warned(vec![a_reason("range", Some("x"))]).build()).await.unwrap();
    warn(side, TextCorpus, "a", vec![a_reason("length", None)]).await;
    check(side, &all(), &["text_corpus/a/0 range"], 1).await;
}

/// Tests a [`WarningStore`](crate::warning::WarningStore) on a store that is a
/// [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! warning_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            warning_store,
            $fresh,
            [
                without_warnings_nothing_is_listed,
                warnings_come_back_as_they_were,
                queries_restrict_the_list,
                records_are_counted_by_reason,
                a_record_has_the_warnings_of_its_last_version,
                a_record_that_fails_or_is_deleted_has_none,
                an_older_version_changes_no_warning,
            ]
        );
    };
}
