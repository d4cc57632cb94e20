//! What a dataset is made of: which rows, which columns, and how they are split.

use chrono::{DateTime, Utc};
use ml_core::global_data::ValidatedQuery;
use ml_core::record::{DataType, SourceApp};
use serde::{Deserialize, Serialize};

use super::error::DatasetError;
use super::join::{self, FeatureSource};
use super::split::SplitRule;

/// The table that the rows come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "table", rename_all = "snake_case", deny_unknown_fields)]
pub enum DatasetSource {
    /// Records of one data type.
    GlobalMlData {
        /// The data type.
        data_type: DataType,
    },
    // Braces, because serde checks a variant without fields for unknown ones only when it is written so.
    /// Bars of market prices.
    MarketMetrics {},
    /// Events between users and items.
    UserInteractions {},
}

impl DatasetSource {
    /// Returns the table that rows of `data_type` are in, where the types called like a table are in that table.
    pub fn of_data_type(data_type: DataType) -> DatasetSource {
        match data_type.as_str() {
            "market_metrics" => DatasetSource::MarketMetrics {},
            "user_interactions" => DatasetSource::UserInteractions {},
            _ => DatasetSource::GlobalMlData { data_type },
        }
    }

    /// Returns the name of the table.
    pub fn table(&self) -> &'static str {
        match self {
            DatasetSource::GlobalMlData { .. } => "global_ml_data",
            DatasetSource::MarketMetrics {} => "market_metrics",
            DatasetSource::UserInteractions {} => "user_interactions",
        }
    }

    /// Returns the data type that is asked for, where the table holds several.
    pub fn data_type(&self) -> Option<&DataType> {
        match self {
            DatasetSource::GlobalMlData { data_type } => Some(data_type),
            DatasetSource::MarketMetrics {} | DatasetSource::UserInteractions {} => None,
        }
    }
}

/// Query, time range, columns and split rule of a dataset. Kept with each version; an absent bound does not restrict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetSpec {
    /// The table, and the data type in it.
    pub source: DatasetSource,
    /// From this application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_app: Option<SourceApp>,
    /// Happened at or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_from: Option<DateTime<Utc>>,
    /// Happened before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_before: Option<DateTime<Utc>>,
    /// These columns of the rows in this order, after `id`, `event_time` and `split`; all there are where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Feature sources whose values are joined to the rows, after their columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub join: Vec<FeatureSource>,
    /// How the rows are split.
    #[serde(default)]
    pub split: SplitRule,
}

impl DatasetSpec {
    /// Asks for every row and column of `source`, all for training.
    pub fn new(source: DatasetSource) -> DatasetSpec {
        DatasetSpec {
            source,
            source_app: None,
            event_from: None,
            event_before: None,
            columns: None,
            join: Vec::new(),
            split: SplitRule::None {},
        }
    }

    /// Refuses what no row could satisfy.
    ///
    /// # Errors
    /// [`DatasetError::InvalidSpec`] for an empty time range, an empty list of columns, feature sources that are in each other's
    /// way, or a split rule that contradicts itself.
    pub fn check(&self) -> Result<(), DatasetError> {
        if let (Some(from), Some(before)) = (self.event_from, self.event_before)
            && from >= before
        {
            let reason = format!("no event is at or after {from} and before {before}: give a later end");
            return Err(DatasetError::InvalidSpec { reason });
        }
        if self.columns.as_ref().is_some_and(Vec::is_empty) {
            let reason = "the list of columns is empty: leave it out to get all of them".to_owned();
            return Err(DatasetError::InvalidSpec { reason });
        }
        join::check(&self.join)?;
        self.split.check()
    }

    /// Returns the query for the rows as they were known at `as_of`.
    pub(super) fn query(&self, as_of: DateTime<Utc>) -> ValidatedQuery {
        ValidatedQuery {
            data_type: self.source.data_type().cloned(),
            source_app: self.source_app.clone(),
            event_from: self.event_from,
            event_before: self.event_before,
            known_by: Some(as_of),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_spec_is_read_as_it_is_written() {
        let text = json!({
            "source": {"table": "global_ml_data", "data_type": "text"},
            "event_from": "2024-01-01T00:00:00Z",
            "columns": ["label", "text"],
            "split": {"by": "stratified", "column": "label", "seed": 7, "fractions": {"train": 0.8, "test": 0.2}},
        });
        let spec: DatasetSpec = serde_json::from_value(text).unwrap();
        assert_eq!(spec.source, DatasetSource::of_data_type(DataType::parse("text").unwrap()));
        let again = serde_json::from_value(serde_json::to_value(&spec).unwrap()).unwrap();
        assert_eq!(spec, again);
    }

    #[test]
    fn unknown_keys_are_refused_at_every_level() {
        for text in [
            r#"{"source": {"table": "market_metrics"}, "colums": []}"#,
            r#"{"source": {"table": "market_metrics", "data_type": "text"}}"#,
            r#"{"source": {"table": "market_metrics"}, "split": {"by": "none", "seed": 1}}"#,
            r#"{"source": {"table": "market_metrics"}, "split": {"by": "column", "column": "a", "seed": 1}}"#,
        ] {
            assert!(serde_json::from_str::<DatasetSpec>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_range_is_refused() {
        let mut spec = DatasetSpec::new(DatasetSource::MarketMetrics {});
        spec.event_from = Some("2024-01-02T00:00:00Z".parse().unwrap());
        spec.event_before = spec.event_from;
        assert!(spec.check().is_err());
    }
}
