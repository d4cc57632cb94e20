//! Rules on how long ago something was, against the time at which the record was ingested.
//!
//! The time of the judging would make SQL depend on when a sync ran; the time of ingest belongs to the record.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::field::FieldList;
use crate::instant::{parse_instant, print_instant};
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::Age`]; at least one bound is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Age {
    /// The fields to look at.
    pub fields: FieldList,
    /// How long before its ingest it may have been at most.
    #[serde(default, deserialize_with = "read", serialize_with = "write", skip_serializing_if = "Option::is_none")]
    pub max: Option<TimeDelta>,
    /// How long before its ingest it must have been at least.
    #[serde(default, deserialize_with = "read", serialize_with = "write", skip_serializing_if = "Option::is_none")]
    pub min: Option<TimeDelta>,
}

impl Age {
    pub(super) fn fault(&self) -> Option<String> {
        match (self.min, self.max) {
            (None, None) => Some("no bound is given: use min or max".to_owned()),
            (Some(min), Some(max)) if min > max => Some("min is more than max".to_owned()),
            _ => None,
        }
    }

    pub(super) fn fault_of(&self, value: &Value, known_at: DateTime<Utc>) -> Option<String> {
        let instant = match parse_instant(value, &[]) {
            Ok(instant) => instant,
            Err(error) => return Some(error.to_string()),
        };
        let age = known_at - instant;
        let ingested = print_instant(known_at);
        if let Some(max) = self.max.filter(|max| age > *max) {
            return Some(format!("{} is more than {} before the ingest at {ingested}", shown(value), print(max)));
        }
        let min = self.min.filter(|min| age < *min)?;
        Some(format!("{} is not {} before the ingest at {ingested}", shown(value), print(min)))
    }
}

/// Arguments of [`crate::rule::Rule::NotFuture`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotFuture {
    /// The fields to look at.
    pub fields: FieldList,
    /// How far the clocks of others may be ahead.
    #[serde(serialize_with = "write_delta")]
    pub tolerance: TimeDelta,
}

impl<'de> Deserialize<'de> for NotFuture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NotFuture, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Named {
            fields: FieldList,
            #[serde(default, deserialize_with = "read")]
            tolerance: Option<TimeDelta>,
        }
        let Named { fields, tolerance } = Named::deserialize(deserializer)?;
        Ok(NotFuture { fields, tolerance: tolerance.unwrap_or_default() })
    }
}

impl NotFuture {
    pub(super) fn fault_of(&self, value: &Value, known_at: DateTime<Utc>) -> Option<String> {
        match parse_instant(value, &[]) {
            Ok(instant) if instant - known_at <= self.tolerance => None,
            Ok(_) => Some(format!("{} is after the ingest at {}", shown(value), print_instant(known_at))),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// Reads a number and its unit: `90s`, `15m`, `12h`, `30d`.
fn parse_delta(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let seconds = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    TimeDelta::try_seconds(digits.parse::<i64>().ok()?.checked_mul(seconds)?)
}

fn print(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds();
    match seconds {
        seconds if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        seconds if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeDelta>, D::Error> {
    let Some(value) = Option::<Value>::deserialize(deserializer)? else { return Ok(None) };
    let fault =
        || serde::de::Error::custom(format!("{} is not a duration such as 90s, 15m, 12h or 30d", shown(&value)));
    value.as_str().and_then(parse_delta).map(Some).ok_or_else(fault)
}

#[expect(clippy::ref_option, reason = "serde gives the field as it is")]
fn write<S: Serializer>(delta: &Option<TimeDelta>, serializer: S) -> Result<S::Ok, S::Error> {
    delta.map(print).serialize(serializer)
}

fn write_delta<S: Serializer>(delta: &TimeDelta, serializer: S) -> Result<S::Ok, S::Error> {
    print(*delta).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_printed() {
        for text in ["0d", "90s", "15m", "12h", "30d"] {
            assert_eq!(print(parse_delta(text).unwrap()), text);
        }
        for text in ["", "5", "d", "1.5h", "-3d", "3 weeks", "99999999999999999999d", "9223372036854775807d"] {
            assert_eq!(parse_delta(text), None, "{text}");
        }
    }
}
