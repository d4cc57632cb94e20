//! Instants as BSON dates, which count milliseconds, and the microseconds below them.

use chrono::{DateTime, TimeDelta, Utc};
use mongodb::bson::{Document, doc};

use super::MICROS_FIELD;

/// An instant, cut in two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    /// Milliseconds since 1970, rounded down: what a BSON date has.
    pub(crate) millis: i64,
    /// What is left: 0 to 999.
    pub(crate) micros: i32,
}

impl From<DateTime<Utc>> for Instant {
    fn from(time: DateTime<Utc>) -> Instant {
        Instant { millis: time.timestamp_millis(), micros: (time.timestamp_subsec_micros() % 1000) as i32 }
    }
}

impl Instant {
    /// Returns the instant, unless it is outside of what a calendar has.
    pub(crate) fn time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.millis)?.checked_add_signed(TimeDelta::microseconds(self.micros.into()))
    }

    /// Returns the conditions that exactly this instant is in `field`.
    pub(crate) fn is_in(self, field: &str) -> Document {
        // Equality with null holds for what is not there.
        let micros = (self.micros > 0).then_some(self.micros);
        doc! { field: self.date(), format!("{MICROS_FIELD}.{field}"): micros }
    }

    fn date(self) -> mongodb::bson::DateTime {
        mongodb::bson::DateTime::from_millis(self.millis)
    }
}

/// Returns the conditions that the instant in `field` is at or after `time`.
///
/// The first can be answered from an index of the dates; the second looks at the documents of one millisecond.
pub(crate) fn at_or_after(field: &str, time: DateTime<Utc>) -> Vec<Document> {
    let instant = Instant::from(time);
    let mut conditions = vec![doc! { field: { "$gte": instant.date() } }];
    if instant.micros > 0 {
        // Not `$lt`: where there are no microseconds they are zero, which is too early.
        let is_late_enough = doc! { "$gte": instant.micros };
        conditions.push(
            doc! { "$nor": [{ field: instant.date(), format!("{MICROS_FIELD}.{field}"): { "$not": is_late_enough } }] },
        );
    }
    conditions
}

/// Returns the conditions that the instant in `field` is before `time`.
pub(crate) fn before(field: &str, time: DateTime<Utc>) -> Vec<Document> {
    let instant = Instant::from(time);
    if instant.micros == 0 {
        return vec![doc! { field: { "$lt": instant.date() } }];
    }
    let is_too_late = doc! { "$gte": instant.micros };
    vec![
        doc! { field: { "$lte": instant.date() } },
        doc! { "$nor": [{ field: instant.date(), format!("{MICROS_FIELD}.{field}"): is_too_late }] },
    ]
}

/// Returns the conditions that the instant in `field` is at or before `time`.
pub(crate) fn at_or_before(field: &str, time: DateTime<Utc>) -> Vec<Document> {
    let instant = Instant::from(time);
    let is_too_late = doc! { "$gt": instant.micros };
    vec![
        doc! { field: { "$lte": instant.date() } },
        doc! { "$nor": [{ field: instant.date(), format!("{MICROS_FIELD}.{field}"): is_too_late }] },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_before_1970_are_rounded_down() {
        let time = DateTime::from_timestamp_micros(-1).unwrap();
        assert_eq!(Instant::from(time), Instant { millis: -1, micros: 999 });
        assert_eq!(Instant::from(time).time(), Some(time));
    }
}
