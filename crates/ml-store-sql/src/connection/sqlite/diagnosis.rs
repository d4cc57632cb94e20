//! What a SQLite file is like: facts for `ml-app doctor`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::Error as QueryError;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use ml_core::error::StoreError;

use super::SqliteDatabase;

/// How closely a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqliteCheck {
    /// Every page, which takes about as long as reading the file.
    Quick,
    /// Every page, and every index against its table, which takes several times as long.
    Full,
}

/// Facts about a SQLite file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteDiagnosis {
    /// The file.
    pub path: PathBuf,
    /// The version of SQLite that is built in.
    pub sqlite_version: String,
    /// How large the file is.
    pub size_bytes: u64,
    /// How much of it is free for new rows, after deletions.
    pub reusable_bytes: u64,
    /// How much waits in the log beside it.
    pub log_bytes: u64,
    /// How commits are made safe; `wal`, unless the file may only be read.
    pub journal_mode: String,
    /// Whether we may change it.
    pub may_write: bool,
    /// What is wrong with its pages, the first few faults; none when it is sound.
    pub faults: Vec<String>,
    /// How long looking for them took.
    pub check_ms: u64,
    /// Migrations that are still to be applied, in order.
    pub pending_migrations: Vec<String>,
}

impl SqliteDatabase {
    /// Looks at the file; changes nothing.
    pub(crate) async fn diagnose(&self, check: SqliteCheck) -> Result<SqliteDiagnosis, StoreError> {
        let (path, migrations) = (self.path.clone(), self.migrations);
        let look = move |sqlite: &mut SqliteConnection| {
            let page_bytes = number(sqlite, "PRAGMA page_size")?;
            let started = Instant::now();
            let faults = faults_of(sqlite, check)?;
            let check_ms = started.elapsed().as_millis() as u64;
            // A file whose pages are broken may not tell what was applied to it either.
            let pending_migrations = match migrations.pending(sqlite) {
                Err(_) if !faults.is_empty() => Vec::new(),
                pending => pending?,
            };
            Ok(SqliteDiagnosis {
                sqlite_version: text(sqlite, "SELECT sqlite_version()")?,
                size_bytes: size_of(&path),
                reusable_bytes: page_bytes * number(sqlite, "PRAGMA freelist_count")?,
                log_bytes: size_of(&log_of(&path)),
                journal_mode: text(sqlite, "PRAGMA journal_mode")?,
                may_write: number(sqlite, "PRAGMA query_only")? == 0,
                faults,
                check_ms,
                pending_migrations,
                path,
            })
        };
        self.outside_transaction("examining the store", look).await
    }
}

fn faults_of(sqlite: &mut SqliteConnection, check: SqliteCheck) -> QueryResult<Vec<String>> {
    let pragma = match check {
        SqliteCheck::Quick => "PRAGMA quick_check(5)",
        SqliteCheck::Full => "PRAGMA integrity_check(5)",
    };
    match sql::<Text>(pragma).load::<String>(sqlite) {
        Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
        Err(QueryError::DatabaseError(_, information)) if information.message().contains("malformed") => {
            Ok(vec![information.message().to_owned()])
        }
        Err(error) => Err(error),
    }
}

fn number(sqlite: &mut SqliteConnection, query: &str) -> QueryResult<u64> {
    Ok(sql::<BigInt>(query).get_result::<i64>(sqlite)?.unsigned_abs())
}

fn text(sqlite: &mut SqliteConnection, query: &str) -> QueryResult<String> {
    sql::<Text>(query).get_result(sqlite)
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = OsString::from(path);
    log.push("-wal");
    PathBuf::from(log)
}

fn size_of(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}
