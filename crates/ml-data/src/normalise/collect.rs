//! The step that makes one value of several, such as those of the items of an array.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::number::{OVERFLOW, whole_or_not};
use crate::field::{FieldList, FieldPath, Fields};
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`crate::normalise::Step::Collect`]. Values that hold nothing are passed over.
///
/// Where there is no result there is no field `to` either: one that was sent was not made of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "arguments by name, such as { from: \"items[*].price\", to: total, as: sum }")]
pub struct Collect {
    /// The fields whose values are taken, such as `items[*].price`.
    pub from: FieldList,
    /// Where the result goes.
    pub to: FieldPath,
    /// What is made of them.
    #[serde(rename = "as")]
    pub how: Collected,
    /// What stands between texts that are joined.
    #[serde(default = "comma")]
    pub separator: String,
}

/// What is made of several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collected {
    /// A list of them.
    List,
    /// How many there are, 0 where there are none.
    Count,
    /// The first.
    First,
    /// The last.
    Last,
    /// The sum of numbers.
    Sum,
    /// The mean of numbers.
    Mean,
    /// The least number.
    Min,
    /// The greatest number.
    Max,
    /// One text.
    Join,
}

fn comma() -> String {
    ", ".to_owned()
}

impl Collect {
    pub(super) fn fault(&self) -> Option<String> {
        if self.from.is_empty() {
            return Some("from names no field".to_owned());
        }
        (!self.to.is_made_of_names()).then(|| format!("`{}` cannot be made: names are needed", self.to))
    }

    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        let mut values = Vec::new();
        for name in &self.from {
            name.each_filled(fields, &mut |value| values.push(value));
        }
        match self.result(&values) {
            Ok(Some(value)) => super::set(&self.to, value, "collect", fields, reasons),
            Ok(None) if self.is_no_array(fields) => {}
            Ok(None) => drop(self.to.remove(fields)),
            Err(message) => reasons.add(&self.to, "collect", message),
        }
    }

    /// Returns whether `to` is what the values are taken out of and holds a single value already, as a text in `authors` does
    /// where names are collected from `authors[*].name`.
    fn is_no_array(&self, fields: &Fields) -> bool {
        let is_single = |value: &Value| !value.is_array() && !value.is_object();
        self.from.iter().any(|from| from.is_inside(&self.to)) && self.to.get_filled(fields).is_some_and(is_single)
    }

    /// Returns the result; nothing where there is none of no values.
    fn result(&self, values: &[&Value]) -> Result<Option<Value>, String> {
        let fold = |fold: fn(f64, f64) -> f64| {
            let mut result: Option<f64> = None;
            for value in values {
                let number = value.as_f64().ok_or_else(|| format!("{} is not a number", shown(value)))?;
                result = Some(result.map_or(number, |result| fold(result, number)));
            }
            match result {
                Some(result) if !result.is_finite() => Err(OVERFLOW.to_owned()),
                result => Ok(result),
            }
        };
        Ok(match self.how {
            Collected::List => {
                (!values.is_empty()).then(|| Value::Array(values.iter().map(|value| (*value).clone()).collect()))
            }
            Collected::Count => Some(Value::from(values.len())),
            Collected::First => values.first().map(|value| (*value).clone()),
            Collected::Last => values.last().map(|value| (*value).clone()),
            Collected::Sum => fold(|one, other| one + other)?.map(whole_or_not),
            Collected::Mean => fold(|one, other| one + other)?.map(|sum| Value::from(sum / values.len() as f64)),
            Collected::Min => fold(f64::min)?.map(whole_or_not),
            Collected::Max => fold(f64::max)?.map(whole_or_not),
            Collected::Join => {
                let texts: Vec<String> = values
                    .iter()
                    .map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
                    .collect();
                (!texts.is_empty()).then(|| Value::String(texts.join(&self.separator)))
            }
        })
    }
}
