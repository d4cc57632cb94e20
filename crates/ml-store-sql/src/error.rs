//! How the drivers' errors become [`StoreError`]; the only place that does.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use diesel::result::{DatabaseErrorKind, Error as QueryError};
use ml_core::error::{BoxError, Entity, StoreError};

/// A table is not there, in a store that is otherwise fine.
#[derive(Debug, thiserror::Error)]
#[error("a table is missing: run `ml-app migrate`")]
struct NotMigrated(#[source] QueryError);

/// What ends a transaction early: the driver, or a decision of the store.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The driver failed.
    Query(QueryError),
    /// The store refuses.
    Store(StoreError),
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        Failure::Query(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

/// Turns a unique violation into [`StoreError::AlreadyExists`] and passes every other error on.
pub(crate) fn or_already_exists(error: QueryError, entity: Entity, key: impl std::fmt::Display) -> Failure {
    match error {
        QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
            Failure::Store(StoreError::already_exists(entity, key))
        }
        other => Failure::Query(other),
    }
}

/// Becomes the error of applying or listing migrations.
pub(crate) fn migration_error(error: BoxError) -> QueryError {
    match error.downcast::<QueryError>() {
        Ok(query_error) => *query_error,
        Err(other) => QueryError::QueryBuilderError(other),
    }
}
