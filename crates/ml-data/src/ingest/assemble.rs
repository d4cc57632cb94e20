//! Raw records out of the fields of an item.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use ml_core::id::RecordId;
use ml_core::record::{DataType, RawRecord, SourceApp};

use super::mapping::FieldMapping;
use super::report::RejectReason;
use crate::field::{FieldPath, Fields};
use crate::instant::parse_instant;

/// How many hexadecimal digits of the content hash make an id.
const HASH_DIGITS: usize = 32;

/// Makes records of one application and data type.
pub(super) struct Assembler {
    data_type: DataType,
    source_app: SourceApp,
    mapping: FieldMapping,
    metadata: Map<String, Value>,
    usual: UsualFields,
}

/// Fields that are looked for where the mapping says nothing.
struct UsualFields {
    ids: [FieldPath; 2],
    source: FieldPath,
}

impl Assembler {
    pub(super) fn new(data_type: DataType, source_app: SourceApp, mapping: FieldMapping) -> Assembler {
        let path = |name| FieldPath::parse(name).expect("a plain name is a path");
        let metadata = mapping.hints().to_metadata();
        let usual = UsualFields { ids: [path("id"), path("_id")], source: path("source") };
        Assembler { data_type, source_app, mapping, metadata, usual }
    }

    /// Makes the record of `fields`.
    pub(super) fn assemble(&self, fields: Fields, now: DateTime<Utc>) -> Result<RawRecord, RejectReason> {
        let sent_id = self.sent_id(&fields)?;
        let source = self.source(&fields);
        let event_time = instant(self.mapping.event_time.as_ref(), &fields)?;
        let scraped_at = instant(self.mapping.scraped_at.as_ref(), &fields)?.or(event_time);
        let raw_content = Value::Object(fields);
        let content_hash = RawRecord::content_hash_of(&raw_content, &self.metadata, source.as_deref(), scraped_at);
        let own_part = sent_id.unwrap_or_else(|| content_hash.to_string()[..HASH_DIGITS].to_owned());
        Ok(RawRecord {
            id: RecordId::parse(format!("{}:{own_part}", self.source_app))?,
            source_app: self.source_app.clone(),
            source,
            data_type: self.data_type.clone(),
            raw_content,
            metadata: self.metadata.clone(),
            scraped_at,
            ingested_at: now,
            content_hash,
        })
    }

    /// Returns the id as sent, if the record has one. Fields that the mapping names must hold something.
    fn sent_id(&self, fields: &Fields) -> Result<Option<String>, RejectReason> {
        if self.mapping.id.is_empty() {
            return Ok(self.usual.ids.iter().find_map(|path| path.get_filled(fields).and_then(id_text)));
        }
        let mut id = String::new();
        for path in &self.mapping.id {
            let value = path.get_filled(fields).ok_or_else(|| RejectReason::MissingId(path.clone()))?;
            let text = id_text(value).ok_or_else(|| RejectReason::UnfitId(path.clone()))?;
            if !id.is_empty() {
                id.push(':');
            }
            id.push_str(&text);
        }
        Ok(Some(id))
    }

    fn source(&self, fields: &Fields) -> Option<String> {
        let path = self.mapping.source.as_ref();
        match (path, path.unwrap_or(&self.usual.source).get_filled(fields)?) {
            (_, Value::String(text)) => Some(text.trim().to_owned()),
            (Some(_), value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            _ => None,
        }
    }
}

/// Returns the text of an id: text, a number or a truth value as it prints, or an `ObjectId` as MongoDB exports it.
fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Object(fields) => fields.get("$oid")?.as_str().map(str::to_owned),
        Value::Null | Value::Array(_) => None,
    }
}

fn instant(path: Option<&FieldPath>, fields: &Fields) -> Result<Option<DateTime<Utc>>, RejectReason> {
    let Some(path) = path else { return Ok(None) };
    let Some(value) = path.get_filled(fields) else { return Ok(None) };
    match parse_instant(value, &[]) {
        Ok(instant) => Ok(Some(instant)),
        Err(error) => Err(RejectReason::InvalidTime { field: path.clone(), error }),
    }
}
