//! A raw record as a document.

use chrono::{DateTime, Utc};
use ml_core::id::RecordId;
use ml_core::record::{DataType, RawRecord, SourceApp};
use mongodb::bson::{RawDocument, RawDocumentBuf};

use super::read::{Fault, Fields};
use super::write::DocumentWriter;

/// A guess at the size of a document: too small costs a copy, too large costs memory for a moment.
const USUAL_SIZE_BYTES: usize = 1024;

/// Writes the record, as if it had been ingested at `ingested_at`.
pub(crate) fn encode(record: &RawRecord, ingested_at: DateTime<Utc>) -> RawDocumentBuf {
    let mut document = DocumentWriter::with_capacity(USUAL_SIZE_BYTES);
    document.text("_id", record.id.as_str());
    document.text("source_app", record.source_app.as_str());
    document.optional_text("source", record.source.as_deref());
    document.text("data_type", record.data_type.as_str());
    document.json("raw_content", &record.raw_content);
    document.object("metadata", &record.metadata);
    document.time("scraped_at", record.scraped_at);
    document.time("ingested_at", Some(ingested_at));
    document.text("content_hash", &record.content_hash.to_string());
    document.finish()
}

/// Reads a record, or says what is wrong with the document.
pub(crate) fn decode(document: &RawDocument) -> Result<RawRecord, Fault> {
    let fields = Fields::of(document)?;
    Ok(RawRecord {
        id: fields.parsed("_id", |text| RecordId::parse(text))?,
        source_app: fields.parsed("source_app", SourceApp::parse)?,
        source: fields.optional_text("source")?.map(ToOwned::to_owned),
        data_type: fields.parsed("data_type", DataType::parse)?,
        raw_content: fields.json("raw_content")?,
        metadata: fields.object("metadata")?,
        scraped_at: fields.optional_time("scraped_at")?,
        ingested_at: fields.time("ingested_at")?,
        content_hash: fields.parsed("content_hash", str::parse)?,
    })
}
