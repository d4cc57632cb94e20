//! One JSON object out of the bytes of an item.

use serde_json::{Error, Value};

use super::report::RejectReason;
use crate::field::Fields;
use crate::shown::shown_text;

/// Reads the object that `text` is.
pub(super) fn parse_object(text: &str) -> Result<Fields, RejectReason> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(RejectReason::NotAnObject(name_of(&other))),
        Err(error) => Err(reason_of(text, &error)),
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn reason_of(text: &str, error: &Error) -> RejectReason {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    if let Some((before, number)) = number_at(text, error) {
        return RejectReason::NotFinite { field: last_key(before), number: shown_text(number) };
    }
    RejectReason::NotJson { column: error.column(), message: message.to_owned() }
}

/// Returns what stands in the place of a number where `error` was found, if it is one that JSON has no word for, and the part
/// of its line before it.
fn number_at<'a>(text: &'a str, error: &Error) -> Option<(&'a str, &'a str)> {
    let line = text.lines().nth(error.line().checked_sub(1)?)?;
    let from = line.get(..error.column().min(line.len()))?;
    let start = from.rfind([':', ',', '[']).map_or(0, |at| at + 1);
    let token = line.get(start..)?.trim_start();
    let end = token.find([',', '}', ']', ' ']).unwrap_or(token.len());
    let token = &token[..end];
    let is_number = token.parse::<f64>().is_ok_and(|number| !number.is_finite());
    is_number.then_some((&line[..start], token))
}

/// Returns the last key of an object in `text`, which breaks off in its value.
fn last_key(text: &str) -> Option<String> {
    let before_colon = text.rsplit(':').skip(1).map(str::trim_end).find(|part| part.ends_with('"'))?;
    let (_, key) = before_colon.strip_suffix('"')?.rsplit_once('"')?;
    Some(key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(parse_object(text).unwrap_err().to_string(), expected, "{text}");
    }

    #[test]
    fn what_is_no_object_says_where_and_why() {
        check("[1]", "a list, not an object with fields");
        check("3", "a number, not an object with fields");
        check("{\"a\": 1,}", "not JSON, column 9: trailing comma");
        check("{\"a\": 1} x", "not JSON, column 10: trailing characters");
        check("{\"a\"", "not JSON, column 4: EOF while parsing an object");
    }

    #[test]
    fn numbers_that_are_none_are_named() {
        let expected = |field, number| {
            format!("field `{field}`: `{number}` is not a finite number: leave the field out, or write null")
        };
        for number in ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"] {
            check(&format!("{{\"a\": {number}, \"b\": 1}}"), &expected("a", number));
            check(&format!("{{\"a\": 1, \"b\" : {number}}}"), &expected("b", number));
            check(&format!("{{\"w\": \"a: b\", \"x\": [1,{number}]}}"), &expected("x", number));
        }
    }
}
