//! Errors of a PostgreSQL server, and of the way there.

use std::error::Error as StdError;
use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as QueryError};
use ml_core::error::{BoxError, StoreError};
use tokio_postgres::Error as DriverError;
use tokio_postgres::error::SqlState;

use super::{Failure, NotMigrated};
use crate::options::InvalidOptions;

/// What messages say of the server and of our place there; never a password.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) server: String,
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) schema: String,
}

/// What went wrong, with the way out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostgresFault {
    #[error(
        "no PostgreSQL server at {server} takes the operation: start it, or mend the address in config/database.yaml"
    )]
    Unreachable { server: String, source: BoxError },
    #[error("PostgreSQL refuses the user `{user}` or the password: mend `user` and `password` in config/database.yaml")]
    WrongPassword { user: String, source: BoxError },
    #[error(
        "there is no database `{database}` at {server}: run `CREATE DATABASE \"{database}\"` there, or mend `database` in \
         config/database.yaml"
    )]
    NoDatabase { server: String, database: String, source: BoxError },
    #[error("the PostgreSQL user `{user}` may not do this: let the owner run `{grant}`")]
    Forbidden { user: String, grant: String, source: BoxError },
    #[error(
        "the server at {server} speaks no TLS, or shows a certificate that is not trusted: see `tls` in config/database.yaml"
    )]
    Tls { server: String, source: BoxError },
    #[error(
        "the server at {server} shows the certificate of an authority as its own: have that authority sign one for the server, \
         or make it with `-addext basicConstraints=critical,CA:FALSE` where it signs itself"
    )]
    TlsAuthority { server: String, source: BoxError },
    #[error(
        "schema `{schema}` of the database `{database}` was written by a newer release (migration {version} is unknown here): \
         use that release"
    )]
    NewerSchema { database: String, schema: String, version: String },
    #[error(
        "all {n_connections} connections were busy for {after_ms} ms: raise `max_pool_size` in config/database.yaml"
    )]
    Busy { n_connections: usize, after_ms: u128 },
    #[error(
        "PostgreSQL takes no more connections: raise its `max_connections`, or lower `max_pool_size` of those who have them"
    )]
    TooManyConnections(#[source] BoxError),
    #[error("others held what it needed for too long: see what runs on the server, or raise `lock_timeout_ms`")]
    Contended(#[source] BoxError),
    #[error(
        "the server at {server} did not answer within {after_ms} ms: see whether the way there is cut, or raise \
         `transaction_timeout_ms`, or `connect_timeout_ms` where it was being connected to"
    )]
    Silent { server: String, after_ms: u128 },
    #[error("PostgreSQL needed too long: raise `statement_timeout_ms`, or see what keeps the server busy")]
    TimedOut(#[source] BoxError),
    #[error("free some space where the server at {server} keeps its data, and run the command again")]
    NoRoom { server: String, source: BoxError },
    #[error("the server at {server} takes no writes: connect to the primary, or end its read-only mode")]
    ReadOnly { server: String, source: BoxError },
    #[error(transparent)]
    Options(#[from] InvalidOptions),
    #[error(transparent)]
    Other(BoxError),
}

impl PostgresFault {
    /// Becomes the error that callers see; some wait where the server does not answer.
    pub(crate) fn into_store_error(self, operation: &'static str) -> StoreError {
        match self {
            PostgresFault::NoRoom { .. } => StoreError::Full { operation, source: self.into() },
            PostgresFault::ReadOnly { .. } => StoreError::ReadOnly { operation, source: self.into() },
            fault if fault.may_pass() => StoreError::Unavailable { operation, source: fault.into() },
            fault => StoreError::Backend { operation, source: fault.into() },
        }
    }

    /// Tells whether the same may go well a little later.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            PostgresFault::Unreachable { .. }
                | PostgresFault::Busy { .. }
                | PostgresFault::TooManyConnections(_)
                | PostgresFault::Contended(_)
                | PostgresFault::Silent { .. }
                | PostgresFault::TimedOut(_)
        )
    }
}

/// The driver's error in a line: its own way repeats the cause, which it also is the source of.
#[derive(Debug)]
struct Brief(DriverError);

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_db_error(), self.0.source()) {
            (Some(error), _) => write!(f, "error {}: {}", error.code().code(), error.message()),
            (None, Some(source)) => write!(f, "{source}"),
            (None, None) => write!(f, "{}", self.0),
        }
    }
}

impl StdError for Brief {}

/// Says why there is no connection.
pub(crate) fn connect_fault(place: &Place, error: DriverError) -> PostgresFault {
    let code = error.code().cloned();
    let is_tls = error.to_string().contains("TLS");
    let server = place.server.clone();
    let source = BoxError::from(Brief(error));
    match code {
        Some(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            PostgresFault::WrongPassword { user: place.user.clone(), source }
        }
        Some(SqlState::INVALID_CATALOG_NAME) => {
            PostgresFault::NoDatabase { server, database: place.database.clone(), source }
        }
        Some(SqlState::INSUFFICIENT_PRIVILEGE) => forbidden(place, "for database", source),
        Some(SqlState::TOO_MANY_CONNECTIONS) => PostgresFault::TooManyConnections(source),
        Some(SqlState::CANNOT_CONNECT_NOW | SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN) => {
            PostgresFault::Unreachable { server, source }
        }
        Some(_) => PostgresFault::Other(source),
        None if is_tls && source.to_string().contains("CaUsedAsEndEntity") => {
            PostgresFault::TlsAuthority { server, source }
        }
        None if is_tls => PostgresFault::Tls { server, source },
        None => PostgresFault::Unreachable { server, source },
    }
}

/// Becomes the error that callers see; `operation` says what was being done.
pub(crate) fn store_error(operation: &'static str, place: &Place, failure: Failure) -> StoreError {
    match failure {
        Failure::Query(error) => query_fault(place, error).into_store_error(operation),
        Failure::Store(error) => error,
    }
}

/// Says why a query failed.
pub(crate) fn query_fault(place: &Place, error: QueryError) -> PostgresFault {
    let server = place.server.clone();
    match Condition::of(&error) {
        Condition::Unreachable => PostgresFault::Unreachable { server, source: error.into() },
        Condition::Full => PostgresFault::NoRoom { server, source: error.into() },
        Condition::ReadOnly => PostgresFault::ReadOnly { server, source: error.into() },
        Condition::Contended => PostgresFault::Contended(error.into()),
        Condition::TimedOut => PostgresFault::TimedOut(error.into()),
        Condition::Forbidden => {
            let message = error.to_string();
            forbidden(place, &message, error.into())
        }
        Condition::NoTable => PostgresFault::Other(NotMigrated(error).into()),
        Condition::Other => PostgresFault::Other(error.into()),
    }
}

/// Says which permission is missing, as far as the server's message tells.
fn forbidden(place: &Place, message: &str, source: BoxError) -> PostgresFault {
    let Place { user, database, schema, .. } = place;
    let grant = if message.contains("for database") {
        format!("GRANT CONNECT, CREATE ON DATABASE \"{database}\" TO \"{user}\"")
    } else if message.contains("for schema") {
        format!("GRANT USAGE, CREATE ON SCHEMA \"{schema}\" TO \"{user}\"")
    } else if let Some((_, thing)) = message.split_once("must be owner of table ") {
        format!("ALTER TABLE \"{schema}\".\"{thing}\" OWNER TO \"{user}\"")
    } else {
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \"{schema}\" TO \"{user}\"")
    };
    PostgresFault::Forbidden { user: user.clone(), grant, source }
}

/// Tells whether the transaction may be tried again from the start: nothing of it was kept, and what was in its way may be gone.
pub(crate) fn is_transient(error: &QueryError) -> bool {
    matches!(Condition::of(error), Condition::Unreachable | Condition::Contended)
}

/// Tells whether someone held what the transaction needed.
pub(crate) fn is_contended(error: &QueryError) -> bool {
    Condition::of(error) == Condition::Contended
}

/// Says that someone else wrote `thing` since it was read: the transaction may be tried again from the start.
pub(crate) fn changed_meanwhile(thing: &str) -> QueryError {
    let message = format!("{thing} was changed concurrently");
    QueryError::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new(message))
}

/// The same of a key that was free when it was looked for, and is taken now.
pub(crate) fn or_changed_meanwhile(error: QueryError) -> QueryError {
    match error {
        QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, information) => {
            QueryError::DatabaseError(DatabaseErrorKind::SerializationFailure, information)
        }
        other => other,
    }
}

/// What an error of a query means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Unreachable,
    Contended,
    TimedOut,
    Full,
    ReadOnly,
    Forbidden,
    NoTable,
    Other,
}

impl Condition {
    /// Reads the kind, and else the server's message, for diesel passes on no code.
    ///
    /// The messages are in English where the server's `lc_messages` says so, or we may say so: see `connection/postgres`.
    fn of(error: &QueryError) -> Condition {
        let QueryError::DatabaseError(kind, information) = error else { return Condition::Other };
        match kind {
            DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection => Condition::Unreachable,
            DatabaseErrorKind::SerializationFailure => Condition::Contended,
            DatabaseErrorKind::ReadOnlyTransaction => Condition::ReadOnly,
            DatabaseErrorKind::Unknown => Condition::of_message(information.message()),
            _ => Condition::Other,
        }
    }

    fn of_message(message: &str) -> Condition {
        let has = |part: &str| message.contains(part);
        if has("terminating connection") || has("the database system is ") {
            Condition::Unreachable
        } else if has("deadlock detected") || has("due to lock timeout") {
            Condition::Contended
        } else if has("due to statement timeout") {
            Condition::TimedOut
        } else if has("No space left on device") || has("could not extend file") || has("Disk quota exceeded") {
            Condition::Full
        } else if has("permission denied") || has("must be owner of") {
            Condition::Forbidden
        } else if is_missing_table(message) {
            Condition::NoTable
        } else {
            Condition::Other
        }
    }
}

fn is_missing_table(message: &str) -> bool {
    let is_ours = message.starts_with("relation ") || message.starts_with("column ") || message.starts_with("schema ");
    is_ours && message.ends_with("does not exist")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: DatabaseErrorKind, message: &str, expected: &str) {
        let place = Place {
            server: "h:5432".to_owned(),
            user: "ann".to_owned(),
            database: "ml".to_owned(),
            schema: "public".to_owned(),
        };
        let error = QueryError::DatabaseError(kind, Box::new(message.to_owned()));
        let error = store_error("writing rows", &place, error.into());
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn every_condition_says_the_way_out() {
        let unknown = |message, expected| check(DatabaseErrorKind::Unknown, message, expected);
        unknown(
            "could not extend file \"base/1\": No space left on device",
            "no space left while writing rows: free some space where the server at h:5432",
        );
        unknown("permission denied for table runs", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA");
        unknown("permission denied for schema public", "GRANT USAGE, CREATE ON SCHEMA \"public\" TO \"ann\"");
        unknown("must be owner of table runs", "ALTER TABLE \"public\".\"runs\" OWNER TO \"ann\"");
        unknown("relation \"runs\" does not exist", "run `ml-app migrate`");
        unknown("terminating connection due to administrator command", "no PostgreSQL server at h:5432");
        unknown("deadlock detected", "does not answer: others held what it needed");
        unknown("canceling statement due to lock timeout", "raise `lock_timeout_ms`");
        unknown("canceling statement due to statement timeout", "raise `statement_timeout_ms`");
        unknown("division by zero", "writing rows failed: division by zero");
        check(DatabaseErrorKind::ReadOnlyTransaction, "cannot execute INSERT", "connect to the primary");
        check(DatabaseErrorKind::UnableToSendCommand, "connection closed", "mend the address in config/database.yaml");
    }
}
