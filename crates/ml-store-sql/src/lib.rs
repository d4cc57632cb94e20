//! The stores of `ml-core` on SQL engines, through diesel: the SQL side, and the embedded form of the document side.
//!
//! Two stores: [`EmbeddedDocuments`] in an SQLite file, and [`SqlStore`] in another or on a PostgreSQL server. Neither applies
//! migrations when it is opened; call `migrate`, which only reads when there is nothing to do. No HTTP, no rules about the data, and no MongoDB in here.

mod connection;
mod documents;
mod error;
mod migrations;
mod options;
mod prepared;
mod schema;
mod sql;
mod types;

pub use connection::{PostgresDiagnosis, PostgresPermissions, SqliteCheck, SqliteDiagnosis};
pub use documents::EmbeddedDocuments;
pub use options::{PostgresOptions, PostgresTls, PostgresTlsMode};
pub use sql::{SqlDiagnosis, SqlStore};
