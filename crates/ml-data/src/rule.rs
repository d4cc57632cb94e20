//! Rules: stated conditions on the fields of a normalised record.
//!
//! Only `required` and `required_any` look at fields that are absent, `null` or blank; every other rule passes them over.
//! A rule that is broken says so in words, with the value and with what was expected.

mod allowed;
mod compare;
mod date;
mod kind;
mod length;
mod range;
mod regex;
mod required;
mod unique;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::{FieldList, FieldPath, Fields};
use crate::reason::Reasons;

pub use self::allowed::Allowed;
pub use self::compare::{Compare, Comparison};
pub use self::date::DateRange;
pub use self::kind::{Kind, ValueKind};
pub use self::length::Length;
pub use self::range::Range;
pub use self::regex::Matches;
pub use self::unique::{Claim, Unique};

/// One rule, written as `{ name: arguments }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Each of the fields holds something.
    Required(FieldList),
    /// At least one of the fields holds something.
    RequiredAny(FieldList),
    /// The values are of a kind.
    Type(Kind),
    /// The numbers lie in a range.
    Range(Range),
    /// The texts are of some length.
    Length(Length),
    /// The texts match a pattern.
    Regex(Matches),
    /// The values are of a set.
    Allowed(Allowed),
    /// No other record has the same values in these fields together.
    Unique(Unique),
    /// The values are instants in a range.
    Date(DateRange),
    /// The values are finite numbers, or text that reads as one.
    Finite(FieldList),
    /// Two fields stand in an order.
    Compare(Compare),
}

impl Rule {
    /// Returns what is wrong with the arguments, beyond what their types can say.
    pub fn fault(&self) -> Option<String> {
        let (fields, fault) = match self {
            Rule::Required(fields) | Rule::RequiredAny(fields) | Rule::Finite(fields) => (fields, None),
            Rule::Type(rule) => (&rule.fields, None),
            Rule::Range(rule) => (&rule.fields, rule.fault()),
            Rule::Length(rule) => (&rule.fields, rule.fault()),
            Rule::Regex(rule) => (&rule.fields, None),
            Rule::Allowed(rule) => (&rule.fields, rule.fault()),
            Rule::Unique(rule) => (&rule.fields, None),
            Rule::Date(rule) => (&rule.fields, rule.fault()),
            Rule::Compare(rule) => return rule.fault(),
        };
        if fields.is_empty() { Some("no field is named".to_owned()) } else { fault }
    }

    /// Adds to `reasons` whatever breaks this rule. Uniqueness is judged against the store, see [`Unique::claim`].
    pub(crate) fn check(&self, fields: &Fields, reasons: &mut Reasons) {
        match self {
            Rule::Required(names) => required::check(names, fields, reasons),
            Rule::RequiredAny(names) => required::check_any(names, fields, reasons),
            Rule::Type(rule) => check_each(&rule.fields, "type", fields, reasons, |value| rule.fault_of(value)),
            Rule::Range(rule) => check_each(&rule.fields, "range", fields, reasons, |value| rule.fault_of(value)),
            Rule::Length(rule) => check_each(&rule.fields, "length", fields, reasons, |value| rule.fault_of(value)),
            Rule::Regex(rule) => check_each(&rule.fields, "regex", fields, reasons, |value| rule.fault_of(value)),
            Rule::Allowed(rule) => check_each(&rule.fields, "allowed", fields, reasons, |value| rule.fault_of(value)),
            Rule::Date(rule) => check_each(&rule.fields, "date", fields, reasons, |value| rule.fault_of(value)),
            Rule::Finite(names) => check_each(names, "finite", fields, reasons, range::fault_of_finite),
            Rule::Compare(rule) => rule.check(fields, reasons),
            Rule::Unique(_) => {}
        }
    }
}

/// Asks `fault_of` about every field that holds something and was normalised.
fn check_each(
    names: &FieldList,
    rule: &'static str,
    fields: &Fields,
    reasons: &mut Reasons,
    fault_of: impl Fn(&Value) -> Option<String>,
) {
    for name in names {
        if let Some(value) = usable(name, fields, reasons)
            && let Some(message) = fault_of(value)
        {
            reasons.add(name, rule, message);
        }
    }
}

/// Returns the value of a field that holds something and was normalised.
fn usable<'a>(name: &FieldPath, fields: &'a Fields, reasons: &Reasons) -> Option<&'a Value> {
    name.get_filled(fields).filter(|_| !reasons.has_failed_step(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Judges `record` by `rule` and compares the messages.
    fn check(rule: &Value, record: Value, messages: &[&str]) {
        let rule: Rule = serde_json::from_value(rule.clone()).unwrap();
        assert_eq!(rule.fault(), None, "{rule:?}");
        let Value::Object(fields) = record else { panic!("{record} is not an object") };
        let mut reasons = Reasons::default();
        rule.check(&fields, &mut reasons);
        let found: Vec<String> = reasons.into_vec().into_iter().map(|reason| reason.message).collect();
        assert_eq!(found, messages, "{rule:?} on {fields:?}");
    }

    #[test]
    fn required_fields_hold_something() {
        let rule = json!({"required": ["a", "b.c"]});
        check(&rule, json!({"a": 0, "b": {"c": false}}), &[]);
        check(&rule, json!({"a": null, "b": {}}), &["is missing", "is missing"]);
        check(&rule, json!({"a": " \t", "b": {"c": ""}}), &["is blank", "is blank"]);
        let rule = json!({"required_any": ["a", "b"]});
        check(&rule, json!({"b": "x"}), &[]);
        check(&rule, json!({"a": ""}), &["none of `a`, `b` holds anything"]);
    }

    #[test]
    fn types_are_told_apart() {
        let rule = |kind: &str| json!({"type": {"fields": "a", "is": kind}});
        check(&rule("number"), json!({"a": 1.5}), &[]);
        check(&rule("integer"), json!({"a": 1}), &[]);
        check(&rule("integer"), json!({"a": 1.0}), &[]);
        check(&rule("boolean"), json!({"a": true}), &[]);
        check(&rule("text"), json!({"a": null}), &[]);
        check(&rule("number"), json!({"a": "x"}), &["`x` is text, number is needed"]);
        check(&rule("integer"), json!({"a": 1.5}), &["`1.5` is number, integer is needed"]);
        check(&rule("object"), json!({"a": [1]}), &["`[1]` is array, object is needed"]);
    }

    #[test]
    fn ranges_include_min_and_max_and_exclude_above_and_below() {
        let rule = json!({"range": {"fields": "a", "min": 0, "below": 10}});
        check(&rule, json!({"a": 0}), &[]);
        check(&rule, json!({"a": 10}), &["`10` is not below 10"]);
        check(&rule, json!({"a": -0.5}), &["`-0.5` is less than 0"]);
        check(&rule, json!({"a": "x"}), &["`x` is not a number"]);
        let rule = json!({"range": {"fields": "a", "above": 0, "max": 1.5}});
        check(&rule, json!({"a": 0}), &["`0` is not above 0"]);
        check(&rule, json!({"a": 2}), &["`2` is more than 1.5"]);
    }

    #[test]
    fn finite_numbers_may_be_text() {
        let rule = json!({"finite": "a"});
        check(&rule, json!({"a": 1}), &[]);
        check(&rule, json!({"a": "1.5"}), &[]);
        check(&rule, json!({"a": "inf"}), &["`inf` is not a finite number"]);
        check(&rule, json!({"a": "NaN"}), &["`NaN` is not a finite number"]);
    }

    #[test]
    fn lengths_count_characters() {
        let rule = json!({"length": {"fields": "a", "min": 2, "max": 3}});
        check(&rule, json!({"a": "éé"}), &[]);
        check(&rule, json!({"a": "é"}), &["`é` has 1 character, at least 2 are needed"]);
        check(&rule, json!({"a": "abcd"}), &["`abcd` has 4 characters, at most 3 are accepted"]);
        check(&rule, json!({"a": 12}), &["`12` is not text"]);
    }

    #[test]
    fn patterns_are_matched_anywhere_unless_anchored() {
        let rule = json!({"regex": {"fields": "a", "matches": "^[A-Z]{1,5}$"}});
        check(&rule, json!({"a": "AAPL"}), &[]);
        check(&rule, json!({"a": "aapl"}), &["`aapl` does not match `^[A-Z]{1,5}$`"]);
    }

    #[test]
    fn allowed_values_are_listed() {
        let rule = json!({"allowed": {"fields": "a", "values": ["x", 1]}});
        check(&rule, json!({"a": "x"}), &[]);
        check(&rule, json!({"a": 1.0}), &[]);
        check(&rule, json!({"a": "y"}), &["`y` is not one of `x`, `1`"]);
    }

    #[test]
    fn dates_lie_in_their_range() {
        let rule = json!({"date": {"fields": "a", "from": "2024-01-01", "before": "2025-01-01"}});
        check(&rule, json!({"a": "2024-06-01T00:00:00Z"}), &[]);
        check(&rule, json!({"a": "2023-12-31"}), &["`2023-12-31` is before 2024-01-01T00:00:00Z"]);
        check(&rule, json!({"a": "2025-01-01"}), &["`2025-01-01` is not before 2025-01-01T00:00:00Z"]);
        check(&rule, json!({"a": "1582-10-15"}), &["`1582-10-15` is outside the accepted years 1700 to 2199"]);
    }

    #[test]
    fn two_fields_are_compared_as_what_they_are() {
        let rule = json!({"compare": {"left": "low", "is": "<=", "right": "close"}});
        check(&rule, json!({"low": 1, "close": 1.0}), &[]);
        check(&rule, json!({"low": 1}), &[]);
        check(&rule, json!({"low": 2, "close": 1}), &["`2` is not <= `1` (`close`)"]);
        check(&rule, json!({"low": 2, "close": "x"}), &["`2` cannot be compared with `x` (`close`)"]);
        let rule = json!({"compare": {"left": "from", "is": "<", "right": "to"}});
        check(&rule, json!({"from": "2024-01-01", "to": "2024-01-01T00:00:01Z"}), &[]);
        check(&rule, json!({"from": "b", "to": "a"}), &["`b` is not < `a` (`to`)"]);
    }

    #[test]
    fn a_field_that_could_not_be_normalised_has_one_reason() {
        let rule: Rule = serde_json::from_value(json!({"range": {"fields": "a", "min": 0}})).unwrap();
        let mut reasons = Reasons::default();
        reasons.add(&FieldPath::parse("a").unwrap(), "cast", "`x` is not a number".into());
        reasons.end_of_steps();
        rule.check(json!({"a": "x"}).as_object().unwrap(), &mut reasons);
        assert_eq!(reasons.into_vec().len(), 1);
    }

    #[test]
    fn wrong_arguments_are_faults() {
        for rule in [
            json!({"required": []}),
            json!({"range": {"fields": "a"}}),
            json!({"range": {"fields": "a", "min": 2, "max": 1}}),
            json!({"length": {"fields": "a"}}),
            json!({"length": {"fields": "a", "min": 2, "max": 1}}),
            json!({"allowed": {"fields": "a", "values": []}}),
            json!({"date": {"fields": "a", "from": "2024-01-01", "before": "2024-01-01"}}),
            json!({"compare": {"left": "a", "is": "<", "right": "a"}}),
        ] {
            let rule: Rule = serde_json::from_value(rule).unwrap();
            assert!(rule.fault().is_some(), "{rule:?}");
        }
        for rule in [
            json!({"requird": "a"}),
            json!({"regex": {"fields": "a", "matches": "("}}),
            json!({"compare": {"left": "a", "is": "~", "right": "b"}}),
            json!({"range": {"fields": "a", "mim": 1}}),
        ] {
            assert!(serde_json::from_value::<Rule>(rule.clone()).is_err(), "{rule}");
        }
    }
}
