//! The SQL side of a test, whichever backend it is: how the program is told of it, and what it holds, read without the program.

use std::fmt;
use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::PATIENCE;
use super::postgres::{TestSchema, server_url};
use super::proxy::Proxy;
use super::workspace::Workspace;

/// Where the SQL side of a test is to be.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SqlPlace {
    Sqlite,
    Postgres { url: String },
}

impl fmt::Debug for SqlPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SqlPlace::Sqlite => "SQLite",
            SqlPlace::Postgres { .. } => "PostgreSQL",
        })
    }
}

impl SqlPlace {
    /// Returns the server that all tests use; `None`, and a line that says why, where there is none.
    pub(crate) fn postgres() -> Option<SqlPlace> {
        server_url().map(|url| SqlPlace::Postgres { url })
    }
}

/// The SQL side of one workspace.
pub(crate) enum SqlSide {
    /// A file in the data folder.
    Sqlite { file: PathBuf },
    /// The way of the program to the server, and a schema there, which can go once nobody uses it any more.
    Postgres { link: Proxy, schema: Box<TestSchema> },
}

impl SqlSide {
    /// Makes an empty one for a workspace.
    pub(crate) fn new(place: &SqlPlace, workspace: &Workspace) -> SqlSide {
        match place {
            SqlPlace::Sqlite => SqlSide::Sqlite { file: workspace.path("ml-data/ml.sqlite") },
            SqlPlace::Postgres { url } => {
                let schema = Box::new(TestSchema::on(url.clone()));
                let link = Proxy::start(schema.port());
                SqlSide::Postgres { link, schema }
            }
        }
    }

    /// Returns what belongs into `database.yaml`; `more` are settings for a server.
    pub(crate) fn settings(&self, more: &str) -> String {
        match self {
            SqlSide::Sqlite { .. } => String::new(),
            SqlSide::Postgres { schema, link } => schema.section_through(link.port(), more),
        }
    }

    /// Returns the proxy on the way to the server, where there is one.
    pub(crate) fn link(&self) -> Option<&Proxy> {
        match self {
            SqlSide::Sqlite { .. } => None,
            SqlSide::Postgres { link, .. } => Some(link),
        }
    }

    /// Runs a query and returns its rows as text, each value as the backend shows it.
    pub(crate) fn select(&self, query: &str) -> Vec<Vec<String>> {
        match self {
            SqlSide::Sqlite { file } => select_from(file, query),
            SqlSide::Postgres { schema, .. } => schema.select(query),
        }
    }

    /// Runs a query for texts: the only column of its rows.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        self.select(query).into_iter().flatten().collect()
    }
}

fn select_from(file: &PathBuf, query: &str) -> Vec<Vec<String>> {
    let connection = Connection::open(file).expect("the database opens");
    connection.busy_timeout(PATIENCE).expect("a timeout can be set");
    let mut statement = connection.prepare(query).expect("the query is one");
    let n_columns = statement.column_count();
    let rows = statement
        .query_map([], |row| (0..n_columns).map(|index| Ok(shown(row.get_ref(index)?))).collect::<Result<Vec<_>, _>>());
    rows.expect("the query runs").map(|row| row.expect("the row can be read")).collect()
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
