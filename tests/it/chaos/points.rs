//! At how many points the program and the servers are disturbed.
//!
//! `ML_TEST_POINTS=all` takes as many as are promised; without it there are fewer, so that the tests stay quick.

use crate::harness::sql_side::SqlPlace;

/// How many points of a kind there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Points {
    on_sqlite: usize,
    on_postgres: usize,
    all: usize,
}

/// `kill -9` of a sync.
pub(super) const SYNC_KILLS: Points = Points { on_sqlite: 60, on_postgres: 30, all: 300 };

/// `kill -9` of the server with the documents.
pub(super) const DOCUMENTS_SERVER_KILLS: Points = Points { on_sqlite: 8, on_postgres: 3, all: 30 };

/// `kill -9` of the server with SQL.
pub(super) const SQL_SERVER_KILLS: Points = Points { on_sqlite: 0, on_postgres: 6, all: 30 };

/// Faults of a connection.
pub(super) const CONNECTIONS: Points = Points { on_sqlite: 15, on_postgres: 12, all: 50 };

/// Commits that are lost, or whose answer is, for each way in which they can be.
pub(super) const COMMITS: Points = Points { on_sqlite: 0, on_postgres: 3, all: 12 };

/// Rounds in which a sync, a scoring and a publication are killed.
pub(super) const BOTH_WAYS: Points = Points { on_sqlite: 7, on_postgres: 4, all: 30 };

impl Points {
    /// Returns how many are to be tried where SQL is at `place`.
    pub(super) fn count(self, place: &SqlPlace) -> usize {
        match (std::env::var("ML_TEST_POINTS").as_deref(), place) {
            (Ok("all"), _) => self.all,
            (Ok(other), _) => panic!("ML_TEST_POINTS is `{other}`, and may be `all` or unset"),
            (Err(_), SqlPlace::Sqlite) => self.on_sqlite,
            (Err(_), SqlPlace::Postgres { .. }) => self.on_postgres,
        }
    }
}
