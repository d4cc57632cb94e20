//! Replay: what waits in quarantine is judged again.

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use ml_core::document::DocumentStore;
use ml_core::error::StoreError;
use ml_core::quarantine::{QuarantineKey, QuarantineQuery};
use ml_core::record::Collection;
use ml_core::testkit::build::{record_id, second};
use ml_data::pipeline::Pipeline;
use ml_data::sync::{ReplayReport, ReplaySelection, SyncError, SyncOptions};

use crate::fixture::{Fixture, pipeline, request};

const STRICT: &str = "
schema_version: 1
data_types:
  text:
    rules: [{ length: { fields: text, min: 5 } }, { unique: { fields: text } }]
    target: { table: global_ml_data, content: text }
";

fn lenient() -> Pipeline {
    pipeline(&STRICT.replace("min: 5", "min: 2"))
}

fn everything() -> ReplaySelection {
    ReplaySelection::Matching(QuarantineQuery::default())
}

/// Four records, of which two are too short for the strict rules, and one of those for the lenient ones too.
async fn with_quarantine() -> Fixture {
    let fixture = Fixture::default();
    let content = ["hello", "abc", "x", "good day"];
    for (text, id) in content.into_iter().zip(1..) {
        let record = format!("{{\"id\": {id}, \"text\": \"{text}\"}}");
        fixture.ingest("-", record, &request("text")).await.unwrap();
    }
    let syncer = fixture.syncer(fixture.sql.clone(), pipeline(STRICT));
    let report = syncer.sync(&SyncOptions::default(), &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(report.total().quarantined, 2);
    fixture.clock.advance(TimeDelta::seconds(10));
    fixture
}

async fn replay(fixture: &Fixture, pipeline: Pipeline, selection: &ReplaySelection) -> ReplayReport {
    fixture.replayer(pipeline).replay(selection, &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn mended_rules_let_records_pass() {
    let fixture = with_quarantine().await;
    let report = replay(&fixture, lenient(), &everything()).await;
    assert_eq!((report.judged, report.passed, report.failed), (2, 1, 1));
    assert_eq!(fixture.rows().await.len(), 3);
    let waiting = fixture.quarantined().await;
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].attempts, waiting[0].first_seen_at, waiting[0].last_seen_at), (2, second(0), second(10)));
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_writes_nothing() {
    let fixture = with_quarantine().await;
    let before = fixture.quarantined().await;
    let report = fixture.replayer(lenient()).dry_run(&everything(), &CancellationToken::new()).await.unwrap();
    assert_eq!((report.judged, report.passed, report.failed, report.dry_run), (2, 1, 1, true));
    assert_eq!(fixture.quarantined().await, before);
    assert_eq!(fixture.rows().await.len(), 2);
}

#[tokio::test]
async fn a_mended_record_is_judged_as_it_is_now() {
    let fixture = with_quarantine().await;
    fixture.ingest("-", "{\"id\": 3, \"text\": \"longer\"}", &request("text")).await.unwrap();
    let report = replay(&fixture, pipeline(STRICT), &everything()).await;
    assert_eq!((report.passed, report.failed), (1, 1));
    let texts: Vec<_> = fixture.rows().await.into_iter().filter_map(|row| row.processed_content).collect();
    assert!(texts.contains(&"longer".to_owned()), "{texts:?}");
}

#[tokio::test]
async fn a_record_that_is_gone_is_judged_as_it_was() {
    let fixture = with_quarantine().await;
    fixture.documents.delete_ingested_before(Collection::TextCorpus, second(99)).await.unwrap();
    let report = replay(&fixture, lenient(), &everything()).await;
    assert_eq!((report.passed, report.failed), (1, 1));
}

#[tokio::test]
async fn a_value_that_is_owned_stays_with_its_owner() {
    let fixture = with_quarantine().await;
    fixture.ingest("-", "{\"id\": 2, \"text\": \"hello\"}", &request("text")).await.unwrap();
    let report = replay(&fixture, lenient(), &everything()).await;
    assert_eq!(report.passed, 0);
    let reasons = fixture.reasons().await;
    assert_eq!(reasons[0], "app:2 text unique: `hello` is not unique: record `app:1` has it");
}

#[tokio::test]
async fn single_records_are_replayed_by_key() {
    let fixture = with_quarantine().await;
    let key = |id| QuarantineKey { collection: Collection::TextCorpus, raw_id: record_id(id) };
    let report = replay(&fixture, lenient(), &ReplaySelection::Keys(vec![key("app:2")])).await;
    assert_eq!((report.judged, report.passed), (1, 1));
    let replayer = fixture.replayer(lenient());
    let absent = ReplaySelection::Keys(vec![key("app:2")]);
    let err = replayer.replay(&absent, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(err, SyncError::Quarantine(StoreError::NotFound { .. })), "{err:?}");
}

#[tokio::test]
async fn a_replay_does_what_its_dry_run_said() {
    let last = STRICT.replace("{ unique: { fields: text } }", "{ dedup: { by: text, keep: last } }");
    let mostly = STRICT.replace("min: 5", "min: 5, mostly: 0.5");
    for yaml in [STRICT, &STRICT.replace("min: 5", "min: 2"), &STRICT.replace("min: 5", "min: 1"), &last, &mostly] {
        let fixture = with_quarantine().await;
        fixture.ingest("-", "{\"id\": 2, \"text\": \"hello\"}", &request("text")).await.unwrap();
        let said = fixture.replayer(pipeline(yaml)).dry_run(&everything(), &CancellationToken::new()).await.unwrap();
        let done = replay(&fixture, pipeline(yaml), &everything()).await;
        assert_eq!(ReplayReport { dry_run: false, ..said }, done, "{yaml}");
        assert_eq!(fixture.quarantined().await.len() as u64, done.failed + done.displaced, "{yaml}");
    }
}

#[tokio::test]
async fn a_replay_says_why_the_rest_stays() {
    let fixture = with_quarantine().await;
    let report = replay(&fixture, lenient(), &everything()).await;
    let [reason] = report.by_reason.as_slice() else { panic!("{report:?}") };
    assert_eq!((reason.rule.as_str(), reason.field.as_deref(), reason.n_records), ("length", Some("text"), 1));
}
