//! The rule that values are instants in a range.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::field::FieldList;
use crate::instant::{parse_instant, print_instant};
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::Date`]; without bounds, the years 1700 to 2199.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateRange {
    /// The fields to look at.
    pub fields: FieldList,
    /// The earliest that is accepted.
    #[serde(default, deserialize_with = "read_bound", serialize_with = "write_bound")]
    pub from: Option<DateTime<Utc>>,
    /// What must not be reached.
    #[serde(default, deserialize_with = "read_bound", serialize_with = "write_bound")]
    pub before: Option<DateTime<Utc>>,
}

impl DateRange {
    pub(super) fn fault(&self) -> Option<String> {
        let (from, before) = (self.from?, self.before?);
        (from >= before)
            .then(|| format!("nothing lies from {} to before {}", print_instant(from), print_instant(before)))
    }

    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let instant = match parse_instant(value, &[]) {
            Ok(instant) => instant,
            Err(error) => return Some(error.to_string()),
        };
        if let Some(from) = self.from.filter(|from| instant < *from) {
            return Some(format!("{} is before {}", shown(value), print_instant(from)));
        }
        let before = self.before.filter(|before| instant >= *before)?;
        Some(format!("{} is not before {}", shown(value), print_instant(before)))
    }
}

fn read_bound<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    parse_instant(&Value::String(text), &[]).map(Some).map_err(serde::de::Error::custom)
}

#[expect(clippy::ref_option, reason = "serde gives the field as it is")]
fn write_bound<S: Serializer>(bound: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    bound.map(print_instant).serialize(serializer)
}
