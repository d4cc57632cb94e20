//! The columns that a pipeline works on: some of a table's, borrowed, and the ones derived from them.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use ml_core::table::{Column, ColumnValues, Table, TableError};
use rayon::prelude::*;

/// Columns of equal length. Text is not copied unless rows are left out.
#[derive(Debug, Clone)]
pub(crate) struct Frame<'a> {
    columns: Vec<Cow<'a, Column>>,
    places: HashMap<String, usize>,
    n_rows: usize,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(table: &'a Table) -> Frame<'a> {
        Frame::of(table.columns().iter().map(Cow::Borrowed).collect(), table.n_rows())
    }

    fn of(columns: Vec<Cow<'a, Column>>, n_rows: usize) -> Frame<'a> {
        let places = columns.iter().enumerate().map(|(place, column)| (column.name.clone(), place)).collect();
        Frame { columns, places, n_rows }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Adds a column with one value per row, or replaces the one of its name.
    pub(crate) fn set(&mut self, column: Column) {
        debug_assert_eq!(column.values.len(), self.n_rows);
        match self.places.get(&column.name) {
            Some(&place) => self.columns[place] = Cow::Owned(column),
            None => {
                self.places.insert(column.name.clone(), self.columns.len());
                self.columns.push(Cow::Owned(column));
            }
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Column> {
        self.places.get(name).map(|&place| &*self.columns[place])
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Column, TableError> {
        self.find(name).ok_or_else(|| TableError::UnknownColumn {
            column: name.to_owned(),
            known: self.columns.iter().map(|column| column.name.clone()).collect(),
        })
    }

    /// Returns the columns as a table of their own.
    pub(crate) fn into_table(self) -> Result<Table, TableError> {
        Table::new(self.columns.into_iter().map(Cow::into_owned).collect())
    }

    /// Returns the named columns at `rows`; no column is copied when `rows` are all rows in order.
    pub(crate) fn take(self, names: &[&str], rows: &[usize]) -> Frame<'a> {
        let names: BTreeSet<&str> = names.iter().copied().collect();
        let named = self.columns.into_iter().filter(|column| names.contains(column.name.as_str()));
        if rows.iter().copied().eq(0..self.n_rows) {
            return Frame::of(named.collect(), self.n_rows);
        }
        let columns = named
            .map(|column| Cow::Owned(Column { name: column.name.clone(), values: taken(&column.values, rows) }))
            .collect();
        Frame::of(columns, rows.len())
    }
}

/// How many texts a thread copies at a time.
const TEXTS_PER_PART: usize = 1024;

/// Returns the values at `rows`. Texts are copied in parallel, for they may be long.
fn taken(values: &ColumnValues, rows: &[usize]) -> ColumnValues {
    match values {
        ColumnValues::Text(texts) if rows.len() > TEXTS_PER_PART => {
            let copies = rows.par_iter().with_min_len(TEXTS_PER_PART).map(|&row| texts[row].clone());
            ColumnValues::Text(copies.collect())
        }
        values => values.take(rows),
    }
}
