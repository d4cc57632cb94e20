//! Errors of SQLite, and of the file it is in.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use diesel::ConnectionError;
use diesel::result::Error as QueryError;
use ml_core::error::{BoxError, StoreError};

use super::{Failure, NotMigrated};

/// Why a file cannot be opened as a store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("`{0}` is a folder, and should be a SQLite file")]
    IsFolder(PathBuf),
    #[error("the path `{0}` is not Unicode")]
    NotUnicode(PathBuf),
    #[error("`{path}` cannot be made or written")]
    NoFile {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{0}` is not a SQLite file, and is left as it is: move it away, or configure another path")]
    NotSqlite(PathBuf),
    #[error("`{path}` was written by a newer release (migration {version} is unknown here): use that release")]
    NewerSchema { path: PathBuf, version: String },
    #[error("`{path}` cannot be opened")]
    Failed {
        path: PathBuf,
        #[source]
        source: BoxError,
    },
}

/// Where to make room, or who has to permit writing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderFault {
    #[error("free some space in the data folder `{}` and run the command again", .folder.display())]
    NoRoom {
        folder: PathBuf,
        #[source]
        source: BoxError,
    },
    #[error("let the user who runs the command write in the data folder `{}`", .folder.display())]
    NoPermission {
        folder: PathBuf,
        #[source]
        source: BoxError,
    },
}

/// Becomes the error that callers see; `operation` says what was being done to the file at `path`.
pub(crate) fn store_error(operation: &'static str, path: &Path, failure: Failure) -> StoreError {
    match failure {
        Failure::Query(error) => query_error(operation, path, error),
        Failure::Store(error) => error,
    }
}

fn query_error(operation: &'static str, path: &Path, error: QueryError) -> StoreError {
    let QueryError::DatabaseError(_, information) = &error else {
        return StoreError::Backend { operation, source: error.into() };
    };
    match sqlite_condition(information.message(), path) {
        Condition::Full => full(operation, path, error.into()),
        Condition::ReadOnly => read_only(operation, path, error.into()),
        Condition::NoTable => StoreError::Backend { operation, source: NotMigrated(error).into() },
        Condition::CannotOpen | Condition::NotSqlite | Condition::Other => {
            StoreError::Backend { operation, source: error.into() }
        }
    }
}

/// Becomes the error of opening the file at `path`.
pub(crate) fn open_error(path: PathBuf, error: ConnectionError) -> StoreError {
    const OPERATION: &str = "opening the store";
    let message = match &error {
        ConnectionError::BadConnection(message) => message.clone(),
        ConnectionError::CouldntSetupConfiguration(QueryError::DatabaseError(_, information)) => {
            information.message().to_owned()
        }
        other => other.to_string(),
    };
    match sqlite_condition(&message, &path) {
        Condition::Full => full(OPERATION, &path, error.into()),
        // The file itself was opened for writing just before, so it is the files beside it that cannot be made.
        Condition::ReadOnly | Condition::CannotOpen => read_only(OPERATION, &path, error.into()),
        Condition::NotSqlite => open_failure(OpenError::NotSqlite(path)),
        Condition::NoTable | Condition::Other => open_failure(OpenError::Failed { path, source: error.into() }),
    }
}

/// Becomes the error of making the file at `path`, or the folder it is in.
pub(crate) fn file_error(path: PathBuf, source: std::io::Error) -> StoreError {
    const OPERATION: &str = "opening the store";
    let kind = source.kind();
    let fault = |source| BoxError::from(OpenError::NoFile { path: path.clone(), source });
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => full(OPERATION, &path, fault(source)),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => read_only(OPERATION, &path, fault(source)),
        _ => StoreError::Backend { operation: OPERATION, source: fault(source) },
    }
}

fn full(operation: &'static str, path: &Path, source: BoxError) -> StoreError {
    StoreError::Full { operation, source: FolderFault::NoRoom { folder: folder_of(path), source }.into() }
}

fn read_only(operation: &'static str, path: &Path, source: BoxError) -> StoreError {
    StoreError::ReadOnly { operation, source: FolderFault::NoPermission { folder: folder_of(path), source }.into() }
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

/// Becomes the error that callers of `open` see.
pub(crate) fn open_failure(error: OpenError) -> StoreError {
    StoreError::Backend { operation: "opening the store", source: error.into() }
}

/// Tells whether another connection holds the file, so that waiting may help.
pub(crate) fn is_locked(error: &QueryError) -> bool {
    matches!(error, QueryError::DatabaseError(_, information) if information.message() == "database is locked")
}

enum Condition {
    Full,
    ReadOnly,
    CannotOpen,
    NotSqlite,
    NoTable,
    Other,
}

/// Reads SQLite's message, for diesel passes on no result code. These texts are those of `sqlite3_errstr`, the same since 3.7.
fn sqlite_condition(message: &str, path: &Path) -> Condition {
    let is_io_error = message.contains("disk I/O error");
    if message.contains("database or disk is full") || (is_io_error && has_no_room(path)) {
        Condition::Full
    } else if message.contains("attempt to write a readonly database") {
        Condition::ReadOnly
    } else if message.contains("unable to open database file") {
        Condition::CannotOpen
    } else if message.contains("file is not a database") {
        Condition::NotSqlite
    } else if message.starts_with("no such table") {
        Condition::NoTable
    } else {
        Condition::Other
    }
}

/// Tells whether the folder of `path` takes no more bytes: SQLite calls it an input/output error when the files beside the
/// store are what it has no room for.
fn has_no_room(path: &Path) -> bool {
    let probe = path.with_extension("room");
    let outcome = std::fs::write(&probe, vec![0; 64 * 1024]);
    // Whether it can be removed or not changes nothing about the answer.
    let _ = std::fs::remove_file(&probe);
    outcome.is_err_and(|err| matches!(err.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection as _;
    use diesel::{Connection as _, SqliteConnection};

    use super::*;

    fn check(statements: &str, expected: fn(&StoreError) -> bool) {
        let mut sqlite = SqliteConnection::establish(":memory:").unwrap();
        sqlite.batch_execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)").unwrap();
        let error = sqlite.batch_execute(statements).unwrap_err();
        let error = store_error("writing notes", Path::new("/nowhere/notes"), error.into());
        assert!(expected(&error), "{statements}: {error:?}");
    }

    #[test]
    fn conditions_are_told_apart() {
        let fill = "PRAGMA max_page_count = 3; INSERT INTO notes (text) VALUES (randomblob(100000))";
        check(fill, |error| matches!(error, StoreError::Full { .. }));
        let write = "PRAGMA query_only = ON; INSERT INTO notes (text) VALUES ('x')";
        check(write, |error| matches!(error, StoreError::ReadOnly { .. }));
        check(
            "SELECT 1 FROM absent",
            |error| matches!(error, StoreError::Backend { source, .. } if source.to_string().contains("migrate")),
        );
        check("SELECT", |error| matches!(error, StoreError::Backend { operation: "writing notes", .. }));
    }
}
