//! The rule that values are of a set.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::FieldList;
use crate::shown::shown;

/// How many of the allowed values a message lists.
const MAX_LISTED: usize = 12;

/// Arguments of [`crate::rule::Rule::Allowed`] and [`crate::rule::Rule::NotIn`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    /// The fields to look at.
    pub fields: FieldList,
    /// What they may be; case matters.
    pub values: Vec<Value>,
}

impl Allowed {
    pub(super) fn fault(&self) -> Option<String> {
        self.values.is_empty().then(|| "values is empty: nothing would be allowed".to_owned())
    }

    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        if self.values.iter().any(|allowed| is_same(allowed, value)) {
            return None;
        }
        let mut listed: Vec<String> = self.values.iter().take(MAX_LISTED).map(shown).collect();
        if self.values.len() > MAX_LISTED {
            listed.push("…".to_owned());
        }
        Some(format!("{} is not one of {}", shown(value), listed.join(", ")))
    }

    pub(super) fn fault_of_not_in(&self, value: &Value) -> Option<String> {
        let is_met = !self.values.iter().any(|refused| is_same(refused, value));
        (!is_met).then(|| format!("{} is one of the values that are refused", shown(value)))
    }
}

/// Compares numbers by value, so that `1` and `1.0` are the same.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}
