//! How old a value may be, as it is written: `90s`, `15m`, `36h`, `7d`, `2w`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A time to live, at least one second. A value that is exactly so old still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ttl {
    n_seconds: u32,
}

/// The text is not a time to live.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time to live: write a whole number and s, m, h, d or w, such as 36h or 7d")]
pub struct InvalidTtl(String);

/// The units, largest first, each with its seconds.
const UNITS: [(char, u32); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Ttl {
    /// Reads a whole number of a unit, below 136 years.
    pub fn parse(text: &str) -> Result<Ttl, InvalidTtl> {
        let invalid = || InvalidTtl(text.chars().take(80).collect());
        let unit = text.chars().next_back().and_then(|last| UNITS.into_iter().find(|(name, _)| *name == last));
        let (unit, unit_seconds) = unit.ok_or_else(invalid)?;
        let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        let number: Option<u32> = digits.and_then(|digits| digits.parse().ok());
        let n_seconds = number.and_then(|number| number.checked_mul(unit_seconds)).filter(|n_seconds| *n_seconds > 0);
        Ok(Ttl { n_seconds: n_seconds.ok_or_else(invalid)? })
    }

    /// Returns it in microseconds.
    pub fn microseconds(self) -> i64 {
        i64::from(self.n_seconds) * 1_000_000
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.into_iter().find(|(_, seconds)| self.n_seconds.is_multiple_of(*seconds));
        let (unit, seconds) = whole.unwrap_or(('s', 1));
        write!(f, "{}{unit}", self.n_seconds / seconds)
    }
}

impl TryFrom<String> for Ttl {
    type Error = InvalidTtl;

    fn try_from(text: String) -> Result<Ttl, InvalidTtl> {
        Ttl::parse(&text)
    }
}

impl From<Ttl> for String {
    fn from(ttl: Ttl) -> String {
        ttl.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_written_in_its_largest_unit() {
        for (text, n_seconds, written) in [
            ("90s", 90, "90s"),
            ("15m", 900, "15m"),
            ("36h", 129_600, "36h"),
            ("7d", 604_800, "1w"),
            ("2w", 1_209_600, "2w"),
        ] {
            let ttl = Ttl::parse(text).unwrap();
            assert_eq!((ttl.microseconds(), ttl.to_string().as_str()), (n_seconds * 1_000_000, written), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "d", "7", "7 d", "-7d", "+7d", "0s", "7x", "1.5h", "99999999w", "７d"] {
            assert!(Ttl::parse(text).is_err(), "{text}");
        }
    }
}
