//! Rules that numbers of several fields agree.

use serde::{Deserialize, Serialize};

use super::{Subject, usable};
use crate::field::{FieldList, FieldPath};
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::EqualsSum`] and [`crate::rule::Rule::EqualsProduct`]. Passed over where one of the
/// fields holds nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equals {
    /// The field with the result.
    pub field: FieldPath,
    /// The fields that it is made of.
    pub of: FieldList,
    /// How far it may be off, as a share of the greater of both sides; absent: as much as counting in binary makes.
    #[serde(default = "rounding")]
    pub tolerance: f64,
}

fn rounding() -> f64 {
    1e-9
}

impl Equals {
    pub(super) fn fault(&self) -> Option<String> {
        if self.of.iter().count() < 2 {
            return Some("of names fewer than two fields".to_owned());
        }
        if self.of.iter().any(|name| *name == self.field) {
            return Some(format!("`{}` is made of itself", self.field));
        }
        fault_of_tolerance(self.tolerance)
    }

    pub(super) fn check(
        &self,
        rule: &'static str,
        join: fn(f64, f64) -> f64,
        subject: Subject<'_>,
        reasons: &mut Reasons,
    ) {
        let Some(value) = usable(&self.field, subject.fields, reasons) else { return };
        let Some(found) = number_of(&self.field, rule, subject, reasons) else { return };
        let mut expected: Option<f64> = None;
        for name in &self.of {
            let Some(number) = number_of(name, rule, subject, reasons) else { return };
            expected = Some(expected.map_or(number, |expected| join(expected, number)));
        }
        let Some(expected) = expected else { return };
        if (found - expected).abs() > self.tolerance * found.abs().max(expected.abs()) {
            let sign = if rule == "equals_sum" { " + " } else { " × " };
            let names: Vec<String> = self.of.iter().map(|name| format!("`{name}`")).collect();
            reasons.add(&self.field, rule, format!("{} is not {} = `{expected}`", shown(value), names.join(sign)));
        }
    }
}

/// Arguments of [`crate::rule::Rule::Ratio`]; at least one bound is given. Passed over where one of the fields holds nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// What is divided.
    pub of: FieldPath,
    /// What it is divided by.
    pub to: FieldPath,
    /// The least that is accepted.
    #[serde(default)]
    pub min: Option<f64>,
    /// The most that is accepted.
    #[serde(default)]
    pub max: Option<f64>,
}

impl Ratio {
    pub(super) fn fault(&self) -> Option<String> {
        match (self.min, self.max) {
            _ if self.of == self.to => Some(format!("`{}` is divided by itself", self.of)),
            (None, None) => Some("no bound is given: use min or max".to_owned()),
            (Some(min), Some(max)) if min > max => Some(format!("nothing lies between {min} and {max}")),
            _ => None,
        }
    }

    pub(super) fn check(&self, subject: Subject<'_>, reasons: &mut Reasons) {
        let Some(of) = number_of(&self.of, "ratio", subject, reasons) else { return };
        let Some(to) = number_of(&self.to, "ratio", subject, reasons) else { return };
        let ratio = of / to;
        let fault = if !ratio.is_finite() {
            "cannot be divided by".to_owned()
        } else if let Some(min) = self.min.filter(|min| ratio < *min) {
            format!("is less than {min} times")
        } else if let Some(max) = self.max.filter(|max| ratio > *max) {
            format!("is more than {max} times")
        } else {
            return;
        };
        reasons.add(&self.of, "ratio", format!("`{of}` {fault} `{to}` (`{}`)", self.to));
    }
}

/// Arguments of [`crate::rule::Rule::Increasing`]: fields in order, of which those that hold nothing are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Increasing {
    /// The fields, least first: numbers, dates or other texts; one with a `[*]` may stand alone for the items of an array.
    pub fields: FieldList,
    /// Whether equal neighbours are refused.
    #[serde(default)]
    pub strictly: bool,
}

impl Increasing {
    pub(super) fn fault(&self) -> Option<String> {
        let n_fields = self.fields.iter().count();
        match self.fields.iter().find(|name| name.is_plural()) {
            Some(plural) if n_fields > 1 => Some(format!("`{plural}` may lead to several values, and stands alone")),
            None if n_fields < 2 => Some("fields names fewer than two fields".to_owned()),
            _ => None,
        }
    }

    pub(super) fn check(&self, subject: Subject<'_>, reasons: &mut Reasons) {
        let mut former: Option<(&FieldPath, &serde_json::Value)> = None;
        let mut fault = None;
        for name in self.fields.iter().filter(|name| !reasons.has_failed_step(name)) {
            name.each_filled(subject.fields, &mut |value| {
                if let Some((former_name, former)) = former
                    && fault.is_none()
                {
                    let is_met = match super::compare::order(former, value) {
                        Some(order) => order.is_lt() || (order.is_eq() && !self.strictly),
                        None => false,
                    };
                    if !is_met {
                        let verb = if self.strictly { "more than" } else { "at least" };
                        fault =
                            Some((name, format!("{} is not {verb} {} (`{former_name}`)", shown(value), shown(former))));
                    }
                }
                former = Some((name, value));
            });
        }
        if let Some((name, message)) = fault {
            reasons.add(name, "increasing", message);
        }
    }
}

fn fault_of_tolerance(tolerance: f64) -> Option<String> {
    (!(tolerance >= 0.0 && tolerance.is_finite()))
        .then(|| format!("tolerance is {tolerance}: a share from 0 on is needed"))
}

/// Returns the number in a field that holds something, or a reason where that is none.
fn number_of(name: &FieldPath, rule: &'static str, subject: Subject<'_>, reasons: &mut Reasons) -> Option<f64> {
    let value = usable(name, subject.fields, reasons)?;
    let number = value.as_f64();
    if number.is_none() {
        reasons.add(name, rule, format!("{} is not a number", shown(value)));
    }
    number
}
