//! The outbox, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{MemorySql, lock};
use crate::error::StoreError;
use crate::id::OutboxId;
use crate::outbox::{OutboxCounts, OutboxEntry, OutboxStore};

/// Entries by id.
pub(super) type Outbox = BTreeMap<OutboxId, OutboxEntry>;

/// Adds the entry, or replaces one that says something else; returns whether it waits because of that.
pub(super) fn put(outbox: &mut Outbox, entry: &OutboxEntry) -> bool {
    if outbox.get(&entry.id).is_some_and(|former| says_the_same(former, entry)) {
        return false;
    }
    outbox.insert(entry.id.clone(), OutboxEntry { delivered_at: None, ..entry.clone() });
    true
}

#[async_trait]
impl OutboxStore for MemorySql {
    async fn enqueue(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError> {
        let mut outbox = lock(&self.outbox);
        Ok(entries.iter().filter(|entry| put(&mut outbox, entry)).count() as u64)
    }

    async fn list_pending(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        let outbox = lock(&self.outbox);
        let waiting = outbox.values().filter(|entry| entry.delivered_at.is_none());
        let mut entries: Vec<OutboxEntry> = waiting.cloned().collect();
        entries.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        entries.truncate(limit);
        Ok(entries)
    }

    async fn mark_delivered(&self, entries: &[OutboxEntry], at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut outbox = lock(&self.outbox);
        for read in entries {
            let Some(entry) = outbox.get_mut(&read.id) else { continue };
            if says_the_same(entry, read) {
                entry.delivered_at = entry.delivered_at.or(Some(at));
            } else {
                entry.delivered_at = None;
            }
        }
        Ok(())
    }

    async fn counts(&self) -> Result<OutboxCounts, StoreError> {
        let outbox = lock(&self.outbox);
        let pending = outbox.values().filter(|entry| entry.delivered_at.is_none()).count() as u64;
        Ok(OutboxCounts { pending, delivered: outbox.len() as u64 - pending })
    }
}

fn says_the_same(one: &OutboxEntry, other: &OutboxEntry) -> bool {
    (one.action, &one.body) == (other.action, &other.body)
}
