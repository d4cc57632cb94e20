//! How JSON values, field names and instants are kept in BSON, without loss.
//!
//! Ordinary documents are ordinary BSON, so that people can query them; only what BSON or MongoDB cannot hold is written in
//! another way, and read back as it was:
//!
//! | in JSON | in BSON |
//! | --- | --- |
//! | a whole number | `int`, `long`, or `decimal` above 2⁶³ − 1 |
//! | another number | `double`, even when it has no fraction |
//! | an object nested more than [`MAX_DEPTH`] deep | `{"＼json": "its JSON text"}`: MongoDB ends at 100 levels |
//! | a field name with `.`, a leading `$`, or NUL | `．`, `＄`, `␀` in its place, see [`names`] |
//! | an instant | `date`, which ends at milliseconds; what is below them is in `micros` |
//!
//! What other programs wrote may have types that JSON lacks: an object id, a date, a decimal or a `NaN` is read as text.

pub(crate) mod instant;
pub(crate) mod names;
pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod write;

#[cfg(test)]
mod tests;

/// How deep arrays and objects may nest below a field of the document before they are kept as JSON text.
pub(crate) const MAX_DEPTH: usize = 80;

/// The field that marks JSON text; no name is encoded like this.
pub(crate) const JSON_TEXT_FIELD: &str = "＼json";

/// The field of a document that has what its dates lack: microseconds below the millisecond, by the name of the date.
pub(crate) const MICROS_FIELD: &str = "micros";
