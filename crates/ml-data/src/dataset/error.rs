//! What can go wrong with a dataset.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use ml_core::error::{BoxError, StoreError};
use ml_core::table::TableError;

/// Why a dataset cannot be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A rule that documents have to meet looks values up in a table or column that is not there.
    #[error("the rule `exists_in` ({place}) has nothing to look into")]
    Reference {
        /// Where the rule stands in pipeline.yaml.
        place: String,
        /// What is not there.
        #[source]
        source: StoreError,
    },
    /// The rows do not make a table, or lack a column.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The spec contradicts itself.
    #[error("{reason}")]
    InvalidSpec {
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// What is not known yet cannot be in a snapshot.
    #[error("as-of time {as_of} is in the future: it is {now} now")]
    FutureAsOf {
        /// The instant asked for.
        as_of: DateTime<Utc>,
        /// The current instant.
        now: DateTime<Utc>,
    },
    /// No row passes the filters.
    #[error("no rows for the dataset: {0}")]
    Empty(Funnel),
    /// The spec names a column that no row has.
    #[error("no column `{column}` {purpose}; the columns are {}", list(.known))]
    UnknownColumn {
        /// The name in the spec.
        column: String,
        /// What it was needed for, such as `to split by`.
        purpose: &'static str,
        /// The names there are.
        known: Vec<String>,
    },
    /// The column that gives the split says something else.
    #[error("row `{id}` has `{value}` in column `{column}`: a split is `train`, `validation` or `test`")]
    UnknownSplit {
        /// The row.
        id: String,
        /// The column that gives the split.
        column: String,
        /// What the row has there.
        value: String,
    },
    /// A row has nothing in the column that decides its split.
    #[error("row `{id}` has no `{column}`, which decides its split")]
    MissingSplitValue {
        /// The row.
        id: String,
        /// The column that decides.
        column: String,
    },
    /// The rows happened at too few instants for the cuts.
    #[error("the rows have {found} distinct event times, a split by time needs at least {needed}")]
    TooFewInstants {
        /// Distinct event times.
        found: usize,
        /// One for each part.
        needed: usize,
    },
    /// A column of a Parquet file has a type that no table has.
    #[error(
        "column `{column}` has the Parquet type {found}, which is not supported: use numbers, booleans, text or times"
    )]
    UnsupportedColumn {
        /// The column.
        column: String,
        /// Its type in the file.
        found: String,
    },
    /// A feature source lacks a column.
    #[error("feature source `{name}` has no column `{column}` {purpose}; its columns are {}", list(.known))]
    UnknownFeature {
        /// The feature source.
        name: String,
        /// The column in the spec.
        column: String,
        /// What it was needed for, such as `to join by`.
        purpose: &'static str,
        /// The columns there are.
        known: Vec<String>,
    },
    /// What does not fit into memory cannot be sorted.
    #[error("sorting rows in the folder {} failed: it needs room there for what does not fit into memory", .folder.display())]
    Sort {
        /// Where temporary files are.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: BoxError,
    },
    /// The bytes are not a file of the format.
    #[error("not readable as {format}")]
    Unreadable {
        /// The format that was expected.
        format: &'static str,
        /// What the decoder says.
        #[source]
        source: BoxError,
    },
    /// A file could not be written.
    #[error("writing {format} failed")]
    Unwritable {
        /// The format that was written.
        format: &'static str,
        /// What the encoder or the sink says.
        #[source]
        source: BoxError,
    },
}

/// How many rows each filter left, from the whole table down to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funnel {
    /// The table that was read.
    pub table: &'static str,
    /// Rows in the table, without any filter.
    pub n_rows: u64,
    /// Each filter in the order it was applied, and the rows left after it; ends with the first that leaves none.
    pub steps: Vec<(String, u64)>,
    /// The data types there are, where the data type left none.
    pub data_types: Vec<String>,
}

impl fmt::Display for Funnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.n_rows == 0 {
            return write!(f, "`{}` is empty; ingest and sync some records first", self.table);
        }
        write!(f, "`{}` has {} rows", self.table, self.n_rows)?;
        for (filter, n_rows) in &self.steps {
            write!(f, ", {filter} leaves {n_rows}")?;
        }
        if !self.data_types.is_empty() {
            write!(f, "; the data types there are {}", list(&self.data_types))?;
        }
        Ok(())
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_funnel_reads_as_a_sentence() {
        let mut funnel = Funnel {
            table: "global_ml_data",
            n_rows: 120,
            steps: vec![("data type `tex`".to_owned(), 0)],
            data_types: vec!["social".to_owned(), "text".to_owned()],
        };
        assert_eq!(
            DatasetError::Empty(funnel.clone()).to_string(),
            "no rows for the dataset: `global_ml_data` has 120 rows, data type `tex` leaves 0; the data types there are \
             `social`, `text`"
        );

        funnel.n_rows = 0;
        assert_eq!(funnel.to_string(), "`global_ml_data` is empty; ingest and sync some records first");
    }
}
