//! What an ingest did, and why lines were rejected.

use std::fmt;

use serde::{Serialize, Serializer};

use ml_core::document::UpsertCounts;
use ml_core::id::InvalidId;

use crate::field::FieldPath;
use crate::instant::InvalidInstant;
use crate::shown::shown_text;

/// How many rejections are kept with their reasons; all are counted.
pub const MAX_REJECTIONS: usize = 100;

/// Why a line is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// It does not parse.
    #[error("not JSON, column {column}: {message}")]
    NotJson {
        /// Where it stops making sense, from 1.
        column: usize,
        /// What was expected there.
        message: String,
    },
    /// It is JSON, and not an object.
    #[error("{0}, not an object with fields")]
    NotAnObject(&'static str),
    /// Its bytes are not text.
    #[error("not UTF-8, byte {0}: save the file as UTF-8")]
    InvalidUtf8(usize),
    /// It is longer than accepted.
    #[error("longer than the {0} bytes that are accepted (raise max_line_bytes)")]
    TooLong(usize),
    /// It has a number that is not one.
    #[error("{}{number} is not a finite number: leave the field out, or write null", before(.field.as_deref()))]
    NotFinite {
        /// The field or column it is in, where that can be told.
        field: Option<String>,
        /// The number, as shown in messages.
        number: String,
    },
    /// It has more or fewer cells than the header.
    #[error("{found} cells, the header has {expected}")]
    Ragged {
        /// Columns of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A quote is opened and never closed.
    #[error("a quoted cell is not closed")]
    OpenQuote,
    /// The array or value that it belongs to does not end.
    #[error("the JSON array is not closed: the input is cut off")]
    OpenArray,
    /// Something follows the end of the array.
    #[error("text after the end of the JSON array")]
    AfterArray,
    /// The field that the id is made of holds nothing.
    #[error("no id: field `{0}` is missing or blank")]
    MissingId(FieldPath),
    /// The field that the id is made of is a list or an object.
    #[error("no id: field `{0}` is neither text nor a number")]
    UnfitId(FieldPath),
    /// The id cannot be one.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// The time does not read as one.
    #[error("field `{field}`: {error}")]
    InvalidTime {
        /// The field it is in.
        field: FieldPath,
        /// What is wrong with it.
        error: InvalidInstant,
    },
    /// The id was there before, with other content.
    #[error("id `{id}` stands on line {first_line} already, with other content; the first is kept")]
    DuplicateId {
        /// The id, as sent.
        id: String,
        /// The line of the record that is kept.
        first_line: u64,
    },
    /// A value of a Parquet file cannot be kept.
    #[error("column `{column}`: {message}")]
    UnfitColumn {
        /// The name of the column.
        column: String,
        /// What is wrong with the value.
        message: String,
    },
}

/// Returns what names `field` at the beginning of a message.
fn before(field: Option<&str>) -> String {
    field.map_or_else(String::new, |field| format!("field {}: ", shown_text(field)))
}

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The file or stream.
    pub input: String,
    /// The line that it begins on, from 1; in Parquet the row.
    pub line: u64,
    /// Why.
    #[serde(serialize_with = "print")]
    pub reason: RejectReason,
}

fn print<S: Serializer>(reason: &RejectReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.input, self.line, self.reason)
    }
}

/// What an ingest did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IngestReport {
    /// Ids that were not there.
    pub inserted: u64,
    /// Ids that were there with the same content.
    pub unchanged: u64,
    /// Ids that were there with other content, which is now replaced.
    pub changed: u64,
    /// Records that an earlier one of the same input equals, and that count once; as far as ids are remembered.
    pub repeated: u64,
    /// Lines that were not taken.
    pub rejected: u64,
    /// The first [`MAX_REJECTIONS`] of them.
    pub rejections: Vec<Rejection>,
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Whether it was stopped before the end of the input.
    pub cancelled: bool,
}

impl IngestReport {
    /// Returns how many records the store has been given.
    pub fn n_records(&self) -> u64 {
        self.inserted + self.unchanged + self.changed
    }

    /// Adds what the ingest of another input did.
    pub fn merge(&mut self, other: IngestReport) {
        self.inserted += other.inserted;
        self.unchanged += other.unchanged;
        self.changed += other.changed;
        self.repeated += other.repeated;
        self.add_rejections(other.rejected, other.rejections);
        self.bytes += other.bytes;
        self.cancelled |= other.cancelled;
    }

    pub(super) fn add_counts(&mut self, counts: UpsertCounts) {
        self.inserted += counts.inserted;
        self.unchanged += counts.unchanged;
        self.changed += counts.changed;
    }

    pub(super) fn add_rejections(&mut self, n_rejected: u64, rejections: Vec<Rejection>) {
        self.rejected += n_rejected;
        let room = MAX_REJECTIONS.saturating_sub(self.rejections.len());
        self.rejections.extend(rejections.into_iter().take(room));
    }
}

impl fmt::Display for IngestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IngestReport { inserted, unchanged, changed, rejected, .. } = self;
        write!(f, "{inserted} inserted, {unchanged} unchanged, {changed} changed, {rejected} rejected")
    }
}
