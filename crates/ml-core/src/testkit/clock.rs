//! Time and ids that a test holds still.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::clock::Clock;
use crate::id::IdSource;

/// A clock that shows the same instant until it is moved.
#[derive(Debug)]
pub struct FixedClock {
    microseconds: AtomicI64,
}

impl FixedClock {
    /// Shows `instant`, cut down to whole microseconds.
    pub fn at(instant: DateTime<Utc>) -> FixedClock {
        FixedClock { microseconds: AtomicI64::new(instant.timestamp_micros()) }
    }

    /// Shows `instant` from now on, earlier ones included.
    pub fn set(&self, instant: DateTime<Utc>) {
        self.microseconds.store(instant.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves on by `step`; a negative step moves back.
    pub fn advance(&self, step: TimeDelta) {
        let step = step.num_microseconds().expect("a test moves by less than 292,000 years");
        self.microseconds.fetch_add(step, Ordering::SeqCst);
    }
}

impl Default for FixedClock {
    /// Shows [`crate::testkit::build::second`] zero.
    fn default() -> FixedClock {
        FixedClock::at(crate::testkit::build::second(0))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.microseconds.load(Ordering::SeqCst))
            .expect("a test stays within chrono's range")
    }
}

/// Ids that count up from 1: `…0001`, `…0002`, and so on.
#[derive(Debug, Default)]
pub struct SequentialIds {
    given: AtomicU64,
}

impl IdSource for SequentialIds {
    fn new_uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.given.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

#[cfg(test)]
mod tests {
    use crate::id::RunId;
    use crate::testkit::build::second;

    use super::*;

    #[test]
    fn a_fixed_clock_moves_when_told() {
        let clock = FixedClock::default();
        assert_eq!(clock.now(), second(0));
        clock.advance(TimeDelta::seconds(90));
        assert_eq!(clock.now(), second(90));
        clock.set(second(5));
        assert_eq!(clock.now(), second(5));
    }

    #[test]
    fn sequential_ids_can_be_foretold() {
        let ids = SequentialIds::default();
        assert_eq!(RunId::from_uuid(ids.new_uuid()).as_str(), "00000000000000000000000000000001");
        assert_eq!(RunId::from_uuid(ids.new_uuid()).as_str(), "00000000000000000000000000000002");
    }
}
