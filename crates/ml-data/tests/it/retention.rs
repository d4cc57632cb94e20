//! Retention: old records go, what was made of them stays, and nothing goes unread.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use ml_core::clock::Clock as _;
use ml_core::document::DocumentStore as _;
use ml_core::record::Collection::{self, SocialContent, TextCorpus};
use ml_core::testkit::build::{a_raw_record, record_id};
use ml_data::retention::{PruneMode, PrunedCollection, Pruner};

use crate::fixture::Fixture;

/// Writes a record that was ingested so many days ago.
async fn write(fixture: &Fixture, id: &str, days_ago: i64) {
    let ingested_at = fixture.clock.now() - TimeDelta::days(days_ago);
    let record = a_raw_record().id(id).ingested_at(ingested_at).build();
    fixture.documents.upsert(TextCorpus, &[record]).await.unwrap();
}

/// Prunes what is older than 30 days, and returns how many records were old, how many went, and whether some are unsynced.
async fn prune(fixture: &Fixture, mode: PruneMode) -> (u64, u64, bool) {
    let pruner = Pruner {
        documents: fixture.documents.clone(),
        feed: fixture.documents.clone(),
        store: fixture.sql.clone(),
        clock: fixture.clock.clone(),
    };
    let retention = BTreeMap::from([(TextCorpus, TimeDelta::days(30)), (SocialContent, TimeDelta::days(1))]);
    let pruned = pruner.prune(&retention, mode, &CancellationToken::new()).await.unwrap();
    let [of_texts, of_posts]: [PrunedCollection; 2] = pruned.try_into().unwrap();
    assert_eq!((of_posts.collection, of_posts.n_old, of_posts.is_unsynced), (SocialContent, 0, false));
    (of_texts.n_old, of_texts.n_deleted, of_texts.is_unsynced)
}

async fn ids(fixture: &Fixture) -> Vec<String> {
    fixture.records(TextCorpus).await.iter().map(|record| record.id.to_string()).collect()
}

#[tokio::test]
async fn old_records_go_and_their_rows_stay() {
    let fixture = Fixture::default();
    for (id, days_ago) in [("a", 31), ("b", 30), ("c", 29)] {
        write(&fixture, id, days_ago).await;
    }
    fixture.sync().await.unwrap();
    assert_eq!(prune(&fixture, PruneMode::DryRun).await, (1, 0, false));
    assert_eq!(ids(&fixture).await, ["a", "b", "c"]);

    assert_eq!(prune(&fixture, PruneMode::Synced).await, (1, 1, false));

    assert_eq!(ids(&fixture).await, ["b", "c"], "what is exactly as old as it may be stays");
    fixture.sync().await.unwrap();
    assert_eq!(fixture.rows().await.len(), 3);
    assert_eq!(prune(&fixture, PruneMode::Synced).await, (0, 0, false));
}

#[tokio::test]
async fn what_nobody_read_stays_unless_it_is_given_up() {
    let fixture = Fixture::default();
    write(&fixture, "a", 31).await;
    assert_eq!(prune(&fixture, PruneMode::Synced).await, (1, 0, true), "nothing was ever synced");
    fixture.sync().await.unwrap();
    write(&fixture, "late", 40).await;
    assert_eq!(prune(&fixture, PruneMode::Synced).await, (2, 0, true), "one came after the sync");
    assert_eq!(prune(&fixture, PruneMode::DryRun).await, (2, 0, true));
    assert_eq!(prune(&fixture, PruneMode::Everything).await, (2, 2, true));
    assert_eq!(ids(&fixture).await, Vec::<String>::new());
}

#[tokio::test]
async fn new_records_that_wait_do_not_hold_up_the_old_ones() {
    let fixture = Fixture::default();
    write(&fixture, "old", 31).await;
    fixture.sync().await.unwrap();
    for number in 0..6_000 {
        write(&fixture, &format!("new-{number}"), 1).await;
    }
    fixture.documents.delete(TextCorpus, &[record_id("new-7")]).await.unwrap();
    assert_eq!(prune(&fixture, PruneMode::Synced).await, (1, 1, false));
}

#[tokio::test]
async fn behind_an_expired_position_nothing_goes() {
    let fixture = Fixture::default();
    write(&fixture, "old", 31).await;
    fixture.sync().await.unwrap();
    fixture.documents.expire_positions();
    assert_eq!(prune(&fixture, PruneMode::Synced).await, (1, 0, true));
}

#[tokio::test]
async fn collections_that_keep_everything_are_left_alone() {
    let fixture = Fixture::default();
    write(&fixture, "old", 10_000).await;
    let pruner = Pruner {
        documents: fixture.documents.clone(),
        feed: fixture.documents.clone(),
        store: fixture.sql.clone(),
        clock: Arc::clone(&fixture.clock) as Arc<_>,
    };
    let retention = BTreeMap::from([(Collection::MarketData, TimeDelta::hours(1))]);
    pruner.prune(&retention, PruneMode::Everything, &CancellationToken::new()).await.unwrap();
    assert_eq!(ids(&fixture).await, ["old"]);
}
