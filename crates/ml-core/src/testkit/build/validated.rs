//! Builds the rows of the validated tables.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{data_type, record_id, second, source_app};
use crate::digest::Digest;
use crate::global_data::GlobalRecord;
use crate::ground_truth::GroundTruth;
use crate::id::RecordId;
use crate::market_metric::MarketMetric;
use crate::user_interaction::UserInteraction;

/// Builds a [`GlobalRecord`].
#[derive(Debug, Clone)]
pub struct GlobalRecordBuilder(GlobalRecord);

/// Starts with the text `r1`, happened and known at [`second`] zero, made of the raw record `r1`.
pub fn a_global_record() -> GlobalRecordBuilder {
    GlobalRecordBuilder(GlobalRecord {
        id: record_id("r1"),
        source_app: source_app("newsroom"),
        data_type: data_type("text"),
        processed_content: Some("shares rose on monday".to_owned()),
        features: Map::from_iter([("n_words".to_owned(), json!(4))]),
        event_time: second(0),
        created_at: second(0),
        raw_id: record_id("r1"),
        content_hash: Digest::of(b""),
        schema_version: 1,
    })
}

setters!(GlobalRecordBuilder {
    /// Sets the application.
    source_app(app: &str) => source_app = source_app(app);
    /// Sets the data type.
    data_type(name: &str) => data_type = data_type(name);
    /// Sets or removes the main text.
    content(text: Option<&str>) => processed_content = text.map(ToOwned::to_owned);
    /// Sets the fields.
    features(features: Map<String, Value>) => features = features;
    /// Sets when it happened.
    event_time(instant: DateTime<Utc>) => event_time = instant;
    /// Sets when this version was first known.
    created_at(instant: DateTime<Utc>) => created_at = instant;
    /// Sets the raw record it was made from.
    raw_id(id: &str) => raw_id = record_id(id);
    /// Sets the version of the mapping.
    schema_version(version: i32) => schema_version = version;
});

impl GlobalRecordBuilder {
    /// Sets the id, and the raw record's to the same.
    #[must_use]
    pub fn id(mut self, id: &str) -> GlobalRecordBuilder {
        (self.0.id, self.0.raw_id) = same_ids(id);
        self
    }

    /// Returns the row with the hash of its content.
    pub fn build(self) -> GlobalRecord {
        let row = self.0;
        let content = json!([
            row.source_app,
            row.data_type,
            row.processed_content,
            row.features,
            row.event_time,
            row.schema_version
        ]);
        GlobalRecord { content_hash: Digest::of_json(&content), ..row }
    }
}

/// Builds a [`MarketMetric`].
#[derive(Debug, Clone)]
pub struct MarketMetricBuilder(MarketMetric);

/// Starts with the bar `r1` of `AAPL`, whole, happened and known at [`second`] zero.
pub fn a_market_metric() -> MarketMetricBuilder {
    MarketMetricBuilder(MarketMetric {
        id: record_id("r1"),
        source_app: source_app("exchange"),
        symbol: "AAPL".to_owned(),
        event_time: second(0),
        open: Some(187.15),
        high: Some(188.44),
        low: Some(183.885),
        close: 185.64,
        volume: Some(82_488_700.0),
        created_at: second(0),
        raw_id: record_id("r1"),
        content_hash: Digest::of(b""),
    })
}

setters!(MarketMetricBuilder {
    /// Sets the raw record's id alone.
    raw_id(id: &str) => raw_id = record_id(id);
    /// Sets the application.
    source_app(app: &str) => source_app = source_app(app);
    /// Sets the symbol.
    symbol(symbol: &str) => symbol = symbol.to_owned();
    /// Sets or removes the first price.
    open(price: Option<f64>) => open = price;
    /// Sets or removes the highest price.
    high(price: Option<f64>) => high = price;
    /// Sets or removes the lowest price.
    low(price: Option<f64>) => low = price;
    /// Sets the last price.
    close(price: f64) => close = price;
    /// Sets or removes the traded quantity.
    volume(quantity: Option<f64>) => volume = quantity;
    /// Sets the start of the bar.
    event_time(instant: DateTime<Utc>) => event_time = instant;
    /// Sets when this version was first known.
    created_at(instant: DateTime<Utc>) => created_at = instant;
});

impl MarketMetricBuilder {
    /// Sets the id, and the raw record's to the same.
    #[must_use]
    pub fn id(mut self, id: &str) -> MarketMetricBuilder {
        (self.0.id, self.0.raw_id) = same_ids(id);
        self
    }

    /// Returns the row with the hash of its content.
    pub fn build(self) -> MarketMetric {
        let row = self.0;
        let content =
            json!([row.source_app, row.symbol, row.event_time, row.open, row.high, row.low, row.close, row.volume]);
        MarketMetric { content_hash: Digest::of_json(&content), ..row }
    }
}

/// Builds a [`UserInteraction`].
#[derive(Debug, Clone)]
pub struct UserInteractionBuilder(UserInteraction);

/// Starts with `r1`: user `u1` viewed item `i1`, happened and known at [`second`] zero.
pub fn a_user_interaction() -> UserInteractionBuilder {
    UserInteractionBuilder(UserInteraction {
        id: record_id("r1"),
        source_app: source_app("shop"),
        user_id: "u1".to_owned(),
        item_id: "i1".to_owned(),
        action: "view".to_owned(),
        value: None,
        event_time: second(0),
        created_at: second(0),
        raw_id: record_id("r1"),
        content_hash: Digest::of(b""),
    })
}

setters!(UserInteractionBuilder {
    /// Sets the application.
    source_app(app: &str) => source_app = source_app(app);
    /// Sets who.
    user_id(user: &str) => user_id = user.to_owned();
    /// Sets with what.
    item_id(item: &str) => item_id = item.to_owned();
    /// Sets what was done.
    action(action: &str) => action = action.to_owned();
    /// Sets or removes how much.
    value(value: Option<f64>) => value = value;
    /// Sets when it happened.
    event_time(instant: DateTime<Utc>) => event_time = instant;
    /// Sets when this version was first known.
    created_at(instant: DateTime<Utc>) => created_at = instant;
});

impl UserInteractionBuilder {
    /// Sets the id, and the raw record's to the same.
    #[must_use]
    pub fn id(mut self, id: &str) -> UserInteractionBuilder {
        (self.0.id, self.0.raw_id) = same_ids(id);
        self
    }

    /// Returns the row with the hash of its content.
    pub fn build(self) -> UserInteraction {
        let row = self.0;
        let content = json!([row.source_app, row.user_id, row.item_id, row.action, row.value, row.event_time]);
        UserInteraction { content_hash: Digest::of_json(&content), ..row }
    }
}

/// Builds a [`GroundTruth`].
#[derive(Debug, Clone)]
pub struct GroundTruthBuilder(GroundTruth);

/// Starts with the label `up` of the target `direction` for the record `r1`, observed and known at [`second`] zero.
pub fn a_ground_truth() -> GroundTruthBuilder {
    GroundTruthBuilder(GroundTruth {
        record_id: record_id("r1"),
        target: "direction".to_owned(),
        value: json!("up"),
        observed_at: second(0),
        created_at: second(0),
        raw_id: record_id("truth-r1"),
        content_hash: Digest::of(b""),
    })
}

setters!(GroundTruthBuilder {
    /// Sets the target column.
    target(target: &str) => target = target.to_owned();
    /// Sets the true value.
    value(value: Value) => value = value;
    /// Sets when it was observed.
    observed_at(instant: DateTime<Utc>) => observed_at = instant;
    /// Sets when it was first known.
    created_at(instant: DateTime<Utc>) => created_at = instant;
    /// Sets the raw record it came in.
    raw_id(id: &str) => raw_id = record_id(id);
});

impl GroundTruthBuilder {
    /// Sets the record it is about, and the raw record it came in to `truth-` and that.
    #[must_use]
    pub fn record_id(mut self, id: &str) -> GroundTruthBuilder {
        self.0.record_id = record_id(id);
        self.0.raw_id = record_id(&format!("truth-{id}"));
        self
    }

    /// Returns the row with the hash of its content.
    pub fn build(self) -> GroundTruth {
        let row = self.0;
        let content = json!([row.target, row.value, row.observed_at]);
        GroundTruth { content_hash: Digest::of_json(&content), ..row }
    }
}

fn same_ids(id: &str) -> (RecordId, RecordId) {
    (record_id(id), record_id(id))
}
