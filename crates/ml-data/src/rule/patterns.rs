//! The rule that texts match one of several patterns, or none.

use regex::RegexSet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::text::{listed, not_text, one_or_several};
use crate::field::FieldList;
use crate::shown::{shown, shown_text};

/// Arguments of [`crate::rule::Rule::Patterns`]; at least one list is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patterns {
    /// The fields to look at.
    pub fields: FieldList,
    /// At least one of these matches, anywhere unless it is anchored.
    #[serde(default = "RegexSet::empty", deserialize_with = "read", serialize_with = "write")]
    pub any: RegexSet,
    /// None of these matches.
    #[serde(default = "RegexSet::empty", deserialize_with = "read", serialize_with = "write")]
    pub none: RegexSet,
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Patterns) -> bool {
        (&self.fields, self.any.patterns(), self.none.patterns())
            == (&other.fields, other.any.patterns(), other.none.patterns())
    }
}

impl Patterns {
    pub(super) fn fault(&self) -> Option<String> {
        (self.any.is_empty() && self.none.is_empty()).then(|| "no pattern is given: use any or none".to_owned())
    }

    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let Value::String(text) = value else { return Some(not_text(value)) };
        if !self.any.is_empty() && !self.any.is_match(text) {
            return Some(format!("{} matches none of {}", shown(value), listed(self.any.patterns())));
        }
        if self.none.is_empty() || !self.none.is_match(text) {
            return None;
        }
        let found = self.none.matches(text).iter().next()?;
        Some(format!("{} matches {}", shown(value), shown_text(&self.none.patterns()[found])))
    }
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RegexSet, D::Error> {
    RegexSet::new(one_or_several(deserializer)?).map_err(serde::de::Error::custom)
}

fn write<S: Serializer>(patterns: &RegexSet, serializer: S) -> Result<S::Ok, S::Error> {
    patterns.patterns().serialize(serializer)
}
