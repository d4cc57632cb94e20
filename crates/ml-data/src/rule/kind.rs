//! The rule that values are of a kind.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::FieldList;
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::Type`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The fields to look at.
    pub fields: FieldList,
    /// What they must be.
    pub is: ValueKind,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Unicode text.
    Text,
    /// Any number.
    Number,
    /// A whole number, also when it is written `1.0`.
    Integer,
    /// A truth value.
    Boolean,
    /// A list of values.
    Array,
    /// Values by name.
    Object,
}

impl Kind {
    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        if self.is.holds(value) {
            return None;
        }
        Some(format!("{} is {}, {} is needed", shown(value), name_of(value), self.is.name()))
    }
}

impl ValueKind {
    fn holds(self, value: &Value) -> bool {
        match (self, value) {
            (ValueKind::Integer, Value::Number(number)) => {
                !number.is_f64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            (ValueKind::Text, Value::String(_))
            | (ValueKind::Number, Value::Number(_))
            | (ValueKind::Boolean, Value::Bool(_))
            | (ValueKind::Array, Value::Array(_))
            | (ValueKind::Object, Value::Object(_)) => true,
            _ => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            ValueKind::Text => "text",
            ValueKind::Number => "number",
            ValueKind::Integer => "integer",
            ValueKind::Boolean => "boolean",
            ValueKind::Array => "array",
            ValueKind::Object => "object",
        }
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
