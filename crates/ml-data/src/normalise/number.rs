//! The step that reads numbers as people write them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::{FieldList, FieldPath, Fields};
use crate::reason::Reasons;
use crate::rule::is_currency;
use crate::shown::shown;

/// Signs of currencies, with what they stand for unless a code says otherwise.
const SIGNS: [(&str, &str); 8] =
    [("€", "EUR"), ("£", "GBP"), ("US$", "USD"), ("$", "USD"), ("¥", "JPY"), ("₹", "INR"), ("₽", "RUB"), ("zł", "PLN")];

/// Arguments of [`crate::normalise::Step::ParseNumber`]. White space, signs of grouping, and the sign or code of a currency are taken
/// off; a `k` or `m` at the end stands for thousands or millions. Numbers stay as they are, and blank text becomes `null`.
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
        for name in &self.fields {
            let mut currency = None;
            let mut fault = None;
            name.each_mut(fields, &mut |value| {
                let Value::String(text) = value else { return };
                if text.trim().is_empty() {
                    *value = Value::Null;
                    return;
                }
                let (rest, code) = without_currency(text.trim());
                let Some(number) = read_number(rest, self.decimal) else {
                    let hint = hint_of_decimal(rest, self.decimal);
                    fault.get_or_insert_with(|| format!("{} is not a number{hint}", shown(value)));
                    return;
                };
                currency = code.or(currency.take());
                *value = whole_or_not(number);
            });
            if let Some(message) = fault {
                reasons.add(name, "parse_number", message);
            }
            if let (Some(field), Some(code)) = (&self.currency, currency) {
                super::set(field, Value::String(code), "parse_number", fields, reasons);
            }
        }
    }
}

/// Reads a number that may have a currency beside it, with a point before the fraction.
pub(crate) fn read_money(text: &str) -> Option<f64> {
    read_number(without_currency(text.trim()).0, '.')
}

/// Takes the sign or code of a currency off either end.
fn without_currency(text: &str) -> (&str, Option<String>) {
    for (sign, code) in SIGNS {
        if let Some(rest) = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign)) {
            return (rest, Some(code.to_owned()));
        }
    }
    let behind = text.len().checked_sub(3);
    let ends =
        [(text.get(..3), text.get(3..)), (behind.and_then(|at| text.get(at..)), behind.and_then(|at| text.get(..at)))];
    for (code, rest) in ends {
        let Some((code, rest)) = code.zip(rest) else { continue };
        let code = code.to_ascii_uppercase();
        if is_currency(&code) {
            return (rest, Some(code));
        }
    }
    (text, None)
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

    #[test]
    fn currencies_are_taken_off() {
        let check = |text: &str, rest: &str, code: Option<&str>| {
            let (found, found_code) = without_currency(text);
            assert_eq!((found.trim(), found_code.as_deref()), (rest, code), "{text}");
        };
        check("€450,000", "450,000", Some("EUR"));
        check("1 200 usd", "1 200", Some("USD"));
        check("CHF 900", "900", Some("CHF"));
        check("12", "12", None);
        check("1 200 kr", "1 200 kr", None);
        check("é", "é", None);
    }
}
