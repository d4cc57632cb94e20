//! Normalisation: the steps that bring a record's fields into one form before it is judged.
//!
//! A step changes fields in place and passes over those that are absent or `null`. A step that cannot do its work leaves the
//! field as it is and says why; the record is then quarantined.

mod cast;
mod collect;
mod compute;
mod currency;
mod currency_sign;
mod date;
mod html;
mod lookup;
mod number;
mod rename;
#[cfg(test)]
mod tests;
mod text;
mod unit;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::field::{FieldList, FieldPath, Fields, is_blank};
use crate::reason::Reasons;

pub use self::cast::{Cast, CastTo};
pub use self::collect::{Collect, Collected};
pub use self::compute::{Compute, Operand};
pub use self::currency::{ConvertCurrency, Rates};
pub(crate) use self::currency::{check_rate, date_of_rates};
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
    #[serde(deserialize_with = "arguments_or_fields")]
    Unicode(Unicode),
    /// Takes HTML tags and comments out and decodes entities.
    StripHtml(FieldList),
    /// Gives a field another name.
    Rename(Rename),
    /// Turns values into another kind.
    #[serde(deserialize_with = "arguments_or_fields")]
    Cast(Cast),
    /// Fills a field that is absent, `null` or blank.
    Default(FillDefault),
    /// Turns dates and times into RFC 3339 text in UTC.
    #[serde(deserialize_with = "arguments_or_fields")]
    ParseDate(ParseDate),
    /// Reads numbers as people write them, and the currency that stands beside.
    #[serde(deserialize_with = "arguments_or_fields")]
    ParseNumber(ParseNumber),
    /// Brings quantities into one unit.
    #[serde(deserialize_with = "arguments_or_fields")]
    Unit(UnitStep),
    /// Brings amounts of money into one currency.
    #[serde(deserialize_with = "arguments_or_fields")]
    ConvertCurrency(ConvertCurrency),
    /// Looks values up in a table of the configuration.
    #[serde(deserialize_with = "arguments_or_fields")]
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
#[serde(deny_unknown_fields, expecting = "arguments by name, such as { field: lang, value: en }")]
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
            Step::Rename(rename) => rename.apply(fields, reasons),
            Step::Cast(cast) => cast.apply(fields, reasons),
            Step::Default(default) => default.apply(fields, reasons),
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

/// Reads the arguments of a step on `fields`, which may stand alone where all others have defaults.
fn arguments_or_fields<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let mut arguments = Value::deserialize(deserializer)?;
    if arguments.is_string() || arguments.is_array() {
        arguments = json!({ "fields": arguments });
    }
    T::deserialize(arguments).map_err(serde::de::Error::custom)
}

impl FillDefault {
    fn fault(&self) -> Option<String> {
        if self.value.is_null() {
            return Some("value is null".to_owned());
        }
        (!self.field.is_made_of_names()).then(|| format!("`{}` cannot be made: names are needed", self.field))
    }

    fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        if self.field.get_filled(fields).is_none() {
            set(&self.field, self.value.clone(), "default", fields, reasons);
        }
    }
}

/// Sets `to`, or says what stands in the way.
fn set(to: &FieldPath, value: Value, step: &'static str, fields: &mut Fields, reasons: &mut Reasons) {
    if let Err(no_place) = to.set(fields, value) {
        reasons.add(to, step, no_place.to_string());
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

/// Where a step on values takes them from and puts them.
struct Conversion<'a, const N: usize> {
    step: &'static str,
    fields: &'a FieldList,
    /// Where the result goes, if not in place.
    into: Option<&'a FieldPath>,
    /// Fields that are read beside each value; those with `[*]` of the same item.
    beside: [Option<&'a FieldPath>; N],
}

/// Replaces every value that holds something, or sets `into` from the only one; the first that cannot be converted is told.
/// `convert` gets the value and what the fields beside it hold, if anything.
fn convert_each<const N: usize>(
    conversion: Conversion<'_, N>,
    fields: &mut Fields,
    reasons: &mut Reasons,
    convert: impl Fn(&Value, &[Option<Value>; N]) -> Result<Value, String>,
) {
    let Conversion { step, fields: names, into, beside } = conversion;
    let by_item = beside.iter().flatten().any(|other| other.is_plural());
    for name in names {
        let mut fault = None;
        let mut made = None;
        let mut convert_one = |value: &mut Value, beside: &[Option<Value>; N]| {
            if is_blank(value) {
                return;
            }
            match convert(value, beside) {
                Ok(converted) if into.is_some() => made = Some(converted),
                Ok(converted) => *value = converted,
                Err(message) => drop(fault.get_or_insert(message)),
            }
        };
        if by_item {
            for place in name.places(fields) {
                let beside = beside.map(|other| other?.beside(&place).get_filled(fields).cloned());
                place.get_mut(fields).into_iter().for_each(|value| convert_one(value, &beside));
            }
        } else {
            let beside = beside.map(|other| other?.get_filled(fields).cloned());
            name.each_mut(fields, &mut |value| convert_one(value, &beside));
        }
        if let (Some(into), Some(made)) = (into, made) {
            set(into, made, step, fields, reasons);
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
