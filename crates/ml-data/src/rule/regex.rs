//! The rule that texts match a pattern.

use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::field::FieldList;
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::Regex`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matches {
    /// The fields to look at.
    pub fields: FieldList,
    /// The pattern, in the syntax of the crate `regex`; it may match anywhere unless it is anchored.
    #[serde(deserialize_with = "read_pattern", serialize_with = "write_pattern")]
    pub matches: Regex,
}

impl PartialEq for Matches {
    fn eq(&self, other: &Matches) -> bool {
        self.fields == other.fields && self.matches.as_str() == other.matches.as_str()
    }
}

impl Matches {
    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let matches = match value {
            Value::String(text) => self.matches.is_match(text),
            Value::Number(_) | Value::Bool(_) => self.matches.is_match(&value.to_string()),
            _ => false,
        };
        (!matches).then(|| format!("{} does not match `{}`", shown(value), self.matches.as_str()))
    }
}

fn read_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
    let pattern = String::deserialize(deserializer)?;
    Regex::new(&pattern).map_err(serde::de::Error::custom)
}

fn write_pattern<S: Serializer>(pattern: &Regex, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(pattern.as_str())
}
