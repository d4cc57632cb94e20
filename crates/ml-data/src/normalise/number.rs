//! The step that reads numbers as people write them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::currency_sign::{Codes, without_currency};
use crate::field::{FieldList, FieldPath, Fields};
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`crate::normalise::Step::ParseNumber`]. White space, signs of grouping, and the sign or code of a currency are taken
/// off; a `k` or `m` at the end stands for thousands or millions. Numbers stay as they are, and blank text becomes `null`.
///
/// Amounts in two currencies, or in another one than the field has, stay as they are: one field cannot tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParseNumber {
    /// The fields to read.
    pub fields: FieldList,
    /// What stands before the fraction: `.` or `,`; the other one groups digits.
    #[serde(default = "point")]
    pub decimal: char,
    /// The field that gets the code of the currency, where the text has one.
    #[serde(default)]
    pub currency: Option<FieldPath>,
}

pub(super) fn point() -> char {
    '.'
}

impl ParseNumber {
    pub(super) fn fault(&self) -> Option<String> {
        if let Some(fault) = fault_of_decimal(self.decimal) {
            return Some(fault);
        }
        if let Some(currency) = self.currency.as_ref().filter(|name| !name.is_made_of_names()) {
            return Some(format!("`{currency}` cannot be made: names are needed"));
        }
        None
    }

    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        let code = match &self.currency {
            None => None,
            Some(field) => match self.code(field, fields) {
                Ok(code) => code.map(|code| (field, code)),
                Err((names, message)) => {
                    for name in names {
                        reasons.add(name, "parse_number", message.clone());
                    }
                    return;
                }
            },
        };
        for name in &self.fields {
            let mut fault = None;
            name.each_mut(fields, &mut |value| match self.read(value) {
                Ok(Some(number)) => *value = number,
                Ok(None) => {}
                Err(message) => drop(fault.get_or_insert(message)),
            });
            if let Some(message) = fault {
                reasons.add(name, "parse_number", message);
            }
        }
        if let Some((field, code)) = code {
            super::set(field, Value::from(code), "parse_number", fields, reasons);
        }
    }

    /// Returns what becomes of a value, if it changes.
    fn read(&self, value: &Value) -> Result<Option<Value>, String> {
        let text = match value {
            Value::String(text) if text.trim().is_empty() => return Ok(Some(Value::Null)),
            Value::String(text) => text.trim(),
            Value::Null | Value::Number(_) => return Ok(None),
            _ => return Err(format!("{} is not a number", shown(value))),
        };
        let rest = without_currency(text).0;
        let number = read_number(rest, self.decimal);
        let fault = || format!("{} is not a number{}", shown(value), hint_of_decimal(rest, self.decimal));
        number.map(|number| Some(whole_or_not(number))).ok_or_else(fault)
    }

    /// Returns the currency that the amounts are in, if they say one, or the fields that disagree, and the fault.
    fn code<'a>(
        &'a self,
        field: &'a FieldPath,
        fields: &Fields,
    ) -> Result<Option<String>, (Vec<&'a FieldPath>, String)> {
        let mut said: Option<(Codes, &FieldPath, &Value)> = None;
        let mut fault = None;
        for name in &self.fields {
            name.each_filled(fields, &mut |value| {
                let Some(text) = value.as_str() else { return };
                let (rest, Some(codes)) = without_currency(text.trim()) else { return };
                if read_number(rest, self.decimal).is_none() {
                    return;
                }
                let both = said.as_ref().map_or(Some(codes.clone()), |(others, ..)| others.and(&codes));
                match (both, &said) {
                    (Some(both), _) => said = Some((both, name, value)),
                    (None, Some((_, other_name, other))) => {
                        fault.get_or_insert_with(|| {
                            let names = if *other_name == name { vec![name] } else { vec![*other_name, name] };
                            let message = format!("{} and {} are in two currencies", shown(other), shown(value));
                            (names, format!("{message}, and `{field}` holds one"))
                        });
                    }
                    (None, None) => {}
                }
            });
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
        let Some((codes, _, value)) = said else { return Ok(None) };
        let Some(given) = field.get_filled(fields) else { return Ok(Some(codes.usual())) };
        let agreed = given.as_str().and_then(|given| codes.and(&Codes::of(given)?));
        let fault = || (vec![field], format!("{} is not the currency of {}", shown(given), shown(value)));
        agreed.map(|codes| Some(codes.usual())).ok_or_else(fault)
    }
}

/// Reads a number that may have a currency beside it, with a point before the fraction.
pub(crate) fn read_money(text: &str) -> Option<f64> {
    read_number(without_currency(text.trim()).0, '.')
}

/// Reads a number with digits in groups, `decimal` before the fraction, and perhaps `k` or `m` at the end.
pub(super) fn read_number(text: &str, decimal: char) -> Option<f64> {
    let text = text.trim();
    let (text, scale) = match text.chars().last()? {
        'k' | 'K' => (&text[..text.len() - 1], 1e3),
        'm' | 'M' => (&text[..text.len() - 1], 1e6),
        _ => (text, 1.0),
    };
    let text = text.trim();
    let (sign, text) = match text.strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest.trim_start()),
        None => ("", text.strip_prefix('+').map_or(text, str::trim_start)),
    };
    let (whole, fraction) = text.split_once(decimal).unwrap_or((text, ""));
    // `450,-` is how some write that there are no cents.
    let fraction = if fraction == "-" || fraction == "–" { "" } else { fraction };
    let whole = without_groups(whole, decimal)?;
    if whole.is_empty() && fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = format!("{sign}{whole}.{fraction}").parse::<f64>().ok()? * scale;
    number.is_finite().then_some(number)
}

/// Takes the signs off that group digits: `1,250,000`, and `12,34,567` as in India. Anywhere else such a sign is most likely a
/// decimal sign, and nothing is returned.
fn without_groups(whole: &str, decimal: char) -> Option<String> {
    let is_sign = |c: char| c != decimal && (matches!(c, '.' | ',' | '\'' | '’' | '_') || c.is_whitespace());
    let Some(sign) = whole.chars().find(|c| is_sign(*c)) else {
        return whole.bytes().all(|byte| byte.is_ascii_digit()).then(|| whole.to_owned());
    };
    let groups: Vec<&str> = whole.split(sign).collect();
    let (first, last) = (groups.first()?, groups.last()?);
    let between = &groups[1..groups.len() - 1];
    let of_three = first.len() <= 3 && between.iter().all(|group| group.len() == 3);
    let of_two = sign == ',' && first.len() <= 2 && between.iter().all(|group| group.len() == 2);
    let is_grouped = !first.is_empty() && last.len() == 3 && (of_three || of_two);
    let digits = groups.concat();
    // Nobody groups behind a leading 0: `0,125` is a fraction. Zeros alone are 0 either way.
    let begins_well = !digits.starts_with('0') || digits.bytes().all(|byte| byte == b'0');
    (is_grouped && begins_well && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// Returns what is to be said of a value that is no number with this `decimal`: whether the other one would make it one.
pub(super) fn hint_of_decimal(text: &str, decimal: char) -> String {
    let (other, sign) = if decimal == '.' { (',', "comma") } else { ('.', "point") };
    match read_number(text, other) {
        Some(_) => format!(": where a {sign} stands before the fraction, set `decimal: \"{other}\"`"),
        None => String::new(),
    }
}

/// Returns a fault where `decimal` is no decimal sign.
pub(super) fn fault_of_decimal(decimal: char) -> Option<String> {
    (!matches!(decimal, '.' | ',')).then(|| format!("decimal is `{decimal}`: `.` or `,` is needed"))
}

/// What is said of a result that no number of the program can hold.
pub(super) const OVERFLOW: &str = "the result is too large for a number";

/// Returns whole numbers that are exact as integers.
pub(super) fn whole_or_not(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, decimal, expected) in [
            ("1,250,000.50", '.', Some(1_250_000.5)),
            ("1.250.000,50", ',', Some(1_250_000.5)),
            ("1 250 000", '.', Some(1_250_000.0)),
            ("1'250", '.', Some(1_250.0)),
            ("450,-", ',', Some(450.0)),
            ("−3.5", '.', Some(-3.5)),
            ("320k", '.', Some(320_000.0)),
            ("1.2M", '.', Some(1_200_000.0)),
            (".5", '.', Some(0.5)),
            ("", '.', None),
            ("k", '.', None),
            ("on request", '.', None),
            ("1-2", '.', None),
            ("1.2.3", '.', None),
            ("12,5", '.', None),
            ("12,50", '.', None),
            (",5", '.', None),
            ("00,5", '.', None),
            ("0,125", '.', None),
            ("0,000", '.', Some(0.0)),
            ("1,2345", '.', None),
            ("1,5k", '.', None),
            ("1 2", '.', None),
            ("1 050,5", '.', None),
            ("1.050 5", '.', None),
            ("12.50", ',', None),
            ("1.2", ',', None),
            ("1,250 000", '.', None),
            ("1,2500", '.', None),
            ("1250,000", '.', None),
            ("1,,250", '.', None),
            (",250", '.', None),
            ("1,250,", '.', None),
            ("1.250,000", '.', None),
            ("1\u{a0}250", '.', Some(1_250.0)),
            ("1\u{202f}250\u{202f}000,5", ',', Some(1_250_000.5)),
            ("1’250", '.', Some(1_250.0)),
            ("1 250k", '.', Some(1_250_000.0)),
            ("12,34,567", '.', Some(1_234_567.0)),
            ("1,00,00,000.5", '.', Some(10_000_000.5)),
            ("123,45,678", '.', None),
            ("12.34.567", ',', None),
            ("1,5", ',', Some(1.5)),
            ("- 1,250", '.', Some(-1_250.0)),
            ("5.", '.', Some(5.0)),
            (".", '.', None),
            ("-", '.', None),
            ("--5", '.', None),
        ] {
            assert_eq!(read_number(text, decimal), expected, "{text}");
        }
    }
}
