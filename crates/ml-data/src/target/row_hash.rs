//! The content hash of a row: a digest of its parts, each with its length or a fixed size, so that no two rows of different
//! parts run together.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use ml_core::digest::Digest;

/// Gathers the parts of a row in a fixed order.
pub(super) struct RowHash(Vec<u8>);

impl RowHash {
    pub(super) fn new() -> RowHash {
        RowHash(Vec::with_capacity(512))
    }

    #[must_use]
    pub(super) fn text(mut self, text: &str) -> RowHash {
        self.0.extend_from_slice(&(text.len() as u64).to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    #[must_use]
    pub(super) fn optional_text(self, text: Option<&str>) -> RowHash {
        let marked = self.mark(text.is_some());
        match text {
            Some(text) => marked.text(text),
            None => marked,
        }
    }

    /// Adds a number by its bits; `-0` and `0` differ.
    #[must_use]
    pub(super) fn optional_number(mut self, number: Option<f64>) -> RowHash {
        self = self.mark(number.is_some());
        if let Some(number) = number {
            self.0.extend_from_slice(&number.to_bits().to_be_bytes());
        }
        self
    }

    #[must_use]
    pub(super) fn optional_instant(mut self, instant: Option<DateTime<Utc>>) -> RowHash {
        self = self.mark(instant.is_some());
        if let Some(instant) = instant {
            self.0.extend_from_slice(&instant.timestamp_micros().to_be_bytes());
        }
        self
    }

    #[must_use]
    pub(super) fn value(mut self, value: &Value) -> RowHash {
        write(&mut self.0, value);
        self
    }

    #[must_use]
    pub(super) fn fields(mut self, fields: &Map<String, Value>) -> RowHash {
        write(&mut self.0, fields);
        self
    }

    pub(super) fn finish(self) -> Digest {
        Digest::of(&self.0)
    }

    fn mark(mut self, is_present: bool) -> RowHash {
        self.0.push(u8::from(is_present));
        self
    }
}

fn write(bytes: &mut Vec<u8>, value: &impl serde::Serialize) {
    serde_json::to_writer(&mut *bytes, value).expect("JSON values serialise, and a vector takes every byte");
    bytes.push(0);
}
