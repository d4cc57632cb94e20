//! Rules on how numbers are made, beyond their range.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::FieldList;
use crate::shown::shown;

/// How far a quotient may be from a whole number, for `0.3` is no exact multiple of `0.1`.
const TOLERANCE: f64 = 1e-9;

/// Arguments of [`crate::rule::Rule::DecimalPlaces`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecimalPlaces {
    /// The fields to look at: numbers, or text as it is written.
    pub fields: FieldList,
    /// The most digits that are accepted behind the point, at most 15.
    pub max: u32,
}

impl DecimalPlaces {
    pub(super) fn fault(&self) -> Option<String> {
        (self.max > 15).then(|| format!("max is {}, and a number has no more than 15 digits that count", self.max))
    }

    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let is_met = match value {
            Value::Number(number) if !number.is_f64() => true,
            Value::Number(number) => number.as_f64().is_some_and(|number| has_places(number, self.max)),
            Value::String(text) => {
                let places = text.trim().split_once('.').map_or("", |(_, places)| places);
                let is_number = text.trim().parse::<f64>().is_ok();
                is_number && places.bytes().all(|byte| byte.is_ascii_digit()) && places.len() <= self.max as usize
            }
            _ => false,
        };
        (!is_met).then(|| format!("{} is not a number of at most {} decimal places", shown(value), self.max))
    }
}

/// Returns whether `number` is the nearest to a decimal number with so many places.
fn has_places(number: f64, places: u32) -> bool {
    let scale = 10_f64.powi(places as i32);
    (number * scale).round() / scale == number
}

/// Arguments of [`crate::rule::Rule::MultipleOf`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultipleOf {
    /// The fields to look at.
    pub fields: FieldList,
    /// What they are multiples of, above 0.
    pub of: f64,
}

impl MultipleOf {
    pub(super) fn fault(&self) -> Option<String> {
        (!(self.of > 0.0 && self.of.is_finite())).then(|| format!("of is {}: a number above 0 is needed", self.of))
    }

    pub(super) fn fault_of(&self, value: &Value) -> Option<String> {
        let quotient = value.as_f64().map(|number| number / self.of);
        let is_met =
            quotient.is_some_and(|quotient| (quotient - quotient.round()).abs() <= TOLERANCE * quotient.abs().max(1.0));
        (!is_met).then(|| format!("{} is not a multiple of {}", shown(value), self.of))
    }
}

pub(super) fn fault_of_positive(value: &Value) -> Option<String> {
    fault_unless(value, |number| number > 0.0, "a number above 0")
}

pub(super) fn fault_of_latitude(value: &Value) -> Option<String> {
    fault_unless(value, |number| (-90.0..=90.0).contains(&number), "a latitude from -90 to 90")
}

pub(super) fn fault_of_longitude(value: &Value) -> Option<String> {
    fault_unless(value, |number| (-180.0..=180.0).contains(&number), "a longitude from -180 to 180")
}

fn fault_unless(value: &Value, is_met: impl Fn(f64) -> bool, name: &str) -> Option<String> {
    let is_met = value.as_f64().is_some_and(is_met);
    (!is_met).then(|| format!("{} is not {name}", shown(value)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_are_those_that_are_written(digits in -99_999_999_i64..99_999_999, places in 0_u32..6) {
            let text = format!("{:.*}", places as usize, digits as f64 / 10_f64.powi(places as i32));
            let number: f64 = text.parse().unwrap();
            prop_assert!(has_places(number, places), "{}", text);
            let needed = number.to_string().split_once('.').map_or(0, |(_, places)| places.len() as u32);
            prop_assert!(needed == 0 || !has_places(number, needed - 1), "{}", text);
        }
    }
}
