//! Values that are allowed and that careless stores stumble over.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::testkit::build::at;

/// Texts that quoting, patterns, case folding, trimming or Unicode normalisation would spoil; in the order of their
/// bytes.
pub(super) const TEXTS: [&str; 22] = [
    " leading space",
    "$where",
    "'; DROP TABLE runs; --",
    "10",
    "9",
    "A",
    "NULL",
    "a",
    "a\"b",
    "a.b",
    "a\\'b",
    "a\\b",
    "e\u{301}",
    "o'hara",
    "q?x=1&y=%20#z",
    "snake%case",
    "snake_case",
    "trailing space ",
    "{\"$ne\": null}",
    "\u{e9}",
    "日本語",
    "🦀👩‍👩‍👧",
];

/// Instants from the edges of what records have, in ascending order, some with microseconds.
pub(super) fn times() -> Vec<DateTime<Utc>> {
    [
        "0001-01-01T00:00:00Z",
        "1582-10-15T12:00:00Z",
        "1700-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2026-01-05T10:20:30.123456Z",
        "2026-01-05T10:20:30.123457Z",
        "2200-02-28T23:59:59.5Z",
        "9999-12-31T23:59:59.999999Z",
    ]
    .map(at)
    .to_vec()
}

/// Nests an array in an array, `depth` times.
pub(super) fn nested(depth: usize) -> Value {
    (0..depth).fold(json!("the middle"), |inner, _| json!([inner]))
}

/// Texts with line breaks, control characters and characters outside of the basic plane.
pub(super) fn text_with_everything() -> String {
    let mut text: String = (0..0x300).filter_map(char::from_u32).collect();
    text.push_str("日本語 🦀 👩‍👩‍👧 \u{feff} \u{202e} \u{fffd} \u{10ffff}\r\n");
    text
}
