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

#[async_trait]
impl OutboxStore for MemorySql {
    async fn enqueue(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError> {
        let mut outbox = lock(&self.outbox);
        let mut n_waiting = 0;
        for entry in entries {
            if outbox.get(&entry.id).is_some_and(|former| former.body == entry.body) {
                continue;
            }
            outbox.insert(entry.id.clone(), OutboxEntry { delivered_at: None, ..entry.clone() });
            n_waiting += 1;
        }
        Ok(n_waiting)
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
            if entry.body == read.body && entry.delivered_at.is_none() {
                entry.delivered_at = Some(at);
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
