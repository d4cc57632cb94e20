//! Section `database`: which backend holds which role, which data type lives where, and for how long records are kept.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use ml_core::record::Collection;
use ml_data::routing::{Routing, RoutingConfig};
use ml_store_mongo::MongoOptions;
use ml_store_sql::PostgresOptions;

use super::retention::Retention;

/// The backends of the two roles, the routing table, and the retention.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatabaseConfig {
    /// The document store.
    pub(crate) documents: DocumentBackend,
    /// The SQL store.
    pub(crate) sql: SqlBackend,
    /// Which data type and which result lives where.
    pub(crate) routing: RoutingConfig,
    /// For how long each collection keeps its records.
    pub(crate) retention: BTreeMap<Collection, Retention>,
}

/// What holds raw records, predictions and embeddings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "backend", rename_all = "snake_case", deny_unknown_fields, expecting = "`embedded` or `mongodb`")]
pub(crate) enum DocumentBackend {
    /// An SQLite file, relative to the data folder.
    Embedded {
        /// The file.
        path: PathBuf,
    },
    /// A database on a MongoDB server.
    Mongodb(Box<MongoOptions>),
}

/// What holds validated rows, runs and the registry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "backend", rename_all = "snake_case", deny_unknown_fields, expecting = "`embedded` or `postgres`")]
pub(crate) enum SqlBackend {
    /// An SQLite file, relative to the data folder.
    Embedded {
        /// The file.
        path: PathBuf,
    },
    /// A schema on a PostgreSQL server.
    Postgres(Box<PostgresOptions>),
}

impl DocumentBackend {
    /// Returns what the types cannot say.
    fn faults(&self) -> Vec<String> {
        let DocumentBackend::Mongodb(options) = self else { return Vec::new() };
        options.faults().into_iter().map(|fault| format!("database.documents: {fault}")).collect()
    }
}

impl SqlBackend {
    /// Returns what the types cannot say.
    fn faults(&self) -> Vec<String> {
        let SqlBackend::Postgres(options) = self else { return Vec::new() };
        options.faults().into_iter().map(|fault| format!("database.sql: {fault}")).collect()
    }
}

impl DatabaseConfig {
    /// Returns for how long those collections keep records that do not keep them for ever.
    pub(crate) fn retention(&self) -> BTreeMap<Collection, TimeDelta> {
        let bounds = self.retention.iter();
        bounds.filter_map(|(collection, retention)| Some((*collection, retention.bound()?))).collect()
    }

    /// Returns what the types cannot say: faults of the routing table, and two roles in one file.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Err(error) = Routing::new(&self.routing) {
            faults.push(format!("database.routing: {error}"));
        }
        faults.extend(self.documents.faults());
        faults.extend(self.sql.faults());
        if let (DocumentBackend::Embedded { path: documents }, SqlBackend::Embedded { path: sql }) =
            (&self.documents, &self.sql)
            && documents == sql
        {
            let path = documents.display();
            faults.push(format!(
                "database.documents.path and database.sql.path are both `{path}`: give each its own file"
            ));
        }
        faults
    }
}
