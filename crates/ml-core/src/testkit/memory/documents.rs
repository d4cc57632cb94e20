//! Raw records and the feed of their changes, in memory.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::paging::page_of;
use super::{MemoryDocuments, lock};
use crate::document::{
    Change, ChangeBatch, ChangeFeed, DocumentStore, RecordHash, RecordQuery, ResumeToken, Unreadable, UpsertCounts,
};
use crate::error::{Entity, StoreError};
use crate::id::RecordId;
use crate::page::{Page, PageRequest};
use crate::record::{Collection, RawRecord};

/// Records by key, each with the number of its last change.
#[derive(Debug, Default)]
pub(super) struct Records {
    by_key: BTreeMap<(Collection, RecordId), Stored>,
    /// Records that are gone, with the number of the deletion.
    deleted: BTreeMap<(Collection, RecordId), u64>,
    n_changes: u64,
    /// Positions before this number have expired.
    expired_before: u64,
    waiting: Vec<Waker>,
}

#[derive(Debug)]
struct Stored {
    record: RawRecord,
    /// Set for a document that someone else spoiled: why, and in which way.
    spoiled: Option<(Unreadable, String)>,
    /// Whether its id only stands for one that is no id of a record.
    is_foreign: bool,
    change: u64,
}

impl Stored {
    fn as_change(&self) -> Change {
        match &self.spoiled {
            None => Change::Upserted(self.record.clone()),
            Some((fault, reason)) => Change::Undecodable {
                id: self.record.id.clone(),
                fault: *fault,
                content: match fault {
                    Unreadable::Malformed => self.record.raw_content.clone(),
                    Unreadable::TooLarge => Value::Null,
                },
                reason: reason.clone(),
            },
        }
    }
}

impl Records {
    fn upsert(&mut self, collection: Collection, record: &RawRecord, counts: &mut UpsertCounts) {
        let key = (collection, record.id.clone());
        let mut record = record.clone();
        match self.by_key.get(&key) {
            Some(Stored { record: former, spoiled: None, .. }) if former.content_hash == record.content_hash => {
                counts.unchanged += 1;
                return;
            }
            Some(stored) => {
                record.ingested_at = record.ingested_at.max(stored.record.ingested_at);
                counts.changed += 1;
            }
            None => counts.inserted += 1,
        }
        let change = self.next_change();
        self.deleted.remove(&key);
        self.by_key.insert(key, Stored { record, spoiled: None, is_foreign: false, change });
    }

    fn delete(&mut self, collection: Collection, id: &RecordId) -> bool {
        let key = (collection, id.clone());
        if self.by_key.remove(&key).is_none() {
            return false;
        }
        let change = self.next_change();
        self.deleted.insert(key, change);
        true
    }

    fn next_change(&mut self) -> u64 {
        self.waiting.drain(..).for_each(Waker::wake);
        self.n_changes += 1;
        self.n_changes
    }

    fn of(&self, collection: Collection) -> impl Iterator<Item = &Stored> {
        self.by_key.iter().filter(move |((of, _), _)| *of == collection).map(|(_, stored)| stored)
    }

    fn matching(&self, collection: Collection, query: &RecordQuery) -> impl Iterator<Item = &RawRecord> {
        let readable = self.of(collection).filter(|stored| stored.spoiled.is_none());
        readable.map(|stored| &stored.record).filter(move |record| matches(query, record))
    }

    /// Returns the changes after a number, each with its own, in order.
    fn changes_after(&self, collection: Collection, after: u64) -> Vec<(u64, Change)> {
        let upserts = self.of(collection).map(|stored| (stored.change, stored.as_change()));
        let deletions = self.deleted.iter().filter(|((of, _), _)| *of == collection);
        let deletions = deletions.map(|((_, id), change)| (*change, Change::Deleted(id.clone())));
        let mut changes: Vec<(u64, Change)> = upserts.chain(deletions).filter(|(change, _)| *change > after).collect();
        changes.sort_by_key(|(change, _)| *change);
        changes
    }

    fn position_of(&self, token: Option<&ResumeToken>) -> Result<u64, StoreError> {
        let Some(token) = token else { return Ok(0) };
        let corrupt = |reason: &str| StoreError::corrupt(Entity::Checkpoint, token.as_str(), reason);
        let digits = token.as_str().strip_prefix("memory:");
        let digits = digits.ok_or_else(|| corrupt("not a token of a store in memory"))?;
        let position = digits.parse().map_err(|_| corrupt("not a position"))?;
        if position < self.expired_before {
            return Err(StoreError::expired(Entity::Checkpoint, token.as_str()));
        }
        Ok(position)
    }

    fn batch(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
    ) -> Result<ChangeBatch, StoreError> {
        let mut changes = self.changes_after(collection, self.position_of(token)?);
        // The numbers are those of all collections, so that the position of one that is idle moves too.
        let position = if changes.len() > limit {
            changes.truncate(limit);
            changes.last().map(|(change, _)| *change)
        } else {
            Some(self.n_changes).filter(|n_changes| *n_changes > 0)
        };
        let token = position.map(token_of).or_else(|| token.cloned());
        Ok(ChangeBatch { changes: changes.into_iter().map(|(_, change)| change).collect(), token })
    }
}

/// What a test can do to documents that no store lets a program do.
impl MemoryDocuments {
    /// Forgets what was changed so far: the positions that were given out until now have expired.
    pub fn expire_positions(&self) {
        let mut records = lock(&self.records);
        records.expired_before = records.next_change();
    }

    /// Spoils a document, as another program could: it cannot be taken as a record any more until it is written again.
    pub fn spoil(&self, collection: Collection, id: &RecordId, fault: Unreadable, reason: &str) {
        let mut records = lock(&self.records);
        let change = records.next_change();
        let stored = records.by_key.get_mut(&(collection, id.clone())).expect("a document that is there");
        stored.spoiled = Some((fault, reason.to_owned()));
        stored.change = change;
    }

    /// Writes a document as another program could that gives ids of its own kind, for which `record.id` stands.
    pub fn put_foreign(&self, collection: Collection, record: RawRecord, reason: &str) {
        let mut records = lock(&self.records);
        let (key, change) = ((collection, record.id.clone()), records.next_change());
        let spoiled = Some((Unreadable::Malformed, reason.to_owned()));
        records.deleted.remove(&key);
        records.by_key.insert(key, Stored { record, spoiled, is_foreign: true, change });
    }
}

#[async_trait]
impl DocumentStore for MemoryDocuments {
    async fn upsert(&self, collection: Collection, records: &[RawRecord]) -> Result<UpsertCounts, StoreError> {
        let mut stored = lock(&self.records);
        let mut counts = UpsertCounts::default();
        for record in records {
            stored.upsert(collection, record, &mut counts);
        }
        Ok(counts)
    }

    async fn get(&self, collection: Collection, id: &RecordId) -> Result<RawRecord, StoreError> {
        let records = lock(&self.records);
        let stored = records.by_key.get(&(collection, id.clone()));
        let stored = stored.ok_or_else(|| StoreError::not_found(Entity::RawRecord, id))?;
        match &stored.spoiled {
            None => Ok(stored.record.clone()),
            Some((_, reason)) => Err(StoreError::corrupt(Entity::RawRecord, id, reason.as_str())),
        }
    }

    async fn list(
        &self,
        collection: Collection,
        query: &RecordQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RawRecord, RecordId>, StoreError> {
        let records = lock(&self.records);
        Ok(page_of(records.matching(collection, query).cloned(), &page, |record| record.id.clone()))
    }

    async fn count(&self, collection: Collection, query: &RecordQuery) -> Result<u64, StoreError> {
        Ok(lock(&self.records).matching(collection, query).count() as u64)
    }

    async fn list_hashes(
        &self,
        collection: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordHash, RecordId>, StoreError> {
        let records = lock(&self.records);
        let hashes = records.of(collection).filter(|stored| !stored.is_foreign).map(|stored| RecordHash {
            id: stored.record.id.clone(),
            content_hash: stored.spoiled.is_none().then_some(stored.record.content_hash),
        });
        Ok(page_of(hashes, &page, |hash| hash.id.clone()))
    }

    async fn delete(&self, collection: Collection, ids: &[RecordId]) -> Result<u64, StoreError> {
        let mut records = lock(&self.records);
        Ok(ids.iter().filter(|id| records.delete(collection, id)).count() as u64)
    }

    async fn delete_ingested_before(&self, collection: Collection, instant: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut records = lock(&self.records);
        let n_before = records.by_key.len();
        records.by_key.retain(|(of, _), stored| *of != collection || stored.record.ingested_at >= instant);
        Ok((n_before - records.by_key.len()) as u64)
    }
}

#[async_trait]
impl ChangeFeed for MemoryDocuments {
    async fn changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
    ) -> Result<ChangeBatch, StoreError> {
        lock(&self.records).batch(collection, token, limit)
    }

    async fn wait_for_changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
        at_most: Duration,
    ) -> Result<ChangeBatch, StoreError> {
        let mut alarm = Alarm::new(at_most);
        poll_fn(|context| {
            let mut records = lock(&self.records);
            let batch = records.batch(collection, token, limit);
            if alarm.has_rung() || !batch.as_ref().is_ok_and(|batch| batch.changes.is_empty()) {
                return Poll::Ready(batch);
            }
            records.waiting.push(context.waker().clone());
            alarm.wake_later(context.waker());
            Poll::Pending
        })
        .await
    }

    async fn latest(&self, _collection: Collection) -> Result<ResumeToken, StoreError> {
        Ok(token_of(lock(&self.records).n_changes))
    }

    async fn list_foreign_ids(
        &self,
        collection: Collection,
        page: PageRequest<ResumeToken>,
    ) -> Result<Page<RecordId, ResumeToken>, StoreError> {
        let records = lock(&self.records);
        let after = page.cursor().map_or("", ResumeToken::as_str);
        let foreign = records.of(collection).filter(|stored| stored.is_foreign).map(|stored| stored.record.id.clone());
        let foreign = foreign.filter(|id| id.as_str() > after).take(page.limit() + 1).collect();
        Ok(Page::from_lookahead(foreign, page.limit(), |id: &RecordId| ResumeToken::new(id.as_str())))
    }

    async fn current(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<Change>, StoreError> {
        let records = lock(&self.records);
        let current = |id: &RecordId| {
            let stored = records.by_key.get(&(collection, id.clone()));
            stored.map_or_else(|| Change::Deleted(id.clone()), Stored::as_change)
        };
        Ok(ids.iter().map(current).collect())
    }

    async fn count_pending(&self, collection: Collection, token: Option<&ResumeToken>) -> Result<u64, StoreError> {
        let records = lock(&self.records);
        let after = records.position_of(token)?;
        Ok(records.changes_after(collection, after).len() as u64)
    }
}

fn token_of(change: u64) -> ResumeToken {
    ResumeToken::new(format!("memory:{change}"))
}

/// Rings after a while, without a runtime.
struct Alarm {
    at_most: Duration,
    rings_at: Option<Instant>,
}

impl Alarm {
    fn new(at_most: Duration) -> Alarm {
        Alarm { at_most, rings_at: Instant::now().checked_add(at_most) }
    }

    fn has_rung(&self) -> bool {
        self.rings_at.is_some_and(|rings_at| Instant::now() >= rings_at)
    }

    /// Wakes the task when it rings: from a thread of its own, which is started once.
    fn wake_later(&mut self, waker: &Waker) {
        let (at_most, waker) = (std::mem::take(&mut self.at_most), waker.clone());
        if at_most > Duration::ZERO {
            std::thread::spawn(move || {
                std::thread::sleep(at_most);
                waker.wake();
            });
        }
    }
}

fn matches(query: &RecordQuery, record: &RawRecord) -> bool {
    query.data_type.as_ref().is_none_or(|data_type| *data_type == record.data_type)
        && query.source_app.as_ref().is_none_or(|app| *app == record.source_app)
        && query.source.as_ref().is_none_or(|source| record.source.as_ref() == Some(source))
        && query.scraped_from.is_none_or(|from| record.scraped_at.is_some_and(|at| at >= from))
        && query.scraped_before.is_none_or(|before| record.scraped_at.is_some_and(|at| at < before))
        && query.known_by.is_none_or(|known_by| record.ingested_at <= known_by)
        && query.content_equals.iter().all(|(field, value)| has_field(&record.raw_content, field, value))
}

fn has_field(content: &Value, field: &str, expected: &Value) -> bool {
    let Some(found) = content.as_object().and_then(|fields| fields.get(field)) else { return false };
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => found == expected,
        _ => found == expected,
    }
}
