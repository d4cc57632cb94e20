//! Rules on numbers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::FieldList;
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::Range`]; at least one bound is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The fields to look at.
    pub fields: FieldList,
    /// The least that is accepted.
    #[serde(default)]
    pub min: Option<f64>,
    /// The most that is accepted.
    #[serde(default)]
    pub max: Option<f64>,
    /// What must be exceeded.
    #[serde(default)]
    pub above: Option<f64>,
    /// What must not be reached.
    #[serde(default)]
    pub below: Option<f64>,
}

impl Range {
    pub(super) fn fault(&self) -> Option<String> {
        let lower = self.min.into_iter().chain(self.above).reduce(f64::max);
        let upper = self.max.into_iter().chain(self.below).reduce(f64::min);
        match (lower, upper) {
            (None, None) => Some("no bound is given: use min, max, above or below".to_owned()),
            (Some(lower), Some(upper)) if lower > upper || (lower == upper && self.excludes(lower)) => {
                Some(format!("nothing lies between {lower} and {upper}"))
            }
            _ => None,
        }
    }

    fn excludes(&self, bound: f64) -> bool {
        self.above == Some(bound) || self.below == Some(bound)
    }

    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let Some(number) = value.as_f64() else {
            return Some(format!("{} is not a number", shown(value)));
        };
        let fault = if let Some(min) = self.min.filter(|min| number < *min) {
            format!("is less than {min}")
        } else if let Some(max) = self.max.filter(|max| number > *max) {
            format!("is more than {max}")
        } else if let Some(above) = self.above.filter(|above| number <= *above) {
            format!("is not above {above}")
        } else if let Some(below) = self.below.filter(|below| number >= *below) {
            format!("is not below {below}")
        } else {
            return None;
        };
        Some(format!("{} {fault}", shown(value)))
    }
}

/// Returns why `value` is not a finite number, if it is not.
pub(super) fn fault_of_finite(value: &Value) -> Option<String> {
    let number = match value {
        Value::String(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    let is_finite = number.is_some_and(f64::is_finite);
    (!is_finite).then(|| format!("{} is not a finite number", shown(value)))
}
