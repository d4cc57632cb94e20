//! Cases of [`crate::sync::SyncStore`], seen through the tables that it writes: rows, quarantine, unique keys, checkpoints.

use serde_json::json;

use super::awkward;
use super::outcome::{assert_conflict, assert_not_found};
use super::synced::{commit, key_of, known_by, n_global, n_quarantined, owners, pairs, token_of};
use crate::document::ResumeToken;
use crate::error::Entity;
use crate::global_data::ValidatedQuery;
use crate::page::PageRequest;
use crate::record::Collection::{self, MarketData, RawRecords, SocialContent, TextCorpus};
use crate::sync::{Checkpoint, SyncCounts, ValidatedRow};
use crate::testkit::build::{
    a_global_record, a_ground_truth, a_market_metric, a_quarantined_record, a_reason, a_sync_batch, a_user_interaction,
    record_id, second,
};
use crate::testkit::concurrently::concurrently;
use crate::testkit::side::SyncSide;

pub async fn a_fresh_store_has_no_checkpoint(side: &dyn SyncSide) {
    assert_eq!(side.sync().find_checkpoint(TextCorpus).await.unwrap(), None);
    assert_eq!(side.sync().list_checkpoints().await.unwrap(), []);
}

pub async fn the_first_commit_makes_the_checkpoint(side: &dyn SyncSide) {
    let batch = a_sync_batch().global(a_global_record().build()).committed_at(second(7)).build();

    let counts = commit(side, batch).await;

    assert_eq!(counts, SyncCounts { read: 1, written: 1, ..SyncCounts::default() });
    let (token, reconciled_at) = (ResumeToken::new("t1"), None);
    let expected = Checkpoint { collection: TextCorpus, token, counts, updated_at: second(7), reconciled_at };
    assert_eq!(side.sync().find_checkpoint(TextCorpus).await.unwrap(), Some(expected));
    assert_eq!(side.sync().find_checkpoint(MarketData).await.unwrap(), None);
    assert_eq!(side.global().get(&record_id("r1")).await.unwrap(), a_global_record().build());
}

pub async fn the_checkpoint_adds_the_counts(side: &dyn SyncSide) {
    let failed = a_quarantined_record().id("bad").build();
    let rows = vec![ValidatedRow::Global(a_global_record().build())];
    let first = a_sync_batch().rows(rows.clone()).quarantined(vec![failed]).build();
    let second_batch = a_sync_batch().advance(Some("t1"), "t2").rows(rows).committed_at(second(3)).build();

    commit(side, first).await;
    let counts = commit(side, second_batch).await;

    assert_eq!(counts, SyncCounts { read: 1, unchanged: 1, ..SyncCounts::default() });
    let checkpoint = side.sync().find_checkpoint(TextCorpus).await.unwrap().unwrap();
    assert_eq!(checkpoint.counts, SyncCounts { read: 3, written: 1, unchanged: 1, quarantined: 1, deleted: 0 });
    assert_eq!(checkpoint.token, ResumeToken::new("t2"));
    assert_eq!(checkpoint.updated_at, second(3));
}

pub async fn an_empty_batch_moves_the_checkpoint(side: &dyn SyncSide) {
    assert_eq!(commit(side, a_sync_batch().build()).await, SyncCounts::default());
    assert_eq!(commit(side, a_sync_batch().advance(Some("t1"), "t2").build()).await, SyncCounts::default());
    assert_eq!(token_of(side, TextCorpus).await, Some(ResumeToken::new("t2")));
}

pub async fn collections_have_their_own_checkpoints(side: &dyn SyncSide) {
    for (collection, token) in [(TextCorpus, "text"), (RawRecords, "raw"), (SocialContent, "social")] {
        commit(side, a_sync_batch().collection(collection).advance(None, token).build()).await;
    }
    commit(side, a_sync_batch().advance(Some("text"), "o'token \"%_🦀").build()).await;

    assert_eq!(token_of(side, TextCorpus).await, Some(ResumeToken::new("o'token \"%_🦀")));
    assert_eq!(token_of(side, RawRecords).await, Some(ResumeToken::new("raw")));
    let listed = side.sync().list_checkpoints().await.unwrap();
    let listed: Vec<Collection> = listed.into_iter().map(|checkpoint| checkpoint.collection).collect();
    assert_eq!(listed, [RawRecords, TextCorpus, SocialContent], "in the order of `Collection::ALL`");
}

/// Commits from `from` where the checkpoint is elsewhere, and checks that nothing of the batch is there.
async fn check_refused(side: &dyn SyncSide, from: Option<&str>) {
    let before = side.sync().find_checkpoint(TextCorpus).await.unwrap();
    let batch = a_sync_batch()
        .advance(from, "t9")
        .rows(vec![
            ValidatedRow::Global(a_global_record().id("new").build()),
            ValidatedRow::MarketMetric(a_market_metric().id("new").build()),
            ValidatedRow::UserInteraction(a_user_interaction().id("new").build()),
            ValidatedRow::GroundTruth(a_ground_truth().record_id("new").build()),
            ValidatedRow::Global(a_global_record().id("waiting").build()),
        ])
        .quarantined(vec![a_quarantined_record().id("failed").build()])
        .unique_key("text.headline", "taken by none", "new")
        .build();

    assert_conflict(side.sync().commit(&batch).await, Entity::Checkpoint);

    assert_eq!(side.sync().find_checkpoint(TextCorpus).await.unwrap(), before);
    assert_eq!(n_global(side).await, 0);
    assert_eq!(side.market().count(&ValidatedQuery::default()).await.unwrap(), 0);
    assert_eq!(side.interactions().count(&ValidatedQuery::default()).await.unwrap(), 0);
    assert_eq!(side.truths().count("direction").await.unwrap(), 0);
    assert_not_found(side.quarantine().get(&key_of(TextCorpus, "failed")).await, Entity::QuarantinedRecord);
    assert!(side.quarantine().get(&key_of(TextCorpus, "waiting")).await.is_ok());
    assert_eq!(owners(side, "text.headline", &["taken by none"]).await, pairs(&[]));
}

pub async fn a_stale_position_conflicts_and_writes_nothing(side: &dyn SyncSide) {
    let waiting = vec![a_quarantined_record().id("waiting").build()];
    commit(side, a_sync_batch().replayed().quarantined(waiting).build()).await;
    check_refused(side, Some("t1")).await;

    commit(side, a_sync_batch().build()).await;
    commit(side, a_sync_batch().advance(Some("t1"), "t2").build()).await;
    check_refused(side, Some("t1")).await;
    check_refused(side, None).await;
}

pub async fn of_overlapping_commits_one_is_first(side: &dyn SyncSide) {
    commit(side, a_sync_batch().build()).await;
    let rivals = (0..10).map(|rival| async move {
        let id = format!("r{rival}");
        let batch = a_sync_batch().advance(Some("t1"), &id).global(a_global_record().id(&id).build()).build();
        side.sync().commit(&batch).await
    });

    let mut n_won = 0;
    for outcome in concurrently(rivals).await {
        match outcome {
            Ok(_) => n_won += 1,
            outcome => assert_conflict(outcome, Entity::Checkpoint),
        }
    }

    assert_eq!(n_won, 1);
    assert_eq!(n_global(side).await, 1);
}

pub async fn overlapping_commits_of_collections_all_happen(side: &dyn SyncSide) {
    let syncs = Collection::ALL.map(|collection| async move {
        for number in 0..10 {
            let from = (number > 0).then(|| format!("t{number}"));
            let row = a_global_record().id(&format!("{collection}:{number}")).build();
            let to = format!("t{}", number + 1);
            commit(side, a_sync_batch().collection(collection).advance(from.as_deref(), &to).global(row).build()).await;
        }
    });

    concurrently(syncs).await;

    assert_eq!(n_global(side).await, 40);
    for checkpoint in side.sync().list_checkpoints().await.unwrap() {
        assert_eq!((checkpoint.token.as_str(), checkpoint.counts.written), ("t10", 10));
    }
}

pub async fn one_batch_writes_every_table(side: &dyn SyncSide) {
    let rows = vec![
        ValidatedRow::Global(a_global_record().build()),
        ValidatedRow::MarketMetric(a_market_metric().id("r2").build()),
        ValidatedRow::UserInteraction(a_user_interaction().id("r3").build()),
        ValidatedRow::GroundTruth(a_ground_truth().build()),
    ];

    let counts = commit(side, a_sync_batch().rows(rows).build()).await;

    assert_eq!(counts.written, 4);
    assert_eq!(n_global(side).await, 1);
    assert_eq!(side.market().count(&ValidatedQuery::default()).await.unwrap(), 1);
    assert_eq!(side.interactions().count(&ValidatedQuery::default()).await.unwrap(), 1);
    assert_eq!(side.truths().count("direction").await.unwrap(), 1);
}

pub async fn equal_content_leaves_the_row_as_it_is(side: &dyn SyncSide) {
    let first = a_global_record().created_at(second(1)).build();
    commit(side, a_sync_batch().global(first.clone()).build()).await;
    let again = a_global_record().created_at(second(2)).build();

    let counts = commit(side, a_sync_batch().advance(Some("t1"), "t2").global(again).build()).await;

    assert_eq!(counts, SyncCounts { read: 1, unchanged: 1, ..SyncCounts::default() });
    assert_eq!(side.global().get(&first.id).await.unwrap(), first);
}

pub async fn other_content_replaces_the_row(side: &dyn SyncSide) {
    commit(side, a_sync_batch().global(a_global_record().build()).build()).await;
    let corrected = a_global_record().content(Some("corrected")).created_at(second(2)).schema_version(2).build();

    let counts = commit(side, a_sync_batch().advance(Some("t1"), "t2").global(corrected.clone()).build()).await;

    assert_eq!(counts, SyncCounts { read: 1, written: 1, ..SyncCounts::default() });
    assert_eq!(side.global().get(&corrected.id).await.unwrap(), corrected);
    assert_eq!(n_global(side).await, 1);
}

pub async fn of_rows_with_the_same_key_the_last_wins(side: &dyn SyncSide) {
    let versions = ["one", "two"].map(|text| a_global_record().content(Some(text)).build());
    let truths = ["up", "down"].map(|value| a_ground_truth().value(json!(value)).build());
    let mut rows: Vec<ValidatedRow> = versions.iter().cloned().map(ValidatedRow::Global).collect();
    rows.extend(truths.iter().cloned().map(ValidatedRow::GroundTruth));

    let counts = commit(side, a_sync_batch().rows(rows).build()).await;

    assert_eq!(counts.read, 4);
    assert_eq!(side.global().get(&record_id("r1")).await.unwrap(), versions[1]);
    let found = side.truths().find_by_records("direction", &[record_id("r1")]).await.unwrap();
    assert_eq!(found, truths[1..]);
    let as_of = ValidatedQuery { known_by: Some(second(0)), ..ValidatedQuery::default() };
    let listed = side.global().list(&as_of, PageRequest::first(10)).await.unwrap();
    assert_eq!(listed.items, versions[1..]);
}

pub async fn a_batch_committed_again_changes_nothing(side: &dyn SyncSide) {
    let batch = |from: Option<&str>, to: &str| {
        let rows = (0..20).map(|n| ValidatedRow::Global(a_global_record().id(&format!("r{n}")).build())).collect();
        a_sync_batch().advance(from, to).rows(rows).unique_key("text.headline", "h", "r1").build()
    };
    commit(side, batch(None, "t1")).await;
    let counts = commit(side, batch(Some("t1"), "t1")).await;
    assert_eq!(counts, SyncCounts { read: 20, unchanged: 20, ..SyncCounts::default() });
    assert_eq!(n_global(side).await, 20);
}

pub async fn a_failed_record_enters_quarantine(side: &dyn SyncSide) {
    let failed = a_quarantined_record().seen_at(second(3)).build();

    let counts = commit(side, a_sync_batch().quarantined(vec![failed.clone()]).build()).await;

    assert_eq!(counts, SyncCounts { read: 1, quarantined: 1, ..SyncCounts::default() });
    assert_eq!(side.quarantine().get(&failed.key()).await.unwrap(), failed);
}

pub async fn failing_again_keeps_the_first_time_and_counts_attempts(side: &dyn SyncSide) {
    let first = a_quarantined_record().seen_at(second(1)).build();
    let mended = crate::testkit::build::a_raw_record().content(json!({"headline": 7})).build();
    let again = a_quarantined_record().record(mended).reasons(vec![a_reason("type", Some("headline"))]);
    let again = again.seen_at(second(5)).build();
    commit(side, a_sync_batch().quarantined(vec![first.clone()]).build()).await;
    commit(side, a_sync_batch().advance(Some("t1"), "t2").quarantined(vec![again.clone()]).build()).await;
    commit(side, a_sync_batch().replayed().quarantined(vec![again.clone()]).build()).await;

    let found = side.quarantine().get(&first.key()).await.unwrap();

    let expected = crate::quarantine::QuarantinedRecord { first_seen_at: second(1), attempts: 3, ..again };
    assert_eq!(found, expected);
    assert_eq!(n_quarantined(side).await, 1);
}

pub async fn a_record_that_fails_loses_its_row(side: &dyn SyncSide) {
    let row = a_global_record().created_at(second(1)).build();
    commit(side, a_sync_batch().global(row.clone()).build()).await;
    let failed = vec![a_quarantined_record().build()];
    commit(side, a_sync_batch().advance(Some("t1"), "t2").quarantined(failed).committed_at(second(5)).build()).await;
    assert_eq!((n_global(side).await, n_quarantined(side).await), (0, 1));
    assert_eq!(known_by(side, second(4)).await, [row]);
    assert_eq!(known_by(side, second(5)).await, []);
}

pub async fn a_passed_record_leaves_quarantine(side: &dyn SyncSide) {
    let failed = ["r1", "r2", "r3"].map(|id| a_quarantined_record().id(id).build()).to_vec();
    commit(side, a_sync_batch().quarantined(failed).build()).await;
    let elsewhere = a_quarantined_record().collection(SocialContent).build();
    commit(side, a_sync_batch().collection(SocialContent).quarantined(vec![elsewhere.clone()]).build()).await;
    let rows = vec![
        // The row has an id of its own; it is the raw record that leaves.
        ValidatedRow::Global(a_global_record().id("text_corpus:r1").raw_id("r1").build()),
        ValidatedRow::MarketMetric(a_market_metric().id("r2").build()),
    ];

    commit(side, a_sync_batch().advance(Some("t1"), "t2").rows(rows).build()).await;

    assert_not_found(side.quarantine().get(&key_of(TextCorpus, "r1")).await, Entity::QuarantinedRecord);
    assert_not_found(side.quarantine().get(&key_of(TextCorpus, "r2")).await, Entity::QuarantinedRecord);
    assert!(side.quarantine().get(&key_of(TextCorpus, "r3")).await.is_ok());
    assert_eq!(side.quarantine().get(&elsewhere.key()).await.unwrap(), elsewhere);
}

pub async fn a_record_that_failed_and_passes_again_has_its_row_back(side: &dyn SyncSide) {
    let row_at = |time| a_global_record().created_at(second(time)).build();
    commit(side, a_sync_batch().global(row_at(1)).build()).await;
    let failed = vec![a_quarantined_record().build()];
    commit(side, a_sync_batch().advance(Some("t1"), "t2").quarantined(failed).committed_at(second(5)).build()).await;

    let counts = commit(side, a_sync_batch().replayed().global(row_at(8)).build()).await;

    assert_eq!(counts, SyncCounts { read: 1, written: 1, ..SyncCounts::default() });
    assert_eq!(n_quarantined(side).await, 0);
    for (time, expected) in [(0, vec![]), (4, vec![row_at(1)]), (7, vec![]), (8, vec![row_at(8)])] {
        assert_eq!(known_by(side, second(time)).await, expected, "as known at {time}");
    }
}

pub async fn failing_after_leaving_begins_anew(side: &dyn SyncSide) {
    let failed_at = |time| a_quarantined_record().seen_at(second(time)).build();
    commit(side, a_sync_batch().quarantined(vec![failed_at(1)]).build()).await;
    commit(side, a_sync_batch().replayed().global(a_global_record().build()).build()).await;
    commit(side, a_sync_batch().replayed().quarantined(vec![failed_at(9)]).build()).await;
    assert_eq!(side.quarantine().get(&key_of(TextCorpus, "r1")).await.unwrap(), failed_at(9));
}

pub async fn a_replay_moves_no_checkpoint(side: &dyn SyncSide) {
    let replay =
        |id| a_sync_batch().replayed().global(a_global_record().id(id).build()).committed_at(second(9)).build();
    commit(side, replay("a")).await;
    assert_eq!(side.sync().list_checkpoints().await.unwrap(), []);

    commit(side, a_sync_batch().build()).await;
    let before = side.sync().find_checkpoint(TextCorpus).await.unwrap();
    let counts = commit(side, replay("b")).await;

    assert_eq!(counts.written, 1);
    assert_eq!(side.sync().find_checkpoint(TextCorpus).await.unwrap(), before);
    assert_eq!(n_global(side).await, 2);
}

pub async fn an_owned_key_stays_with_its_owner(side: &dyn SyncSide) {
    let first =
        a_sync_batch().unique_key("text.headline", "Shares rise", "r1").unique_key("text.url", "Shares rise", "r9");
    commit(side, first.build()).await;
    let rival = a_sync_batch().advance(Some("t1"), "t2").unique_key("text.headline", "Shares rise", "r2");
    commit(side, rival.unique_key("text.headline", "Shares fall", "r2").build()).await;

    let found = owners(side, "text.headline", &["Shares rise", "Shares fall", "Shares rest"]).await;

    assert_eq!(found, pairs(&[("Shares rise", "r1"), ("Shares fall", "r2")]));
    assert_eq!(owners(side, "text.url", &["Shares rise"]).await, pairs(&[("Shares rise", "r9")]));
    assert_eq!(owners(side, "text", &["Shares rise"]).await, pairs(&[]));
}

pub async fn of_owners_in_a_batch_the_first_is_kept(side: &dyn SyncSide) {
    let batch = a_sync_batch().unique_key("scope", "key", "r1").unique_key("scope", "key", "r2");
    commit(side, batch.build()).await;
    assert_eq!(owners(side, "scope", &["key"]).await, pairs(&[("key", "r1")]));
}

pub async fn awkward_keys_are_ordinary_keys(side: &dyn SyncSide) {
    let mut batch = a_sync_batch();
    for text in awkward::TEXTS {
        batch = batch.unique_key("o'scope \"%_", text, text);
    }
    commit(side, batch.build()).await;
    let expected: Vec<(&str, &str)> = awkward::TEXTS.iter().map(|text| (*text, *text)).collect();
    assert_eq!(owners(side, "o'scope \"%_", &awkward::TEXTS).await, pairs(&expected));
    assert_eq!(owners(side, "o'scope \"%_", &["%", "S", "snake"]).await, pairs(&[]));
}

pub async fn any_number_of_keys_can_be_asked_for(side: &dyn SyncSide) {
    commit(side, a_sync_batch().unique_key("scope", "k69999", "r1").build()).await;
    assert_eq!(side.sync().find_unique_owners("scope", &[]).await.unwrap(), []);
    // More than either SQL engine can bind to one statement.
    let keys: Vec<String> = (0..70_000).map(|number| format!("k{number}")).collect();
    assert_eq!(side.sync().find_unique_owners("scope", &keys).await.unwrap().len(), 1);
}

pub async fn a_large_batch_is_one_commit(side: &dyn SyncSide) {
    let rows = (0..5000).map(|n| ValidatedRow::Global(a_global_record().id(&format!("r{n}")).build())).collect();
    let failed = (0..1000).map(|n| a_quarantined_record().id(&format!("q{n}")).build()).collect();
    let mut batch = a_sync_batch().rows(rows).quarantined(failed);
    for n in 0..5000 {
        batch = batch.unique_key("text.headline", &format!("h{n}"), &format!("r{n}"));
    }

    let counts = commit(side, batch.build()).await;

    assert_eq!(counts, SyncCounts { read: 6000, written: 5000, quarantined: 1000, ..SyncCounts::default() });
    assert_eq!(n_global(side).await, 5000);
    assert_eq!(n_quarantined(side).await, 1000);
    assert_eq!(owners(side, "text.headline", &["h4999"]).await, pairs(&[("h4999", "r4999")]));
}

/// Tests a [`SyncStore`](crate::sync::SyncStore) on a store that is a [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! sync_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            sync_store,
            $fresh,
            [
                a_fresh_store_has_no_checkpoint,
                the_first_commit_makes_the_checkpoint,
                the_checkpoint_adds_the_counts,
                an_empty_batch_moves_the_checkpoint,
                collections_have_their_own_checkpoints,
                a_stale_position_conflicts_and_writes_nothing,
                of_overlapping_commits_one_is_first,
                overlapping_commits_of_collections_all_happen,
                one_batch_writes_every_table,
                equal_content_leaves_the_row_as_it_is,
                other_content_replaces_the_row,
                of_rows_with_the_same_key_the_last_wins,
                a_batch_committed_again_changes_nothing,
                a_failed_record_enters_quarantine,
                failing_again_keeps_the_first_time_and_counts_attempts,
                a_record_that_fails_loses_its_row,
                a_passed_record_leaves_quarantine,
                a_record_that_failed_and_passes_again_has_its_row_back,
                failing_after_leaving_begins_anew,
                a_replay_moves_no_checkpoint,
                an_owned_key_stays_with_its_owner,
                of_owners_in_a_batch_the_first_is_kept,
                awkward_keys_are_ordinary_keys,
                any_number_of_keys_can_be_asked_for,
                a_large_batch_is_one_commit,
            ]
        );
    };
}
