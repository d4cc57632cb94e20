//! What happens to records that break a rule: severities, shares, references and duplicates, through a whole sync.

use ml_core::error::{Entity, StoreError};
use ml_core::page::PageRequest;
use ml_core::record::Collection;
use ml_core::sync::{SyncCounts, SyncStore};
use ml_core::warning::{WarningQuery, WarningStore};
use ml_data::pipeline::Pipeline;
use ml_data::sync::{SyncError, SyncOptions, SyncReport};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, lines_of, pipeline, request};

/// Returns a pipeline for `tabular` records with these rules, as YAML flow items.
fn with_rules(rules: &str) -> Pipeline {
    pipeline(&format!(
        "{{schema_version: 1, data_types: {{tabular: {{rules: [{rules}], target: {{table: global_ml_data, exclude: id}}}}}}}}"
    ))
}

async fn ingest(fixture: &Fixture, lines: &str) {
    fixture.ingest("-", lines, &request("tabular")).await.unwrap();
}

async fn sync_in(fixture: &Fixture, rules: &str, batch_size: usize) -> Result<SyncReport, SyncError> {
    let syncer = fixture.syncer(fixture.sql.clone(), with_rules(rules));
    let options = SyncOptions { collections: vec![Collection::RawRecords], batch_size, ..SyncOptions::default() };
    syncer.sync(&options, &|_| {}, &CancellationToken::new()).await
}

async fn sync(fixture: &Fixture, rules: &str) -> Result<SyncReport, SyncError> {
    sync_in(fixture, rules, 1_000).await
}

/// Returns every warning as `id rule: message`.
async fn warnings(fixture: &Fixture) -> Vec<String> {
    let page = WarningStore::list(&*fixture.sql, &WarningQuery::default(), PageRequest::first(1_000)).await.unwrap();
    let shown = |warning: &ml_core::warning::RecordWarning| {
        format!("{} {}: {}", warning.raw_id, warning.reason.rule, warning.reason.message)
    };
    page.items.iter().map(shown).collect()
}

async fn row_ids(fixture: &Fixture) -> Vec<String> {
    fixture.rows().await.into_iter().map(|row| row.raw_id.to_string()).collect()
}

#[tokio::test]
async fn a_warning_lets_the_record_pass_and_is_kept_until_it_is_mended() {
    let fixture = Fixture::default();
    let rules = "{range: {fields: x, min: 0, severity: warn}}, {required: x}";
    ingest(&fixture, "{\"id\": 1, \"x\": -1}\n{\"id\": 2, \"x\": 1}\n{\"id\": 3}\n").await;
    let report = sync(&fixture, rules).await.unwrap();
    assert_eq!(report.total(), SyncCounts { read: 3, written: 2, quarantined: 1, ..SyncCounts::default() });
    assert_eq!(report.warnings.len(), 1);
    assert_eq!((report.warnings[0].rule.as_str(), report.warnings[0].n_records), ("range", 1));
    assert_eq!(warnings(&fixture).await, ["app:1 range: `-1` is less than 0"]);
    ingest(&fixture, "{\"id\": 1, \"x\": 5}\n").await;
    assert_eq!(sync(&fixture, rules).await.unwrap().warnings, []);
    assert_eq!(warnings(&fixture).await, [""; 0]);
}

#[tokio::test]
async fn a_blocking_rule_stops_before_the_batch_and_the_next_sync_goes_on_there() {
    let fixture = Fixture::default();
    let rules = "{range: {fields: x, min: 0, severity: block}}";
    ingest(&fixture, &lines_of(10, |n| format!("{{\"id\": {n}, \"x\": {}}}", if n == 7 { -1 } else { 1 }))).await;
    let err = sync_in(&fixture, rules, 5).await.unwrap_err();
    assert_eq!(
        err.to_string(),
        "record `app:7` of raw_records breaks the blocking rule `range` (data_types.tabular.rules[0]): x: `-1` is less than 0; \
         nothing of its batch was written: mend or delete the record, or give the rule the severity `quarantine` or `warn`, and run \
         `ml-app sync` again"
    );
    assert_eq!(fixture.rows().await.len(), 5, "the batch before it stays");
    assert_eq!(fixture.quarantined().await, []);
    let checkpoint = fixture.sql.find_checkpoint(Collection::RawRecords).await.unwrap().unwrap();
    assert_eq!(checkpoint.counts.read, 5);
    ingest(&fixture, "{\"id\": 7, \"x\": 2}\n").await;
    sync_in(&fixture, rules, 5).await.unwrap();
    assert_eq!(fixture.rows().await.len(), 10);
}

/// Texts pass, and of tabular records those with an `x` of at least 0; others block.
fn blocking() -> Pipeline {
    pipeline(
        "{schema_version: 1, data_types: {text: {target: {table: global_ml_data}}, tabular: {
            rules: [{range: {fields: x, min: 0, severity: block}}], target: {table: global_ml_data}}}}",
    )
}

#[tokio::test]
async fn a_blocking_rule_stops_no_other_collection() {
    let fixture = Fixture::default();
    ingest(&fixture, "{\"id\": 1, \"x\": -1}\n").await;
    let texts = lines_of(50, |n| format!("{{\"id\": {n}, \"text\": \"t\"}}"));
    fixture.ingest("-", texts, &request("text")).await.unwrap();
    let syncer = fixture.syncer(fixture.sql.clone(), blocking());
    let options = SyncOptions { batch_size: 5, ..SyncOptions::default() };
    let err = syncer.sync(&options, &|_| {}, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(&err, SyncError::Blocked { collection: Collection::RawRecords, .. }), "{err:?}");
    assert_eq!(fixture.rows().await.len(), 50);
}

#[tokio::test]
async fn other_collections_are_followed_on_until_all_are_blocked_or_it_is_stopped() {
    let fixture = Fixture::default();
    ingest(&fixture, "{\"id\": 1, \"x\": -1}\n").await;
    let syncer = fixture.syncer(fixture.sql.clone(), blocking());
    let follow = Some(std::time::Duration::from_millis(5));
    let both = vec![Collection::RawRecords, Collection::TextCorpus];
    let options = SyncOptions { collections: both, follow, ..SyncOptions::default() };
    let stop = CancellationToken::new();
    let write = async {
        for n in 0..3_usize {
            let text = format!("{{\"id\": {n}, \"text\": \"t\"}}");
            fixture.ingest("-", text, &request("text")).await.unwrap();
            while fixture.rows().await.len() <= n {
                tokio::task::yield_now().await;
            }
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(syncer.sync(&options, &|_| {}, &stop), write);
    assert!(matches!(ended, Err(SyncError::Blocked { collection: Collection::RawRecords, .. })), "{ended:?}");
    let alone = SyncOptions { collections: vec![Collection::RawRecords], ..options };
    let ended = syncer.sync(&alone, &|_| {}, &CancellationToken::new()).await;
    assert!(matches!(ended, Err(SyncError::Blocked { .. })), "{ended:?}");
}

#[tokio::test]
async fn mostly_lets_few_pass_with_a_warning_and_holds_many_back() {
    let rules = "{range: {fields: x, min: 0, mostly: 0.9}}";
    for (n_broken, n_quarantined) in [(0, 0), (10, 0), (11, 11)] {
        let fixture = Fixture::default();
        ingest(&fixture, &lines_of(100, |n| format!("{{\"id\": {n}, \"x\": {}}}", if n < n_broken { -1 } else { 1 })))
            .await;
        let total = sync(&fixture, rules).await.unwrap().total();
        assert_eq!(total.quarantined, n_quarantined, "{n_broken} of 100 break it");
        assert_eq!(warnings(&fixture).await.len() as u64, n_broken - n_quarantined);
        assert!(total.add_up(), "{total:?}");
    }
}

#[tokio::test]
async fn a_share_is_of_those_who_are_asked() {
    let fixture = Fixture::default();
    let rules = "{range: {fields: [x, y], min: 0, mostly: 0.5}}, {required: z}";
    // One of two breaks it, in both fields; that the other fails for another reason does not matter.
    ingest(&fixture, "{\"id\": 1, \"x\": -1, \"y\": -1, \"z\": 1}\n{\"id\": 2, \"x\": 1}\n").await;
    let total = sync(&fixture, rules).await.unwrap().total();
    assert_eq!((total.written, total.quarantined), (1, 1));
    assert_eq!(fixture.reasons().await, ["app:2 z required: is missing"]);
}

#[tokio::test]
async fn values_are_looked_up_in_tables() {
    let fixture = Fixture::default();
    let bars = "ticker,date,close\nKO,2024-05-31,1\nPEP,2024-05-31,2\n";
    fixture.ingest("a.csv", bars, &request("raw_market")).await.unwrap();
    fixture.sync().await.unwrap();
    let rule = "{exists_in: {fields: s, table: market_metrics, column: symbol}}";
    ingest(&fixture, "{\"id\": 1, \"s\": \"KO\"}\n{\"id\": 2, \"s\": \"X\"}\n{\"id\": 3}\n{\"id\": 4, \"s\": [1]}\n")
        .await;
    // The bars were synced by the default pipeline, in another collection.
    let total = sync(&fixture, rule).await.unwrap().total();
    assert_eq!((total.written, total.quarantined), (2, 2));
    let expected =
        ["app:2 s exists_in: `X` is not in `symbol` of `market_metrics`", "app:4 s exists_in: `[1]` is not one value"];
    assert_eq!(fixture.reasons().await, expected);
}

#[tokio::test]
async fn a_table_that_is_not_there_ends_the_sync() {
    let fixture = Fixture::default();
    ingest(&fixture, "{\"id\": 1, \"s\": \"KO\"}\n").await;
    let err = sync(&fixture, "{exists_in: {fields: s, table: nowhere, column: x}}").await.unwrap_err();
    let SyncError::Reference { source: StoreError::NotFound { entity: Entity::Table, key }, .. } = &err else {
        panic!("{err:?}")
    };
    assert_eq!(key, "nowhere");
    assert!(err.to_string().starts_with("the rule `exists_in` (data_types.tabular.rules[0])"), "{err}");
    let err = sync(&fixture, "{exists_in: {fields: s, table: market_metrics, column: x}}").await.unwrap_err();
    let SyncError::Reference { source: StoreError::NotFound { entity: Entity::Column, key }, .. } = err else {
        panic!("{err:?}")
    };
    assert_eq!(key, "market_metrics.x");
    assert_eq!(fixture.rows().await.len(), 0);
}

#[tokio::test]
async fn the_duplicate_that_is_kept_does_not_depend_on_the_batches() {
    let lines = "{\"id\": 1, \"u\": \"a\", \"t\": \"2024-01-02\"}\n{\"id\": 2, \"u\": \"a\", \"t\": \"2024-01-03\"}\n\
                 {\"id\": 3, \"u\": \"b\"}\n{\"id\": 4, \"u\": \"a\", \"t\": \"2024-01-01\"}\n{\"id\": 5}\n";
    for batch_size in 1..=5 {
        for (rule, kept) in [
            ("{dedup: {by: u, keep: first}}", ["app:1", "app:3", "app:5"]),
            ("{dedup: {by: u, keep: newest, time: t}}", ["app:2", "app:3", "app:5"]),
        ] {
            let fixture = Fixture::default();
            ingest(&fixture, lines).await;
            let total = sync_in(&fixture, rule, batch_size).await.unwrap().total();
            assert_eq!(row_ids(&fixture).await, kept, "{rule} in batches of {batch_size}");
            assert!(total.add_up(), "{total:?}");
            assert_eq!(fixture.quarantined().await.len(), 2, "{rule} in batches of {batch_size}");
        }
    }
}

#[tokio::test]
async fn of_equally_new_duplicates_the_one_that_was_ingested_last_is_kept_then_the_lesser_id() {
    let line = |id: u64| format!("{{\"id\": {id}, \"u\": \"a\", \"t\": \"2024-01-02\"}}\n");
    let rule = "{dedup: {by: u, keep: newest, time: t}}";
    // Each is what is ingested at one instant; snapshots are read by id, whenever that was.
    for (ingested, kept) in
        [(vec![vec![1], vec![2, 3]], "app:2"), (vec![vec![2, 3], vec![1]], "app:1"), (vec![vec![3, 2]], "app:2")]
    {
        for batch_size in 1..=3 {
            let fixture = Fixture::default();
            for ids in &ingested {
                fixture.clock.advance(chrono::TimeDelta::seconds(1));
                ingest(&fixture, &ids.iter().map(|id| line(*id)).collect::<String>()).await;
            }
            sync_in(&fixture, rule, batch_size).await.unwrap();
            assert_eq!(row_ids(&fixture).await, [kept], "{ingested:?} in batches of {batch_size}");
        }
        // The same, synced as they come.
        let fixture = Fixture::default();
        for ids in &ingested {
            fixture.clock.advance(chrono::TimeDelta::seconds(1));
            ingest(&fixture, &ids.iter().map(|id| line(*id)).collect::<String>()).await;
            sync(&fixture, rule).await.unwrap();
        }
        assert_eq!(row_ids(&fixture).await, [kept], "{ingested:?} as they come");
    }
}

#[tokio::test]
async fn duplicates_that_only_warn_both_pass_whichever_is_better() {
    let fixture = Fixture::default();
    ingest(
        &fixture,
        "{\"id\": 1, \"u\": \"a\", \"t\": \"2024-01-01\"}\n{\"id\": 2, \"u\": \"a\", \"t\": \"2024-01-02\"}\n",
    )
    .await;
    sync(&fixture, "{dedup: {by: u, keep: newest, time: t, severity: warn}}").await.unwrap();
    assert_eq!(row_ids(&fixture).await, ["app:1", "app:2"]);
    assert_eq!(warnings(&fixture).await, ["app:2 dedup: `a` is a duplicate: record `app:1` has the same values"]);
}

#[tokio::test]
async fn the_last_duplicate_takes_the_place_of_one_that_passed_long_ago() {
    let fixture = Fixture::default();
    let rule = "{dedup: {by: u, keep: last}}";
    ingest(&fixture, "{\"id\": 1, \"u\": \"a\"}\n").await;
    sync(&fixture, rule).await.unwrap();
    fixture.clock.advance(chrono::TimeDelta::seconds(60));
    ingest(&fixture, "{\"id\": 2, \"u\": \"a\"}\n").await;
    sync(&fixture, rule).await.unwrap();
    assert_eq!(row_ids(&fixture).await, ["app:2"]);
    assert_eq!(fixture.reasons().await, ["app:1 u dedup: `a` is a duplicate: record `app:2` takes its place"]);
    // Judged again, the former does not come back.
    let replayed = fixture
        .replayer(with_rules(rule))
        .replay(
            &ml_data::sync::ReplaySelection::Matching(ml_core::quarantine::QuarantineQuery::default()),
            &CancellationToken::new(),
        )
        .await
        .unwrap();
    assert_eq!((replayed.passed, replayed.failed), (0, 1));
    assert_eq!(row_ids(&fixture).await, ["app:2"]);
}

#[tokio::test]
async fn a_unique_value_may_warn() {
    let fixture = Fixture::default();
    ingest(&fixture, "{\"id\": 1, \"u\": \"a\"}\n{\"id\": 2, \"u\": \"a\"}\n").await;
    sync(&fixture, "{unique: {fields: u, severity: warn}}").await.unwrap();
    assert_eq!(row_ids(&fixture).await, ["app:1", "app:2"]);
    assert_eq!(warnings(&fixture).await, ["app:2 unique: `a` is not unique: record `app:1` has it"]);
}
