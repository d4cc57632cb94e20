//! Which columns a feature source gives, and the cells of its values on their way through the sorts.

use std::collections::{BTreeSet, HashMap};

use ml_core::table::Column;

use super::codec::{Garbled, Reader, put_cell};
use super::feature_source::{FeatureOrigin, FeatureSource};
use crate::dataset::cells::{Cell, ColumnCells};
use crate::dataset::error::DatasetError;
use crate::dataset::named_cells::{NamedCells, PRICE_COLUMNS};
use crate::dataset::spec::DatasetSource;
use crate::dataset::{EVENT_TIME_COLUMN, FEATURE_PREFIX, ID_COLUMN};

/// The columns of a source: those that are asked for, or all that its values turn out to have.
#[derive(Debug)]
pub(super) struct FeatureColumns {
    source: FeatureSource,
    /// By number.
    names: Vec<String>,
    numbers: HashMap<String, u32>,
    /// Every name that a value had.
    seen: BTreeSet<String>,
}

impl FeatureColumns {
    pub(super) fn new(source: FeatureSource) -> FeatureColumns {
        let mut columns = FeatureColumns { source, names: Vec::new(), numbers: HashMap::new(), seen: BTreeSet::new() };
        for name in columns.source.columns.clone().unwrap_or_default() {
            columns.number_of(&name);
        }
        columns
    }

    pub(super) fn source(&self) -> &FeatureSource {
        &self.source
    }

    /// Appends the cells of `value` that are wanted and there, each after the number of its column.
    pub(super) fn encode(&mut self, value: &impl NamedCells, bytes: &mut Vec<u8>) {
        let mut put = |number: u32, cell: Cell| {
            if cell != Cell::Missing {
                bytes.extend_from_slice(&number.to_be_bytes());
                put_cell(bytes, &cell);
            }
        };
        value.for_each_name(&mut |name| {
            if !self.seen.contains(name) {
                self.seen.insert(name.to_owned());
            }
            if self.source.columns.is_none() && !self.source.on.iter().any(|key| key.right == name) {
                put(self.number_of(name), value.column(name));
            }
        });
        if self.source.columns.is_some() {
            for (name, number) in self.names.iter().zip(0..) {
                put(number, value.cell(name));
            }
        }
    }

    fn number_of(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).expect("no record has four billion fields");
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// Refuses columns that no value has, where there are values.
    pub(super) fn check(&self) -> Result<(), DatasetError> {
        let keys = self.source.on.iter().map(|key| (&key.right, "to join by"));
        let wanted = self.source.columns.iter().flatten().map(|column| (column, "to keep"));
        for (column, purpose) in keys.chain(wanted) {
            if !self.seen.is_empty() && !self.is_known(column) {
                let (name, column) = (self.source.name.clone(), column.clone());
                let known = self.seen.iter().cloned().collect();
                return Err(DatasetError::UnknownFeature { name, column, purpose, known });
            }
        }
        Ok(())
    }

    fn is_known(&self, column: &str) -> bool {
        let feature = column.strip_prefix(FEATURE_PREFIX).unwrap_or(column);
        let is_in_every_row = [ID_COLUMN, EVENT_TIME_COLUMN].contains(&column);
        is_in_every_row || self.seen.contains(column) || self.seen.contains(feature)
    }

    /// Starts to put cells back into columns.
    pub(super) fn decoder(self) -> Decoder {
        let cells = self.names.iter().map(|name| empty_cells(&self.source.origin, name)).collect();
        Decoder { columns: self, cells }
    }
}

/// Puts the cells of rows into columns.
#[derive(Debug)]
pub(super) struct Decoder {
    columns: FeatureColumns,
    cells: Vec<ColumnCells>,
}

impl Decoder {
    /// Sets the cells of `row`; rows come in ascending order.
    pub(super) fn set(&mut self, row: usize, value: &[u8]) -> Result<(), Garbled> {
        let mut reader = Reader::new(value);
        while !reader.is_at_end() {
            let number = reader.number()? as usize;
            let cell = reader.cell()?;
            self.cells.get_mut(number).ok_or(Garbled)?.set(row, cell);
        }
        Ok(())
    }

    /// Returns the columns with `n_rows` values each: in the order of the spec, or by name.
    pub(super) fn finish(self, n_rows: usize) -> Vec<Column> {
        let Decoder { columns: FeatureColumns { source, names, .. }, cells } = self;
        let named = names.into_iter().zip(cells);
        let mut columns: Vec<Column> = named
            .map(|(name, cells)| Column { name: source.column_name(&name), values: cells.finish(n_rows) })
            .collect();
        if source.columns.is_none() {
            columns.sort_by(|a, b| a.name.cmp(&b.name));
        }
        columns
    }
}

/// Starts a column: of numbers where the table says so, else of what its values are.
fn empty_cells(origin: &FeatureOrigin, name: &str) -> ColumnCells {
    let is_number = match origin {
        FeatureOrigin::Rows(DatasetSource::MarketMetrics {}) => PRICE_COLUMNS.contains(&name),
        FeatureOrigin::Rows(DatasetSource::UserInteractions {}) => name == "value",
        FeatureOrigin::Rows(DatasetSource::GlobalMlData { .. }) | FeatureOrigin::Documents { .. } => false,
    };
    if is_number { ColumnCells::numbers() } else { ColumnCells::new() }
}
