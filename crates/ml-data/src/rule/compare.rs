//! The rule that two fields stand in an order.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::usable;
use crate::field::{FieldPath, Fields};
use crate::instant::parse_instant;
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::Compare`]. Passed over where one of the fields holds nothing.
///
/// Two numbers compare by value, two texts that are both dates as instants, two other texts by character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// The field on the left.
    pub left: FieldPath,
    /// How it must stand to the other.
    pub is: Comparison,
    /// The field on the right.
    pub right: FieldPath,
}

/// How two values must stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// Equal.
    #[serde(rename = "==")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
}

impl Compare {
    pub(super) fn fault(&self) -> Option<String> {
        (self.left == self.right).then(|| format!("`{}` is compared with itself", self.left))
    }

    pub(super) fn check(&self, fields: &Fields, reasons: &mut Reasons) {
        let Some(left) = usable(&self.left, fields, reasons) else { return };
        let Some(right) = usable(&self.right, fields, reasons) else { return };
        let fault = match order(left, right) {
            Some(order) if self.is.holds(order) => return,
            Some(_) => format!("is not {}", self.is.sign()),
            None => "cannot be compared with".to_owned(),
        };
        reasons.add(&self.left, "compare", format!("{} {fault} {} (`{}`)", shown(left), shown(right), self.right));
    }
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::GreaterOrEqual => order.is_ge(),
            Comparison::Greater => order.is_gt(),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Greater => ">",
        }
    }
}

/// Returns how two values stand to each other, where they can be compared.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
        },
        (Value::String(left_text), Value::String(right_text)) => {
            match (parse_instant(left, &[]), parse_instant(right, &[])) {
                (Ok(left), Ok(right)) => Some(left.cmp(&right)),
                _ => Some(left_text.cmp(right_text)),
            }
        }
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
