//! Opening one SQLite file: what makes it usable, and what is refused.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection as _, ConnectionError, QueryResult};
use ml_core::error::StoreError;

use crate::error::sqlite::{self as error, OpenError};
use crate::migrations::MigrationSet;

const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// How every connection is set up, in this order.
///
/// The page size counts for a file that is still empty; pages of 16 KiB hold some thirty records and make a bulk insert a
/// quarter faster than pages of 4 KiB, for they are fewer writes. WAL lets readers go on while someone writes, and a process
/// killed at any instant loses nothing that was committed. `synchronous = FULL` keeps that true for a power cut: the two
/// stores are two files, and a checkpoint in one must never be ahead of the records in the other. It costs one fsync per
/// commit, which is little for commits of thousands of rows. The log is folded back at 64 MiB, because folding back costs more.
const SET_UP: [&str; 7] = [
    "PRAGMA page_size = 16384",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 4096",
    "PRAGMA journal_size_limit = 67108864",
];

/// What a connection is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Write,
    Read,
}

impl Purpose {
    /// Inserts into indexes with random keys want the index in memory, but twice the cache makes them a tenth faster only; reads
    /// run along it.
    fn pragmas(self) -> &'static str {
        match self {
            Purpose::Write => "PRAGMA cache_size = -32768",
            Purpose::Read => "PRAGMA cache_size = -8192; PRAGMA query_only = ON",
        }
    }
}

/// Makes the file and its folder, where the reason of a failure can still be told apart. A file that is there and may not be
/// written can still be read.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Err(error::open_failure(OpenError::IsFolder(path.to_owned())));
    }
    let made = match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder),
        None => Ok(()),
    };
    match made.and_then(|()| OpenOptions::new().append(true).create(true).open(path)) {
        Ok(_) => Ok(()),
        Err(source) => match error::file_error(path.to_owned(), source) {
            StoreError::ReadOnly { .. } if is_filled(path) => Ok(()),
            refusal => Err(refusal),
        },
    }
}

fn is_filled(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

/// Refuses a file that a newer release migrated, or the other store.
pub(super) fn refuse_newer(
    path: &Path,
    migrations: MigrationSet,
    sqlite: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let unknown = migrations
        .find_unknown(sqlite)
        .map_err(|err| error::open_error(path.to_owned(), ConnectionError::CouldntSetupConfiguration(err)))?;
    match unknown {
        Some(version) => Err(error::open_failure(OpenError::NewerSchema { path: path.to_owned(), version })),
        None => Ok(()),
    }
}

/// Makes a connection that is set up for its purpose.
pub(super) fn connect(path: &Path, purpose: Purpose) -> Result<SqliteConnection, StoreError> {
    let Some(url) = path.to_str() else {
        return Err(error::open_failure(OpenError::NotUnicode(path.to_owned())));
    };
    match set_up(url, purpose).map_err(|err| error::open_error(path.to_owned(), err)) {
        Err(refusal @ StoreError::ReadOnly { .. }) => read_only(path, url).ok_or(refusal),
        outcome => outcome,
    }
}

/// Makes a connection to a file in a place that takes no files beside it, as long as the file itself has everything: without
/// its log, which a process that ended well has folded back, it is read as one that nobody changes.
fn read_only(path: &Path, url: &str) -> Option<SqliteConnection> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if !is_filled(path) || is_filled(Path::new(&log)) {
        return None;
    }
    let escaped = url.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let mut sqlite = SqliteConnection::establish(&format!("file:{escaped}?immutable=1")).ok()?;
    sqlite.batch_execute("PRAGMA temp_store = MEMORY").ok()?;
    sqlite.batch_execute(Purpose::Read.pragmas()).ok()?;
    Some(sqlite)
}

fn set_up(url: &str, purpose: Purpose) -> Result<SqliteConnection, ConnectionError> {
    let mut sqlite = SqliteConnection::establish(url)?;
    let busy_timeout = format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis());
    for pragma in std::iter::once(busy_timeout.as_str()).chain(SET_UP).chain([purpose.pragmas()]) {
        execute_unlocked(&mut sqlite, pragma).map_err(ConnectionError::CouldntSetupConfiguration)?;
    }
    Ok(sqlite)
}

/// Runs `pragma`, again and again while the file is locked.
///
/// SQLite's own busy timeout does not count for the change to WAL: of two connections that change a new file at once, one
/// is refused on the spot, and may well find the change made a moment later.
fn execute_unlocked(sqlite: &mut SqliteConnection, pragma: &str) -> QueryResult<()> {
    let started = Instant::now();
    loop {
        match sqlite.batch_execute(pragma) {
            Err(err) if error::is_locked(&err) && started.elapsed() < BUSY_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            outcome => return outcome,
        }
    }
}
