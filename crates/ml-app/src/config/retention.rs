//! For how long records are kept: `forever`, or a number with a unit.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

const HOURS_OF: [(char, i64); 3] = [('h', 1), ('d', 24), ('w', 168)];

/// A hundred years: more is a slip of the hand, and `forever` is meant.
const MOST_HOURS: i64 = 100 * 366 * 24;

/// For how long a collection keeps its records, counted from their ingest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Retention {
    /// They are never deleted for their age.
    Forever,
    /// As long as this, at least an hour.
    For(TimeDelta),
}

/// The text names no time to keep records for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no time to keep records for: write `forever`, or a whole number of hours, days or weeks as in `36h`, `90d`, `12w`"
)]
pub(crate) struct InvalidRetention(String);

impl Retention {
    /// Reads `forever`, `36h`, `90d` or `12w`.
    pub(crate) fn parse(text: &str) -> Result<Retention, InvalidRetention> {
        if text == "forever" {
            return Ok(Retention::Forever);
        }
        let hours = HOURS_OF.iter().find_map(|(unit, hours)| {
            let number: i64 = text.strip_suffix(*unit)?.parse().ok()?;
            number.checked_mul(*hours)
        });
        match hours {
            Some(hours @ 1..=MOST_HOURS) => Ok(Retention::For(TimeDelta::hours(hours))),
            _ => Err(InvalidRetention(text.to_owned())),
        }
    }

    /// Returns for how long; absent means for ever.
    pub(crate) fn bound(self) -> Option<TimeDelta> {
        match self {
            Retention::Forever => None,
            Retention::For(time) => Some(time),
        }
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Retention::For(time) = self else { return f.write_str("forever") };
        match time.num_hours() {
            hours if hours % 24 == 0 => write!(f, "{}d", hours / 24),
            hours => write!(f, "{hours}h"),
        }
    }
}

impl TryFrom<String> for Retention {
    type Error = InvalidRetention;

    fn try_from(text: String) -> Result<Retention, InvalidRetention> {
        Retention::parse(&text)
    }
}

impl From<Retention> for String {
    fn from(retention: Retention) -> String {
        retention.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, hours: i64, shown: &str) {
        let retention = Retention::parse(text).unwrap();
        assert_eq!(retention, Retention::For(TimeDelta::hours(hours)));
        assert_eq!(retention.to_string(), shown);
        assert_eq!(Retention::parse(shown), Ok(retention));
    }

    #[test]
    fn times_have_a_unit() {
        check("36h", 36, "36h");
        check("90d", 2160, "90d");
        check("2w", 336, "14d");
        assert_eq!(Retention::parse("forever").unwrap().bound(), None);
        assert_eq!(Retention::Forever.to_string(), "forever");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "90", "d", "0d", "-1d", "1.5d", "90 d", "90D", "never", "9999999999999999999h", "9000000w"] {
            let refusal = Retention::parse(text).unwrap_err();
            assert!(refusal.to_string().contains("90d"), "{refusal}");
        }
    }
}
