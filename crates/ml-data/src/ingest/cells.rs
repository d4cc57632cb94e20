//! Cells of delimited text: split, unquoted, and given a type.

use std::borrow::Cow;

use memchr::memchr;
use serde_json::{Number, Value};

use super::report::RejectReason;
use crate::field::Fields;
use crate::shown::shown_text;

/// The columns of an input, and how its cells are separated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) delimiter: u8,
    pub(super) columns: Vec<Column>,
}

/// A column of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Whether its cells stay text whatever they look like.
    pub(super) is_text: bool,
}

impl Header {
    /// Reads the first row. A column without a name is called by its number, such as `column_1`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(row: &str, delimiter: Option<u8>, is_text: impl Fn(&str) -> bool) -> Result<Header, String> {
        let delimiter = delimiter.unwrap_or_else(|| guess_delimiter(row));
        let mut columns: Vec<Column> = Vec::new();
        for (cell, number) in Cells::new(row, delimiter).zip(1..) {
            let name = cell.trim();
            let name = if name.is_empty() { format!("column_{number}") } else { name.to_owned() };
            if columns.iter().any(|column| column.name == name) {
                return Err(format!("names column {} twice", shown_text(&name)));
            }
            columns.push(Column { is_text: is_text(&name), name });
        }
        Ok(Header { delimiter, columns })
    }

    /// Returns the fields of `row`.
    pub(super) fn fields(&self, row: &str) -> Result<Fields, RejectReason> {
        let mut fields = Fields::new();
        let mut found = 0;
        for cell in Cells::new(row, self.delimiter) {
            if let Some(column) = self.columns.get(found) {
                fields.insert(column.name.clone(), column.value(cell)?);
            }
            found += 1;
        }
        let expected = self.columns.len();
        if found == expected { Ok(fields) } else { Err(RejectReason::Ragged { expected, found }) }
    }
}

impl Column {
    fn value(&self, cell: Cow<'_, str>) -> Result<Value, RejectReason> {
        if cell.is_empty() {
            return Ok(Value::Null);
        }
        if self.is_text {
            return Ok(Value::String(cell.into_owned()));
        }
        match typed(&cell) {
            Some(value) => Ok(value),
            None if is_not_finite(&cell) => {
                Err(RejectReason::NotFinite { field: Some(self.name.clone()), number: shown_text(&cell) })
            }
            None => Ok(Value::String(cell.into_owned())),
        }
    }
}

/// Returns the separator that the header has most of, outside quotes; a comma where it has none.
fn guess_delimiter(row: &str) -> u8 {
    let count = |delimiter: u8| Cells::new(row, delimiter).count();
    *b",;\t|".iter().rev().max_by_key(|delimiter| count(**delimiter)).expect("there are four")
}

/// Returns what the text of a cell is, when it is a number or a truth value.
///
/// Whole numbers of 64 bits, decimal numbers and `true` and `false` are; with leading zeros or a plus sign they are codes
/// and stay text.
fn typed(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let n_whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if n_whole == 0 || (n_whole > 1 && digits[0] == b'0') {
        return None;
    }
    if n_whole == digits.len() {
        return match text.parse::<i64>() {
            Ok(0) if text.starts_with('-') => None,
            Ok(integer) => Some(Value::from(integer)),
            Err(_) => None,
        };
    }
    let decimal = is_fraction_and_exponent(&digits[n_whole..]).then(|| text.parse::<f64>().ok())??;
    Number::from_f64(decimal).map(Value::Number)
}

/// Returns whether `bytes` are what may follow the whole part of a decimal number.
fn is_fraction_and_exponent(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let n_digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if n_digits == 0 {
            return false;
        }
        rest = &fraction[n_digits..];
    }
    let [b'e' | b'E', exponent @ ..] = rest else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
    !exponent.is_empty() && exponent.iter().all(u8::is_ascii_digit)
}

/// Returns whether `text` is how programs print a number that is not one, or is a number that is too large.
fn is_not_finite(text: &str) -> bool {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(bare, "NaN" | "nan" | "inf" | "Inf" | "INF" | "Infinity" | "infinity") {
        return true;
    }
    bare.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok_and(f64::is_infinite)
}

/// The cells of a row without their quotes; a row has at least one.
///
/// Quotes say nothing about the type of a cell: some programs quote everything.
struct Cells<'a> {
    rest: Option<&'a str>,
    delimiter: u8,
}

impl<'a> Cells<'a> {
    fn new(row: &'a str, delimiter: u8) -> Cells<'a> {
        Cells { rest: Some(row), delimiter }
    }

    /// Splits off a cell that begins with a quote.
    fn quoted(&mut self, row: &'a str) -> Cow<'a, str> {
        let inner = &row[1..];
        let mut text = Cow::Borrowed("");
        let mut start = 0;
        while let Some(at) = memchr(b'"', &inner.as_bytes()[start..]).map(|at| start + at) {
            append(&mut text, &inner[start..at]);
            if inner.as_bytes().get(at + 1) != Some(&b'"') {
                // What follows the closing quote belongs to the cell as it is.
                let tail = self.bare(&inner[at + 1..]);
                append(&mut text, tail);
                return text;
            }
            append(&mut text, "\"");
            start = at + 2;
        }
        append(&mut text, &inner[start..]);
        self.rest = None;
        text
    }

    /// Splits off what comes before the next delimiter.
    fn bare(&mut self, row: &'a str) -> &'a str {
        match memchr(self.delimiter, row.as_bytes()) {
            Some(at) => {
                self.rest = Some(&row[at + 1..]);
                &row[..at]
            }
            None => {
                self.rest = None;
                row
            }
        }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let row = self.rest?;
        if row.starts_with('"') {
            return Some(self.quoted(row));
        }
        Some(Cow::Borrowed(self.bare(row)))
    }
}

fn append<'a>(text: &mut Cow<'a, str>, more: &'a str) {
    if text.is_empty() {
        *text = Cow::Borrowed(more);
    } else if !more.is_empty() {
        text.to_mut().push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(cell: &str, expected: Value) {
        let header = Header::parse("a,b", None, |_| false).unwrap();
        assert_eq!(header.fields(&format!("{cell},x")).unwrap()["a"], expected, "{cell:?}");
    }

    #[test]
    fn cells_are_typed_only_where_nothing_is_lost() {
        check("12", json!(12));
        check("-12", json!(-12));
        check("0", json!(0));
        check("9223372036854775807", json!(i64::MAX));
        check("1.5", json!(1.5));
        check("1e-05", json!(1e-5));
        check("-0.25E+2", json!(-25.0));
        check("True", json!(true));
        check("FALSE", json!(false));
        check("", Value::Null);
        check("\"12\"", json!(12));
        for text in ["007", "-0", "00.5", "+1", "1.", ".5", "1e", "0x10", "9223372036854775808", "12 ", "yes", "null"] {
            check(text, json!(text));
        }
    }

    #[test]
    fn what_is_no_finite_number_is_rejected() {
        let header = Header::parse("a,b", None, |name| name == "b").unwrap();
        for text in ["NaN", "nan", "inf", "-inf", "Infinity", "-Infinity", "1e999"] {
            let reason = header.fields(&format!("{text},x")).unwrap_err().to_string();
            assert!(reason.starts_with(&format!("field `a`: `{text}` is not a finite number")), "{reason}");
            assert_eq!(header.fields(&format!("1,{text}")).unwrap()["b"], json!(text), "a text column");
        }
    }

    #[test]
    fn ragged_rows_say_how_many_cells_they_have() {
        let header = Header::parse("a,b", None, |_| false).unwrap();
        assert_eq!(header.fields("1"), Err(RejectReason::Ragged { expected: 2, found: 1 }));
        assert_eq!(header.fields("1,2,3"), Err(RejectReason::Ragged { expected: 2, found: 3 }));
    }

    #[test]
    fn headers_name_each_column_once() {
        let names = |row| Header::parse(row, None, |_| false).map(|header| header.columns.len());
        assert_eq!(names("a;b;\"c,d\""), Ok(3));
        assert_eq!(names("a\tb,c\td"), Ok(3));
        assert_eq!(names("one"), Ok(1));
        assert_eq!(names("a,b,a"), Err("names column `a` twice".to_owned()));
        let header = Header::parse(",b", None, |_| false).unwrap();
        assert_eq!(header.columns[0].name, "column_1");
    }

    proptest! {
        #[test]
        fn cells_are_those_of_the_csv_crate(rows in prop::collection::vec("[ab\",; ]{1,12}", 1..4)) {
            for row in rows {
                let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row.as_bytes());
                let record = reader.records().next().unwrap().unwrap();
                let expected: Vec<&str> = record.iter().collect();
                let cells: Vec<String> = Cells::new(&row, b',').map(Cow::into_owned).collect();
                prop_assert_eq!(cells, expected);
            }
        }

        #[test]
        fn numbers_print_and_parse_back(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
            let printed = Value::from(number).to_string();
            prop_assert_eq!(typed(&printed).and_then(|value| value.as_f64()), Some(number));
        }
    }
}
