//! Documents and SQL agree, whatever happens meanwhile: changes, deletions, crashes, expired positions, spoiled documents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use ml_core::clock::Clock;
use ml_core::document::{Change, ChangeFeed, DocumentStore, Unreadable};
use ml_core::error::StoreError;
use ml_core::page::PageRequest;
use ml_core::record::Collection::{SocialContent, TextCorpus};
use ml_core::record::RawRecord;
use ml_core::sync::{RecordLineage, SyncCounts, SyncOutcome, SyncStore};
use ml_core::testkit::build::{a_raw_record, record_id};
use ml_data::pipeline::Pipeline;
use ml_data::sync::{DocumentToSql, ReconcileCounts, SyncError, SyncOptions, SyncReport};

use crate::fixture::{Fixture, pipeline};
use crate::flaky::{Countdown, FlakyFeed, FlakySql, Mishap};

const LABELLED: &str = "
schema_version: 1
data_types:
  text:
    rules: [{ required: label }]
    target: { table: global_ml_data, content: text }
";

impl Fixture {
    /// Writes a record: with a label it passes.
    async fn put(&self, id: &str, text: &str, label: Option<u32>) {
        self.clock.advance(TimeDelta::seconds(1));
        let content = json!({"text": text, "label": label});
        let record = a_raw_record().id(id).content(content).ingested_at(self.clock.now()).build();
        self.documents.upsert(TextCorpus, &[record]).await.unwrap();
    }

    async fn put_many(&self, n_records: usize) {
        for number in 0..n_records {
            self.put(&format!("r{number:03}"), "text", Some(1)).await;
        }
    }

    async fn delete(&self, ids: &[&str]) {
        let ids: Vec<_> = ids.iter().map(|id| record_id(id)).collect();
        self.documents.delete(TextCorpus, &ids).await.unwrap();
    }

    fn two_sides(&self, feed: Arc<dyn ChangeFeed>, store: Arc<dyn SyncStore>) -> DocumentToSql {
        DocumentToSql { feed, ..self.syncer(store, pipeline(LABELLED)) }
    }

    async fn run(&self, options: &SyncOptions) -> Result<SyncReport, SyncError> {
        let sync = self.two_sides(self.documents.clone(), self.sql.clone());
        sync.sync(options, &|_| {}, &CancellationToken::new()).await
    }

    async fn sync_text(&self) -> SyncReport {
        self.run(&text_only()).await.unwrap()
    }

    async fn lineage(&self) -> Vec<RecordLineage> {
        self.sql.list_lineage(TextCorpus, PageRequest::first(50_000)).await.unwrap().items
    }

    async fn checkpoint_counts(&self) -> SyncCounts {
        self.sql.find_checkpoint(TextCorpus).await.unwrap().unwrap().counts
    }

    /// Checks that SQL is what judging the documents gives, by id and hash, and nothing else.
    async fn assert_agreed(&self) {
        let records = self.records(TextCorpus).await;
        let (passing, failing): (Vec<&RawRecord>, Vec<&RawRecord>) =
            records.iter().partition(|record| !record.raw_content["label"].is_null());
        let expected: BTreeMap<String, String> = passing
            .iter()
            .map(|record| (record.id.to_string(), record.raw_content["text"].as_str().unwrap().to_owned()))
            .collect();
        let mut rows = BTreeMap::new();
        for row in self.rows().await {
            let former = rows.insert(row.raw_id.to_string(), row.processed_content.unwrap());
            assert_eq!(former, None, "`{}` has two rows", row.raw_id);
        }
        assert_eq!(rows, expected);
        let spoiled: BTreeSet<String> = self.spoiled().await;
        let waiting: BTreeSet<String> = self.quarantined().await.iter().map(|one| one.record.id.to_string()).collect();
        let expected: BTreeSet<String> =
            failing.iter().map(|record| record.id.to_string()).chain(spoiled.iter().cloned()).collect();
        assert_eq!(waiting, expected);
        for waiting in self.quarantined().await.iter().filter(|one| spoiled.contains(one.record.id.as_str())) {
            let now = self.documents.current(TextCorpus, std::slice::from_ref(&waiting.record.id)).await.unwrap();
            let [Change::Undecodable { content, .. }] = &now[..] else { panic!("{now:?}") };
            assert_eq!(waiting.record.raw_content, *content);
        }
        self.assert_lineage(&records, &spoiled).await;
        let counts = self.checkpoint_counts().await;
        assert!(counts.add_up(), "{counts:?}");
    }

    async fn assert_lineage(&self, records: &[RawRecord], spoiled: &BTreeSet<String>) {
        let by_id: BTreeMap<&str, &RawRecord> = records.iter().map(|record| (record.id.as_str(), record)).collect();
        let mut n_living = 0;
        for lineage in self.lineage().await {
            let record = by_id.get(lineage.raw_id.as_str());
            match lineage.outcome {
                SyncOutcome::Deleted => assert!(record.is_none(), "{lineage:?}"),
                SyncOutcome::Quarantined if spoiled.contains(lineage.raw_id.as_str()) => {}
                SyncOutcome::Written | SyncOutcome::Quarantined => {
                    assert_eq!(record.map(|record| record.content_hash), Some(lineage.version.content_hash));
                    n_living += 1;
                }
            }
        }
        assert_eq!(n_living, records.len());
    }

    /// Writes a document as another program does, whose id is none of a record.
    fn put_foreign(&self, id: &str, text: &str) {
        self.clock.advance(TimeDelta::seconds(1));
        let record = a_raw_record().id(id).content(json!({ "text": text })).build();
        self.documents.put_foreign(TextCorpus, record, "`_id` is no text");
    }

    /// Returns the documents that cannot be read.
    async fn spoiled(&self) -> BTreeSet<String> {
        let hashes = self.documents.list_hashes(TextCorpus, PageRequest::first(50_000)).await.unwrap().items;
        let spoiled = hashes.into_iter().filter(|hash| hash.content_hash.is_none()).map(|hash| hash.id);
        let foreign = self.documents.list_foreign_ids(TextCorpus, PageRequest::first(50_000)).await.unwrap().items;
        spoiled.chain(foreign).map(|id| id.to_string()).collect()
    }
}

fn text_only() -> SyncOptions {
    SyncOptions { collections: vec![TextCorpus], ..SyncOptions::default() }
}

/// What may happen between and during syncs.
#[derive(Debug, Clone)]
enum Step {
    Put { id: u8, text: u8, passes: bool },
    Delete { id: u8 },
    Spoil { id: u8 },
    PutForeign { id: u8, text: u8 },
    Expire,
    Sync { batch_size: usize, reconcile: bool },
    Crash { batch_size: usize, at_commit: i64, after_writing: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..6u8, 0..4u8, any::<bool>()).prop_map(|(id, text, passes)| Step::Put { id, text, passes }),
        3 => (0..8u8).prop_map(|id| Step::Delete { id }),
        1 => (0..6u8).prop_map(|id| Step::Spoil { id }),
        2 => (6..8u8, 0..3u8).prop_map(|(id, text)| Step::PutForeign { id, text }),
        1 => Just(Step::Expire),
        3 => (1..5usize, any::<bool>()).prop_map(|(batch_size, reconcile)| Step::Sync { batch_size, reconcile }),
        3 => (1..5usize, 1..5i64, any::<bool>())
            .prop_map(|(batch_size, at_commit, after_writing)| Step::Crash { batch_size, at_commit, after_writing }),
    ]
}

async fn take(fixture: &Fixture, step: &Step) {
    match step {
        Step::Put { id, text, passes } => {
            fixture.put(&format!("r{id}"), &format!("text {text}"), passes.then_some(1)).await;
        }
        Step::Delete { id } => fixture.delete(&[&format!("r{id}")]).await,
        Step::Spoil { id } => {
            let id = record_id(&format!("r{id}"));
            if fixture.documents.get(TextCorpus, &id).await.is_ok() {
                fixture.documents.spoil(TextCorpus, &id, Unreadable::Malformed, "no object");
            }
        }
        Step::PutForeign { id, text } => fixture.put_foreign(&format!("r{id}"), &format!("text {text}")),
        Step::Expire => fixture.documents.expire_positions(),
        Step::Sync { batch_size, reconcile } => {
            let options = SyncOptions { batch_size: *batch_size, reconcile: *reconcile, ..text_only() };
            ended(fixture.run(&options).await.map(drop));
        }
        Step::Crash { batch_size, at_commit, after_writing } => {
            let mishap = if *after_writing { Mishap::AfterWriting } else { Mishap::BeforeWriting };
            let store = FlakySql::new(fixture.sql.clone(), Countdown::at(*at_commit), mishap);
            let sync = fixture.two_sides(fixture.documents.clone(), Arc::new(store));
            let options = SyncOptions { batch_size: *batch_size, ..text_only() };
            ended(sync.sync(&options, &|_| {}, &CancellationToken::new()).await.map(drop));
        }
    }
}

/// A sync may end well, with the power cut, or because every document is gone; with nothing else.
fn ended(outcome: Result<(), SyncError>) {
    match outcome {
        Ok(()) | Err(SyncError::Emptied { .. } | SyncError::Store { source: StoreError::Backend { .. }, .. }) => {}
        Err(error) => panic!("{error:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_both_sides_agree_in_the_end(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::default();
            for step in &steps {
                take(&fixture, step).await;
            }
            // Asked for, so that a collection that is empty now is believed to be.
            fixture.run(&SyncOptions { reconcile: true, ..text_only() }).await.unwrap();
            fixture.run(&text_only()).await.unwrap();
            if fixture.sql.find_checkpoint(TextCorpus).await.unwrap().is_some() {
                fixture.assert_agreed().await;
            }
        });
    }

    #[test]
    fn along_the_feed_alone_both_sides_agree_too(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::default();
            for step in steps.iter().filter(|step| !matches!(step, Step::Expire)) {
                let step = match step {
                    Step::Sync { batch_size, .. } => &Step::Sync { batch_size: *batch_size, reconcile: false },
                    step => step,
                };
                take(&fixture, step).await;
            }
            fixture.run(&text_only()).await.unwrap();
            if fixture.sql.find_checkpoint(TextCorpus).await.unwrap().is_some() {
                fixture.assert_agreed().await;
            }
        });
    }
}

#[tokio::test]
async fn deletions_are_carried_and_counted() {
    let fixture = Fixture::default();
    fixture.put_many(5).await;
    fixture.put("bad", "text", None).await;
    fixture.sync_text().await;
    fixture.delete(&["r000", "bad", "r003"]).await;
    let counts = fixture.sync_text().await.total();
    assert_eq!(counts, SyncCounts { read: 3, deleted: 3, ..SyncCounts::default() });
    fixture.assert_agreed().await;
}

#[tokio::test]
async fn a_record_that_comes_back_from_a_backup_is_as_it_was_then() {
    for batch_size in [1, 100] {
        let fixture = Fixture::default();
        fixture.put_many(2).await;
        let backup = fixture.records(TextCorpus).await;
        fixture.put("r000", "later", Some(1)).await;
        fixture.put("r001", "later", None).await;
        fixture.sync_text().await;
        fixture.delete(&["r000", "r001"]).await;
        fixture.documents.upsert(TextCorpus, &backup).await.unwrap();

        let feed = FlakyFeed { tells_deletions: true, ..FlakyFeed::new(fixture.documents.clone()) };
        let sync = fixture.two_sides(Arc::new(feed), fixture.sql.clone());
        let options = SyncOptions { batch_size, ..text_only() };
        let counts = sync.sync(&options, &|_| {}, &CancellationToken::new()).await.unwrap().total();

        assert_eq!((counts.deleted, counts.written), (2, 2), "{counts:?}");
        fixture.assert_agreed().await;
    }
}

#[tokio::test]
async fn a_comparison_takes_records_back_to_what_the_documents_are() {
    let fixture = Fixture::default();
    fixture.put_many(2).await;
    let backup = fixture.records(TextCorpus).await;
    fixture.put("r000", "later", Some(1)).await;
    fixture.put("r001", "later", None).await;
    fixture.sync_text().await;
    fixture.delete(&["r000", "r001"]).await;
    fixture.documents.upsert(TextCorpus, &backup).await.unwrap();
    fixture.documents.expire_positions();

    let report = fixture.sync_text().await;

    assert_eq!(report.reconciled[&TextCorpus].differing, 2);
    fixture.assert_agreed().await;
}

#[tokio::test]
async fn a_record_that_was_never_synced_is_deleted_without_a_trace() {
    let fixture = Fixture::default();
    fixture.put_many(2).await;
    fixture.delete(&["r000"]).await;
    let counts = fixture.sync_text().await.total();
    assert_eq!(counts, SyncCounts { read: 2, written: 1, unchanged: 1, ..SyncCounts::default() });
    fixture.assert_agreed().await;
}

#[tokio::test]
async fn an_expired_position_costs_only_what_differs() {
    let fixture = Fixture::default();
    fixture.put_many(200).await;
    fixture.sync_text().await;
    fixture.put("r007", "changed", Some(1)).await;
    fixture.put("new", "new", Some(1)).await;
    fixture.put("r100", "text", None).await;
    fixture.delete(&["r050", "r199"]).await;
    fixture.documents.expire_positions();

    let feed = Arc::new(FlakyFeed::new(fixture.documents.clone()));
    let sync = fixture.two_sides(feed.clone(), fixture.sql.clone());
    let report = sync.sync(&text_only(), &|_| {}, &CancellationToken::new()).await.unwrap();

    assert_eq!(report.reconciled[&TextCorpus], ReconcileCounts { compared: 199, differing: 3, gone: 2 });
    assert_eq!(feed.n_fetched.load(Ordering::SeqCst), 5, "what differs, and what may be gone");
    let total = SyncCounts { read: 5, written: 2, quarantined: 1, deleted: 2, ..SyncCounts::default() };
    assert_eq!(report.total(), total);
    fixture.assert_agreed().await;
    let checkpoint = fixture.sql.find_checkpoint(TextCorpus).await.unwrap().unwrap();
    assert_eq!(checkpoint.reconciled_at, Some(fixture.clock.now()));
    assert_eq!(fixture.sync_text().await.total(), SyncCounts::default(), "the fresh position is good");
}

#[tokio::test]
async fn a_comparison_that_is_killed_anywhere_begins_anew_and_ends_the_same() {
    for at_commit in 1..=8 {
        for after_writing in [false, true] {
            let fixture = Fixture::default();
            fixture.put_many(20).await;
            fixture.sync_text().await;
            for number in (0..20).step_by(3) {
                fixture.put(&format!("r{number:03}"), "changed", Some(1)).await;
            }
            fixture.delete(&["r001", "r010", "r019"]).await;
            fixture.documents.expire_positions();
            let crash = Step::Crash { batch_size: 2, at_commit, after_writing };
            take(&fixture, &crash).await;
            fixture.sync_text().await;
            fixture.assert_agreed().await;
        }
    }
}

#[tokio::test]
async fn documents_that_are_all_gone_at_once_are_not_believed_to_be() {
    let fixture = Fixture::default();
    fixture.put_many(3).await;
    fixture.sync_text().await;
    fixture.delete(&["r000", "r001", "r002"]).await;
    fixture.documents.expire_positions();
    let err = fixture.run(&text_only()).await.unwrap_err();
    assert!(matches!(err, SyncError::Emptied { collection: TextCorpus }), "{err:?}");
    assert_eq!(fixture.rows().await.len(), 3);
    fixture.run(&SyncOptions { reconcile: true, ..text_only() }).await.unwrap();
    assert_eq!(fixture.rows().await, []);
}

#[tokio::test]
async fn an_idle_position_moves_so_that_it_does_not_expire() {
    let fixture = Fixture::default();
    fixture.put_many(1).await;
    fixture.sync_text().await;
    let before = fixture.sql.find_checkpoint(TextCorpus).await.unwrap().unwrap();
    fixture.documents.upsert(SocialContent, &[a_raw_record().id("post").build()]).await.unwrap();
    assert_eq!(fixture.sync_text().await.total(), SyncCounts::default());
    let after = fixture.sql.find_checkpoint(TextCorpus).await.unwrap().unwrap();
    assert_ne!(after.token, before.token);
    assert_eq!(after.counts, before.counts);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_waits_and_holds_nothing_up() {
    let fixture = Fixture::default();
    fixture.put_many(4).await;
    fixture.sync_text().await;
    let (malformed, large) = (record_id("r001"), record_id("r002"));
    fixture.documents.spoil(TextCorpus, &malformed, Unreadable::Malformed, "`ingested_at` is a text");
    fixture.documents.spoil(TextCorpus, &large, Unreadable::TooLarge, "17000000 bytes");
    fixture.put("r003", "later", Some(1)).await;
    for batch_size in [1, 100] {
        let options = SyncOptions { batch_size, ..text_only() };
        fixture.run(&options).await.unwrap();
        let reasons = fixture.reasons().await;
        assert_eq!(reasons, ["r001  undecodable: `ingested_at` is a text", "r002  too_large: 17000000 bytes"]);
        fixture.assert_agreed().await;
    }
    fixture.put("r001", "mended", Some(1)).await;
    fixture.sync_text().await;
    assert_eq!(fixture.quarantined().await.len(), 1);
    fixture.assert_agreed().await;
}

#[tokio::test]
async fn a_comparison_finds_documents_whose_ids_are_none_of_records() {
    for batch_size in [1, 100] {
        let fixture = Fixture::default();
        let options = SyncOptions { batch_size, ..text_only() };
        fixture.put_many(2).await;
        fixture.put_foreign("7", "text");
        fixture.run(&options).await.unwrap();
        for id in ["5f", "zz", "{\"n\":1}"] {
            fixture.put_foreign(id, "text");
        }
        fixture.documents.expire_positions();

        let report = fixture.run(&options).await.unwrap();

        assert_eq!(report.reconciled[&TextCorpus], ReconcileCounts { compared: 6, differing: 3, gone: 0 });
        assert_eq!(report.total(), SyncCounts { read: 3, quarantined: 3, ..SyncCounts::default() });
        fixture.assert_agreed().await;
        fixture.delete(&["7"]).await;
        fixture.documents.expire_positions();
        assert_eq!(fixture.run(&options).await.unwrap().reconciled[&TextCorpus].gone, 1);
        fixture.assert_agreed().await;
    }
}

#[tokio::test]
async fn a_comparison_finds_what_changed_of_documents_that_cannot_be_read() {
    let fixture = Fixture::default();
    fixture.put("spoiled", "text", Some(1)).await;
    fixture.documents.spoil(TextCorpus, &record_id("spoiled"), Unreadable::Malformed, "no object");
    fixture.put_foreign("7", "before");
    fixture.sync_text().await;
    fixture.put("spoiled", "other", Some(1)).await;
    fixture.documents.spoil(TextCorpus, &record_id("spoiled"), Unreadable::Malformed, "no object");
    fixture.put_foreign("7", "after");
    fixture.documents.expire_positions();

    assert_eq!(fixture.sync_text().await.reconciled[&TextCorpus].differing, 2);

    fixture.assert_agreed().await;
    let again = fixture.run(&SyncOptions { reconcile: true, ..text_only() }).await.unwrap();
    assert_eq!(again.reconciled[&TextCorpus].differing, 0);
    let attempts: Vec<u32> = fixture.quarantined().await.iter().map(|waiting| waiting.attempts).collect();
    assert_eq!(attempts, [2, 2], "what is the same is not tried again");
}

#[tokio::test]
async fn documents_of_others_alone_are_not_taken_for_none() {
    let fixture = Fixture::default();
    fixture.put_foreign("7", "text");
    fixture.sync_text().await;
    fixture.documents.expire_positions();
    assert_eq!(
        fixture.sync_text().await.reconciled[&TextCorpus],
        ReconcileCounts { compared: 1, differing: 0, gone: 0 }
    );
    fixture.assert_agreed().await;
}

#[tokio::test]
async fn a_record_that_is_spoiled_while_its_row_is_written_waits_too() {
    let fixture = Fixture::default();
    fixture.put_many(2).await;
    let documents = fixture.documents.clone();
    let spoil = move || documents.spoil(TextCorpus, &record_id("r000"), Unreadable::Malformed, "no object");
    let once = std::sync::Once::new();
    let store = FlakySql::slow(fixture.sql.clone(), move || once.call_once(&spoil));
    let sync = fixture.two_sides(fixture.documents.clone(), Arc::new(store));
    let options = SyncOptions { batch_size: 1, ..text_only() };
    sync.sync(&options, &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(fixture.reasons().await, ["r000  undecodable: no object"]);
    fixture.assert_agreed().await;
}

#[tokio::test]
async fn a_record_that_is_too_large_waits_without_its_content() {
    let fixture = Fixture::default();
    fixture.put("small", "text", Some(1)).await;
    fixture.put("large", &"x".repeat(5_000), Some(1)).await;
    let options = SyncOptions { max_record_bytes: 1_000, ..text_only() };
    assert_eq!(fixture.run(&options).await.unwrap().total().quarantined, 1);
    let waiting = fixture.quarantined().await.remove(0);
    assert_eq!((waiting.record.id.as_str(), &waiting.record.raw_content), ("large", &json!(null)));
    assert_eq!(waiting.reasons[0].rule, "too_large");
    let found = fixture.run(&SyncOptions { reconcile: true, ..options }).await.unwrap();
    assert_eq!(found.reconciled[&TextCorpus].differing, 0, "what waits has the hash of the document");
    fixture.sync_text().await;
}

#[tokio::test]
async fn what_was_published_is_not_synced_back() {
    let fixture = Fixture::default();
    let metadata = Map::from_iter([("origin".to_owned(), json!("ml-app"))]);
    let ours = a_raw_record().id("ours").metadata(metadata).content(json!({"text": "x", "label": 1})).build();
    fixture.documents.upsert(TextCorpus, &[ours]).await.unwrap();
    fixture.put_many(1).await;
    for reconcile in [false, true] {
        let report = fixture.run(&SyncOptions { batch_size: 1, reconcile, ..text_only() }).await.unwrap();
        assert_eq!(report.total().read, u64::from(!reconcile));
    }
    assert_eq!(fixture.rows().await.len(), 1);
    assert_eq!(fixture.lineage().await.len(), 1);
}

#[tokio::test]
async fn retention_deletes_no_rows() {
    let fixture = Fixture::default();
    fixture.put_many(3).await;
    fixture.sync_text().await;
    fixture.clock.advance(TimeDelta::days(40));
    fixture.put("young", "text", Some(1)).await;
    fixture.sync_text().await;
    fixture.delete(&["r000", "young"]).await;
    let retention = BTreeMap::from([(TextCorpus, TimeDelta::days(30))]);
    let options = SyncOptions { retention, ..text_only() };
    let counts = fixture.run(&options).await.unwrap().total();
    assert_eq!(counts, SyncCounts { read: 2, unchanged: 1, deleted: 1, ..SyncCounts::default() });
    fixture.documents.expire_positions();
    let found = fixture.run(&options).await.unwrap().reconciled[&TextCorpus];
    assert_eq!((found.differing, found.gone), (0, 0));
    assert_eq!(fixture.rows().await.len(), 3);
}

#[tokio::test]
async fn a_collection_that_is_left_out_keeps_its_position() {
    let fixture = Fixture::default();
    fixture.put_many(3).await;
    fixture.sync_text().await;
    let left = fixture.sql.find_checkpoint(TextCorpus).await.unwrap();
    let post = a_raw_record().id("post").content(json!({"text": "x", "label": 1})).build();
    fixture.documents.upsert(SocialContent, &[post]).await.unwrap();
    fixture.put("later", "text", Some(1)).await;

    let other = SyncOptions { collections: vec![SocialContent], ..SyncOptions::default() };
    assert_eq!(fixture.run(&other).await.unwrap().total().read, 1, "an added collection begins with what is there");

    assert_eq!(fixture.sql.find_checkpoint(TextCorpus).await.unwrap(), left);
    assert_eq!(fixture.sync_text().await.total().read, 1, "and goes on from there when it is back");
}

#[tokio::test]
async fn following_survives_a_store_that_goes_away_for_a_while() {
    let fixture = Fixture::default();
    fixture.put_many(3).await;
    let feed = Arc::new(FlakyFeed::new(fixture.documents.clone()));
    feed.n_away.store(2, Ordering::SeqCst);
    let sync = fixture.two_sides(feed.clone(), fixture.sql.clone());
    let cancel = CancellationToken::new();
    let options = SyncOptions { follow: Some(Duration::from_millis(50)), ..text_only() };
    let observer = |_| cancel.cancel();
    let report = sync.sync(&options, &observer, &cancel).await.unwrap();
    assert_eq!(report.total().written, 3);
    fixture.assert_agreed().await;
}

#[tokio::test]
async fn a_store_that_stays_away_ends_the_sync_with_its_error() {
    let fixture = Fixture::default();
    let feed = Arc::new(FlakyFeed::new(fixture.documents.clone()));
    feed.n_away.store(i64::MAX, Ordering::SeqCst);
    let sync = fixture.two_sides(feed, fixture.sql.clone());
    let options = SyncOptions { patience: Duration::from_millis(250), ..text_only() };
    let err = sync.sync(&options, &|_| {}, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(err, SyncError::Store { source: StoreError::Unavailable { .. }, .. }), "{err:?}");
}

#[tokio::test]
async fn a_commit_that_lands_after_its_connection_broke_is_no_other_sync() {
    for at_commit in 1..=3 {
        let fixture = Fixture::default();
        fixture.put_many(3).await;
        let store = FlakySql::new(fixture.sql.clone(), Countdown::at(at_commit), Mishap::Late);
        let sync = fixture.two_sides(fixture.documents.clone(), Arc::new(store));
        let options = SyncOptions { batch_size: 1, ..text_only() };
        sync.sync(&options, &|_| {}, &CancellationToken::new()).await.unwrap();
        fixture.assert_agreed().await;
    }
}

#[tokio::test(start_paused = true)]
async fn patience_begins_anew_when_all_was_well_for_a_while() {
    let fixture = Fixture::default();
    let feed = Arc::new(FlakyFeed::new(fixture.documents.clone()));
    let sync = fixture.two_sides(feed.clone(), fixture.sql.clone());
    let cancel = CancellationToken::new();
    let (follow, patience) = (Some(Duration::from_secs(1)), Duration::from_secs(60));
    let options = SyncOptions { follow, patience, ..text_only() };
    let outages = async {
        let mut ticks = tokio::time::interval(Duration::from_secs(50));
        for _ in 0..4 {
            ticks.tick().await;
            // Nothing comes meanwhile, so that nothing is committed either.
            feed.n_away.store(2, Ordering::SeqCst);
        }
        cancel.cancel();
    };
    let (ended, ()) = tokio::join!(sync.sync(&options, &|_| {}, &cancel), outages);
    assert!(ended.unwrap().cancelled);
}

#[tokio::test]
async fn the_lineage_names_the_pipeline() {
    let fixture = Fixture::default();
    fixture.put_many(1).await;
    fixture.sync_text().await;
    let lineage = fixture.lineage().await.remove(0);
    assert_eq!(lineage.pipeline, pipeline(LABELLED).digest().short());
    assert_ne!(lineage.pipeline, Pipeline::default().digest().short());
}
