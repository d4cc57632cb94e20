//! What time it is, as something that can be passed in and held still.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the current instant, with microsecond precision: what every store can keep.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else is given")]
    fn now(&self) -> DateTime<Utc> {
        to_microseconds(Utc::now())
    }
}

/// Cuts `instant` down to whole microseconds.
pub fn to_microseconds(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_cut_to_microseconds() {
        let instant = DateTime::from_timestamp(1, 123_456_789).unwrap();
        assert_eq!(to_microseconds(instant), DateTime::from_timestamp(1, 123_456_000).unwrap());
    }
}
