//! The rule that of records with the same values one is kept.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Unique;
use crate::field::{FieldList, FieldPath, Fields};
use crate::instant::parse_instant;

/// Arguments of [`crate::rule::Rule::Dedup`]: of the records of one application with the same values, one passes.
///
/// Unlike `unique`, which keeps whoever was first, a record that comes later can take the place of one that passed, which then
/// waits in quarantine. Which one is kept does not depend on the order in which they are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dedup {
    /// The fields that are the same in duplicates.
    pub by: FieldList,
    /// Which one is kept.
    #[serde(default)]
    pub keep: Keep,
    /// The field with the time, for `newest`; one without a time is older than all.
    #[serde(default)]
    pub time: Option<FieldPath>,
}

/// Which one of several duplicates is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The one that was ingested first.
    #[default]
    First,
    /// The one that was ingested last.
    Last,
    /// The one with the newest time in a field; of several, the one that was ingested last.
    Newest,
}

impl Dedup {
    pub(super) fn fault(&self) -> Option<String> {
        match (self.keep, &self.time) {
            (Keep::Newest, None) => Some("keep is `newest`, and time names no field".to_owned()),
            (Keep::First | Keep::Last, Some(_)) => Some("time is for `keep: newest` alone".to_owned()),
            _ => None,
        }
    }

    /// Returns the fields as those of a unique rule.
    pub(crate) fn unique(&self) -> Unique {
        Unique { fields: self.by.clone() }
    }

    /// Returns the claim to be kept of a record with these normalised fields: the greatest is.
    pub(crate) fn rank(&self, fields: &Fields, ingested_at: DateTime<Utc>) -> Rank {
        let micros = ingested_at.timestamp_micros();
        match self.keep {
            Keep::First => Rank(-micros, 0),
            Keep::Last => Rank(micros, 0),
            Keep::Newest => {
                let time = self.time.as_ref().and_then(|name| name.get_filled(fields));
                let time = time.and_then(|value: &Value| parse_instant(value, &[]).ok());
                Rank(time.map_or(i64::MIN, |time| time.timestamp_micros()), micros)
            }
        }
    }
}

/// How good the claim of a record to be kept is; between equals, the one with the lesser id is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(i64, i64);
