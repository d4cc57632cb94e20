//! The profile of a column of instants.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// When the rows of a column are of. Time always moves on, so drift of it means nothing, and only what is missing is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeProfile {
    /// How many rows have no instant.
    pub n_missing: u64,
    /// How many rows have one.
    pub n_present: u64,
    /// The first instant.
    pub earliest: Option<DateTime<Utc>>,
    /// The last instant.
    pub latest: Option<DateTime<Utc>>,
}

impl TimeProfile {
    /// Profiles `times`; `None` is missing.
    pub fn of(times: &[Option<DateTime<Utc>>]) -> TimeProfile {
        let n_present = times.iter().flatten().count() as u64;
        TimeProfile {
            n_missing: times.len() as u64 - n_present,
            n_present,
            earliest: times.iter().flatten().min().copied(),
            latest: times.iter().flatten().max().copied(),
        }
    }
}
