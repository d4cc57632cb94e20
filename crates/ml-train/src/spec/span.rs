//! A length of time as pipeline files write it: `90s`, `30m`, `72h`, `7d`, `2w`.

use serde::{Deserialize, Serialize};

/// A positive length of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    text: String,
    microseconds: i64,
}

impl Span {
    /// Returns its length.
    pub fn microseconds(&self) -> i64 {
        self.microseconds
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Span, String> {
        let read = || {
            let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                "d" => 86_400,
                "w" => 604_800,
                _ => return None,
            };
            let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
            number.checked_mul(seconds * 1_000_000)
        };
        match read() {
            Some(microseconds) => Ok(Span { text, microseconds }),
            None => Err(format!(
                "`{text}` is no length of time: write a whole number and a unit of s, m, h, d or w, such as `7d`"
            )),
        }
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_a_number_and_a_unit() {
        let read = |text: &str| Span::try_from(text.to_owned()).map(|span| span.microseconds() / 1_000_000);
        assert_eq!(["90s", "30m", "2h", "1d", "1w"].map(|text| read(text).unwrap()), [90, 1800, 7200, 86_400, 604_800]);
        for text in ["", "d", "7", "-7d", "0d", "7 d", "1.5h", "7é", "9223372036854775807w"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
