//! The rule that texts are of some length.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::FieldList;
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::Length`], in characters; at least one bound is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Length {
    /// The fields to look at.
    pub fields: FieldList,
    /// The least that is accepted.
    #[serde(default)]
    pub min: Option<usize>,
    /// The most that is accepted.
    #[serde(default)]
    pub max: Option<usize>,
}

impl Length {
    pub(super) fn fault(&self) -> Option<String> {
        match (self.min, self.max) {
            (None, None) => Some("no bound is given: use min or max".to_owned()),
            (Some(min), Some(max)) if min > max => Some(format!("nothing is between {min} and {max} long")),
            _ => None,
        }
    }

    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let Value::String(text) = value else {
            return Some(format!("{} is not text", shown(value)));
        };
        // The bytes are at least as many as the characters, and at most four times as many.
        if self.max.is_none_or(|max| text.len() <= max) && self.min.is_none_or(|min| text.len() / 4 >= min) {
            return None;
        }
        let n_chars = text.chars().count();
        let characters = if n_chars == 1 { "character" } else { "characters" };
        if let Some(min) = self.min.filter(|min| n_chars < *min) {
            return Some(format!("{} has {n_chars} {characters}, at least {min} are needed", shown(value)));
        }
        let max = self.max.filter(|max| n_chars > *max)?;
        Some(format!("{} has {n_chars} {characters}, at most {max} are accepted", shown(value)))
    }
}
