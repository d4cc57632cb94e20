//! Rows of `market_metrics`.

use serde::{Deserialize, Serialize};

use ml_core::market_metric::MarketMetric;

use super::Origin;
use super::columns::{event_time, number, optional_number, text};
use super::row_hash::RowHash;
use crate::field::{FieldList, Fields};
use crate::reason::Reasons;

/// Arguments of [`super::Target::MarketMetrics`]: the fields that each column may come from. `symbol` and `close` are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketTarget {
    /// The traded symbol.
    pub symbol: FieldList,
    /// The start of the bar.
    pub event_time: FieldList,
    /// First price.
    #[serde(default)]
    pub open: FieldList,
    /// Highest price.
    #[serde(default)]
    pub high: FieldList,
    /// Lowest price.
    #[serde(default)]
    pub low: FieldList,
    /// Last price.
    pub close: FieldList,
    /// Traded quantity.
    #[serde(default)]
    pub volume: FieldList,
}

impl MarketTarget {
    pub(super) fn map(&self, origin: &Origin<'_>, fields: &Fields, reasons: &mut Reasons) -> Option<MarketMetric> {
        // Every column is read before the first fault returns, so that all faults are found.
        let symbol = text("symbol", &self.symbol, fields, reasons);
        let event_time = event_time(origin, &self.event_time, fields, reasons);
        let open = optional_number(&self.open, fields, reasons);
        let high = optional_number(&self.high, fields, reasons);
        let low = optional_number(&self.low, fields, reasons);
        let close = number("close", &self.close, fields, reasons);
        let volume = optional_number(&self.volume, fields, reasons);
        let (symbol, event_time, close) = (symbol?, event_time?, close?);
        let (open, high, low, volume) = (open?, high?, low?, volume?);
        let record = origin.record;
        let content_hash = RowHash::new()
            .text(record.source_app.as_str())
            .text(&symbol)
            .optional_instant(event_time.is_given.then_some(event_time.instant))
            .optional_number(open)
            .optional_number(high)
            .optional_number(low)
            .optional_number(Some(close))
            .optional_number(volume)
            .finish();
        Some(MarketMetric {
            id: origin.row_id(),
            source_app: record.source_app.clone(),
            symbol,
            event_time: event_time.instant,
            open,
            high,
            low,
            close,
            volume,
            created_at: record.ingested_at,
            raw_id: record.id.clone(),
            content_hash,
        })
    }
}
