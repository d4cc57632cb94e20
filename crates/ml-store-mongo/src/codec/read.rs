//! Reads BSON back into JSON values and instants.

use chrono::{DateTime, SecondsFormat, Utc};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Bson, RawBsonRef, RawDocument};
use serde_json::{Map, Number, Value};

use super::instant::Instant;
use super::{JSON_TEXT_FIELD, MICROS_FIELD, names};

/// Why a document is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    #[error("the field `{field}` is {found}, and should be {expected}")]
    WrongType { field: &'static str, expected: &'static str, found: String },
    #[error("the field `{0}` is no time that a calendar has")]
    NoTime(&'static str),
    #[error("the field `{field}` is refused")]
    Refused {
        field: &'static str,
        #[source]
        source: ml_core::error::BoxError,
    },
    #[error("the text of a deeply nested value is no JSON")]
    NoJson(#[source] serde_json::Error),
    #[error("the bytes are no BSON")]
    NoBson(#[from] mongodb::bson::error::Error),
}

/// The fields of a document, each to be asked for by name.
pub(crate) struct Fields<'a> {
    // Ten or so: looking through them is quicker than hashing.
    fields: Vec<(&'a str, RawBsonRef<'a>)>,
}

impl<'a> Fields<'a> {
    /// Reads the names; the values stay where they are.
    pub(crate) fn of(document: &'a RawDocument) -> Result<Fields<'a>, Fault> {
        let mut fields = Vec::with_capacity(12);
        for element in document {
            let (name, value) = element?;
            fields.push((name.as_str(), value));
        }
        Ok(Fields { fields })
    }

    /// Returns a field that has to be there.
    pub(crate) fn value(&self, field: &'static str) -> Result<RawBsonRef<'a>, Fault> {
        self.find(field).ok_or(Fault::Missing(field))
    }

    fn optional(&self, field: &'static str) -> Option<RawBsonRef<'a>> {
        self.find(field).filter(|value| value.as_null().is_none())
    }

    fn find(&self, field: &str) -> Option<RawBsonRef<'a>> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, value)| *value)
    }

    /// Returns a text.
    pub(crate) fn text(&self, field: &'static str) -> Result<&'a str, Fault> {
        let value = self.value(field)?;
        value.as_str().ok_or_else(|| wrong_type(field, "a text", value))
    }

    /// Returns a text that is checked by what it becomes.
    pub(crate) fn parsed<T, E>(&self, field: &'static str, parse: impl Fn(&str) -> Result<T, E>) -> Result<T, Fault>
    where
        E: Into<ml_core::error::BoxError>,
    {
        parse(self.text(field)?).map_err(|err| Fault::Refused { field, source: err.into() })
    }

    /// Returns a text, if there is one.
    pub(crate) fn optional_text(&self, field: &'static str) -> Result<Option<&'a str>, Fault> {
        let Some(value) = self.optional(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| wrong_type(field, "a text or null", value))
    }

    /// Returns a number, if there is one.
    pub(crate) fn optional_double(&self, field: &'static str) -> Result<Option<f64>, Fault> {
        let Some(value) = self.optional(field) else { return Ok(None) };
        value.as_f64().map(Some).ok_or_else(|| wrong_type(field, "a double or null", value))
    }

    /// Returns a whole number.
    pub(crate) fn integer(&self, field: &'static str) -> Result<i64, Fault> {
        let value = self.value(field)?;
        let integer = value.as_i64().or_else(|| value.as_i32().map(i64::from));
        integer.ok_or_else(|| wrong_type(field, "a whole number", value))
    }

    /// Returns any JSON value.
    pub(crate) fn json(&self, field: &'static str) -> Result<Value, Fault> {
        json_of(self.value(field)?)
    }

    /// Returns a JSON object.
    pub(crate) fn object(&self, field: &'static str) -> Result<Map<String, Value>, Fault> {
        let value = self.value(field)?;
        let document = value.as_document().ok_or_else(|| wrong_type(field, "an object", value))?;
        object_of(document)
    }

    /// Returns an array of numbers.
    pub(crate) fn vector(&self, field: &'static str) -> Result<Vec<f32>, Fault> {
        let value = self.value(field)?;
        let array = value.as_array().ok_or_else(|| wrong_type(field, "an array", value))?;
        let mut numbers = Vec::new();
        for item in array {
            let item = item?;
            numbers.push(item.as_f64().ok_or_else(|| wrong_type(field, "an array of doubles", item))? as f32);
        }
        Ok(numbers)
    }

    /// Returns an instant.
    pub(crate) fn time(&self, field: &'static str) -> Result<DateTime<Utc>, Fault> {
        let value = self.value(field)?;
        let date = value.as_datetime().ok_or_else(|| wrong_type(field, "a date", value))?;
        let instant = Instant { millis: date.timestamp_millis(), micros: self.micros(field)? };
        instant.time().ok_or(Fault::NoTime(field))
    }

    /// Returns an instant, if there is one.
    pub(crate) fn optional_time(&self, field: &'static str) -> Result<Option<DateTime<Utc>>, Fault> {
        if self.optional(field).is_none() { Ok(None) } else { self.time(field).map(Some) }
    }

    fn micros(&self, field: &'static str) -> Result<i32, Fault> {
        let Some(micros) = self.optional(MICROS_FIELD).and_then(RawBsonRef::as_document) else { return Ok(0) };
        Ok(micros.get(field)?.and_then(RawBsonRef::as_i32).unwrap_or(0).clamp(0, 999))
    }
}

fn wrong_type(field: &'static str, expected: &'static str, found: RawBsonRef<'_>) -> Fault {
    Fault::WrongType { field, expected, found: format!("of the type {:?}", found.element_type()) }
}

/// Returns the JSON value; what JSON has no form for becomes text.
pub(crate) fn json_of(value: RawBsonRef<'_>) -> Result<Value, Fault> {
    Ok(match value {
        RawBsonRef::Null | RawBsonRef::Undefined => Value::Null,
        RawBsonRef::Boolean(truth) => Value::Bool(truth),
        RawBsonRef::Int32(number) => Value::from(number),
        RawBsonRef::Int64(number) => Value::from(number),
        RawBsonRef::Double(number) => {
            Number::from_f64(number).map_or_else(|| Value::String(number.to_string()), Value::Number)
        }
        RawBsonRef::Decimal128(decimal) => {
            let digits = decimal.to_string();
            digits.parse::<u64>().map_or_else(|_| Value::String(digits), Value::from)
        }
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => Value::String(text.to_owned()),
        RawBsonRef::Array(items) => {
            let items = items.into_iter().map(|item| json_of(item?));
            Value::Array(items.collect::<Result<_, Fault>>()?)
        }
        RawBsonRef::Document(document) => nested_of(document)?,
        RawBsonRef::DateTime(date) => Value::String(text_of_date(date)),
        RawBsonRef::ObjectId(id) => Value::String(id.to_hex()),
        RawBsonRef::Binary(binary) => Value::String(text_of_binary(binary.subtype, binary.bytes)),
        other => Value::String(Bson::try_from(other)?.to_string()),
    })
}

fn nested_of(document: &RawDocument) -> Result<Value, Fault> {
    // It is the only field where it is there.
    match document.into_iter().next().transpose()? {
        Some((name, RawBsonRef::String(text))) if name.as_str() == JSON_TEXT_FIELD => {
            serde_json::from_str(text).map_err(Fault::NoJson)
        }
        _ => object_of(document).map(Value::Object),
    }
}

/// Returns the JSON object that a document holds.
pub(crate) fn object_of(document: &RawDocument) -> Result<Map<String, Value>, Fault> {
    let mut fields = Map::new();
    for element in document {
        let (name, value) = element?;
        fields.insert(names::decoded(name.as_str()), json_of(value)?);
    }
    Ok(fields)
}

fn text_of_date(date: mongodb::bson::DateTime) -> String {
    let time = DateTime::from_timestamp_millis(date.timestamp_millis());
    time.map_or_else(|| date.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn text_of_binary(subtype: BinarySubtype, bytes: &[u8]) -> String {
    let hexadecimal = hexadecimal(bytes);
    if subtype == BinarySubtype::Uuid && bytes.len() == 16 {
        let parts =
            [&hexadecimal[..8], &hexadecimal[8..12], &hexadecimal[12..16], &hexadecimal[16..20], &hexadecimal[20..]];
        return parts.join("-");
    }
    hexadecimal
}

/// Returns two digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
    }
    text
}
