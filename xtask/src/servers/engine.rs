//! Which kind of server, and how careful it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The two kinds of server that the platform keeps its data on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MongoDB, or a server that speaks its protocol.
    MongoDb,
}

impl Engine {
    /// Both kinds.
    pub const ALL: [Engine; 2] = [Engine::Postgres, Engine::MongoDb];

    /// Returns the environment variable by which tests find a running server.
    pub fn variable(self) -> &'static str {
        match self {
            Engine::Postgres => "ML_TEST_POSTGRES_URL",
            Engine::MongoDb => "ML_TEST_MONGODB_URL",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Engine::Postgres => "PostgreSQL",
            Engine::MongoDb => "MongoDB",
        })
    }
}

/// What a server does to keep what it has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// As little as it can, for speed: when it is killed, something may be lost.
    Fast,
    /// It writes to disk before it acknowledges, so that it may be killed at any moment.
    Durable,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Durability::Fast => "fast",
            Durability::Durable => "durable",
        })
    }
}
