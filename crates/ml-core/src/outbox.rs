//! SQL → document: publications that wait until the document store has them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;
use crate::id::OutboxId;
use crate::result::ResultKind;

/// What is to be done with the document of a publication.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxAction {
    /// Write it.
    #[default]
    Put,
    /// Delete it.
    Delete,
}

impl OutboxAction {
    /// All actions.
    pub const ALL: [OutboxAction; 2] = [OutboxAction::Put, OutboxAction::Delete];

    /// Returns the name on disk.
    pub fn name(self) -> &'static str {
        match self {
            OutboxAction::Put => "put",
            OutboxAction::Delete => "delete",
        }
    }

    /// Returns the action called `name` on disk.
    pub fn find_by_name(name: &str) -> Option<OutboxAction> {
        OutboxAction::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// A row of `outbox`. The same publication always has the same id, so that a second delivery changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Identifies the publication; also the `_id` of the document it becomes.
    pub id: OutboxId,
    /// Which collection it goes to.
    pub kind: ResultKind,
    /// Whether the document is written or deleted.
    #[serde(default)]
    pub action: OutboxAction,
    /// The document; `null` when it is deleted.
    pub body: Value,
    /// When it was put here.
    pub created_at: DateTime<Utc>,
    /// When it was delivered; absent while it waits.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// How full the outbox is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OutboxCounts {
    /// Entries that wait.
    pub pending: u64,
    /// Entries that were delivered.
    pub delivered: u64,
}

/// Publications in order of arrival.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Adds entries in one transaction and returns how many wait because of it.
    ///
    /// An id that is there with the same action and body is left as it is, delivered or not; with another it is replaced and
    /// waits again. Of entries with the same id the last wins.
    async fn enqueue(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError>;

    /// Returns up to `limit` waiting entries, oldest `created_at` first, then by id.
    async fn list_pending(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError>;

    /// Marks these entries delivered; ids that are unknown or delivered already are passed over. The entries are given as they
    /// were read: one whose action or body was replaced meanwhile waits, even if someone else has delivered it, for what was
    /// read may just have been written over that.
    async fn mark_delivered(&self, entries: &[OutboxEntry], at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Counts the entries.
    async fn counts(&self) -> Result<OutboxCounts, StoreError>;
}
