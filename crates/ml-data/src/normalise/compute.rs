//! The step that makes a number of others.

use serde::{Deserialize, Serialize};

use super::number::{OVERFLOW, whole_or_not};
use crate::field::{FieldPath, Fields};
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`crate::normalise::Step::Compute`]: one operation, from left to right.
///
/// Where a field holds nothing there is no result, and no field `to` either: one that was sent was not made of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "arguments by name, such as { to: area, multiply: [width, depth] }")]
pub struct Compute {
    /// Where the result goes.
    pub to: FieldPath,
    /// The sum of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add: Option<Vec<Operand>>,
    /// The first without the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtract: Option<Vec<Operand>>,
    /// The product of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiply: Option<Vec<Operand>>,
    /// The first divided by the others; no result where one of them is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divide: Option<Vec<Operand>>,
    /// How many decimal places the result gets; absent: all.
    #[serde(default)]
    pub round: Option<u32>,
}

/// A number, or the field that has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Operand {
    /// A number.
    Number(f64),
    /// A field.
    Field(FieldPath),
}

type Operation = fn(f64, f64) -> f64;

impl Compute {
    fn operation(&self) -> Option<(&[Operand], Operation)> {
        let all: [(&Option<Vec<Operand>>, Operation); 4] = [
            (&self.add, |one, other| one + other),
            (&self.subtract, |one, other| one - other),
            (&self.multiply, |one, other| one * other),
            (&self.divide, |one, other| one / other),
        ];
        let mut given = all.into_iter().filter_map(|(operands, operation)| Some((operands.as_deref()?, operation)));
        let first = given.next()?;
        given.next().is_none().then_some(first)
    }

    pub(super) fn fault(&self) -> Option<String> {
        let Some((operands, _)) = self.operation() else {
            return Some("one of add, subtract, multiply and divide is needed".to_owned());
        };
        if operands.len() < 2 {
            return Some("fewer than two numbers are given".to_owned());
        }
        if let Some(round) = self.round.filter(|round| *round > 15) {
            return Some(format!("round is {round}, and a number has no more than 15 digits that count"));
        }
        let plural = operands.iter().find(|operand| matches!(operand, Operand::Field(name) if name.is_plural()));
        if let Some(Operand::Field(name)) = plural {
            return Some(format!("`{name}` may lead to several values: use a step `collect` before"));
        }
        (!self.to.is_made_of_names()).then(|| format!("`{}` cannot be made: names are needed", self.to))
    }

    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        let Some((operands, operation)) = self.operation() else { return };
        let numbers = match numbers(operands, fields) {
            Ok(Some(numbers)) => numbers,
            Ok(None) => return drop(self.to.remove(fields)),
            // What is wrong with a field that could not be brought into form is known already.
            Err((name, _)) if reasons.names(name) => return,
            Err((name, message)) => return reasons.add(name, "compute", message),
        };
        if self.divide.is_some() && numbers[1..].contains(&0.0) {
            self.to.remove(fields);
            return;
        }
        let Some(result) = numbers.into_iter().reduce(operation) else { return };
        if !result.is_finite() {
            return reasons.add(&self.to, "compute", OVERFLOW.to_owned());
        }
        super::set(&self.to, whole_or_not(self.rounded(result)), "compute", fields, reasons);
    }

    fn rounded(&self, result: f64) -> f64 {
        let Some(places) = self.round else { return result };
        let scale = 10_f64.powi(places as i32);
        let scaled = result * scale;
        // A number too great to be scaled has no decimal places.
        if scaled.is_finite() { scaled.round() / scale } else { result }
    }
}

/// Returns the operands as numbers, nothing where a field holds nothing, or the field that holds something else.
fn numbers<'a>(operands: &'a [Operand], fields: &Fields) -> Result<Option<Vec<f64>>, (&'a FieldPath, String)> {
    let mut numbers = Vec::with_capacity(operands.len());
    for operand in operands {
        match operand {
            Operand::Number(number) => numbers.push(*number),
            Operand::Field(name) => {
                let Some(value) = name.get_filled(fields) else { return Ok(None) };
                let fault = || (name, format!("{} is not a number", shown(value)));
                numbers.push(value.as_f64().ok_or_else(fault)?);
            }
        }
    }
    Ok(Some(numbers))
}
