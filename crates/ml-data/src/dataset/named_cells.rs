//! Rows of any store as cells by name: what rows are joined by, and what a feature source has to give.

use chrono::{DateTime, Utc};
use ml_core::global_data::GlobalRecord;
use ml_core::market_metric::MarketMetric;
use ml_core::user_interaction::UserInteraction;

use super::cells::Cell;
use super::{EVENT_TIME_COLUMN, FEATURE_PREFIX, ID_COLUMN, TEXT_COLUMN};
use crate::instant::print_instant;

/// A row with an id, an event time, a known time and named cells.
pub(super) trait NamedCells {
    fn id(&self) -> &str;
    fn event_time(&self) -> DateTime<Utc>;
    /// When the platform first had this version.
    fn known_time(&self) -> DateTime<Utc>;
    /// Returns the cell that a dataset of these rows has in the column `name`; id and event time excepted.
    fn column(&self, name: &str) -> Cell;
    /// Shows the name of every column but id and event time, each once, those that are missing in this row included where every
    /// row has a place for them.
    fn for_each_name<'a>(&'a self, see: &mut dyn FnMut(&'a str));

    /// Returns the cell called `name`: a column, the id, or the event time as text.
    fn cell(&self, name: &str) -> Cell {
        match name {
            ID_COLUMN => Cell::Text(self.id().to_owned()),
            EVENT_TIME_COLUMN => Cell::Text(print_instant(self.event_time())),
            _ => self.column(name),
        }
    }
}

impl NamedCells for GlobalRecord {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn event_time(&self) -> DateTime<Utc> {
        self.event_time
    }

    fn known_time(&self) -> DateTime<Utc> {
        self.created_at
    }

    fn column(&self, name: &str) -> Cell {
        if let (TEXT_COLUMN, Some(text)) = (name, &self.processed_content) {
            return Cell::Text(text.clone());
        }
        let unprefixed = || self.features.get(name.strip_prefix(FEATURE_PREFIX)?);
        let found = self.features.get(name).or_else(unprefixed);
        found.map_or(Cell::Missing, |value| Cell::from_json(value.clone()))
    }

    fn for_each_name<'a>(&'a self, see: &mut dyn FnMut(&'a str)) {
        let has_text = self.processed_content.is_some();
        if has_text {
            see(TEXT_COLUMN);
        }
        for name in self.features.keys() {
            see(match name.as_str() {
                ID_COLUMN => "feature.id",
                EVENT_TIME_COLUMN => "feature.event_time",
                TEXT_COLUMN if has_text => "feature.text",
                name => name,
            });
        }
    }
}

/// The columns of prices.
pub(super) const PRICE_COLUMNS: [&str; 5] = ["open", "high", "low", "close", "volume"];

impl NamedCells for MarketMetric {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn event_time(&self) -> DateTime<Utc> {
        self.event_time
    }

    fn known_time(&self) -> DateTime<Utc> {
        self.created_at
    }

    fn column(&self, name: &str) -> Cell {
        let number = |value: Option<f64>| value.map_or(Cell::Missing, Cell::Number);
        match name {
            "symbol" => Cell::Text(self.symbol.clone()),
            "open" => number(self.open),
            "high" => number(self.high),
            "low" => number(self.low),
            "close" => Cell::Number(self.close),
            "volume" => number(self.volume),
            _ => Cell::Missing,
        }
    }

    fn for_each_name<'a>(&'a self, see: &mut dyn FnMut(&'a str)) {
        see("symbol");
        PRICE_COLUMNS.into_iter().for_each(see);
    }
}

impl NamedCells for UserInteraction {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn event_time(&self) -> DateTime<Utc> {
        self.event_time
    }

    fn known_time(&self) -> DateTime<Utc> {
        self.created_at
    }

    fn column(&self, name: &str) -> Cell {
        match name {
            "user_id" => Cell::Text(self.user_id.clone()),
            "item_id" => Cell::Text(self.item_id.clone()),
            "action" => Cell::Text(self.action.clone()),
            "value" => self.value.map_or(Cell::Missing, Cell::Number),
            _ => Cell::Missing,
        }
    }

    fn for_each_name<'a>(&'a self, see: &mut dyn FnMut(&'a str)) {
        ["user_id", "item_id", "action", "value"].into_iter().for_each(see);
    }
}

#[cfg(test)]
mod tests {
    use ml_core::testkit::build::{a_global_record, a_market_metric};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_name_leads_to_its_cell() {
        let features = json!({"id": 1, "text": "teaser", "split": "a", "n": 2.5});
        let record = a_global_record().content(Some("whole")).features(features.as_object().unwrap().clone()).build();
        let mut cells = Vec::new();
        record.for_each_name(&mut |name| cells.push((name.to_owned(), record.column(name))));
        let expected = [
            ("text", Cell::Text("whole".to_owned())),
            ("feature.id", Cell::Integer(1)),
            ("n", Cell::Number(2.5)),
            ("split", Cell::Text("a".to_owned())),
            ("feature.text", Cell::Text("teaser".to_owned())),
        ];
        assert_eq!(cells, expected.map(|(name, cell)| (name.to_owned(), cell)));
        assert_eq!(record.cell("id"), Cell::Text("r1".to_owned()));
        assert_eq!(record.cell("event_time"), Cell::Text("2026-01-05T00:00:00Z".to_owned()));
        assert_eq!(record.cell("absent"), Cell::Missing);
    }

    #[test]
    fn prices_that_are_missing_have_a_name_too() {
        let metric = a_market_metric().open(None).build();
        let mut n_names = 0;
        metric.for_each_name(&mut |_| n_names += 1);
        assert_eq!((n_names, metric.column("open")), (6, Cell::Missing));
    }
}
