//! Validated events between a user and an item.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::global_data::ValidatedQuery;
use crate::id::RecordId;
use crate::page::{Page, PageRequest};
use crate::record::SourceApp;

/// A row of `user_interactions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserInteraction {
    /// Unique within the table; made of the raw record's collection and id.
    pub id: RecordId,
    /// The application the record came from.
    pub source_app: SourceApp,
    /// Who.
    pub user_id: String,
    /// With what.
    pub item_id: String,
    /// Did what: `view`, `click`, `purchase`, …
    pub action: String,
    /// How much: a rating, a quantity, an amount. Finite.
    pub value: Option<f64>,
    /// When it happened.
    pub event_time: DateTime<Utc>,
    /// When this version of the row was first known here; as-of reads compare with it.
    pub created_at: DateTime<Utc>,
    /// The raw record it was made from.
    pub raw_id: RecordId,
    /// The digest of everything above but the ids and `created_at`.
    pub content_hash: Digest,
}

/// Reads `user_interactions`; rows come in through [`crate::sync::SyncStore::commit`] alone.
#[async_trait]
pub trait UserInteractionStore: Send + Sync {
    /// Lists matching rows by ascending id, in the order of its bytes, each in the version that the query's as-of bound selects.
    async fn list(
        &self,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<UserInteraction, RecordId>, StoreError>;

    /// Counts matching rows.
    async fn count(&self, query: &ValidatedQuery) -> Result<u64, StoreError>;
}
