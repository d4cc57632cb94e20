//! Which row is trained on, chosen by, or scored on.
//!
//! A rule decides from the rows alone: the same rows in another order fall into the same splits.

mod fractions;
mod hash;
mod parse;
mod stratified;
mod time;

use chrono::{DateTime, Utc};
use ml_core::dataset::{Split, SplitCounts};
use ml_core::table::{Column, ColumnValues, Table};
use serde::{Deserialize, Serialize};

use super::error::DatasetError;
use super::{FEATURE_PREFIX, ID_COLUMN, SPLIT_COLUMN};
use hash::position_of;

pub use fractions::Fractions;

/// How rows are divided into train, validation and test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum SplitRule {
    // Braces, because serde checks a variant without fields for unknown ones only when it is written so.
    /// Every row is for training.
    None {},
    /// A column says it: `train`, `validation` (also `val`, `valid`, `dev`) or `test`, in any case.
    Column {
        /// The column.
        column: String,
    },
    /// A hash of seed and row id says it, for each row on its own: the sizes are near the fractions, and a row keeps its
    /// split when others come or go.
    Random {
        /// How large each split is to be.
        fractions: Fractions,
        /// Another seed gives another division.
        seed: u64,
    },
    /// As random, but each value of the column is divided in exact proportion, to within one row.
    Stratified {
        /// The column whose values are divided alike; missing is a value of its own.
        column: String,
        /// How large each split is to be.
        fractions: Fractions,
        /// Another seed gives another division.
        seed: u64,
    },
    /// The oldest rows train, the newest test. Rows of one instant stay together, so the sizes are as near the fractions as
    /// whole instants allow.
    Time {
        /// How large each split is to be.
        fractions: Fractions,
    },
    /// As time, cut at given instants.
    TimeCuts {
        /// The first instant of validation; absent for no validation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        validation_from: Option<DateTime<Utc>>,
        /// The first instant of test.
        test_from: DateTime<Utc>,
    },
    /// A hash of seed and entity says it, so that all rows of an entity are in one split.
    Entity {
        /// The column that names the entity, such as a user or a symbol.
        column: String,
        /// How large each split is to be, counted in entities.
        fractions: Fractions,
        /// Another seed gives another division.
        seed: u64,
    },
}

impl Default for SplitRule {
    fn default() -> SplitRule {
        SplitRule::None {}
    }
}

impl SplitRule {
    /// Refuses what no rows could satisfy.
    ///
    /// # Errors
    /// [`DatasetError::InvalidSpec`] when test begins before validation.
    pub fn check(&self) -> Result<(), DatasetError> {
        match self {
            SplitRule::TimeCuts { validation_from: Some(validation_from), test_from }
                if validation_from >= test_from =>
            {
                let reason =
                    format!("validation begins at {validation_from} and test at {test_from}: test has to begin later");
                Err(DatasetError::InvalidSpec { reason })
            }
            _ => Ok(()),
        }
    }

    /// Returns the column that the rule looks at, if it looks at one that not every dataset has.
    pub fn column(&self) -> Option<&str> {
        match self {
            SplitRule::Column { column } | SplitRule::Stratified { column, .. } | SplitRule::Entity { column, .. } => {
                Some(column)
            }
            SplitRule::None {} | SplitRule::Random { .. } | SplitRule::Time { .. } | SplitRule::TimeCuts { .. } => None,
        }
    }

    /// Returns the split of each row of `table`, which has the columns `id` and `event_time`.
    ///
    /// # Errors
    /// [`DatasetError::UnknownColumn`] when the rule's column is not there, [`DatasetError::UnknownSplit`] and
    /// [`DatasetError::MissingSplitValue`] for the first row that the rule cannot place,
    /// [`DatasetError::TooFewInstants`] when there are fewer event times than splits.
    pub fn assign(&self, table: &Table) -> Result<Vec<Split>, DatasetError> {
        self.check()?;
        match self {
            SplitRule::None {} => Ok(vec![Split::Train; table.n_rows()]),
            SplitRule::Column { column } => given(table, column),
            SplitRule::Random { fractions, seed } => random(table, fractions, *seed),
            SplitRule::Stratified { column, fractions, seed } => {
                let classes = find_column(table, column)?.as_texts();
                Ok(stratified::assign(&ids(table)?, &classes, fractions, *seed))
            }
            SplitRule::Time { fractions } => time::assign_by_fractions(&time::event_times(table)?, fractions),
            SplitRule::TimeCuts { validation_from, test_from } => {
                Ok(time::assign_by_cuts(&time::event_times(table)?, *validation_from, *test_from))
            }
            SplitRule::Entity { column, fractions, seed } => by_entity(table, column, fractions, *seed),
        }
    }
}

/// The rows of each split, as ascending row numbers of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SplitRows {
    /// Rows to fit on.
    pub train: Vec<usize>,
    /// Rows to choose by.
    pub validation: Vec<usize>,
    /// Rows to score on.
    pub test: Vec<usize>,
}

impl SplitRows {
    /// Returns the rows of `split`.
    pub fn of(&self, split: Split) -> &[usize] {
        match split {
            Split::Train => &self.train,
            Split::Validation => &self.validation,
            Split::Test => &self.test,
        }
    }
}

/// Reads which rows of a dataset are in which split, from its column `split`.
///
/// # Errors
/// [`DatasetError::Table`] without that column, [`DatasetError::UnknownSplit`] for a value that names no split.
pub fn split_of(table: &Table) -> Result<SplitRows, DatasetError> {
    let column = table.get(SPLIT_COLUMN)?;
    let mut rows = SplitRows::default();
    for (row, name) in column.as_texts().iter().enumerate() {
        let name = name.as_deref().unwrap_or_default();
        match Split::find_by_name(name) {
            Some(Split::Train) => rows.train.push(row),
            Some(Split::Validation) => rows.validation.push(row),
            Some(Split::Test) => rows.test.push(row),
            None => return Err(unknown_split(table, row, SPLIT_COLUMN, name)),
        }
    }
    Ok(rows)
}

/// Counts the rows of each split.
pub(super) fn counts_of(splits: &[Split]) -> SplitCounts {
    let mut counts = SplitCounts::default();
    for split in splits {
        *counts.of_mut(*split) += 1;
    }
    counts
}

/// Returns the column that a spec calls `name`: one of that name, or the feature that had to be renamed.
pub(super) fn find_named<'t>(table: &'t Table, name: &str) -> Option<&'t Column> {
    table.find(name).or_else(|| table.find(&format!("{FEATURE_PREFIX}{name}")))
}

fn find_column<'t>(table: &'t Table, name: &str) -> Result<&'t Column, DatasetError> {
    find_named(table, name).ok_or_else(|| DatasetError::UnknownColumn {
        column: name.to_owned(),
        purpose: "to split by",
        known: table.columns().iter().map(|column| column.name.clone()).collect(),
    })
}

fn given(table: &Table, column: &str) -> Result<Vec<Split>, DatasetError> {
    let values = find_column(table, column)?.as_texts();
    let mut splits = Vec::with_capacity(values.len());
    for (row, value) in values.iter().enumerate() {
        let Some(value) = value else { return Err(missing_value(table, row, column)) };
        let split = match value.trim().to_ascii_lowercase().as_str() {
            "train" => Split::Train,
            "validation" | "valid" | "val" | "dev" => Split::Validation,
            "test" => Split::Test,
            _ => return Err(unknown_split(table, row, column, value)),
        };
        splits.push(split);
    }
    Ok(splits)
}

fn random(table: &Table, fractions: &Fractions, seed: u64) -> Result<Vec<Split>, DatasetError> {
    Ok(ids(table)?.iter().map(|id| fractions.split_at(position_of(seed, id))).collect())
}

fn by_entity(table: &Table, column: &str, fractions: &Fractions, seed: u64) -> Result<Vec<Split>, DatasetError> {
    let entities = find_column(table, column)?.as_texts();
    let mut splits = Vec::with_capacity(entities.len());
    for (row, entity) in entities.iter().enumerate() {
        let Some(entity) = entity else { return Err(missing_value(table, row, column)) };
        splits.push(fractions.split_at(position_of(seed, entity)));
    }
    Ok(splits)
}

/// Returns the ids of the rows; a missing one, which no store gives, is empty.
fn ids(table: &Table) -> Result<Vec<&str>, DatasetError> {
    match &table.get(ID_COLUMN)?.values {
        ColumnValues::Text(ids) => Ok(ids.iter().map(|id| id.as_deref().unwrap_or_default()).collect()),
        other => Err(DatasetError::Table(ml_core::table::TableError::WrongKind {
            column: ID_COLUMN.to_owned(),
            expected: "text",
            found: other.kind(),
        })),
    }
}

fn unknown_split(table: &Table, row: usize, column: &str, value: &str) -> DatasetError {
    let value = value.chars().take(80).collect();
    DatasetError::UnknownSplit { id: id_of(table, row), column: column.to_owned(), value }
}

fn missing_value(table: &Table, row: usize, column: &str) -> DatasetError {
    DatasetError::MissingSplitValue { id: id_of(table, row), column: column.to_owned() }
}

fn id_of(table: &Table, row: usize) -> String {
    ids(table).map_or_else(|_| format!("number {row}"), |ids| ids[row].to_owned())
}
