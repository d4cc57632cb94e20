//! The step that turns values into another kind.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::field::{FieldList, Fields};
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`crate::normalise::Step::Cast`]. Blank text becomes `null`, unless text is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// The fields to cast.
    pub fields: FieldList,
    /// What they become.
    pub to: CastTo,
}

/// The kind that a value is cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CastTo {
    /// A finite number.
    Number,
    /// A whole number of 64 bits.
    Integer,
    /// A truth value: `true`, `yes`, `y`, `t`, `1` and their opposites, in any case.
    Boolean,
    /// Text; numbers and truth values as they print.
    Text,
}

impl Cast {
    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        for name in &self.fields {
            let mut fault = None;
            name.each_mut(fields, &mut |value| match self.to.cast(value) {
                Ok(Some(cast)) => *value = cast,
                Ok(None) => {}
                Err(expected) => drop(fault.get_or_insert_with(|| format!("{} {expected}", shown(value)))),
            });
            if let Some(message) = fault {
                reasons.add(name, "cast", message);
            }
        }
    }
}

impl CastTo {
    /// Returns the cast value, nothing if it is of that kind already, or what it is not.
    fn cast(self, value: &Value) -> Result<Option<Value>, &'static str> {
        if let Value::String(text) = value
            && self != CastTo::Text
            && text.trim().is_empty()
        {
            return Ok(Some(Value::Null));
        }
        match self {
            _ if value.is_null() => Ok(None),
            CastTo::Number => cast_number(value).ok_or("is not a number"),
            CastTo::Integer => cast_integer(value).ok_or("is not a whole number"),
            CastTo::Boolean => cast_boolean(value).ok_or("is not a truth value"),
            CastTo::Text => cast_text(value).ok_or("cannot be turned into text"),
        }
    }
}

fn cast_number(value: &Value) -> Option<Option<Value>> {
    match value {
        Value::Number(_) => Some(None),
        Value::Bool(truth) => Some(Some(Value::from(u8::from(*truth)))),
        Value::String(text) => {
            let text = text.trim();
            let number = match text.parse::<i64>() {
                Ok(integer) => Number::from(integer),
                Err(_) => Number::from_f64(text.parse().ok()?)?,
            };
            Some(Some(Value::Number(number)))
        }
        _ => None,
    }
}

fn cast_integer(value: &Value) -> Option<Option<Value>> {
    match value {
        Value::Number(number) if number.is_i64() => Some(None),
        Value::Number(number) => Some(Some(Value::from(whole(number.as_f64()?)?))),
        Value::Bool(truth) => Some(Some(Value::from(u8::from(*truth)))),
        Value::String(text) => {
            let text = text.trim();
            let integer = text.parse().ok().or_else(|| whole(text.parse().ok()?))?;
            Some(Some(Value::from(integer)))
        }
        _ => None,
    }
}

/// Returns `number` as an integer, if it is whole and small enough to be exact.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

fn cast_boolean(value: &Value) -> Option<Option<Value>> {
    let truth = match value {
        Value::Bool(_) => return Some(None),
        Value::Number(number) if number.as_f64() == Some(1.0) => true,
        Value::Number(number) if number.as_f64() == Some(0.0) => false,
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "t" | "1" => true,
            "false" | "no" | "n" | "f" | "0" => false,
            _ => return None,
        },
        _ => return None,
    };
    Some(Some(Value::Bool(truth)))
}

fn cast_text(value: &Value) -> Option<Option<Value>> {
    match value {
        Value::String(_) => Some(None),
        Value::Number(_) | Value::Bool(_) => Some(Some(Value::String(value.to_string()))),
        _ => None,
    }
}
