//! Raw records and the feed of their changes, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::paging::page_of;
use super::{MemoryDocuments, lock};
use crate::document::{ChangeBatch, ChangeFeed, DocumentStore, RecordQuery, ResumeToken, UpsertCounts};
use crate::error::{Entity, StoreError};
use crate::id::RecordId;
use crate::page::{Page, PageRequest};
use crate::record::{Collection, RawRecord};

/// Records by key, each with the number of its last change.
#[derive(Debug, Default)]
pub(super) struct Records {
    by_key: BTreeMap<(Collection, RecordId), Stored>,
    n_changes: u64,
}

#[derive(Debug)]
struct Stored {
    record: RawRecord,
    change: u64,
}

impl Records {
    fn upsert(&mut self, collection: Collection, record: &RawRecord, counts: &mut UpsertCounts) {
        let key = (collection, record.id.clone());
        match self.by_key.get(&key) {
            Some(stored) if stored.record.content_hash == record.content_hash => {
                counts.unchanged += 1;
                return;
            }
            Some(_) => counts.changed += 1,
            None => counts.inserted += 1,
        }
        self.n_changes += 1;
        self.by_key.insert(key, Stored { record: record.clone(), change: self.n_changes });
    }

    fn of(&self, collection: Collection) -> impl Iterator<Item = &Stored> {
        self.by_key.iter().filter(move |((of, _), _)| *of == collection).map(|(_, stored)| stored)
    }

    fn matching(&self, collection: Collection, query: &RecordQuery) -> impl Iterator<Item = &RawRecord> {
        self.of(collection).map(|stored| &stored.record).filter(move |record| matches(query, record))
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
        stored.map(|stored| stored.record.clone()).ok_or_else(|| StoreError::not_found(Entity::RawRecord, id))
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
        let after = position_of(token)?;
        let records = lock(&self.records);
        let mut changes: Vec<&Stored> = records.of(collection).filter(|stored| stored.change > after).collect();
        changes.sort_by_key(|stored| stored.change);
        changes.truncate(limit);
        let token = match changes.last() {
            Some(last) => Some(ResumeToken::new(format!("memory:{}", last.change))),
            None => token.cloned(),
        };
        Ok(ChangeBatch { records: changes.into_iter().map(|stored| stored.record.clone()).collect(), token })
    }

    async fn count_pending(&self, collection: Collection, token: Option<&ResumeToken>) -> Result<u64, StoreError> {
        let after = position_of(token)?;
        Ok(lock(&self.records).of(collection).filter(|stored| stored.change > after).count() as u64)
    }
}

fn position_of(token: Option<&ResumeToken>) -> Result<u64, StoreError> {
    let Some(token) = token else { return Ok(0) };
    let corrupt = |reason: &str| StoreError::corrupt(Entity::Checkpoint, token.as_str(), reason);
    let position = token.as_str().strip_prefix("memory:").ok_or_else(|| corrupt("not a token of a store in memory"))?;
    position.parse().map_err(|_| corrupt("not a position"))
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
