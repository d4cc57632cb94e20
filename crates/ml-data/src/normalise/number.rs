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

fn point() -> char {
    '.'
}

impl ParseNumber {
    pub(super) fn fault(&self) -> Option<String> {
        if !matches!(self.decimal, '.' | ',') {
            return Some(format!("decimal is `{}`: `.` or `,` is needed", self.decimal));
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
                    fault.get_or_insert_with(|| format!("{} is not a number", shown(value)));
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
    let (whole, fraction) = text.trim().split_once(decimal).unwrap_or((text.trim(), ""));
    // `450,-` is how some write that there are no cents.
    let fraction = if fraction == "-" || fraction == "–" { "" } else { fraction };
    let mut plain = String::with_capacity(text.len());
    for c in whole.chars() {
        match c {
            '0'..='9' | '+' | '-' => plain.push(c),
            '−' => plain.push('-'),
            '.' | ',' | '\'' | '’' | '_' if c != decimal => {}
            c if c.is_whitespace() => {}
            _ => return None,
        }
    }
    if !fraction.is_empty() {
        plain.push('.');
        plain.push_str(fraction);
    }
    let is_digits = |c: char| c.is_ascii_digit();
    if !whole.contains(is_digits) && !fraction.contains(is_digits) || !fraction.chars().all(is_digits) {
        return None;
    }
    let number = plain.parse::<f64>().ok()? * scale;
    number.is_finite().then_some(number)
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
