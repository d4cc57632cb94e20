//! Sync: rows, quarantine, unique values, and going on after a stop at any commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use ml_core::error::{Entity, StoreError};
use ml_core::global_data::ValidatedQuery;
use ml_core::ground_truth::GroundTruthStore;
use ml_core::id::RecordId;
use ml_core::market_metric::MarketMetricStore;
use ml_core::page::{Page, PageRequest};
use ml_core::record::Collection;
use ml_core::sync::{Checkpoint, RecordLineage, SyncBatch, SyncCounts, SyncStore, UniqueKey};
use ml_core::testkit::build::{at, record_id, second, source_app};
use ml_core::user_interaction::UserInteractionStore;
use ml_data::ingest::IngestRequest;
use ml_data::pipeline::Pipeline;
use ml_data::sync::{SyncError, SyncOptions};

use crate::fixture::{Fixture, pipeline, request};

#[tokio::test]
async fn text_becomes_a_row_with_its_other_fields_as_features() {
    let fixture = Fixture::default();
    let content = json!({
        "id": 7, "text": "<p>Caf\u{65}\u{301}  &amp; bar</p>", "label": "x", "split": "train", "at": null,
        "user": {"name": "Ada", "tags": ["a", "b"]}, "published_at": "2024-05-31T10:00:00+02:00",
    });
    fixture.ingest("-", content.to_string(), &request("text")).await.unwrap();
    fixture.clock.advance(TimeDelta::seconds(60));
    let report = fixture.sync().await.unwrap();
    assert_eq!(report.total(), SyncCounts { read: 1, written: 1, ..SyncCounts::default() });
    let row = fixture.rows().await.remove(0);
    assert_eq!(row.id.as_str(), "text_corpus:app:7");
    assert_eq!(row.raw_id.as_str(), "app:7");
    assert_eq!(row.processed_content.as_deref(), Some("Caf\u{e9} & bar"));
    let features = json!({"label": "x", "split": "train", "user.name": "Ada", "user.tags": "[\"a\",\"b\"]"});
    assert_eq!(json!(row.features), features);
    assert_eq!(row.event_time, at("2024-05-31T08:00:00Z"));
    assert_eq!((row.created_at, row.schema_version), (second(60), 1));
}

#[tokio::test]
async fn a_row_without_a_time_happened_when_it_came() {
    let fixture = Fixture::default();
    fixture.ingest("-", "{\"id\": 1, \"text\": \"x\"}", &request("text")).await.unwrap();
    fixture.sync().await.unwrap();
    let row = fixture.rows().await.remove(0);
    assert_eq!(row.event_time, second(0));
    let later = Fixture::default();
    later.clock.advance(TimeDelta::seconds(9));
    later.ingest("-", "{\"id\": 1, \"text\": \"x\"}", &request("text")).await.unwrap();
    later.sync().await.unwrap();
    assert_eq!(later.rows().await.remove(0).content_hash, row.content_hash, "the time of ingest is no content");
}

#[tokio::test]
async fn each_data_type_goes_to_its_table() {
    let fixture = Fixture::default();
    let all = || PageRequest::first(10);
    let query = ValidatedQuery::default();
    let bars = "ticker,date,open,high,low,close,volume\nKO,2024-05-31,1,3,1,2.5,10\nKO,2024-06-01,2.75,3,2.75,2.5,10\n";
    fixture.ingest("a.csv", bars, &request("raw_market")).await.unwrap();
    let events = "{\"user\": 1, \"item\": \"i\", \"rating\": \"4.5\", \"time\": 1717144200}";
    fixture.ingest("-", events, &request("user_interactions")).await.unwrap();
    let truth = "{\"record_id\": \"text_corpus:app:7\", \"target\": \"label\", \"value\": \"x\"}";
    fixture.ingest("-", truth, &request("ground_truth")).await.unwrap();
    let report = fixture.sync().await.unwrap();

    let bar = MarketMetricStore::list(&*fixture.sql, &query, all()).await.unwrap().items.remove(0);
    assert_eq!((bar.symbol.as_str(), bar.close, bar.event_time), ("KO", 2.5, at("2024-05-31T00:00:00Z")));
    let event = UserInteractionStore::list(&*fixture.sql, &query, all()).await.unwrap().items.remove(0);
    assert_eq!((event.user_id.as_str(), event.action.as_str(), event.value), ("1", "interaction", Some(4.5)));
    assert_eq!(event.event_time, at("2024-05-31T08:30:00Z"));
    let truths = fixture.sql.find_by_records("label", &[record_id("text_corpus:app:7")]).await.unwrap();
    assert_eq!(truths[0].value, json!("x"));
    assert_eq!(report.collections[&Collection::MarketData].quarantined, 1);
    let reasons = fixture.reasons().await;
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].ends_with("low compare: `2.75` is not <= `2.5` (`close`)"), "{reasons:?}");
}

#[tokio::test]
async fn a_record_waits_with_every_reason() {
    let fixture = Fixture::default();
    let news = IngestRequest { source_app: source_app("demo-news"), ..request("text") };
    let content = [
        json!({"id": "1", "headline": "h", "text": " A text that is long enough. ", "topic": " Markets",
               "sentiment": "POSITIVE ", "published_at": "2024-05-31"}),
        json!({"id": "2", "headline": " ", "text": "short", "topic": "misc", "published_at": "1582-01-01"}),
        json!({"id": "3", "headline": "h", "text": "A  text that is long enough.", "topic": "sport",
               "sentiment": "neutral", "published_at": "2024-05-31"}),
    ];
    let content = content.map(|record| record.to_string()).join("\n");
    fixture.ingest("-", content, &news).await.unwrap();
    let report = fixture.sync().await.unwrap();
    assert_eq!(report.total(), SyncCounts { read: 3, written: 1, quarantined: 2, ..SyncCounts::default() });
    assert_eq!(
        fixture.reasons().await,
        [
            "demo-news:2 headline required: is blank",
            "demo-news:2 sentiment required: is missing",
            "demo-news:2 text length: `short` has 5 characters, at least 20 are needed",
            "demo-news:2 topic allowed: `misc` is not one of `markets`, `technology`, `health`, `energy`, `sport`",
            "demo-news:2 published_at date: `1582-01-01` is outside the accepted years 1700 to 2199",
            "demo-news:3 text unique: `A text that is long enough.` is not unique: record `demo-news:1` has it",
        ]
    );
    assert_eq!(fixture.rows().await[0].features["topic"], json!("markets"));
}

#[tokio::test]
async fn rules_of_an_application_bind_it_alone() {
    let fixture = Fixture::default();
    fixture.ingest("-", "{\"id\": 1, \"text\": \"short\"}", &request("text")).await.unwrap();
    assert_eq!(fixture.sync().await.unwrap().total().quarantined, 0);
}

#[tokio::test]
async fn records_that_no_plan_covers_wait_too() {
    let fixture = Fixture::default();
    fixture.ingest("-", "{\"id\": 1}", &request("tabular")).await.unwrap();
    let plan = pipeline("schema_version: 1\ndata_types: {text: {target: {table: global_ml_data}}}");
    let syncer = fixture.syncer(fixture.sql.clone(), plan);
    syncer.sync(&SyncOptions::default(), &|_| {}, &CancellationToken::new()).await.unwrap();
    let reasons = fixture.reasons().await;
    assert_eq!(reasons, ["app:1  data_type: no pipeline is declared for data type `tabular`, only for `text`"]);
}

#[tokio::test]
async fn a_second_sync_reads_only_what_is_new() {
    let fixture = Fixture::default();
    fixture.ingest("-", "{\"id\": 1, \"text\": \"x\"}", &request("text")).await.unwrap();
    fixture.sync().await.unwrap();
    assert_eq!(fixture.sync().await.unwrap().total(), SyncCounts::default());
    fixture.clock.advance(TimeDelta::seconds(1));
    fixture
        .ingest("-", "{\"id\": 1, \"text\": \"  x \"}\n{\"id\": 2, \"text\": \"y\"}", &request("text"))
        .await
        .unwrap();
    let counts = fixture.sync().await.unwrap().total();
    assert_eq!(counts, SyncCounts { read: 2, written: 1, unchanged: 1, ..SyncCounts::default() });
}

/// A store that fails at one commit: before it is written, or, as when the answer is lost, after.
struct FailsOnce {
    inner: Arc<dyn SyncStore>,
    commits_left: AtomicUsize,
    after_writing: bool,
}

#[async_trait]
impl SyncStore for FailsOnce {
    async fn find_checkpoint(&self, collection: Collection) -> Result<Option<Checkpoint>, StoreError> {
        self.inner.find_checkpoint(collection).await
    }

    async fn list_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        self.inner.list_checkpoints().await
    }

    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
        let fails = self.commits_left.fetch_sub(1, Ordering::SeqCst) == 1;
        if fails && self.after_writing {
            self.inner.commit(batch).await?;
        }
        if fails {
            return Err(StoreError::Backend { operation: "committing", source: "the power went".into() });
        }
        self.inner.commit(batch).await
    }

    async fn settle(&self, as_of: DateTime<Utc>) -> Result<(), StoreError> {
        self.inner.settle(as_of).await
    }

    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
        self.inner.find_unique_owners(scope, keys).await
    }

    async fn find_lineage(&self, of: Collection, ids: &[RecordId]) -> Result<Vec<RecordLineage>, StoreError> {
        self.inner.find_lineage(of, ids).await
    }

    async fn list_lineage(
        &self,
        of: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordLineage, RecordId>, StoreError> {
        self.inner.list_lineage(of, page).await
    }
}

const UNIQUE_TEXTS: &str = "
schema_version: 1
data_types:
  text:
    rules: [{ unique: { fields: text } }, { required: label }]
    target: { table: global_ml_data, content: text }
";

/// Ingests 60 records: every third text is a repetition, and every seventh label is missing.
async fn with_sixty_records() -> Fixture {
    let fixture = Fixture::default();
    for number in 0..60 {
        let label = if number % 7 == 0 { json!(null) } else { json!(number) };
        let record =
            json!({"id": format!("{:02}", (number * 37) % 60), "text": format!("t{}", number % 40), "label": label});
        fixture.ingest("-", record.to_string(), &request("text")).await.unwrap();
    }
    fixture
}

async fn sync_with(fixture: &Fixture, store: Arc<dyn SyncStore>, batch_size: usize) -> Result<(), SyncError> {
    let options = SyncOptions { batch_size, ..SyncOptions::default() };
    fixture.syncer(store, pipeline(UNIQUE_TEXTS)).sync(&options, &|_| {}, &CancellationToken::new()).await.map(drop)
}

#[tokio::test]
async fn a_sync_that_is_stopped_anywhere_and_started_again_ends_the_same() {
    let undisturbed = with_sixty_records().await;
    sync_with(&undisturbed, undisturbed.sql.clone(), 7).await.unwrap();
    let expected = (undisturbed.rows().await, undisturbed.quarantined().await);
    assert!(expected.0.len() > 30 && expected.1.len() > 10);
    for fails_at in 1..=9 {
        for after_writing in [false, true] {
            let fixture = with_sixty_records().await;
            let commits_left = AtomicUsize::new(fails_at);
            let store = FailsOnce { inner: fixture.sql.clone(), commits_left, after_writing };
            let err = sync_with(&fixture, Arc::new(store), 7).await.unwrap_err();
            assert!(matches!(err, SyncError::Store { .. }), "{err:?}");
            sync_with(&fixture, fixture.sql.clone(), 11).await.unwrap();
            let found = (fixture.rows().await, fixture.quarantined().await);
            assert_eq!(found, expected, "stopped at commit {fails_at}, after writing: {after_writing}");
        }
    }
}

#[tokio::test]
async fn where_batches_are_cut_does_not_matter() {
    let mut found = Vec::new();
    for batch_size in [1, 7, 1000] {
        let fixture = with_sixty_records().await;
        sync_with(&fixture, fixture.sql.clone(), batch_size).await.unwrap();
        found.push((fixture.rows().await, fixture.quarantined().await));
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(found[1], found[2]);
}

#[tokio::test]
async fn counts_add_up_and_are_told() {
    let fixture = with_sixty_records().await;
    let told = std::sync::Mutex::new(Vec::new());
    let options = SyncOptions { batch_size: 25, ..SyncOptions::default() };
    let syncer = fixture.syncer(fixture.sql.clone(), pipeline(UNIQUE_TEXTS));
    let observer = |progress| told.lock().unwrap().push(progress);
    let total = syncer.sync(&options, &observer, &CancellationToken::new()).await.unwrap().total();
    assert_eq!(total.read, 60);
    assert!(total.add_up(), "{total:?}");
    let told = told.into_inner().unwrap();
    assert_eq!(told.iter().map(|progress| progress.counts.read).collect::<Vec<_>>(), [25, 50, 60]);
    assert!(told.iter().all(|progress| progress.n_pending == 60));
}

#[tokio::test]
async fn two_syncs_at_once_are_noticed() {
    struct Overtaken(Arc<dyn SyncStore>);
    #[async_trait]
    impl SyncStore for Overtaken {
        async fn find_checkpoint(&self, collection: Collection) -> Result<Option<Checkpoint>, StoreError> {
            self.0.find_checkpoint(collection).await
        }
        async fn list_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
            self.0.list_checkpoints().await
        }
        async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
            Err(StoreError::conflict(Entity::Checkpoint, batch.collection))
        }
        async fn settle(&self, as_of: DateTime<Utc>) -> Result<(), StoreError> {
            self.0.settle(as_of).await
        }
        async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
            self.0.find_unique_owners(scope, keys).await
        }

        async fn find_lineage(&self, of: Collection, ids: &[RecordId]) -> Result<Vec<RecordLineage>, StoreError> {
            self.0.find_lineage(of, ids).await
        }

        async fn list_lineage(
            &self,
            of: Collection,
            page: PageRequest<RecordId>,
        ) -> Result<Page<RecordLineage, RecordId>, StoreError> {
            self.0.list_lineage(of, page).await
        }
    }
    let fixture = with_sixty_records().await;
    let err = sync_with(&fixture, Arc::new(Overtaken(fixture.sql.clone())), 7).await.unwrap_err();
    assert!(matches!(err, SyncError::AnotherSync { .. }), "{err:?}");
}

#[tokio::test]
async fn a_cancelled_sync_stops_between_batches_and_goes_on_later() {
    let fixture = with_sixty_records().await;
    let cancel = CancellationToken::new();
    let options = SyncOptions { batch_size: 10, ..SyncOptions::default() };
    let syncer = fixture.syncer(fixture.sql.clone(), pipeline(UNIQUE_TEXTS));
    let report = syncer.sync(&options, &|_| cancel.cancel(), &cancel).await.unwrap();
    assert_eq!((report.total().read, report.cancelled), (10, true));
    let report = syncer.sync(&options, &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!((report.total().read, report.cancelled), (50, false));
}

#[tokio::test]
async fn following_takes_what_comes_later_until_cancelled() {
    let fixture = with_sixty_records().await;
    let cancel = CancellationToken::new();
    let options = SyncOptions { follow: Some(std::time::Duration::from_secs(5)), ..SyncOptions::default() };
    let syncer = fixture.syncer(fixture.sql.clone(), Pipeline::default());
    let caught_up = tokio::sync::Notify::new();
    let observer = |progress: ml_data::sync::SyncProgress| match progress.counts.read {
        60 => caught_up.notify_one(),
        61 => cancel.cancel(),
        read => panic!("{read} records at once"),
    };
    let late = async {
        caught_up.notified().await;
        fixture.ingest("-", "{\"id\": \"late\", \"text\": \"x\"}", &request("text")).await.unwrap();
    };
    let (report, ()) = tokio::join!(syncer.sync(&options, &observer, &cancel), late);
    assert_eq!(report.unwrap().total().read, 61);
}
