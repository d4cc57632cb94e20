//! At how many points the program and the servers are disturbed.
//!
//! `ML_TEST_POINTS=all` takes as many as are promised; without it there are fewer, so that the tests stay quick.

/// How many points of a kind there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Points {
    usual: usize,
    all: usize,
}

/// `kill -9` of a sync.
pub(super) const SYNC_KILLS: Points = Points { usual: 90, all: 300 };

/// `kill -9` of a database server.
pub(super) const SERVER_KILLS: Points = Points { usual: 10, all: 30 };

/// Faults of a connection.
pub(super) const CONNECTIONS: Points = Points { usual: 20, all: 50 };

/// Rounds in which a sync, a scoring and a publication are killed.
pub(super) const BOTH_WAYS: Points = Points { usual: 10, all: 30 };

impl Points {
    /// Returns how many are to be tried.
    pub(super) fn count(self) -> usize {
        match std::env::var("ML_TEST_POINTS").as_deref() {
            Ok("all") => self.all,
            Ok(other) => panic!("ML_TEST_POINTS is `{other}`, and may be `all` or unset"),
            Err(_) => self.usual,
        }
    }
}
