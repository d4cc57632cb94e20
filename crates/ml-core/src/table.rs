//! The column-oriented rows that pass between datasets, training, scoring and monitoring.
//!
//! A [`Table`] is data in memory: it has no query, no index and no file format. Its columns have equal lengths and
//! distinct names, and keep the order in which they were given.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// 64-bit floating point; `NaN` is a missing value.
    Number,
    /// 64-bit signed integer.
    Integer,
    /// Truth value.
    Boolean,
    /// Unicode text: free text, a category or an id.
    Text,
    /// A UTC instant with microsecond precision.
    Time,
}

impl ColumnKind {
    /// Returns the name used in schemas and messages, such as `integer`.
    pub fn name(self) -> &'static str {
        match self {
            ColumnKind::Number => "number",
            ColumnKind::Integer => "integer",
            ColumnKind::Boolean => "boolean",
            ColumnKind::Text => "text",
            ColumnKind::Time => "time",
        }
    }

    /// Returns whether every value of this kind can be read as a number.
    pub fn is_numeric(self) -> bool {
        matches!(self, ColumnKind::Number | ColumnKind::Integer | ColumnKind::Boolean)
    }
}

/// The values of one column, all of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// `NaN` is missing.
    Number(Vec<f64>),
    /// `None` is missing.
    Integer(Vec<Option<i64>>),
    /// `None` is missing.
    Boolean(Vec<Option<bool>>),
    /// `None` is missing; an empty string is a value.
    Text(Vec<Option<String>>),
    /// `None` is missing.
    Time(Vec<Option<DateTime<Utc>>>),
}

impl ColumnValues {
    /// Makes an empty column of `kind`.
    pub fn new(kind: ColumnKind) -> ColumnValues {
        match kind {
            ColumnKind::Number => ColumnValues::Number(Vec::new()),
            ColumnKind::Integer => ColumnValues::Integer(Vec::new()),
            ColumnKind::Boolean => ColumnValues::Boolean(Vec::new()),
            ColumnKind::Text => ColumnValues::Text(Vec::new()),
            ColumnKind::Time => ColumnValues::Time(Vec::new()),
        }
    }

    /// Returns the kind of the values.
    pub fn kind(&self) -> ColumnKind {
        match self {
            ColumnValues::Number(_) => ColumnKind::Number,
            ColumnValues::Integer(_) => ColumnKind::Integer,
            ColumnValues::Boolean(_) => ColumnKind::Boolean,
            ColumnValues::Text(_) => ColumnKind::Text,
            ColumnValues::Time(_) => ColumnKind::Time,
        }
    }

    /// Returns the number of values, missing ones included.
    pub fn len(&self) -> usize {
        match self {
            ColumnValues::Number(values) => values.len(),
            ColumnValues::Integer(values) => values.len(),
            ColumnValues::Boolean(values) => values.len(),
            ColumnValues::Text(values) => values.len(),
            ColumnValues::Time(values) => values.len(),
        }
    }

    /// Returns whether there is no value at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many values are missing.
    pub fn n_missing(&self) -> usize {
        match self {
            ColumnValues::Number(values) => values.iter().filter(|value| value.is_nan()).count(),
            ColumnValues::Integer(values) => values.iter().filter(|value| value.is_none()).count(),
            ColumnValues::Boolean(values) => values.iter().filter(|value| value.is_none()).count(),
            ColumnValues::Text(values) => values.iter().filter(|value| value.is_none()).count(),
            ColumnValues::Time(values) => values.iter().filter(|value| value.is_none()).count(),
        }
    }

    /// Returns the values at `rows`, in that order; a row may repeat.
    ///
    /// # Panics
    /// If a row is not below [`ColumnValues::len`].
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> ColumnValues {
        match self {
            ColumnValues::Number(values) => ColumnValues::Number(rows.iter().map(|&row| values[row]).collect()),
            ColumnValues::Integer(values) => ColumnValues::Integer(rows.iter().map(|&row| values[row]).collect()),
            ColumnValues::Boolean(values) => ColumnValues::Boolean(rows.iter().map(|&row| values[row]).collect()),
            ColumnValues::Text(values) => ColumnValues::Text(rows.iter().map(|&row| values[row].clone()).collect()),
            ColumnValues::Time(values) => ColumnValues::Time(rows.iter().map(|&row| values[row]).collect()),
        }
    }
}

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name, unique within its table.
    pub name: String,
    /// The values, one per row.
    pub values: ColumnValues,
}

/// Name and kind of a column, without its values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColumnSchema {
    /// The name of the column.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether a value may be missing.
    pub nullable: bool,
}

/// Why columns do not make a table, or a column cannot be read as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Columns differ in length.
    #[error("column `{column}` has {found} rows, the columns before it have {expected}")]
    UnequalLengths {
        /// The first column that differs.
        column: String,
        /// Rows of the columns before it.
        expected: usize,
        /// Rows of this column.
        found: usize,
    },
    /// Two columns share a name.
    #[error("column `{column}` appears twice")]
    DuplicateColumn {
        /// The shared name.
        column: String,
    },
    /// There is no column of that name.
    #[error("no column `{column}`; the columns are {}", list(.known))]
    UnknownColumn {
        /// The name asked for.
        column: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The column holds another kind than needed.
    #[error("column `{column}` holds {} values, {expected} values are needed", .found.name())]
    WrongKind {
        /// The name of the column.
        column: String,
        /// What was asked for, such as `numeric`.
        expected: &'static str,
        /// What it holds.
        found: ColumnKind,
    },
}

/// Rows held by column. All columns have [`Table::n_rows`] values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    /// Where each column is: tables can be 100,000 columns wide.
    places: BTreeMap<String, usize>,
    n_rows: usize,
}

impl Table {
    /// Makes a table of `columns`; none at all makes the table of zero rows and zero columns.
    ///
    /// # Errors
    /// [`TableError::UnequalLengths`] or [`TableError::DuplicateColumn`], for the first column at fault.
    pub fn new(columns: Vec<Column>) -> Result<Table, TableError> {
        let n_rows = columns.first().map_or(0, |column| column.values.len());
        let mut table = Table { columns: Vec::with_capacity(columns.len()), places: BTreeMap::new(), n_rows };
        for column in columns {
            table.push(column)?;
        }
        Ok(table)
    }

    /// Adds `column` at the end. The first column of an empty table sets the number of rows.
    ///
    /// # Errors
    /// [`TableError::UnequalLengths`] or [`TableError::DuplicateColumn`]; the table is then unchanged.
    pub fn push(&mut self, column: Column) -> Result<(), TableError> {
        if self.columns.is_empty() {
            self.n_rows = column.values.len();
        }
        if column.values.len() != self.n_rows {
            let found = column.values.len();
            return Err(TableError::UnequalLengths { column: column.name, expected: self.n_rows, found });
        }
        if self.find(&column.name).is_some() {
            return Err(TableError::DuplicateColumn { column: column.name });
        }
        self.places.insert(column.name.clone(), self.columns.len());
        self.columns.push(column);
        Ok(())
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns the columns in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Takes the table apart.
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// Returns the column called `name`, if there is one.
    pub fn find(&self, name: &str) -> Option<&Column> {
        self.places.get(name).map(|&place| &self.columns[place])
    }

    /// Returns the column called `name`.
    ///
    /// # Errors
    /// [`TableError::UnknownColumn`], which lists the columns there are.
    pub fn get(&self, name: &str) -> Result<&Column, TableError> {
        self.find(name).ok_or_else(|| TableError::UnknownColumn {
            column: name.to_owned(),
            known: self.columns.iter().map(|column| column.name.clone()).collect(),
        })
    }

    /// Returns name, kind and nullability of each column; a column is nullable when a value is missing.
    pub fn schema(&self) -> Vec<ColumnSchema> {
        self.columns
            .iter()
            .map(|column| ColumnSchema {
                name: column.name.clone(),
                kind: column.values.kind(),
                nullable: column.values.n_missing() > 0,
            })
            .collect()
    }

    /// Returns the rows at `rows`, in that order; a row may repeat.
    ///
    /// # Panics
    /// If a row is not below [`Table::n_rows`].
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Table {
        let columns = self
            .columns
            .iter()
            .map(|column| Column { name: column.name.clone(), values: column.values.take(rows) })
            .collect();
        Table { columns, places: self.places.clone(), n_rows: rows.len() }
    }

    /// Returns the columns called `names`, in that order.
    ///
    /// # Errors
    /// [`TableError::UnknownColumn`] for the first name that is absent, [`TableError::DuplicateColumn`] for a repeated one.
    pub fn select(&self, names: &[&str]) -> Result<Table, TableError> {
        let columns = names.iter().map(|name| self.get(name).cloned()).collect::<Result<Vec<_>, _>>()?;
        let mut table = Table::new(columns)?;
        table.n_rows = self.n_rows;
        Ok(table)
    }
}

impl Column {
    /// Makes a column of numbers; `NaN` is missing.
    pub fn numbers(name: impl Into<String>, values: Vec<f64>) -> Column {
        Column { name: name.into(), values: ColumnValues::Number(values) }
    }

    /// Makes a column of text without missing values.
    pub fn texts<S: Into<String>>(name: impl Into<String>, values: impl IntoIterator<Item = S>) -> Column {
        let values = values.into_iter().map(|value| Some(value.into())).collect();
        Column { name: name.into(), values: ColumnValues::Text(values) }
    }

    /// Returns the values as numbers: integers as they are (rounded beyond 2⁵³), booleans as 0 and 1, missing as `NaN`.
    ///
    /// # Errors
    /// [`TableError::WrongKind`] for text and time.
    pub fn as_numbers(&self) -> Result<Cow<'_, [f64]>, TableError> {
        match &self.values {
            ColumnValues::Number(values) => Ok(Cow::Borrowed(values)),
            ColumnValues::Integer(values) => {
                Ok(values.iter().map(|value| value.map_or(f64::NAN, |value| value as f64)).collect())
            }
            ColumnValues::Boolean(values) => {
                Ok(values.iter().map(|value| value.map_or(f64::NAN, |value| f64::from(u8::from(value)))).collect())
            }
            ColumnValues::Text(_) | ColumnValues::Time(_) => Err(self.wrong_kind("numeric")),
        }
    }

    /// Returns the values as text: text as it is, integers and booleans as printed, missing as `None`.
    ///
    /// A number that is whole prints without a fraction, so that the category `98178` is one category however the column
    /// was read.
    pub fn as_texts(&self) -> Vec<Option<Cow<'_, str>>> {
        match &self.values {
            ColumnValues::Text(values) => values.iter().map(|value| value.as_deref().map(Cow::Borrowed)).collect(),
            ColumnValues::Number(values) => {
                values.iter().map(|value| (!value.is_nan()).then(|| Cow::Owned(value.to_string()))).collect()
            }
            ColumnValues::Integer(values) => {
                values.iter().map(|value| value.map(|value| Cow::Owned(value.to_string()))).collect()
            }
            ColumnValues::Boolean(values) => {
                values.iter().map(|value| value.map(|value| Cow::Owned(value.to_string()))).collect()
            }
            ColumnValues::Time(values) => {
                values.iter().map(|value| value.map(|value| Cow::Owned(value.to_rfc3339()))).collect()
            }
        }
    }

    /// Returns the values of a time column.
    ///
    /// # Errors
    /// [`TableError::WrongKind`] for any other kind.
    pub fn as_times(&self) -> Result<&[Option<DateTime<Utc>>], TableError> {
        match &self.values {
            ColumnValues::Time(values) => Ok(values),
            _ => Err(self.wrong_kind("time")),
        }
    }

    fn wrong_kind(&self, expected: &'static str) -> TableError {
        TableError::WrongKind { column: self.name.clone(), expected, found: self.values.kind() }
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_unequal_length_do_not_make_a_table() {
        let err = Table::new(vec![Column::numbers("a", vec![1.0]), Column::numbers("b", vec![])]).unwrap_err();
        assert_eq!(err.to_string(), "column `b` has 0 rows, the columns before it have 1");
    }

    #[test]
    fn an_unknown_column_lists_the_known_ones() {
        let table = Table::new(vec![Column::numbers("a", vec![1.0]), Column::texts("b", ["x"])]).unwrap();
        assert_eq!(table.get("c").unwrap_err().to_string(), "no column `c`; the columns are `a`, `b`");
    }

    #[test]
    fn whole_numbers_and_integers_print_alike() {
        let numbers = Column::numbers("zip", vec![98178.0, f64::NAN]);
        let integers = Column { name: "zip".into(), values: ColumnValues::Integer(vec![Some(98178), None]) };
        assert_eq!(numbers.as_texts(), integers.as_texts());
    }

    #[test]
    fn take_reorders_and_repeats_rows() {
        let table = Table::new(vec![Column::numbers("a", vec![1.0, 2.0, 3.0])]).unwrap();
        let taken = table.take(&[2, 0, 0]);
        assert_eq!(taken, Table::new(vec![Column::numbers("a", vec![3.0, 1.0, 1.0])]).unwrap());
    }
}
