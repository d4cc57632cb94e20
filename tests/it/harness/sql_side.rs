//! The SQL side of a test, whichever backend it is: how the program is told of it, and what it holds, read without the program.

use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::PATIENCE;
use super::workspace::Workspace;

/// Which backend the SQL side of a test is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SqlKind {
    Sqlite,
}

/// The SQL side of one workspace.
pub(crate) enum SqlSide {
    /// A file in the data folder.
    Sqlite { file: PathBuf },
}

impl SqlSide {
    /// Returns what belongs into `database.yaml`.
    pub(crate) fn settings(&self) -> String {
        match self {
            SqlSide::Sqlite { .. } => String::new(),
        }
    }

    /// Makes an empty one for a workspace.
    pub(crate) fn new(kind: SqlKind, workspace: &Workspace) -> SqlSide {
        match kind {
            SqlKind::Sqlite => SqlSide::Sqlite { file: workspace.path("ml-data/ml.sqlite") },
        }
    }

    /// Runs a query and returns its rows as text, each value as the backend shows it.
    pub(crate) fn select(&self, query: &str) -> Vec<Vec<String>> {
        match self {
            SqlSide::Sqlite { file } => {
                let connection = Connection::open(file).expect("the database opens");
                connection.busy_timeout(PATIENCE).expect("a timeout can be set");
                let mut statement = connection.prepare(query).expect("the query is one");
                let n_columns = statement.column_count();
                let rows = statement.query_map([], |row| {
                    (0..n_columns).map(|index| Ok(shown(row.get_ref(index)?))).collect::<Result<Vec<_>, _>>()
                });
                rows.expect("the query runs").map(|row| row.expect("the row can be read")).collect()
            }
        }
    }

    /// Runs a query for texts: the only column of its rows.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        self.select(query).into_iter().flatten().collect()
    }
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{bytes:?}"),
    }
}
