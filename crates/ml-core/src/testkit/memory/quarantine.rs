//! Quarantine, in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;

use super::{MemorySql, lock};
use crate::error::{Entity, StoreError};
use crate::id::RecordId;
use crate::page::{Page, PageRequest};
use crate::quarantine::{QuarantineKey, QuarantineQuery, QuarantineStore, QuarantinedRecord, ReasonCount};

#[async_trait]
impl QuarantineStore for MemorySql {
    async fn get(&self, key: &QuarantineKey) -> Result<QuarantinedRecord, StoreError> {
        let synced = lock(&self.synced);
        let found = synced.quarantine.get(&(key.collection.name(), key.raw_id.clone()));
        let absent = || StoreError::not_found(Entity::QuarantinedRecord, format!("{}/{}", key.collection, key.raw_id));
        found.cloned().ok_or_else(absent)
    }

    async fn find_by_raw_id(&self, raw_id: &RecordId) -> Result<Vec<QuarantinedRecord>, StoreError> {
        let synced = lock(&self.synced);
        Ok(synced.quarantine.values().filter(|entry| entry.record.id == *raw_id).cloned().collect())
    }

    async fn list(
        &self,
        query: &QuarantineQuery,
        page: PageRequest<QuarantineKey>,
    ) -> Result<Page<QuarantinedRecord, QuarantineKey>, StoreError> {
        let synced = lock(&self.synced);
        let position = page.cursor().map(|key| (key.collection.name(), key.raw_id.clone()));
        let entries = synced.quarantine.iter();
        let after = entries.filter(|(key, _)| position.as_ref().is_none_or(|position| *key > position));
        let matching = after.map(|(_, entry)| entry).filter(|entry| matches(query, entry));
        let found = matching.take(page.limit() + 1).cloned().collect();
        Ok(Page::from_lookahead(found, page.limit(), QuarantinedRecord::key))
    }

    async fn count(&self, query: &QuarantineQuery) -> Result<u64, StoreError> {
        Ok(lock(&self.synced).quarantine.values().filter(|entry| matches(query, entry)).count() as u64)
    }

    async fn count_by_reason(&self) -> Result<Vec<ReasonCount>, StoreError> {
        let synced = lock(&self.synced);
        let mut by_reason = BTreeMap::new();
        for entry in synced.quarantine.values() {
            // A record that breaks a rule twice on a field is one record.
            let reasons: HashSet<_> = entry.reasons.iter().map(|reason| (&reason.rule, &reason.field)).collect();
            for (rule, field) in reasons {
                *by_reason.entry((entry.collection.name(), rule, field, entry.collection)).or_insert(0) += 1;
            }
        }
        let mut counts = Vec::with_capacity(by_reason.len());
        for ((_, rule, field, collection), n_records) in by_reason {
            counts.push(ReasonCount { collection, field: field.clone(), rule: rule.clone(), n_records });
        }
        counts.sort_by_key(|count| Reverse(count.n_records));
        Ok(counts)
    }
}

fn matches(query: &QuarantineQuery, entry: &QuarantinedRecord) -> bool {
    query.collection.is_none_or(|collection| collection == entry.collection)
        && query.data_type.as_ref().is_none_or(|data_type| *data_type == entry.record.data_type)
        && query.source_app.as_ref().is_none_or(|app| *app == entry.record.source_app)
        && query.rule.as_ref().is_none_or(|rule| entry.reasons.iter().any(|reason| reason.rule == *rule))
}
