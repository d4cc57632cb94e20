//! Cases of [`crate::sync::SyncStore`]: what became of each record, versions that are older, and deletions.

use serde_json::json;

use super::awkward;
use super::outcome::assert_not_found;
use super::pages::joined;
use super::synced::{
    commit, counts_of, follow, key_of, known_by, lineage_of, lineages, n_global, n_quarantined, owners, pairs,
};
use crate::error::Entity;
use crate::global_data::ValidatedQuery;
use crate::ground_truth::GroundTruth;
use crate::id::RecordId;
use crate::record::Collection::{MarketData, RawRecords, SocialContent, TextCorpus};
use crate::sync::{RawVersion, RecordLineage, RowRef, SyncOutcome, ValidatedRow};
use crate::testkit::build::{
    a_global_record, a_ground_truth, a_market_metric, a_quarantined_record, a_sync_batch, a_user_interaction,
    record_id, second,
};
use crate::testkit::side::SyncSide;

pub async fn lineage_says_what_became_of_a_record(side: &dyn SyncSide) {
    let row = a_global_record().id("text_corpus:r1").raw_id("r1").build();
    let truth = a_ground_truth().build();
    let failed = a_quarantined_record().id("bad").build();
    let batch = a_sync_batch().global_from(row.clone(), second(3)).quarantined(vec![failed.clone()]);
    commit(side, batch.pipeline("feedfacefeedface").committed_at(second(7)).build()).await;
    let rows = vec![ValidatedRow::GroundTruth(truth.clone())];
    commit(side, a_sync_batch().collection(RawRecords).rows(rows).build()).await;

    let of_row = RecordLineage {
        raw_id: record_id("r1"),
        version: RawVersion { content_hash: row.content_hash, ingested_at: second(3) },
        outcome: SyncOutcome::Written,
        rows: vec![RowRef { table: "global_ml_data".to_owned(), id: "text_corpus:r1".to_owned() }],
        pipeline: "feedfacefeedface".to_owned(),
        synced_at: second(7),
    };
    let of_failed = RecordLineage {
        raw_id: record_id("bad"),
        version: RawVersion::from(&failed.record),
        outcome: SyncOutcome::Quarantined,
        rows: Vec::new(),
        ..of_row.clone()
    };
    assert_eq!(lineages(side, TextCorpus).await, [of_failed, of_row]);
    let of_truth = &lineages(side, RawRecords).await[0];
    let place = RowRef { table: "ground_truth".to_owned(), id: format!("{}\n{}", truth.record_id, truth.target) };
    assert_eq!((of_truth.raw_id.clone(), of_truth.rows.clone()), (truth.raw_id, vec![place]));
}

pub async fn lineage_follows_the_record(side: &dyn SyncSide) {
    let version = |text, time| a_global_record().content(Some(text)).created_at(second(time)).build();
    commit(side, a_sync_batch().global_from(version("one", 1), second(1)).committed_at(second(1)).build()).await;
    let again = a_sync_batch().global_from(version("one", 2), second(2)).committed_at(second(2)).pipeline("p2");
    assert_eq!(follow(side, 1, again).await, counts_of(0, 1, 0, 0));
    let lineage = lineage_of(side, "r1").await;
    assert_eq!((lineage.version.ingested_at, lineage.pipeline.as_str()), (second(2), "p2"));
    assert_eq!(lineage.synced_at, second(2));

    let other = a_sync_batch().global_from(version("two", 3), second(3)).committed_at(second(3));
    assert_eq!(follow(side, 2, other).await, counts_of(1, 0, 0, 0));

    let lineage = lineage_of(side, "r1").await;
    assert_eq!(lineage.version, RawVersion { content_hash: version("two", 3).content_hash, ingested_at: second(3) });
}

pub async fn lineage_comes_in_pages(side: &dyn SyncSide) {
    let rows = awkward::TEXTS.map(|id| ValidatedRow::Global(a_global_record().id(id).build())).to_vec();
    commit(side, a_sync_batch().rows(rows).build()).await;
    commit(side, a_sync_batch().collection(MarketData).global(a_global_record().id("elsewhere").build()).build()).await;
    for limit in [1, 5, 100] {
        let listed = joined(limit, async |page| side.sync().list_lineage(TextCorpus, page).await).await;
        let ids: Vec<&str> = listed.iter().map(|lineage| lineage.raw_id.as_str()).collect();
        assert_eq!(ids, awkward::TEXTS, "in pages of {limit}");
    }
}

pub async fn lineage_is_found_by_id(side: &dyn SyncSide) {
    let rows = awkward::TEXTS.map(|id| ValidatedRow::Global(a_global_record().id(id).build())).to_vec();
    commit(side, a_sync_batch().rows(rows).build()).await;
    commit(side, a_sync_batch().collection(MarketData).global(a_global_record().id("elsewhere").build()).build()).await;
    let mut asked: Vec<RecordId> = (0..3000).map(|number| record_id(&format!("n{number}"))).collect();
    asked.extend(awkward::TEXTS[3..].iter().chain(&["elsewhere", "10"]).map(|id| record_id(id)));
    let found = side.sync().find_lineage(TextCorpus, &asked).await.unwrap();
    let mut ids: Vec<&str> = found.iter().map(|lineage| lineage.raw_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, awkward::TEXTS[3..]);
    assert_eq!(side.sync().find_lineage(TextCorpus, &[]).await.unwrap(), []);
}

pub async fn an_older_version_never_overwrites_a_newer_one(side: &dyn SyncSide) {
    let version = |text, time| (a_global_record().content(Some(text)).build(), second(time));
    let batch = |(row, ingested_at)| a_sync_batch().global_from(row, ingested_at);
    commit(side, batch(version("newer", 5)).build()).await;
    assert_eq!(follow(side, 1, batch(version("older", 4))).await, counts_of(0, 1, 0, 0));
    let content = side.global().get(&record_id("r1")).await.unwrap().processed_content;
    assert_eq!(content.as_deref(), Some("newer"));
    assert_eq!(lineage_of(side, "r1").await.version.ingested_at, second(5));

    let older = crate::testkit::build::a_raw_record().ingested_at(second(4)).build();
    let failed = a_sync_batch().quarantined(vec![a_quarantined_record().record(older).build()]);
    assert_eq!(follow(side, 2, failed).await, counts_of(0, 1, 0, 0));
    assert_eq!((n_global(side).await, n_quarantined(side).await), (1, 0));

    assert_eq!(follow(side, 3, batch(version("as old", 5))).await, counts_of(1, 0, 0, 0));
}

pub async fn a_deleted_record_loses_its_row(side: &dyn SyncSide) {
    let row = |id: &str| a_global_record().id(&format!("row-of-{id}")).raw_id(id).created_at(second(1)).build();
    let rows = vec![
        ValidatedRow::Global(row("a")),
        ValidatedRow::Global(row("b")),
        ValidatedRow::MarketMetric(a_market_metric().id("m").build()),
        ValidatedRow::UserInteraction(a_user_interaction().id("u").build()),
    ];
    commit(side, a_sync_batch().rows(rows).build()).await;
    let truth = a_ground_truth().build();
    let truths = a_sync_batch().collection(RawRecords).rows(vec![ValidatedRow::GroundTruth(truth.clone())]);
    commit(side, truths.build()).await;

    let gone = a_sync_batch().deleted(&["a", "m", "u", "never there"]).committed_at(second(5));
    assert_eq!(follow(side, 1, gone).await, counts_of(0, 1, 0, 3));

    assert_eq!(side.global().get(&row("b").id).await.unwrap(), row("b"));
    assert_eq!(n_global(side).await, 1);
    assert_eq!(side.market().count(&ValidatedQuery::default()).await.unwrap(), 0);
    assert_eq!(side.interactions().count(&ValidatedQuery::default()).await.unwrap(), 0);
    assert_eq!(known_by(side, second(4)).await, [row("a"), row("b")]);
    assert_eq!(known_by(side, second(5)).await, [row("b")]);
    let lineage = lineage_of(side, "a").await;
    assert_eq!((lineage.outcome, lineage.rows, lineage.synced_at), (SyncOutcome::Deleted, Vec::new(), second(5)));
    assert_eq!(lineages(side, TextCorpus).await.len(), 4, "what never was has no lineage");

    let truth_gone = a_sync_batch().collection(RawRecords).advance(Some("t1"), "t2").deleted(&[truth.raw_id.as_str()]);
    assert_eq!(commit(side, truth_gone.build()).await, counts_of(0, 0, 0, 1));
    assert_eq!(side.truths().count(&truth.target).await.unwrap(), 0);
}

pub async fn a_deletion_leaves_what_another_record_wrote(side: &dyn SyncSide) {
    let truth_from = |id: &str, value: &str| {
        ValidatedRow::GroundTruth(GroundTruth { raw_id: record_id(id), ..a_ground_truth().value(json!(value)).build() })
    };
    commit(side, a_sync_batch().rows(vec![truth_from("first", "up"), truth_from("second", "down")]).build()).await;
    follow(side, 1, a_sync_batch().deleted(&["first"])).await;
    assert_eq!(side.truths().count("direction").await.unwrap(), 1);
    follow(side, 2, a_sync_batch().deleted(&["second"])).await;
    assert_eq!(side.truths().count("direction").await.unwrap(), 0);
}

pub async fn a_truth_that_another_outweighed_is_there_when_that_goes(side: &dyn SyncSide) {
    let truth = |id: &str, value: &str, observed_at, created_at| {
        let truth = a_ground_truth().value(json!(value)).created_at(second(created_at)).build();
        ValidatedRow::GroundTruth(GroundTruth { raw_id: record_id(id), observed_at: second(observed_at), ..truth })
    };
    let batch = |truth| a_sync_batch().rows(vec![truth]);
    // The raw record whose truth counts, and how many records have one.
    let counts = async || {
        let found = side.truths().find_by_records("direction", &[record_id("r1")]).await.unwrap();
        let raw_ids: Vec<String> = found.into_iter().map(|truth| truth.raw_id.to_string()).collect();
        (raw_ids.join(" "), side.truths().count("direction").await.unwrap())
    };
    let one = |raw_id: &str| (raw_id.to_owned(), 1);
    commit(side, batch(truth("z-first", "up", 1, 2)).build()).await;
    assert_eq!(follow(side, 1, batch(truth("a-second", "down", 1, 3))).await, counts_of(1, 0, 0, 0));
    assert_eq!(counts().await, one("a-second"));
    assert_eq!(follow(side, 2, batch(truth("same-as-first", "up", 1, 4))).await, counts_of(1, 0, 0, 0));
    assert_eq!(counts().await, one("same-as-first"));

    follow(side, 3, a_sync_batch().deleted(&["same-as-first"])).await;
    assert_eq!(counts().await, one("a-second"));
    let failed = a_quarantined_record().id("a-second").build();
    assert_eq!(follow(side, 4, a_sync_batch().quarantined(vec![failed])).await, counts_of(0, 0, 1, 0));
    assert_eq!(counts().await, one("z-first"));

    // What was observed earlier does not count, however late it is told.
    follow(side, 5, batch(truth("late", "flat", 0, 9))).await;
    assert_eq!(counts().await, one("z-first"));
    let elsewhere = a_sync_batch().global(a_global_record().id("text_corpus:z-first").raw_id("z-first").build());
    assert_eq!(follow(side, 6, elsewhere).await, counts_of(1, 0, 0, 0));
    assert_eq!(counts().await, one("late"));
    follow(side, 7, a_sync_batch().deleted(&["late"])).await;
    assert_eq!(counts().await, (String::new(), 0));
}

pub async fn collections_share_ids_and_not_deletions(side: &dyn SyncSide) {
    for collection in [TextCorpus, SocialContent] {
        let row = a_global_record().id(&format!("{collection}:r1")).raw_id("r1").build();
        let failed = vec![a_quarantined_record().collection(collection).id("bad").build()];
        commit(side, a_sync_batch().collection(collection).global(row).quarantined(failed).build()).await;
    }
    follow(side, 1, a_sync_batch().deleted(&["r1", "bad"])).await;
    assert!(side.global().get(&record_id("social_content:r1")).await.is_ok());
    assert_eq!((n_global(side).await, n_quarantined(side).await), (1, 1));
}

pub async fn a_deleted_record_leaves_quarantine(side: &dyn SyncSide) {
    let failed = ["r1", "r2"].map(|id| a_quarantined_record().id(id).build()).to_vec();
    commit(side, a_sync_batch().quarantined(failed).build()).await;
    assert_eq!(follow(side, 1, a_sync_batch().deleted(&["r1"])).await, counts_of(0, 0, 0, 1));
    assert_not_found(side.quarantine().get(&key_of(TextCorpus, "r1")).await, Entity::QuarantinedRecord);
    assert_eq!(n_quarantined(side).await, 1);
    assert_eq!(side.quarantine().count_by_reason().await.unwrap()[0].n_records, 1);
}

pub async fn a_deletion_is_counted_once(side: &dyn SyncSide) {
    commit(side, a_sync_batch().global(a_global_record().build()).build()).await;
    assert_eq!(follow(side, 1, a_sync_batch().deleted(&["r1"])).await, counts_of(0, 0, 0, 1));
    assert_eq!(follow(side, 2, a_sync_batch().deleted(&["r1"])).await, counts_of(0, 1, 0, 0));
    let checkpoint = side.sync().find_checkpoint(TextCorpus).await.unwrap().unwrap();
    assert_eq!(checkpoint.counts, counts_of(1, 1, 0, 1));
}

pub async fn a_record_can_come_back(side: &dyn SyncSide) {
    let row_at = |time| a_global_record().created_at(second(time)).build();
    commit(side, a_sync_batch().global_from(row_at(1), second(1)).committed_at(second(1)).build()).await;
    follow(side, 1, a_sync_batch().deleted(&["r1"]).committed_at(second(3))).await;

    // From a backup, with the time of ingest that it had.
    let back = a_sync_batch().global_from(row_at(6), second(0)).committed_at(second(6));
    assert_eq!(follow(side, 2, back).await, counts_of(1, 0, 0, 0));

    assert_eq!(lineage_of(side, "r1").await.outcome, SyncOutcome::Written);
    for (time, expected) in [(2, vec![row_at(1)]), (4, vec![]), (6, vec![row_at(6)])] {
        assert_eq!(known_by(side, second(time)).await, expected, "as known at {time}");
    }
}

/// As when a record was judged ahead, and the deletion before it was committed meanwhile; or when another's clock is ahead.
pub async fn a_return_is_known_after_the_deletion(side: &dyn SyncSide) {
    let row_at = |id: &str, time| a_global_record().id(id).raw_id(id).created_at(second(time)).build();
    commit(side, a_sync_batch().global(row_at("r1", 1)).committed_at(second(1)).build()).await;
    follow(side, 1, a_sync_batch().deleted(&["r1"]).committed_at(second(9))).await;

    let back = a_sync_batch().global(row_at("r1", 5)).global(row_at("r2", 5)).committed_at(second(5));
    assert_eq!(follow(side, 2, back).await, counts_of(2, 0, 0, 0));

    assert_eq!(lineage_of(side, "r1").await.synced_at, second(9));
    assert_eq!(lineage_of(side, "r2").await.synced_at, second(5), "the others keep their time");
    let other = row_at("r2", 5);
    for (time, known) in [(5, row_at("r1", 1)), (8, row_at("r1", 1)), (9, row_at("r1", 9))] {
        assert_eq!(known_by(side, second(time)).await, [known, other.clone()], "as known at {time}");
    }
}

pub async fn a_version_is_known_after_the_one_before(side: &dyn SyncSide) {
    let version = |text, time| a_global_record().content(Some(text)).created_at(second(time)).build();
    for (n, text, time) in [(0, "one", 1), (1, "two", 9), (2, "three", 5)] {
        let batch = a_sync_batch().global(version(text, time)).committed_at(second(time));
        let counts = if n == 0 { commit(side, batch.build()).await } else { follow(side, n, batch).await };
        assert_eq!(counts, counts_of(1, 0, 0, 0));
    }
    for (time, known) in [(5, version("one", 1)), (8, version("one", 1)), (9, version("three", 9))] {
        assert_eq!(known_by(side, second(time)).await, [known], "as known at {time}");
    }
    follow(side, 3, a_sync_batch().deleted(&["r1"]).committed_at(second(7))).await;
    assert_eq!(lineage_of(side, "r1").await.synced_at, second(9));
    assert_eq!(known_by(side, second(8)).await, [version("one", 1)]);
    assert_eq!(known_by(side, second(9)).await, []);
}

pub async fn a_replay_brings_nothing_back(side: &dyn SyncSide) {
    commit(side, a_sync_batch().quarantined(vec![a_quarantined_record().build()]).build()).await;
    follow(side, 1, a_sync_batch().deleted(&["r1"])).await;
    let replay = a_sync_batch().replayed().global_from(a_global_record().build(), second(9)).build();
    assert_eq!(commit(side, replay).await, counts_of(0, 1, 0, 0));
    assert_eq!(n_global(side).await, 0);
}

pub async fn a_comparison_deletes_only_what_it_saw(side: &dyn SyncSide) {
    let version = |text| a_global_record().content(Some(text)).build();
    commit(side, a_sync_batch().global(version("one")).build()).await;
    follow(side, 1, a_sync_batch().global(version("two"))).await;
    let seen_before = a_sync_batch().found_gone("r1", version("one").content_hash);
    assert_eq!(follow(side, 2, seen_before).await, counts_of(0, 1, 0, 0));
    assert_eq!(n_global(side).await, 1);
    let seen_now = a_sync_batch().found_gone("r1", version("two").content_hash);
    assert_eq!(follow(side, 3, seen_now).await, counts_of(0, 0, 0, 1));
    assert_eq!(n_global(side).await, 0);
}

pub async fn retention_is_no_deletion(side: &dyn SyncSide) {
    let row = |id: &str| a_global_record().id(id).build();
    let batch = a_sync_batch().global_from(row("old"), second(1)).global_from(row("new"), second(5)).build();
    commit(side, batch).await;
    let gone = a_sync_batch().deleted(&["old", "new"]).retained_from(second(5));
    assert_eq!(follow(side, 1, gone).await, counts_of(0, 1, 0, 1));
    assert_eq!(side.global().get(&record_id("old")).await.unwrap(), row("old"));
    assert_eq!(n_global(side).await, 1);
    assert_eq!(lineage_of(side, "old").await.outcome, SyncOutcome::Written);
}

pub async fn a_record_that_moves_has_one_row(side: &dyn SyncSide) {
    commit(side, a_sync_batch().global(a_global_record().build()).build()).await;
    let moved = vec![ValidatedRow::MarketMetric(a_market_metric().id("m").raw_id("r1").build())];
    assert_eq!(follow(side, 1, a_sync_batch().rows(moved)).await, counts_of(1, 0, 0, 0));
    assert_eq!(n_global(side).await, 0);
    assert_eq!(side.market().count(&ValidatedQuery::default()).await.unwrap(), 1);

    let renamed = a_sync_batch().global(a_global_record().id("elsewhere").raw_id("r1").build());
    assert_eq!(follow(side, 2, renamed).await, counts_of(1, 0, 0, 0));
    assert_eq!(n_global(side).await, 1);
    assert_eq!(side.market().count(&ValidatedQuery::default()).await.unwrap(), 0);
}

pub async fn a_record_may_become_several_rows(side: &dyn SyncSide) {
    let part = |n: u32, text: &str| {
        let row = a_global_record().id(&format!("r1/{n}")).raw_id("r1").content(Some(text)).created_at(second(1));
        ValidatedRow::Global(row.build())
    };
    let market = ValidatedRow::MarketMetric(a_market_metric().id("m").raw_id("r1").build());
    let first = vec![part(1, "one"), part(2, "two"), part(3, "three"), market];
    commit(side, a_sync_batch().several("r1", first.clone()).build()).await;
    assert_eq!(lineage_of(side, "r1").await.rows, first.iter().map(ValidatedRow::place).collect::<Vec<_>>());

    assert_eq!(follow(side, 1, a_sync_batch().several("r1", first.clone())).await, counts_of(0, 1, 0, 0));
    let fewer = a_sync_batch().several("r1", first[..2].to_vec()).committed_at(second(5));
    assert_eq!(follow(side, 2, fewer).await, counts_of(1, 0, 0, 0));
    assert_eq!((known_by(side, second(4)).await.len(), n_global(side).await), (3, 2));
    assert_eq!(side.market().count(&ValidatedQuery::default()).await.unwrap(), 0);

    assert_eq!(follow(side, 3, a_sync_batch().deleted(&["r1"])).await, counts_of(0, 0, 0, 1));
    assert_eq!(n_global(side).await, 0);
}

pub async fn a_record_gives_up_the_keys_it_no_longer_has(side: &dyn SyncSide) {
    let record = |id: &str| a_sync_batch().global(a_global_record().id(id).build());
    let both = record("r1").unique_key("scope", "kept", "r1").unique_key("scope", "given up", "r1");
    commit(side, both.build()).await;
    follow(side, 1, record("r1").unique_key("scope", "kept", "r1")).await;
    assert_eq!(owners(side, "scope", &["kept", "given up"]).await, pairs(&[("kept", "r1")]));
    follow(side, 2, record("r2").unique_key("scope", "given up", "r2")).await;
    assert_eq!(owners(side, "scope", &["kept", "given up"]).await, pairs(&[("kept", "r1"), ("given up", "r2")]));

    follow(side, 3, a_sync_batch().deleted(&["r1"])).await;
    follow(side, 4, a_sync_batch().quarantined(vec![a_quarantined_record().id("r2").build()])).await;

    assert_eq!(owners(side, "scope", &["kept", "given up"]).await, pairs(&[]));
}

pub async fn keys_of_a_namesake_elsewhere_stay(side: &dyn SyncSide) {
    for (collection, scope) in [(TextCorpus, "text.url"), (SocialContent, "social.url")] {
        let row = a_global_record().id(&format!("{collection}:r1")).raw_id("r1").build();
        commit(side, a_sync_batch().collection(collection).global(row).unique_key(scope, "u", "r1").build()).await;
    }
    follow(side, 1, a_sync_batch().deleted(&["r1"])).await;
    assert_eq!(owners(side, "text.url", &["u"]).await, pairs(&[]));
    assert_eq!(owners(side, "social.url", &["u"]).await, pairs(&[("u", "r1")]));
}

pub async fn a_comparison_is_dated(side: &dyn SyncSide) {
    let reconciled_at = async || side.sync().find_checkpoint(TextCorpus).await.unwrap().unwrap().reconciled_at;
    commit(side, a_sync_batch().build()).await;
    assert_eq!(reconciled_at().await, None);
    // A batch of a comparison stays where it is, and holds its place against another sync.
    commit(side, a_sync_batch().advance(Some("t1"), "t1").committed_at(second(1)).build()).await;
    assert_eq!(reconciled_at().await, None);
    commit(side, a_sync_batch().advance(Some("t1"), "t2").reconciled().committed_at(second(2)).build()).await;
    assert_eq!(reconciled_at().await, Some(second(2)));
    commit(side, a_sync_batch().advance(Some("t2"), "t3").committed_at(second(3)).build()).await;
    assert_eq!(reconciled_at().await, Some(second(2)));
    assert_eq!(side.sync().list_checkpoints().await.unwrap()[0].reconciled_at, Some(second(2)));
}

pub async fn many_deletions_are_one_commit(side: &dyn SyncSide) {
    let ids: Vec<String> = (0..3000).map(|n| format!("r{n}")).collect();
    let rows = ids.iter().map(|id| ValidatedRow::Global(a_global_record().id(id).build())).collect();
    commit(side, a_sync_batch().rows(rows).build()).await;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(follow(side, 1, a_sync_batch().deleted(&ids)).await, counts_of(0, 0, 0, 3000));
    assert_eq!(n_global(side).await, 0);
}

/// Tests what a [`SyncStore`](crate::sync::SyncStore) keeps about records, on a [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! record_lineage_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            record_lineage,
            $fresh,
            [
                lineage_says_what_became_of_a_record,
                lineage_follows_the_record,
                lineage_comes_in_pages,
                lineage_is_found_by_id,
                an_older_version_never_overwrites_a_newer_one,
                a_deleted_record_loses_its_row,
                a_deletion_leaves_what_another_record_wrote,
                a_truth_that_another_outweighed_is_there_when_that_goes,
                collections_share_ids_and_not_deletions,
                a_deleted_record_leaves_quarantine,
                a_deletion_is_counted_once,
                a_record_can_come_back,
                a_return_is_known_after_the_deletion,
                a_version_is_known_after_the_one_before,
                a_replay_brings_nothing_back,
                a_comparison_deletes_only_what_it_saw,
                retention_is_no_deletion,
                a_record_that_moves_has_one_row,
                a_record_may_become_several_rows,
                a_record_gives_up_the_keys_it_no_longer_has,
                keys_of_a_namesake_elsewhere_stay,
                a_comparison_is_dated,
                many_deletions_are_one_commit,
            ]
        );
    };
}
