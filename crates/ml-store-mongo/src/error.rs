//! How the driver's errors become [`StoreError`]; the only place that does.

use std::fmt;

use ml_core::error::{Entity, StoreError};
use mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};

use crate::options::InvalidOptions;

/// Codes of the server that we act on, see <https://www.mongodb.com/docs/manual/reference/error-codes/>.
pub(crate) mod code {
    pub(crate) const UNAUTHORIZED: i32 = 13;
    pub(crate) const AUTHENTICATION_FAILED: i32 = 18;
    pub(crate) const NAMESPACE_NOT_FOUND: i32 = 26;
    pub(crate) const INDEX_NOT_FOUND: i32 = 27;
    pub(crate) const NAMESPACE_EXISTS: i32 = 48;
    pub(crate) const WRITE_CONCERN_TIMEOUT: i32 = 64;
    pub(crate) const DOCUMENT_VALIDATION_FAILURE: i32 = 121;
    pub(crate) const INVALID_RESUME_TOKEN: i32 = 260;
    pub(crate) const CHANGE_STREAM_FATAL: i32 = 280;
    pub(crate) const CHANGE_STREAM_HISTORY_LOST: i32 = 286;
    pub(crate) const USER_WRITES_BLOCKED: i32 = 371;
    pub(crate) const AT_QUOTA: i32 = 8000;
    pub(crate) const BSON_OBJECT_TOO_LARGE: i32 = 10334;
    pub(crate) const DUPLICATE_KEY: i32 = 11000;
    pub(crate) const OUT_OF_DISK_SPACE: i32 = 14031;
    pub(crate) const NO_REPLICA_SET: i32 = 40573;
}

/// Codes after which another server, or the same one a little later, takes the operation: those that the specification of
/// retryable reads and writes lists.
const TRANSIENT_CODES: [i32; 14] =
    [6, 7, 43, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, code::WRITE_CONCERN_TIMEOUT];

/// What went wrong, with the way out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MongoFault {
    #[error(
        "no MongoDB server at {servers} takes the operation: start it, or mend the address in config/database.yaml"
    )]
    Unreachable { servers: String, source: Brief },
    #[error("MongoDB refuses the user or the password: mend `user` and `password` in config/database.yaml")]
    WrongPassword(#[source] Brief),
    #[error(
        "the MongoDB user may not do this: grant it the role `readWrite` (and `dbAdmin` for `migrate`) on `{database}`"
    )]
    Forbidden { database: String, source: Brief },
    #[error(
        "this MongoDB server is no member of a replica set: start it with `--replSet rs0` and run `rs.initiate()` once; a set of \
         one member will do"
    )]
    NoReplicaSet(#[source] Brief),
    #[error(
        "the database `{database}` was written by a newer release (migration {version} is unknown here): use that release"
    )]
    NewerSchema { database: String, version: i32 },
    #[error(
        "the disk or the quota of the MongoDB server at {servers} is used up: make room there and run the command again"
    )]
    Full { servers: String, source: Brief },
    #[error(
        "the storage of the MongoDB server at {servers} has stopped: its log says why, often that the disk is full; mend that and \
         start the server again"
    )]
    Stopped { servers: String, source: Brief },
    #[error("the MongoDB server at {servers} takes no writes now: end its maintenance, or ask whoever runs it")]
    ReadOnly { servers: String, source: Brief },
    #[error(
        "the validator of the collection refuses the document: run `ml-app migrate`, or see who changed the validator"
    )]
    Invalid(#[source] Brief),
    #[error("the document is larger than the 16 MiB that MongoDB takes: leave out or split large fields")]
    TooLarge(#[source] Brief),
    #[error(
        "MongoDB did not answer within {after_ms} ms: raise `operation_timeout_ms`, or see what keeps the server busy"
    )]
    TimedOut { after_ms: u128 },
    #[error(transparent)]
    Options(#[from] InvalidOptions),
    #[error(transparent)]
    Other(Brief),
}

/// The driver's own error, printed in a line: its own way prints the server's whole answer, with values of the records.
#[derive(Debug)]
pub(crate) struct Brief(pub(crate) DriverError);

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.kind {
            ErrorKind::InsertMany(failure) => {
                let refused = failure.write_errors.iter().flatten().next();
                let unconfirmed = failure.write_concern_error.as_ref();
                let code = refused.map(|err| err.code).or(unconfirmed.map(|err| err.code)).unwrap_or_default();
                let message = refused.map(|err| &err.message).or(unconfirmed.map(|err| &err.message));
                write!(f, "error {code}: {}", message.map_or("", String::as_str))
            }
            ErrorKind::Write(WriteFailure::WriteError(err)) => write!(f, "error {}: {}", err.code, err.message),
            ErrorKind::Write(WriteFailure::WriteConcernError(err)) => write!(f, "error {}: {}", err.code, err.message),
            ErrorKind::Command(err) => write!(f, "error {} ({}): {}", err.code, err.code_name, err.message),
            other => write!(f, "{other}"),
        }
    }
}

impl std::error::Error for Brief {}

/// What messages say of the server.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) servers: String,
    pub(crate) database: String,
}

/// Becomes the error that callers see; `operation` says what was being done.
pub(crate) fn store_error(operation: &'static str, place: &Place, error: DriverError) -> StoreError {
    fault_of(place, error).into_store_error(operation)
}

impl MongoFault {
    /// Becomes the error that callers see; some wait where the server does not answer.
    pub(crate) fn into_store_error(self, operation: &'static str) -> StoreError {
        match self {
            MongoFault::Full { .. } => StoreError::Full { operation, source: self.into() },
            MongoFault::ReadOnly { .. } => StoreError::ReadOnly { operation, source: self.into() },
            MongoFault::Unreachable { .. } | MongoFault::TimedOut { .. } => {
                StoreError::Unavailable { operation, source: self.into() }
            }
            fault => StoreError::Backend { operation, source: fault.into() },
        }
    }
}

fn fault_of(place: &Place, error: DriverError) -> MongoFault {
    let code = code_of(&error);
    let is_auth = matches!(&*error.kind, ErrorKind::Authentication { .. });
    let is_unreachable = is_transient(&error)
        || matches!(
            &*error.kind,
            ErrorKind::ServerSelection { .. } | ErrorKind::DnsResolve { .. } | ErrorKind::InvalidTlsConfig { .. }
        );
    let source = Brief(error);
    let message = source.to_string();
    let Place { servers, database } = place.clone();
    // The server gives a full disk several codes, and some hosts a code of their own.
    if code == Some(code::OUT_OF_DISK_SPACE)
        || message.contains("No space left on device")
        || is_over_quota(code, &message)
    {
        return MongoFault::Full { servers, source };
    }
    // It answers every command with that until it is started again.
    if message.contains("WT_PANIC") {
        return MongoFault::Stopped { servers, source };
    }
    match code {
        Some(code::USER_WRITES_BLOCKED) => MongoFault::ReadOnly { servers, source },
        _ if is_auth => MongoFault::WrongPassword(source),
        Some(code::AUTHENTICATION_FAILED) => MongoFault::WrongPassword(source),
        Some(code::UNAUTHORIZED) => MongoFault::Forbidden { database, source },
        Some(code::NO_REPLICA_SET) => MongoFault::NoReplicaSet(source),
        Some(code::DOCUMENT_VALIDATION_FAILURE) => MongoFault::Invalid(source),
        Some(code::BSON_OBJECT_TOO_LARGE) => MongoFault::TooLarge(source),
        _ if is_unreachable => MongoFault::Unreachable { servers, source },
        _ => MongoFault::Other(source),
    }
}

fn is_over_quota(code: Option<i32>, message: &str) -> bool {
    code == Some(code::AT_QUOTA) && message.contains("quota")
}

/// Returns the server's code, wherever the driver has put it.
pub(crate) fn code_of(error: &DriverError) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(err) => Some(err.code),
        ErrorKind::Write(WriteFailure::WriteError(err)) => Some(err.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(err)) => Some(err.code),
        ErrorKind::InsertMany(failure) => {
            let refused = failure.write_errors.iter().flatten().map(|err| err.code);
            // A duplicate is an answer and no failure, so another code says more.
            refused
                .chain(failure.write_concern_error.iter().map(|err| err.code))
                .find(|code| *code != code::DUPLICATE_KEY)
                .or_else(|| failure.write_errors.iter().flatten().map(|err| err.code).next())
        }
        _ => None,
    }
}

/// Tells whether the same operation may succeed a little later: after an election, a restart or a broken connection.
pub(crate) fn is_transient(error: &DriverError) -> bool {
    let is_network = matches!(&*error.kind, ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. });
    let labels = ["RetryableWriteError", "RetryableError", "TransientTransactionError", "ResumableChangeStreamError"];
    is_network
        || labels.iter().any(|label| error.contains_label(label))
        || code_of(error).is_some_and(|code| TRANSIENT_CODES.contains(&code))
}

/// Tells whether the server no longer has what came after a position in its changes.
pub(crate) fn is_expired(error: &DriverError) -> bool {
    matches!(
        code_of(error),
        Some(code::CHANGE_STREAM_HISTORY_LOST | code::CHANGE_STREAM_FATAL | code::INVALID_RESUME_TOKEN)
    )
}

/// Becomes the error for a position that the server no longer knows.
pub(crate) fn expired(token: &str, error: DriverError) -> StoreError {
    StoreError::Expired { entity: Entity::Checkpoint, key: token.to_owned(), source: Some(Brief(error).into()) }
}

#[cfg(test)]
mod tests {
    use mongodb::error::CommandError;

    use super::*;

    fn command_error(code: i32, message: &str) -> DriverError {
        let answer = serde_json::json!({ "code": code, "codeName": "Name", "errmsg": message });
        ErrorKind::Command(serde_json::from_value::<CommandError>(answer).unwrap()).into()
    }

    fn chain(error: &StoreError) -> String {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }

    fn check(error: DriverError, expected: &str) {
        let place = Place { servers: "h:27017".to_owned(), database: "ml".to_owned() };
        let text = chain(&store_error("writing records", &place, error));
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn every_condition_says_the_way_out() {
        check(command_error(13, "not authorized on ml"), "grant it the role `readWrite`");
        check(command_error(18, "Authentication failed."), "mend `user` and `password`");
        check(command_error(40573, "only supported on replica sets"), "rs.initiate()");
        check(command_error(121, "Document failed validation"), "run `ml-app migrate`");
        check(command_error(10334, "BSONObj size"), "16 MiB");
        let full =
            "no space left while writing records: the disk or the quota of the MongoDB server at h:27017 is used up";
        check(command_error(14031, "no room"), full);
        check(command_error(8000, "you are over your space quota, using 513 MB of 512 MB"), full);
        check(command_error(1, "WT_PANIC: No space left on device"), full);
        check(command_error(1, "WT_PANIC: WiredTiger library panic"), "start the server again");
        check(command_error(371, "User writes blocked"), "the MongoDB server at h:27017 takes no writes now");
        check(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into(), "no MongoDB server at h:27017");
        check(command_error(10107, "not primary"), "the store does not answer: no MongoDB server at h:27017");
        check(command_error(2, "bad value"), "writing records failed: error 2 (Name): bad value");
    }

    #[test]
    fn what_the_server_lacks_is_not_sought_on_this_machine() {
        let place = Place { servers: "h:27017".to_owned(), database: "ml".to_owned() };
        for code in [14031, 371] {
            let text = chain(&store_error("writing records", &place, command_error(code, "no")));
            assert!(!text.contains("data folder"), "{text}");
        }
    }

    #[test]
    fn what_waiting_mends_is_told_apart() {
        assert!(is_transient(&command_error(10107, "not primary")));
        assert!(is_transient(&std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()));
        assert!(!is_transient(&command_error(13, "not authorized")));
        assert!(is_expired(&command_error(286, "history lost")));
    }
}
