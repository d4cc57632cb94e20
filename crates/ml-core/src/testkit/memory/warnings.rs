//! Warnings, in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::{MemorySql, lock};
use crate::error::StoreError;
use crate::page::{Page, PageRequest};
use crate::quarantine::ReasonCount;
use crate::warning::{RecordWarning, WarningKey, WarningQuery, WarningStore};

#[async_trait]
impl WarningStore for MemorySql {
    async fn list(
        &self,
        query: &WarningQuery,
        page: PageRequest<WarningKey>,
    ) -> Result<Page<RecordWarning, WarningKey>, StoreError> {
        let synced = lock(&self.synced);
        let position = page.cursor().map(|key| (key.collection.name(), key.raw_id.clone(), key.place));
        let after = synced.warnings.iter().filter(|(key, _)| position.as_ref().is_none_or(|position| *key > position));
        let matching = after.map(|(_, warning)| warning).filter(|warning| matches(query, warning));
        let found = matching.take(page.limit() + 1).cloned().collect();
        Ok(Page::from_lookahead(found, page.limit(), RecordWarning::key))
    }

    async fn count_records(&self, query: &WarningQuery) -> Result<u64, StoreError> {
        let synced = lock(&self.synced);
        let matching = synced.warnings.values().filter(|warning| matches(query, warning));
        let records: BTreeSet<_> = matching.map(|warning| (warning.collection, &warning.raw_id)).collect();
        Ok(records.len() as u64)
    }

    async fn count_by_reason(&self) -> Result<Vec<ReasonCount>, StoreError> {
        let synced = lock(&self.synced);
        let mut records: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for warning in synced.warnings.values() {
            let key = (warning.collection.name(), &warning.reason.rule, &warning.reason.field, warning.collection);
            records.entry(key).or_default().insert(&warning.raw_id);
        }
        let counts = records.into_iter().map(|((_, rule, field, collection), records)| ReasonCount {
            collection,
            field: field.clone(),
            rule: rule.clone(),
            n_records: records.len() as u64,
        });
        let mut counts: Vec<ReasonCount> = counts.collect();
        counts.sort_by_key(|count| Reverse(count.n_records));
        Ok(counts)
    }
}

fn matches(query: &WarningQuery, warning: &RecordWarning) -> bool {
    query.collection.is_none_or(|collection| collection == warning.collection)
        && query.rule.as_ref().is_none_or(|rule| *rule == warning.reason.rule)
}
