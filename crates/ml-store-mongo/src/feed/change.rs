//! Documents and events as changes.

use ml_core::digest::Digest;
use ml_core::document::{Change, Unreadable};
use ml_core::id::RecordId;
use mongodb::bson::{Bson, RawBsonRef, RawDocument};
use serde_json::Value;

use crate::codec::read::{json_of, object_of};
use crate::codec::record;

/// Returns the document as a change: a record, or why it is none.
pub(super) fn upserted(document: &RawDocument) -> Change {
    match record::decode(document) {
        Ok(record) => Change::Upserted(record),
        Err(fault) => {
            let id = document.get("_id").ok().flatten().map_or_else(|| unnamed(document.as_bytes()), id_of);
            let content = object_of(document).map_or(Value::Null, Value::Object);
            Change::Undecodable { id, fault: Unreadable::Malformed, content, reason: reason_of(&fault) }
        }
    }
}

/// Returns the id of a document as the id of a record: a text as it is, anything else as the text that shows it.
pub(super) fn id_of(id: RawBsonRef<'_>) -> RecordId {
    let text = match json_of(id) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    };
    RecordId::parse(text).unwrap_or_else(|_| {
        let bytes = Bson::try_from(id).map(|id| id.to_string()).unwrap_or_default();
        unnamed(bytes.as_bytes())
    })
}

/// What the id of a document begins with whose own is none of a record, and whose text is none either.
pub(super) const UNNAMED: &str = "unnamed-";

fn unnamed(bytes: &[u8]) -> RecordId {
    RecordId::parse(format!("{UNNAMED}{}", Digest::of(bytes).short())).expect("hexadecimal digits are an id")
}

/// Returns the fault with its causes, in a line.
fn reason_of(fault: &dyn std::error::Error) -> String {
    let mut reason = fault.to_string();
    let mut source = fault.source();
    while let Some(cause) = source {
        reason.push_str(": ");
        reason.push_str(&cause.to_string());
        source = cause.source();
    }
    reason
}
