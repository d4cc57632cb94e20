//! Rows of a store turned into columns, page by page.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ml_core::clock::to_microseconds;
use ml_core::global_data::GlobalRecord;
use ml_core::market_metric::MarketMetric;
use ml_core::table::{Column, ColumnValues, Table, TableError};
use ml_core::user_interaction::UserInteraction;

use super::cells::{Cell, ColumnCells};
use super::{EVENT_TIME_COLUMN, FEATURE_PREFIX, ID_COLUMN, SPLIT_COLUMN, TEXT_COLUMN};

/// Which columns to keep.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    All,
    /// These; features by their own name, with or without [`FEATURE_PREFIX`].
    Only(Vec<String>),
}

impl Wanted {
    fn keeps(&self, name: &str) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Only(names) => names.iter().any(|wanted| {
                wanted == name || wanted.strip_prefix(FEATURE_PREFIX).is_some_and(|feature| feature == name)
            }),
        }
    }
}

/// The columns of the rows read so far. It holds values, not records: memory is that of the table it becomes.
#[derive(Debug)]
pub(super) struct RowCollector {
    wanted: Wanted,
    ids: Vec<Option<String>>,
    event_times: Vec<Option<DateTime<Utc>>>,
    text: Option<ColumnCells>,
    /// The columns that every row of the source has, in the order of its table.
    fixed: Vec<(&'static str, ColumnCells)>,
    /// By name; a column that is not wanted is remembered without its values.
    features: BTreeMap<String, Option<ColumnCells>>,
}

impl RowCollector {
    /// Starts without rows for a source with these columns of its own.
    fn new(wanted: Wanted, fixed: Vec<(&'static str, ColumnCells)>) -> RowCollector {
        let (ids, event_times) = (Vec::new(), Vec::new());
        RowCollector { wanted, ids, event_times, text: None, fixed, features: BTreeMap::new() }
    }

    /// Starts without rows, for global records.
    pub(super) fn of_global_records(wanted: Wanted) -> RowCollector {
        RowCollector::new(wanted, Vec::new())
    }

    /// Starts without rows, for market metrics.
    pub(super) fn of_market_metrics(wanted: Wanted) -> RowCollector {
        let mut fixed = vec![("symbol", ColumnCells::new())];
        fixed.extend(["open", "high", "low", "close", "volume"].map(|name| (name, ColumnCells::numbers())));
        RowCollector::new(wanted, fixed)
    }

    /// Starts without rows, for user interactions.
    pub(super) fn of_user_interactions(wanted: Wanted) -> RowCollector {
        let mut fixed: Vec<_> = ["user_id", "item_id", "action"].map(|name| (name, ColumnCells::new())).into();
        fixed.push(("value", ColumnCells::numbers()));
        RowCollector::new(wanted, fixed)
    }

    /// Returns the number of rows so far.
    pub(super) fn n_rows(&self) -> usize {
        self.ids.len()
    }

    /// Adds a global record.
    pub(super) fn push_global_record(&mut self, record: GlobalRecord) {
        let row = self.begin_row(record.id.into(), record.event_time);
        if let Some(text) = record.processed_content {
            let column = self.text.get_or_insert_with(ColumnCells::new);
            if self.wanted.keeps(TEXT_COLUMN) {
                column.set(row, Cell::Text(text));
            }
        }
        for (name, value) in record.features {
            if let Some(column) = self.feature(name) {
                column.set(row, Cell::from_json(value));
            }
        }
    }

    /// Adds a market metric.
    pub(super) fn push_market_metric(&mut self, metric: MarketMetric) {
        let row = self.begin_row(metric.id.into(), metric.event_time);
        let prices = [metric.open, metric.high, metric.low, Some(metric.close), metric.volume];
        let cells = prices.into_iter().map(|price| price.map_or(Cell::Missing, Cell::Number));
        self.set_fixed(row, std::iter::once(Cell::Text(metric.symbol)).chain(cells));
    }

    /// Adds a user interaction.
    pub(super) fn push_user_interaction(&mut self, interaction: UserInteraction) {
        let row = self.begin_row(interaction.id.into(), interaction.event_time);
        let texts = [interaction.user_id, interaction.item_id, interaction.action].map(Cell::Text);
        let value = interaction.value.map_or(Cell::Missing, Cell::Number);
        self.set_fixed(row, texts.into_iter().chain([value]));
    }

    /// Returns the table: id, event time, text if any row has one, then the columns of the source and the features by name.
    ///
    /// A feature that is called like one of the leading columns has [`FEATURE_PREFIX`] before its name.
    pub(super) fn finish(self) -> Result<Table, TableError> {
        let n_rows = self.ids.len();
        let mut columns = vec![
            Column { name: ID_COLUMN.to_owned(), values: ColumnValues::Text(self.ids) },
            Column { name: EVENT_TIME_COLUMN.to_owned(), values: ColumnValues::Time(self.event_times) },
        ];
        let has_text = self.text.is_some();
        if let Some(text) = self.text.filter(|_| self.wanted.keeps(TEXT_COLUMN)) {
            columns.push(Column { name: TEXT_COLUMN.to_owned(), values: text.finish(n_rows) });
        }
        for (name, cells) in self.fixed {
            columns.push(Column { name: name.to_owned(), values: cells.finish(n_rows) });
        }
        for (name, cells) in self.features {
            let Some(cells) = cells else { continue };
            columns.push(Column { name: column_name(name, has_text), values: cells.finish(n_rows) });
        }
        Table::new(columns)
    }

    /// Returns every column name that a spec may use, whether it is wanted or not, in the order of the table.
    pub(super) fn known_columns(&self) -> Vec<String> {
        let has_text = self.text.is_some();
        let leading = [ID_COLUMN, EVENT_TIME_COLUMN, SPLIT_COLUMN].into_iter().chain(has_text.then_some(TEXT_COLUMN));
        let fixed = self.fixed.iter().map(|(name, _)| *name);
        let features = self.features.keys().map(|name| column_name(name.clone(), has_text));
        leading.chain(fixed).map(str::to_owned).chain(features).collect()
    }

    fn begin_row(&mut self, id: String, event_time: DateTime<Utc>) -> usize {
        self.ids.push(Some(id));
        self.event_times.push(Some(to_microseconds(event_time)));
        self.ids.len() - 1
    }

    fn set_fixed(&mut self, row: usize, cells: impl Iterator<Item = Cell>) {
        for ((_, column), cell) in self.fixed.iter_mut().zip(cells) {
            column.set(row, cell);
        }
    }

    fn feature(&mut self, name: String) -> Option<&mut ColumnCells> {
        let wanted = &self.wanted;
        let column = self.features.entry(name).or_insert_with_key(|name| wanted.keeps(name).then(ColumnCells::new));
        column.as_mut()
    }
}

fn column_name(feature: String, has_text: bool) -> String {
    let is_taken = match feature.as_str() {
        ID_COLUMN | EVENT_TIME_COLUMN | SPLIT_COLUMN => true,
        TEXT_COLUMN => has_text,
        _ => false,
    };
    if is_taken { format!("{FEATURE_PREFIX}{feature}") } else { feature }
}
