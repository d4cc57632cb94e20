//! Cases of [`SyncStore::settle`](crate::sync::SyncStore::settle): what is read as of a settled instant never changes.

use chrono::{DateTime, Utc};

use super::synced::{commit, counts_of, follow, known_by, lineage_of};
use crate::global_data::{GlobalRecord, ValidatedQuery};
use crate::record::Collection::{self, TextCorpus};
use crate::sync::{SyncBatch, ValidatedRow, first_after};
use crate::testkit::build::{
    a_global_record, a_ground_truth, a_market_metric, a_sync_batch, a_user_interaction, second,
};
use crate::testkit::concurrently::concurrently;
use crate::testkit::side::SyncSide;

/// A row that was stamped at `seconds`.
fn row(id: &str, content: &str, seconds: i64) -> GlobalRecord {
    a_global_record().id(id).content(Some(content)).created_at(second(seconds)).build()
}

/// A batch of one row, both stamped at `seconds`.
fn batch_of(row: GlobalRecord) -> SyncBatch {
    let committed_at = row.created_at;
    a_sync_batch().replayed().global(row).committed_at(committed_at).build()
}

async fn contents_as_of(side: &dyn SyncSide, instant: DateTime<Utc>) -> Vec<String> {
    let rows = known_by(side, instant).await.into_iter();
    rows.map(|row| format!("{}: {}", row.id, row.processed_content.unwrap_or_default())).collect()
}

pub async fn a_commit_that_was_stamped_before_comes_after(side: &dyn SyncSide) {
    side.sync().settle(second(5)).await.unwrap();
    let batch = a_sync_batch().global(row("r1", "late", 3)).committed_at(second(4)).build();

    assert_eq!(commit(side, batch).await, counts_of(1, 0, 0, 0));

    assert_eq!(known_by(side, second(5)).await, []);
    let [found] = &known_by(side, second(6)).await[..] else { panic!("one row is known then") };
    assert_eq!(found.created_at, first_after(second(5)));
    assert_eq!(lineage_of(side, "r1").await.synced_at, first_after(second(5)));
    let checkpoint = side.sync().find_checkpoint(TextCorpus).await.unwrap().unwrap();
    assert_eq!(checkpoint.updated_at, first_after(second(5)));
}

pub async fn a_commit_at_the_very_instant_comes_after(side: &dyn SyncSide) {
    side.sync().settle(second(5)).await.unwrap();
    commit(side, batch_of(row("r1", "late", 5))).await;
    assert_eq!(known_by(side, second(5)).await, []);
}

pub async fn a_later_commit_keeps_its_time(side: &dyn SyncSide) {
    side.sync().settle(second(5)).await.unwrap();
    let later = row("r1", "later", 7);
    commit(side, batch_of(later.clone())).await;
    assert_eq!(known_by(side, second(7)).await, [later]);
    assert_eq!(lineage_of(side, "r1").await.synced_at, second(7));
}

pub async fn every_table_is_stamped_after(side: &dyn SyncSide) {
    side.sync().settle(second(5)).await.unwrap();
    let rows = vec![
        ValidatedRow::Global(row("r1", "late", 3)),
        ValidatedRow::MarketMetric(a_market_metric().id("r2").build()),
        ValidatedRow::UserInteraction(a_user_interaction().id("r3").build()),
        ValidatedRow::GroundTruth(a_ground_truth().build()),
    ];

    assert_eq!(commit(side, a_sync_batch().rows(rows).build()).await.written, 4);

    let count = async |instant| {
        let query = ValidatedQuery { known_by: Some(instant), ..ValidatedQuery::default() };
        let global = side.global().count(&query).await.unwrap();
        let market = side.market().count(&query).await.unwrap();
        (global, market, side.interactions().count(&query).await.unwrap())
    };
    assert_eq!(count(second(5)).await, (0, 0, 0));
    assert_eq!(count(second(6)).await, (1, 1, 1));
    let truths = side.truths().find_by_records("direction", &[a_ground_truth().build().record_id]).await.unwrap();
    assert_eq!(truths[0].created_at, first_after(second(5)));
}

pub async fn what_was_known_stays_when_it_is_replaced_or_deleted(side: &dyn SyncSide) {
    let both = a_sync_batch().global(row("r1", "first", 1)).global(row("r2", "first", 1));
    commit(side, both.committed_at(second(1)).build()).await;
    side.sync().settle(second(5)).await.unwrap();

    let replaced = a_sync_batch().global(row("r1", "second", 2)).committed_at(second(2));
    assert_eq!(follow(side, 1, replaced).await, counts_of(1, 0, 0, 0));
    let deleted = a_sync_batch().deleted(&["r2"]).committed_at(second(3));
    assert_eq!(follow(side, 2, deleted).await, counts_of(0, 0, 0, 1));

    for instant in [second(1), second(2), second(3), second(5)] {
        assert_eq!(contents_as_of(side, instant).await, ["r1: first", "r2: first"], "as of {instant}");
    }
    assert_eq!(contents_as_of(side, second(6)).await, ["r1: second"]);
}

pub async fn the_latest_settled_instant_counts(side: &dyn SyncSide) {
    for seconds in [5, 9, 3, 9] {
        side.sync().settle(second(seconds)).await.unwrap();
    }
    commit(side, batch_of(row("r1", "late", 7))).await;
    assert_eq!(known_by(side, second(9)).await, []);
    assert_eq!(known_by(side, first_after(second(9))).await.len(), 1);
}

/// Commits go on, all stamped with early times, while others settle one instant after the other and read as of it.
pub async fn what_was_read_as_of_a_settled_instant_is_read_again(side: &dyn SyncSide) {
    let commits = Collection::ALL.map(|collection| async move {
        for number in 0..12 {
            let id = format!("{collection}:{}", number % 3);
            let row = row(&id, &format!("version {number}"), number);
            let batch = a_sync_batch().collection(collection).replayed().global(row).committed_at(second(number));
            commit(side, batch.build()).await;
        }
        Vec::new()
    });
    let reads = [0, 1].map(|reader| async move {
        let mut seen = Vec::new();
        for number in 0..20 {
            let instant = second(2 * number + reader);
            side.sync().settle(instant).await.unwrap();
            seen.push((instant, contents_as_of(side, instant).await));
        }
        seen
    });
    type Seen = Vec<(DateTime<Utc>, Vec<String>)>;
    type Work<'a> = std::pin::Pin<Box<dyn Future<Output = Seen> + 'a>>;
    let commits = commits.into_iter().map(|commits| Box::pin(commits) as Work<'_>);
    let reads = reads.into_iter().map(|reads| Box::pin(reads) as Work<'_>);

    let seen: Seen = concurrently(commits.chain(reads)).await.into_iter().flatten().collect();

    assert_eq!(seen.len(), 40);
    for (instant, contents) in seen {
        assert_eq!(contents_as_of(side, instant).await, contents, "as of {instant}");
    }
}

/// Tests that [`SyncStore`](crate::sync::SyncStore) leaves the settled past alone, on a [`SyncSide`](crate::testkit::side::SyncSide).
#[macro_export]
macro_rules! settled_past_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            settled_past,
            $fresh,
            [
                a_commit_that_was_stamped_before_comes_after,
                a_commit_at_the_very_instant_comes_after,
                a_later_commit_keeps_its_time,
                every_table_is_stamped_after,
                what_was_known_stays_when_it_is_replaced_or_deleted,
                the_latest_settled_instant_counts,
                what_was_read_as_of_a_settled_instant_is_read_again,
            ]
        );
    };
}
