//! Normalisation: the steps that bring a record's fields into one form before it is judged.
//!
//! A step changes fields in place and passes over those that are absent or `null`. A step that cannot do its work leaves the
//! field as it is and says why; the record is then quarantined.

mod cast;
mod collect;
mod compute;
mod currency;
mod date;
mod html;
mod lookup;
mod number;
mod rename;
mod text;
mod unit;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::{FieldList, FieldPath, Fields, is_blank};
use crate::reason::Reasons;

pub use self::cast::{Cast, CastTo};
pub use self::collect::{Collect, Collected};
pub use self::compute::{Compute, Operand};
pub use self::currency::{ConvertCurrency, Rates};
pub use self::date::ParseDate;
pub use self::lookup::{Lookup, Otherwise};
pub use self::number::ParseNumber;
pub(crate) use self::number::read_money;
pub use self::rename::Rename;
pub use self::text::{Unicode, UnicodeForm};
pub use self::unit::{Unit, UnitStep};

/// One step of normalisation, written as `{ name: arguments }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Takes white space off both ends.
    Trim(FieldList),
    /// Turns text into lower case.
    Lowercase(FieldList),
    /// Turns text into upper case.
    Uppercase(FieldList),
    /// Turns every run of white space into one space, and takes it off both ends.
    CollapseWhiteSpace(FieldList),
    /// Brings text into a Unicode normal form.
    Unicode(Unicode),
    /// Takes HTML tags and comments out and decodes entities.
    StripHtml(FieldList),
    /// Gives a field another name.
    Rename(Rename),
    /// Turns values into another kind.
    Cast(Cast),
    /// Fills a field that is absent, `null` or blank.
    Default(FillDefault),
    /// Turns dates and times into RFC 3339 text in UTC.
    ParseDate(ParseDate),
    /// Reads numbers as people write them, and the currency that stands beside.
    ParseNumber(ParseNumber),
    /// Brings quantities into one unit.
    Unit(UnitStep),
    /// Brings amounts of money into one currency.
    ConvertCurrency(ConvertCurrency),
    /// Looks values up in a table of the configuration.
    Lookup(Lookup),
    /// Makes one value of several.
    Collect(Collect),
    /// Makes a number of others.
    Compute(Compute),
    /// Takes fields out.
    Remove(FieldList),
}

/// Arguments of [`Step::Default`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FillDefault {
    /// The field to fill.
    pub field: FieldPath,
    /// What to fill it with.
    pub value: Value,
}

impl Step {
    /// Returns what is wrong with the arguments, beyond what their types can say.
    pub fn fault(&self) -> Option<String> {
        let fields = match self {
            Step::Trim(fields)
            | Step::Lowercase(fields)
            | Step::Uppercase(fields)
            | Step::CollapseWhiteSpace(fields)
            | Step::StripHtml(fields)
            | Step::Remove(fields) => fields,
            Step::Unicode(unicode) => &unicode.fields,
            Step::Cast(cast) => &cast.fields,
            Step::ParseDate(date) => &date.fields,
            Step::ParseNumber(number) => {
                if let Some(fault) = number.fault() {
                    return Some(fault);
                }
                &number.fields
            }
            Step::Unit(unit) => return unit.fault(),
            Step::ConvertCurrency(currency) => return currency.fault(),
            Step::Lookup(lookup) => return lookup.fault(),
            Step::Collect(collect) => return collect.fault(),
            Step::Compute(compute) => return compute.fault(),
            Step::Rename(rename) => return rename.fault(),
            Step::Default(default) => return default.fault(),
        };
        fields.is_empty().then(|| "no field is named".to_owned())
    }

    /// Changes `fields`, or says in `reasons` why it cannot.
    pub(crate) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        match self {
            Step::Trim(names) => each_text(names, fields, text::trim),
            Step::Lowercase(names) => each_text(names, fields, text::lowercase),
            Step::Uppercase(names) => each_text(names, fields, text::uppercase),
            Step::CollapseWhiteSpace(names) => each_text(names, fields, text::collapse_white_space),
            Step::Unicode(unicode) => each_text(&unicode.fields, fields, |text| unicode.form.apply(text)),
            Step::StripHtml(names) => each_text(names, fields, html::strip),
            Step::Rename(rename) => rename.apply(fields),
            Step::Cast(cast) => cast.apply(fields, reasons),
            Step::Default(default) => default.apply(fields),
            Step::ParseDate(date) => date.apply(fields, reasons),
            Step::ParseNumber(number) => number.apply(fields, reasons),
            Step::Unit(unit) => unit.apply(fields, reasons),
            Step::ConvertCurrency(currency) => currency.apply(fields, reasons),
            Step::Lookup(lookup) => lookup.apply(fields, reasons),
            Step::Collect(collect) => collect.apply(fields, reasons),
            Step::Compute(compute) => compute.apply(fields, reasons),
            Step::Remove(names) => names.iter().for_each(|name| drop(name.remove(fields))),
        }
    }
}

impl FillDefault {
    fn fault(&self) -> Option<String> {
        if self.value.is_null() {
            return Some("value is null".to_owned());
        }
        (!self.field.is_made_of_names()).then(|| format!("`{}` cannot be made: names are needed", self.field))
    }

    fn apply(&self, fields: &mut Fields) {
        if self.field.get_filled(fields).is_none() {
            self.field.set(fields, self.value.clone());
        }
    }
}

/// Replaces the text of each field for which `change` returns another one.
fn each_text(names: &FieldList, fields: &mut Fields, change: impl Fn(&str) -> Option<String>) {
    for name in names {
        name.each_mut(fields, &mut |value| {
            if let Value::String(text) = value
                && let Some(changed) = change(text)
            {
                *text = changed;
            }
        });
    }
}

/// Replaces every value that holds something, or sets `into` from the only one; the first that cannot be converted is told.
fn convert_each(
    names: &FieldList,
    into: Option<&FieldPath>,
    step: &'static str,
    fields: &mut Fields,
    reasons: &mut Reasons,
    convert: impl Fn(&Value) -> Result<Value, String>,
) {
    for name in names {
        let mut fault = None;
        let mut made = None;
        name.each_mut(fields, &mut |value| {
            if is_blank(value) {
                return;
            }
            match convert(value) {
                Ok(converted) if into.is_some() => made = Some(converted),
                Ok(converted) => *value = converted,
                Err(message) => drop(fault.get_or_insert(message)),
            }
        });
        if let (Some(into), Some(made)) = (into, made) {
            into.set(fields, made);
        }
        if let Some(message) = fault.filter(|_| !reasons.names(name)) {
            reasons.add(name, step, message);
        }
    }
}

/// Returns what is wrong with the fields of a step whose result may go elsewhere.
fn fault_of_into(names: &FieldList, into: Option<&FieldPath>) -> Option<String> {
    if names.is_empty() {
        return Some("no field is named".to_owned());
    }
    let into = into?;
    if names.iter().count() != 1 || names.iter().any(FieldPath::is_plural) {
        return Some("into takes the result of one field alone".to_owned());
    }
    (!into.is_made_of_names()).then(|| format!("`{into}` cannot be made: names are needed"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Runs `step` on `record` and checks the record after it, and the messages.
    fn check(step: Value, record: Value, expected: Value, messages: &[&str]) {
        let step: Step = serde_json::from_value(step).unwrap();
        assert_eq!(step.fault(), None, "{step:?}");
        let Value::Object(mut fields) = record else { panic!("{record} is not an object") };
        let mut reasons = Reasons::default();
        step.apply(&mut fields, &mut reasons);
        assert_eq!(Value::Object(fields), expected, "{step:?}");
        let found: Vec<String> = reasons.into_vec().into_iter().map(|reason| reason.message).collect();
        assert_eq!(found, messages, "{step:?}");
    }

    #[test]
    fn text_steps_change_text_alone() {
        check(json!({"trim": ["a", "b"]}), json!({"a": " x ", "b": 1}), json!({"a": "x", "b": 1}), &[]);
        check(json!({"lowercase": "a"}), json!({"a": "ÄB"}), json!({"a": "äb"}), &[]);
        check(json!({"uppercase": "a"}), json!({"a": "aapl"}), json!({"a": "AAPL"}), &[]);
        check(json!({"collapse_white_space": "a"}), json!({"a": " x\n\t y "}), json!({"a": "x y"}), &[]);
        check(
            json!({"unicode": {"fields": "a", "form": "nfc"}}),
            json!({"a": "e\u{301}"}),
            json!({"a": "\u{e9}"}),
            &[],
        );
        check(json!({"unicode": {"fields": "a", "form": "nfkc"}}), json!({"a": "ﬁ①"}), json!({"a": "fi1"}), &[]);
        check(json!({"strip_html": "a"}), json!({"a": "<b>x</b> &amp; y"}), json!({"a": "x & y"}), &[]);
        check(json!({"trim": "absent"}), json!({"a": null}), json!({"a": null}), &[]);
    }

    #[test]
    fn rename_takes_the_first_that_is_there() {
        let step = json!({"rename": {"from": ["body", "message"], "to": "text"}});
        check(step.clone(), json!({"message": "x"}), json!({"text": "x"}), &[]);
        check(step.clone(), json!({"body": "x", "message": "y"}), json!({"text": "x", "message": "y"}), &[]);
        check(step, json!({"text": "kept", "body": "x"}), json!({"text": "kept", "body": "x"}), &[]);
    }

    #[test]
    fn casts_say_what_they_cannot_read() {
        let cast = |to: &str| json!({"cast": {"fields": "a", "to": to}});
        check(cast("number"), json!({"a": " 1.5 "}), json!({"a": 1.5}), &[]);
        check(cast("number"), json!({"a": ""}), json!({"a": null}), &[]);
        check(cast("number"), json!({"a": "NaN"}), json!({"a": "NaN"}), &["`NaN` is not a number"]);
        check(cast("number"), json!({"a": "x"}), json!({"a": "x"}), &["`x` is not a number"]);
        check(cast("integer"), json!({"a": 3.0}), json!({"a": 3}), &[]);
        check(cast("integer"), json!({"a": "-7"}), json!({"a": -7}), &[]);
        check(cast("integer"), json!({"a": 3.5}), json!({"a": 3.5}), &["`3.5` is not a whole number"]);
        check(cast("boolean"), json!({"a": "Yes"}), json!({"a": true}), &[]);
        check(cast("boolean"), json!({"a": 0}), json!({"a": false}), &[]);
        check(cast("boolean"), json!({"a": 2}), json!({"a": 2}), &["`2` is not a truth value"]);
        check(cast("text"), json!({"a": 98178}), json!({"a": "98178"}), &[]);
        check(cast("text"), json!({"a": [1]}), json!({"a": [1]}), &["`[1]` cannot be turned into text"]);
    }

    #[test]
    fn dates_become_rfc_3339() {
        let step = json!({"parse_date": {"fields": "at", "formats": ["%d/%m/%Y", "iso"]}});
        check(step.clone(), json!({"at": "31/05/2024"}), json!({"at": "2024-05-31T00:00:00Z"}), &[]);
        check(step.clone(), json!({"at": "2024-05-31"}), json!({"at": "2024-05-31T00:00:00Z"}), &[]);
        let message = "`soon` is not a date or time that is understood, such as 2024-05-31 or 2024-05-31T08:30:00Z";
        check(step, json!({"at": "soon"}), json!({"at": "soon"}), &[message]);
    }

    #[test]
    fn defaults_fill_blanks_and_remove_takes_out() {
        let step = json!({"default": {"field": "lang", "value": "en"}});
        check(step.clone(), json!({}), json!({"lang": "en"}), &[]);
        check(step.clone(), json!({"lang": " "}), json!({"lang": "en"}), &[]);
        check(step, json!({"lang": "no"}), json!({"lang": "no"}), &[]);
        check(json!({"remove": ["a", "b.c"]}), json!({"a": 1, "b": {"c": 1, "d": 2}}), json!({"b": {"d": 2}}), &[]);
    }

    #[test]
    fn wrong_arguments_are_faults() {
        for step in [
            json!({"trim": []}),
            json!({"rename": {"from": ["a", "b"], "to": "a"}}),
            json!({"default": {"field": "a", "value": null}}),
        ] {
            let step: Step = serde_json::from_value(step).unwrap();
            assert!(step.fault().is_some(), "{step:?}");
        }
        for step in [
            json!({"trimm": "a"}),
            json!({"cast": {"fields": "a", "to": "number", "x": 1}}),
            json!({"parse_date": {"fields": "a", "formats": ["%Q"]}}),
        ] {
            assert!(serde_json::from_value::<Step>(step.clone()).is_err(), "{step}");
        }
    }
}
