//! Validated bars of market prices.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::global_data::ValidatedQuery;
use crate::id::RecordId;
use crate::page::{Page, PageRequest};
use crate::record::SourceApp;

/// A row of `market_metrics`: one bar of one symbol. Prices are in the currency of the source, and finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarketMetric {
    /// Unique within the table; made of the raw record's collection and id.
    pub id: RecordId,
    /// The application the record came from.
    pub source_app: SourceApp,
    /// The traded symbol, such as `AAPL`.
    pub symbol: String,
    /// The start of the bar.
    pub event_time: DateTime<Utc>,
    /// First price.
    pub open: Option<f64>,
    /// Highest price.
    pub high: Option<f64>,
    /// Lowest price.
    pub low: Option<f64>,
    /// Last price.
    pub close: f64,
    /// Traded quantity, in units of the symbol.
    pub volume: Option<f64>,
    /// When this version of the row was first known here; as-of reads compare with it.
    pub created_at: DateTime<Utc>,
    /// The raw record it was made from.
    pub raw_id: RecordId,
    /// The digest of everything above but the ids and `created_at`.
    pub content_hash: Digest,
}

/// Reads `market_metrics`; rows come in through [`crate::sync::SyncStore::commit`] alone.
#[async_trait]
pub trait MarketMetricStore: Send + Sync {
    /// Lists matching rows by ascending id, in the order of its bytes, each in the version that the query's as-of bound selects.
    async fn list(
        &self,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<MarketMetric, RecordId>, StoreError>;

    /// Counts matching rows.
    async fn count(&self, query: &ValidatedQuery) -> Result<u64, StoreError>;
}
