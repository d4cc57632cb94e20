//! Cases of [`crate::document::ChangeFeed`], whose changes come from a [`crate::document::DocumentStore`].

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use serde_json::json;

use super::outcome::assert_corrupt;
use crate::document::{Change, ChangeBatch, ResumeToken};
use crate::id::RecordId;
use crate::page::PageRequest;
use crate::record::Collection::{SocialContent, TextCorpus};
use crate::record::RawRecord;
use crate::testkit::build::{a_raw_record, record_id, second};
use crate::testkit::concurrently::concurrently;
use crate::testkit::side::DocumentSide;

async fn write(side: &dyn DocumentSide, record: RawRecord) {
    side.documents().upsert(TextCorpus, &[record]).await.unwrap();
}

/// Writes records one after another.
async fn write_all(side: &dyn DocumentSide, ids: &[&str]) {
    for id in ids {
        write(side, a_raw_record().id(id).build()).await;
    }
}

/// A batch, taken apart.
#[derive(Debug, PartialEq)]
struct Batch {
    records: Vec<RawRecord>,
    deleted: Vec<String>,
    token: Option<ResumeToken>,
}

impl Batch {
    fn of(batch: ChangeBatch) -> Batch {
        let mut taken_apart = Batch { records: Vec::new(), deleted: Vec::new(), token: batch.token };
        for change in batch.changes {
            match change {
                Change::Upserted(record) => taken_apart.records.push(record),
                Change::Deleted(id) => taken_apart.deleted.push(id.to_string()),
                Change::Undecodable { .. } => panic!("{change:?}"),
            }
        }
        taken_apart
    }

    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.deleted.is_empty()
    }
}

async fn read(side: &dyn DocumentSide, token: Option<&ResumeToken>, limit: usize) -> Batch {
    let batch = side.feed().changes(TextCorpus, token, limit).await.unwrap();
    assert!(batch.changes.len() <= limit, "{} changes, asked for {limit}", batch.changes.len());
    Batch::of(batch)
}

/// Reads batches of `limit` until one is empty.
async fn drain(
    side: &dyn DocumentSide,
    mut token: Option<ResumeToken>,
    limit: usize,
) -> (Vec<RawRecord>, Option<ResumeToken>) {
    let mut records = Vec::new();
    loop {
        let batch = read(side, token.as_ref(), limit).await;
        let is_empty = batch.is_empty();
        records.extend(batch.records);
        token = batch.token;
        if is_empty {
            return (records, token);
        }
    }
}

async fn delete(side: &dyn DocumentSide, ids: &[&str]) -> u64 {
    let ids: Vec<RecordId> = ids.iter().map(|id| record_id(id)).collect();
    side.documents().delete(TextCorpus, &ids).await.unwrap()
}

fn ids(records: &[RawRecord]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

async fn pending(side: &dyn DocumentSide, token: Option<&ResumeToken>) -> u64 {
    side.feed().count_pending(TextCorpus, token).await.unwrap()
}

pub async fn an_empty_collection_has_no_changes(side: &dyn DocumentSide) {
    assert!(read(side, None, 10).await.is_empty());
    assert_eq!(pending(side, None).await, 0);
}

pub async fn changes_come_oldest_first(side: &dyn DocumentSide) {
    let start = side.feed().latest(TextCorpus).await.unwrap();
    write_all(side, &["c", "a", "d", "b"]).await;
    let batch = read(side, Some(&start), 10).await;
    assert_eq!(ids(&batch.records), ["c", "a", "d", "b"]);
    assert_eq!(batch.records[0], a_raw_record().id("c").build());
}

pub async fn batches_joined_give_every_change(side: &dyn DocumentSide) {
    let start = side.feed().latest(TextCorpus).await.unwrap();
    write_all(side, &["e", "d", "c", "b", "a"]).await;
    for limit in [1, 2, 3, 5, 100] {
        let (records, _) = drain(side, Some(start.clone()), limit).await;
        assert_eq!(ids(&records), ["e", "d", "c", "b", "a"], "in batches of {limit}");
        let (mut records, _) = drain(side, None, limit).await;
        records.sort_by(|one, other| one.id.cmp(&other.id));
        assert_eq!(ids(&records), ["a", "b", "c", "d", "e"], "from the beginning, in batches of {limit}");
    }
}

pub async fn an_idle_position_loses_nothing(side: &dyn DocumentSide) {
    write_all(side, &["a"]).await;
    let mut token = read(side, None, 10).await.token;
    assert!(token.is_some());
    side.documents().upsert(SocialContent, &[a_raw_record().id("post").build()]).await.unwrap();
    for _ in 0..3 {
        let batch = read(side, token.as_ref(), 10).await;
        assert!(batch.is_empty(), "{batch:?}");
        token = batch.token;
    }
    write_all(side, &["b"]).await;
    assert_eq!(ids(&read(side, token.as_ref(), 10).await.records), ["b"]);
}

pub async fn the_same_token_gives_the_same_changes(side: &dyn DocumentSide) {
    write_all(side, &["a", "b", "c"]).await;
    let token = read(side, None, 1).await.token;
    let once = read(side, token.as_ref(), 10).await;
    let twice = read(side, token.as_ref(), 10).await;
    assert_eq!(once, twice);
    assert_eq!(ids(&once.records), ["b", "c"]);
}

pub async fn a_token_survives_being_stored(side: &dyn DocumentSide) {
    write_all(side, &["a", "b"]).await;
    let token = read(side, None, 1).await.token.unwrap();
    let stored = serde_json::to_string(&token).unwrap();
    let token: ResumeToken = serde_json::from_str(&stored).unwrap();
    assert_eq!(ids(&read(side, Some(&token), 10).await.records), ["b"]);
}

pub async fn an_unchanged_record_is_no_change(side: &dyn DocumentSide) {
    write_all(side, &["a", "b"]).await;
    let (_, token) = drain(side, None, 10).await;
    write(side, a_raw_record().id("a").ingested_at(second(99)).build()).await;
    assert!(read(side, token.as_ref(), 10).await.is_empty());
    assert_eq!(pending(side, token.as_ref()).await, 0);
}

pub async fn a_changed_record_comes_again_as_it_is_now(side: &dyn DocumentSide) {
    write_all(side, &["a", "b"]).await;
    let (_, token) = drain(side, None, 10).await;
    let changed = a_raw_record().id("a").content(json!("changed")).ingested_at(second(5)).build();
    write(side, changed.clone()).await;

    let batch = read(side, token.as_ref(), 10).await;

    assert_eq!(batch.records, [changed]);
    assert_ne!(batch.token, token);
}

pub async fn changes_between_batches_are_not_lost(side: &dyn DocumentSide) {
    write_all(side, &["a", "b", "c", "d"]).await;
    let batch = read(side, None, 2).await;
    let changed = |id| a_raw_record().id(id).content(json!("changed")).build();
    write(side, changed("d")).await;
    write(side, changed("a")).await;
    write_all(side, &["e"]).await;

    let (rest, _) = drain(side, batch.token, 2).await;

    for expected in [changed("d"), changed("a"), a_raw_record().id("c").build(), a_raw_record().id("e").build()] {
        assert!(rest.contains(&expected), "{} is missing in {rest:?}", expected.id);
    }
}

pub async fn an_earlier_ingest_time_written_later_is_not_lost(side: &dyn DocumentSide) {
    write(side, a_raw_record().id("b").ingested_at(second(100)).build()).await;
    let (_, token) = drain(side, None, 10).await;
    write(side, a_raw_record().id("a").ingested_at(second(1)).build()).await;
    assert_eq!(ids(&read(side, token.as_ref(), 10).await.records), ["a"]);
}

pub async fn collections_have_their_own_changes(side: &dyn DocumentSide) {
    write_all(side, &["a"]).await;
    let (_, token) = drain(side, None, 10).await;
    side.documents().upsert(SocialContent, &[a_raw_record().id("post").build()]).await.unwrap();
    write_all(side, &["b"]).await;

    assert_eq!(ids(&read(side, token.as_ref(), 10).await.records), ["b"]);
    let posts = Batch::of(side.feed().changes(SocialContent, None, 10).await.unwrap());
    assert_eq!(ids(&posts.records), ["post"]);
}

pub async fn retention_is_no_change(side: &dyn DocumentSide) {
    for (id, time) in [("a", 1), ("b", 2), ("c", 3)] {
        write(side, a_raw_record().id(id).ingested_at(second(time)).build()).await;
    }
    let second_of_three = read(side, None, 2).await.token;
    let (_, end) = drain(side, None, 10).await;

    side.documents().delete_ingested_before(TextCorpus, second(3)).await.unwrap();

    assert!(read(side, end.as_ref(), 10).await.is_empty());
    assert_eq!(ids(&read(side, second_of_three.as_ref(), 10).await.records), ["c"]);
    assert_eq!(ids(&drain(side, None, 10).await.0), ["c"]);
}

pub async fn a_record_written_again_after_retention_is_a_change(side: &dyn DocumentSide) {
    write_all(side, &["a", "b"]).await;
    let (_, token) = drain(side, None, 10).await;
    side.documents().delete_ingested_before(TextCorpus, second(1)).await.unwrap();
    write_all(side, &["a"]).await;
    assert_eq!(ids(&read(side, token.as_ref(), 10).await.records), ["a"]);
}

pub async fn a_deletion_is_a_change(side: &dyn DocumentSide) {
    write_all(side, &["a", "b", "c"]).await;
    let (_, token) = drain(side, None, 10).await;

    assert_eq!(delete(side, &["b", "absent", "a"]).await, 2);

    assert_eq!(pending(side, token.as_ref()).await, 2);
    let batch = read(side, token.as_ref(), 10).await;
    assert_eq!((batch.records, batch.deleted), (Vec::new(), vec!["b".to_owned(), "a".to_owned()]));
    assert!(read(side, batch.token.as_ref(), 10).await.is_empty());
    assert_eq!(ids(&drain(side, None, 2).await.0), ["c"]);
    assert_eq!(delete(side, &["b"]).await, 0, "it is gone already");
}

pub async fn deletions_and_upserts_come_in_order(side: &dyn DocumentSide) {
    write_all(side, &["a", "b"]).await;
    let (_, start) = drain(side, None, 10).await;
    write_all(side, &["c"]).await;
    delete(side, &["a"]).await;
    write_all(side, &["d"]).await;
    delete(side, &["b"]).await;
    let mut order = Vec::new();
    let mut token = start;
    for _ in 0..4 {
        let batch = side.feed().changes(TextCorpus, token.as_ref(), 1).await.unwrap();
        order.extend(batch.changes.iter().map(|change| change.id().to_string()));
        token = batch.token;
    }
    assert_eq!(order, ["c", "a", "d", "b"]);
    assert!(read(side, token.as_ref(), 10).await.is_empty());
}

pub async fn a_record_deleted_and_written_again_is_there(side: &dyn DocumentSide) {
    write_all(side, &["a", "b"]).await;
    let (_, token) = drain(side, None, 10).await;
    delete(side, &["a"]).await;
    write_all(side, &["a"]).await;

    let batch = side.feed().changes(TextCorpus, token.as_ref(), 10).await.unwrap();

    // The deletion between may be told or not; what counts is what comes last.
    let last = batch.changes.last().unwrap();
    assert_eq!(*last, Change::Upserted(a_raw_record().id("a").build()));
    let (records, token) = drain(side, None, 10).await;
    assert!(ids(&records).contains(&"a"), "{records:?}");
    delete(side, &["a"]).await;
    assert_eq!(read(side, token.as_ref(), 10).await.deleted, ["a"]);
}

pub async fn after_the_latest_position_comes_only_what_is_new(side: &dyn DocumentSide) {
    let empty = side.feed().latest(TextCorpus).await.unwrap();
    assert!(read(side, Some(&empty), 10).await.is_empty());
    write_all(side, &["a", "b"]).await;
    assert_eq!(ids(&drain(side, Some(empty), 10).await.0), ["a", "b"]);

    let latest = side.feed().latest(TextCorpus).await.unwrap();

    assert!(read(side, Some(&latest), 10).await.is_empty());
    assert_eq!(pending(side, Some(&latest)).await, 0);
    write_all(side, &["c"]).await;
    delete(side, &["a"]).await;
    let batch = read(side, Some(&latest), 10).await;
    assert_eq!((ids(&batch.records), batch.deleted.as_slice()), (vec!["c"], ["a".to_owned()].as_slice()));
}

pub async fn records_are_given_as_they_are_now(side: &dyn DocumentSide) {
    write_all(side, &["a", "b", "c"]).await;
    let changed = a_raw_record().id("c").content(json!("changed")).build();
    write(side, changed.clone()).await;
    delete(side, &["a"]).await;
    let asked = ["c", "absent", "a", "b"].map(record_id);
    let current = side.feed().current(TextCorpus, &asked).await.unwrap();
    let expected = [
        Change::Upserted(changed),
        Change::Deleted(record_id("absent")),
        Change::Deleted(record_id("a")),
        Change::Upserted(a_raw_record().id("b").build()),
    ];
    assert_eq!(current, expected);
    assert_eq!(side.feed().current(TextCorpus, &[]).await.unwrap(), []);
    let many: Vec<RecordId> = (0..5000).map(|number| record_id(&format!("n{number}"))).collect();
    assert_eq!(side.feed().current(TextCorpus, &many).await.unwrap().len(), 5000);
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Option<ChangeBatch>> + 'a>>;

pub async fn records_are_not_foreign(side: &dyn DocumentSide) {
    write_all(side, &super::awkward::TEXTS).await;
    let page = side.feed().list_foreign_ids(TextCorpus, PageRequest::first(100)).await.unwrap();
    assert_eq!((page.items, page.next_cursor), (Vec::new(), None));
}

pub async fn waiting_ends_when_something_comes(side: &dyn DocumentSide) {
    write_all(side, &["a"]).await;
    let (_, token) = drain(side, None, 10).await;
    let token = token.as_ref();
    let patience = Duration::from_secs(30);
    let waiter: Waiting =
        Box::pin(async move { Some(side.feed().wait_for_changes(TextCorpus, token, 10, patience).await.unwrap()) });
    let writer: Waiting = Box::pin(async move {
        write_all(side, &["b"]).await;
        None
    });
    let start = Instant::now();

    let batch = concurrently([waiter, writer]).await.into_iter().flatten().next().unwrap();

    assert_eq!(ids(&Batch::of(batch).records), ["b"]);
    assert!(start.elapsed() < patience / 2, "it took {:?}", start.elapsed());
    let at_once = side.feed().wait_for_changes(TextCorpus, None, 10, patience).await.unwrap();
    assert_eq!(at_once.changes.len(), 2);
}

pub async fn waiting_ends_after_a_while(side: &dyn DocumentSide) {
    write_all(side, &["a"]).await;
    let (_, token) = drain(side, None, 10).await;
    for at_most in [0, 1, 60].map(Duration::from_millis) {
        let batch = side.feed().wait_for_changes(TextCorpus, token.as_ref(), 10, at_most).await.unwrap();
        assert_eq!(batch.changes, []);
        assert!(batch.token.is_some());
    }
}

pub async fn pending_changes_are_counted(side: &dyn DocumentSide) {
    write_all(side, &["a", "b", "c"]).await;
    assert_eq!(pending(side, None).await, 3);
    let batch = read(side, None, 1).await;
    assert_eq!(pending(side, batch.token.as_ref()).await, 2);
    let (_, token) = drain(side, batch.token, 10).await;
    assert_eq!(pending(side, token.as_ref()).await, 0);
    write_all(side, &["d"]).await;
    assert_eq!(pending(side, token.as_ref()).await, 1);
}

pub async fn a_token_of_another_store_is_refused(side: &dyn DocumentSide) {
    write_all(side, &["a"]).await;
    for text in ["", "not a token", "'; DROP TABLE raw_records; --", "{\"_data\": 1}"] {
        let token = ResumeToken::new(text);
        assert_corrupt(side.feed().changes(TextCorpus, Some(&token), 10).await);
        assert_corrupt(side.feed().wait_for_changes(TextCorpus, Some(&token), 10, Duration::ZERO).await);
        assert_corrupt(side.feed().count_pending(TextCorpus, Some(&token)).await);
    }
}

pub async fn any_limit_is_served(side: &dyn DocumentSide) {
    let record = |number| a_raw_record().id(&format!("r{number:05}")).build();
    let records: Vec<RawRecord> = (0..5000).map(record).collect();
    side.documents().upsert(TextCorpus, &records).await.unwrap();
    let (at_once, _) = drain(side, None, usize::MAX).await;
    let (in_parts, _) = drain(side, None, 999).await;
    assert_eq!(at_once.len(), 5000);
    assert_eq!(ids(&in_parts), ids(&at_once));
}

pub async fn changes_written_while_reading_are_not_lost(side: &dyn DocumentSide) {
    type Job<'a> = Pin<Box<dyn Future<Output = Option<(Vec<RawRecord>, Option<ResumeToken>)>> + 'a>>;
    let reader: Job = Box::pin(async {
        let mut records = Vec::new();
        let mut token = None;
        for _ in 0..30 {
            let batch = read(side, token.as_ref(), 3).await;
            records.extend(batch.records);
            token = batch.token;
        }
        Some((records, token))
    });
    let mut jobs = vec![reader];
    for writer in 0..10 {
        jobs.push(Box::pin(async move {
            for number in 0..5 {
                write(side, a_raw_record().id(&format!("w{writer}-{number}")).build()).await;
            }
            None
        }));
    }

    let (mut records, token) = concurrently(jobs).await.into_iter().flatten().next().unwrap();

    records.extend(drain(side, token, 7).await.0);
    let seen: BTreeSet<&str> = ids(&records).into_iter().collect();
    assert_eq!(seen.len(), 50, "{seen:?}");
}

/// Tests a [`ChangeFeed`](crate::document::ChangeFeed) on a store that is a `DocumentStore` too.
#[macro_export]
macro_rules! change_feed_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            change_feed,
            $fresh,
            [
                an_empty_collection_has_no_changes,
                changes_come_oldest_first,
                batches_joined_give_every_change,
                an_idle_position_loses_nothing,
                the_same_token_gives_the_same_changes,
                a_token_survives_being_stored,
                an_unchanged_record_is_no_change,
                a_changed_record_comes_again_as_it_is_now,
                changes_between_batches_are_not_lost,
                an_earlier_ingest_time_written_later_is_not_lost,
                collections_have_their_own_changes,
                retention_is_no_change,
                a_record_written_again_after_retention_is_a_change,
                a_deletion_is_a_change,
                deletions_and_upserts_come_in_order,
                a_record_deleted_and_written_again_is_there,
                after_the_latest_position_comes_only_what_is_new,
                records_are_given_as_they_are_now,
                records_are_not_foreign,
                waiting_ends_when_something_comes,
                waiting_ends_after_a_while,
                pending_changes_are_counted,
                a_token_of_another_store_is_refused,
                any_limit_is_served,
                changes_written_while_reading_are_not_lost,
            ]
        );
    };
}
