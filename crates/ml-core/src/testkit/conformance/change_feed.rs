//! Cases of [`crate::document::ChangeFeed`], whose changes come from a [`crate::document::DocumentStore`].

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use serde_json::json;

use super::outcome::assert_corrupt;
use crate::document::{ChangeBatch, ResumeToken};
use crate::record::Collection::{SocialContent, TextCorpus};
use crate::record::RawRecord;
use crate::testkit::build::{a_raw_record, second};
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

async fn read(side: &dyn DocumentSide, token: Option<&ResumeToken>, limit: usize) -> ChangeBatch {
    let batch = side.feed().changes(TextCorpus, token, limit).await.unwrap();
    assert!(batch.records.len() <= limit, "{} records, asked for {limit}", batch.records.len());
    batch
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
        if batch.records.is_empty() {
            assert_eq!(batch.token, token, "nothing came, so the position stays");
            return (records, token);
        }
        records.extend(batch.records);
        token = batch.token;
    }
}

fn ids(records: &[RawRecord]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

async fn pending(side: &dyn DocumentSide, token: Option<&ResumeToken>) -> u64 {
    side.feed().count_pending(TextCorpus, token).await.unwrap()
}

pub async fn an_empty_collection_has_no_changes(side: &dyn DocumentSide) {
    assert_eq!(read(side, None, 10).await, ChangeBatch { records: Vec::new(), token: None });
    assert_eq!(pending(side, None).await, 0);
}

pub async fn changes_come_oldest_first(side: &dyn DocumentSide) {
    write_all(side, &["c", "a", "d", "b"]).await;
    let batch = read(side, None, 10).await;
    assert_eq!(ids(&batch.records), ["c", "a", "d", "b"]);
    assert_eq!(batch.records[0], a_raw_record().id("c").build());
}

pub async fn batches_joined_give_every_change(side: &dyn DocumentSide) {
    write_all(side, &["e", "d", "c", "b", "a"]).await;
    for limit in [1, 2, 3, 5, 100] {
        let (records, _) = drain(side, None, limit).await;
        assert_eq!(ids(&records), ["e", "d", "c", "b", "a"], "in batches of {limit}");
    }
}

pub async fn nothing_newer_keeps_the_token(side: &dyn DocumentSide) {
    write_all(side, &["a"]).await;
    let token = read(side, None, 10).await.token;
    assert!(token.is_some());
    for _ in 0..2 {
        assert_eq!(read(side, token.as_ref(), 10).await, ChangeBatch { records: Vec::new(), token: token.clone() });
    }
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
    assert_eq!(read(side, token.as_ref(), 10).await.records, []);
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
    let posts = side.feed().changes(SocialContent, None, 10).await.unwrap();
    assert_eq!(ids(&posts.records), ["post"]);
}

pub async fn retention_is_no_change(side: &dyn DocumentSide) {
    for (id, time) in [("a", 1), ("b", 2), ("c", 3)] {
        write(side, a_raw_record().id(id).ingested_at(second(time)).build()).await;
    }
    let second_of_three = read(side, None, 2).await.token;
    let (_, end) = drain(side, None, 10).await;

    side.documents().delete_ingested_before(TextCorpus, second(3)).await.unwrap();

    assert_eq!(read(side, end.as_ref(), 10).await.records, []);
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
                nothing_newer_keeps_the_token,
                the_same_token_gives_the_same_changes,
                a_token_survives_being_stored,
                an_unchanged_record_is_no_change,
                a_changed_record_comes_again_as_it_is_now,
                changes_between_batches_are_not_lost,
                an_earlier_ingest_time_written_later_is_not_lost,
                collections_have_their_own_changes,
                retention_is_no_change,
                a_record_written_again_after_retention_is_a_change,
                pending_changes_are_counted,
                a_token_of_another_store_is_refused,
                any_limit_is_served,
                changes_written_while_reading_are_not_lost,
            ]
        );
    };
}
