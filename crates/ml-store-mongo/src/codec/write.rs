//! Writes BSON documents byte by byte, as <https://bsonspec.org/spec.html> describes them.
//!
//! Building them from the driver's values would copy every nested document once per level; ingest is all about this.

use chrono::{DateTime, Utc};
use mongodb::bson::{Decimal128, Document, RawDocumentBuf};
use serde_json::{Map, Number, Value};

use super::instant::Instant;
use super::{JSON_TEXT_FIELD, MAX_DEPTH, MICROS_FIELD, names};

const DOUBLE: u8 = 0x01;
const STRING: u8 = 0x02;
const DOCUMENT: u8 = 0x03;
const ARRAY: u8 = 0x04;
const BOOLEAN: u8 = 0x08;
const DATE: u8 = 0x09;
const NULL: u8 = 0x0a;
const INT32: u8 = 0x10;
const INT64: u8 = 0x12;
const DECIMAL128: u8 = 0x13;

/// A document that is being written, field by field.
///
/// Names given to its methods are those of our own fields, and ordinary; names within JSON values are encoded.
#[derive(Debug)]
pub(crate) struct DocumentWriter {
    bytes: Vec<u8>,
    micros: Vec<(&'static str, i32)>,
}

impl DocumentWriter {
    /// Starts with no fields; the document may grow to `size_bytes` without being moved.
    pub(crate) fn with_capacity(size_bytes: usize) -> DocumentWriter {
        let mut bytes = Vec::with_capacity(size_bytes);
        bytes.extend([0; 4]);
        DocumentWriter { bytes, micros: Vec::new() }
    }

    /// Writes a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        write_text(&mut self.bytes, name, text);
    }

    /// Writes a text, or null where there is none.
    pub(crate) fn optional_text(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => write_head(&mut self.bytes, NULL, name),
        }
    }

    /// Writes a number, or null where there is none.
    pub(crate) fn optional_double(&mut self, name: &str, number: Option<f64>) {
        match number {
            Some(number) => write_double(&mut self.bytes, name, number),
            None => write_head(&mut self.bytes, NULL, name),
        }
    }

    /// Writes a whole number.
    pub(crate) fn integer(&mut self, name: &str, number: i64) {
        write_integer(&mut self.bytes, name, number);
    }

    /// Writes a JSON value.
    pub(crate) fn json(&mut self, name: &str, value: &Value) {
        write_value(&mut self.bytes, name, value, 0);
    }

    /// Writes a JSON object.
    pub(crate) fn object(&mut self, name: &str, fields: &Map<String, Value>) {
        write_object(&mut self.bytes, name, fields, 0);
    }

    /// Writes an array of numbers, which keep every bit.
    pub(crate) fn vector(&mut self, name: &str, numbers: &[f32]) {
        write_nested(&mut self.bytes, ARRAY, name, |bytes| {
            for (index, number) in numbers.iter().enumerate() {
                write_double(bytes, &index.to_string(), f64::from(*number));
            }
        });
    }

    /// Writes an instant, or null where there is none.
    pub(crate) fn time(&mut self, name: &'static str, time: Option<DateTime<Utc>>) {
        let Some(time) = time else {
            write_head(&mut self.bytes, NULL, name);
            return;
        };
        let instant = Instant::from(time);
        write_head(&mut self.bytes, DATE, name);
        self.bytes.extend(instant.millis.to_le_bytes());
        if instant.micros > 0 {
            self.micros.push((name, instant.micros));
        }
    }

    /// Returns the fields written so far, in bytes; equal fields have equal bytes.
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes
    }

    /// Ends the document.
    pub(crate) fn finish(mut self) -> RawDocumentBuf {
        if !self.micros.is_empty() {
            write_nested(&mut self.bytes, DOCUMENT, MICROS_FIELD, |bytes| {
                for (name, micros) in &self.micros {
                    write_integer(bytes, name, i64::from(*micros));
                }
            });
        }
        end(&mut self.bytes, 0);
        RawDocumentBuf::from_bytes(self.bytes).expect("the length is written in front and a zero at the end")
    }
}

/// Returns a JSON value as the driver's filters take it: a document with the one field `name`.
pub(crate) fn field(name: &str, value: &Value) -> Document {
    let mut writer = DocumentWriter::with_capacity(64);
    writer.json(name, value);
    Document::try_from(writer.finish()).expect("what was just written can be read")
}

fn write_head(bytes: &mut Vec<u8>, kind: u8, name: &str) {
    bytes.push(kind);
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(0);
}

fn write_text(bytes: &mut Vec<u8>, name: &str, text: &str) {
    write_head(bytes, STRING, name);
    bytes.extend((text.len() as i32 + 1).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
}

fn write_double(bytes: &mut Vec<u8>, name: &str, number: f64) {
    write_head(bytes, DOUBLE, name);
    bytes.extend(number.to_le_bytes());
}

fn write_integer(bytes: &mut Vec<u8>, name: &str, number: i64) {
    if let Ok(number) = i32::try_from(number) {
        write_head(bytes, INT32, name);
        bytes.extend(number.to_le_bytes());
    } else {
        write_head(bytes, INT64, name);
        bytes.extend(number.to_le_bytes());
    }
}

fn write_number(bytes: &mut Vec<u8>, name: &str, number: &Number) {
    if let Some(integer) = number.as_i64() {
        write_integer(bytes, name, integer);
    } else if number.is_u64() {
        let decimal: Decimal128 = number.to_string().parse().expect("twenty digits are a decimal of 34");
        write_head(bytes, DECIMAL128, name);
        bytes.extend(decimal.bytes());
    } else {
        write_double(bytes, name, number.as_f64().expect("what is no integer is a double"));
    }
}

fn write_value(bytes: &mut Vec<u8>, name: &str, value: &Value, depth: usize) {
    match value {
        Value::Null => write_head(bytes, NULL, name),
        Value::Bool(truth) => {
            write_head(bytes, BOOLEAN, name);
            bytes.push(u8::from(*truth));
        }
        Value::Number(number) => write_number(bytes, name, number),
        Value::String(text) => write_text(bytes, name, text),
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => {
            write_nested(bytes, DOCUMENT, name, |bytes| write_text(bytes, JSON_TEXT_FIELD, &value.to_string()));
        }
        Value::Array(items) => write_nested(bytes, ARRAY, name, |bytes| {
            for (index, item) in items.iter().enumerate() {
                write_value(bytes, &index.to_string(), item, depth + 1);
            }
        }),
        Value::Object(fields) => write_object(bytes, name, fields, depth),
    }
}

fn write_object(bytes: &mut Vec<u8>, name: &str, fields: &Map<String, Value>, depth: usize) {
    write_nested(bytes, DOCUMENT, name, |bytes| {
        for (name, value) in fields {
            write_value(bytes, &names::encoded(name), value, depth + 1);
        }
    });
}

fn write_nested(bytes: &mut Vec<u8>, kind: u8, name: &str, write_fields: impl FnOnce(&mut Vec<u8>)) {
    write_head(bytes, kind, name);
    let start = bytes.len();
    bytes.extend([0; 4]);
    write_fields(bytes);
    end(bytes, start);
}

/// Ends the document that starts at `start`, and writes how long it has become there.
fn end(bytes: &mut Vec<u8>, start: usize) {
    bytes.push(0);
    let size_bytes = (bytes.len() - start) as i32;
    bytes[start..start + 4].copy_from_slice(&size_bytes.to_le_bytes());
}
