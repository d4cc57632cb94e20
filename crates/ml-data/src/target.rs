//! Targets: the table that a normalised record is mapped to, and which field becomes which column.
//!
//! A column names one field or several; the first that holds something is taken. A missing column that the table needs, and
//! a value that the column cannot hold, are reasons for quarantine like a broken rule.

mod child_rows;
mod columns;
mod global_data;
mod ground_truth;
mod market_metric;
mod row_hash;
mod user_interaction;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use ml_core::digest::Digest;
use ml_core::id::{MAX_ID_BYTES, RecordId};
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::ValidatedRow;

use crate::dataset::{EVENT_TIME_COLUMN, TEXT_COLUMN};
use crate::field::{FieldList, FieldPath, Fields};
use crate::reason::Reasons;

pub use self::child_rows::ChildRows;
pub use self::global_data::GlobalTarget;
pub use self::ground_truth::GroundTruthTarget;
pub use self::market_metric::MarketTarget;
pub use self::user_interaction::InteractionTarget;

/// A table and its columns, written with the name of the table under `table`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "table", rename_all = "snake_case")]
pub enum Target {
    /// Any record: a main text and features by name.
    GlobalMlData(GlobalTarget),
    /// Bars of market prices.
    MarketMetrics(MarketTarget),
    /// Events between a user and an item.
    UserInteractions(InteractionTarget),
    /// What turned out to be true.
    GroundTruth(GroundTruthTarget),
}

/// A target, and the array whose items become its rows, where one is declared under `rows`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The table and its columns.
    pub target: Target,
    /// The array that becomes rows.
    pub children: Option<ChildRows>,
}

impl<'de> Deserialize<'de> for Mapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Mapping, D::Error> {
        use serde::de::Error as _;
        let mut value = Value::deserialize(deserializer)?;
        let rows = value.as_object_mut().and_then(|target| target.remove("rows"));
        let target = Target::deserialize(value).map_err(D::Error::custom)?;
        let fault = |error| D::Error::custom(format!("rows: {error}"));
        let children = rows.map(ChildRows::deserialize).transpose().map_err(fault)?;
        let key = children.as_ref().and_then(|children| children.key.clone());
        let fault_of_key =
            FieldList::new(key.into_iter().collect()).plural_fault().map(|fault| format!("rows.key: {fault}"));
        if let Some(fault) = children.as_ref().and_then(ChildRows::fault).or(fault_of_key).or_else(|| target.fault()) {
            return Err(D::Error::custom(fault));
        }
        Ok(Mapping { target, children })
    }
}

/// Where a row comes from.
pub(crate) struct Origin<'a> {
    /// The collection of the record.
    pub(crate) collection: Collection,
    /// The record as it was sent.
    pub(crate) record: &'a RawRecord,
    /// The field that the sender named as the event time.
    pub(crate) event_time_field: Option<FieldPath>,
    /// What the row has of the id of the record: all of it, and more where items are rows.
    pub(crate) raw_id: Cow<'a, str>,
    /// The version of the mapping.
    pub(crate) version: i32,
}

impl Target {
    /// Returns the row, or nothing with at least one reason. `created_at` is the time of ingest until the row is committed.
    pub(crate) fn map(&self, origin: &Origin<'_>, fields: Fields, reasons: &mut Reasons) -> Option<ValidatedRow> {
        match self {
            Target::GlobalMlData(target) => target.map(origin, fields, reasons).map(ValidatedRow::Global),
            Target::MarketMetrics(target) => target.map(origin, &fields, reasons).map(ValidatedRow::MarketMetric),
            Target::UserInteractions(target) => target.map(origin, &fields, reasons).map(ValidatedRow::UserInteraction),
            Target::GroundTruth(target) => target.map(origin, &fields, reasons).map(ValidatedRow::GroundTruth),
        }
    }
}

impl Target {
    /// Returns what is wrong with the columns, beyond what their types can say.
    fn fault(&self) -> Option<String> {
        let features = match self {
            Target::GlobalMlData(target) => target.features.as_ref(),
            _ => None,
        };
        features.into_iter().chain(self.columns().into_iter().map(|(_, names)| names)).find_map(FieldList::plural_fault)
    }

    /// Returns the columns that a dataset of the table has under a name of its own, each with the fields it may come from.
    pub(crate) fn columns(&self) -> Vec<(&'static str, &FieldList)> {
        match self {
            Target::GlobalMlData(target) => {
                vec![(TEXT_COLUMN, &target.content), (EVENT_TIME_COLUMN, &target.event_time)]
            }
            Target::MarketMetrics(target) => vec![
                ("symbol", &target.symbol),
                (EVENT_TIME_COLUMN, &target.event_time),
                ("open", &target.open),
                ("high", &target.high),
                ("low", &target.low),
                ("close", &target.close),
                ("volume", &target.volume),
            ],
            Target::UserInteractions(target) => vec![
                ("user_id", &target.user_id),
                ("item_id", &target.item_id),
                ("action", &target.action),
                ("value", &target.value),
                (EVENT_TIME_COLUMN, &target.event_time),
            ],
            Target::GroundTruth(_) => Vec::new(),
        }
    }
}

/// Returns the id of the row that a record becomes, where it becomes one.
pub(crate) fn row_id(collection: Collection, raw_id: &str) -> RecordId {
    let collection = collection.name();
    let id = if collection.len() + 1 + raw_id.len() <= MAX_ID_BYTES {
        format!("{collection}:{raw_id}")
    } else {
        format!("{collection}:sha256:{}", Digest::of(raw_id.as_bytes()))
    };
    // The key of an item may hold what an id may not.
    RecordId::parse(id)
        .or_else(|_| RecordId::parse(format!("{collection}:sha256:{}", Digest::of(raw_id.as_bytes()))))
        .expect("a collection and a digest are an id")
}

impl Origin<'_> {
    /// Returns the id of the row: `<collection>:<raw id>`, with `#<item>` where it is one of several, or the digest of what stands
    /// behind the collection where that would be too long.
    fn row_id(&self) -> RecordId {
        row_id(self.collection, &self.raw_id)
    }
}
