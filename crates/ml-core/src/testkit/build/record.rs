//! Builds raw records.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{data_type, record_id, second, source_app};
use crate::digest::Digest;
use crate::record::RawRecord;

/// Builds a [`RawRecord`].
#[derive(Debug, Clone)]
pub struct RawRecordBuilder(RawRecord);

/// Starts with a news text `r1` of the app `newsroom`, scraped and ingested at [`second`] zero.
pub fn a_raw_record() -> RawRecordBuilder {
    RawRecordBuilder(RawRecord {
        id: record_id("r1"),
        source_app: source_app("newsroom"),
        source: None,
        data_type: data_type("text"),
        raw_content: json!({"headline": "Shares rise", "body": "Shares rose on Monday."}),
        metadata: Map::new(),
        scraped_at: Some(second(0)),
        ingested_at: second(0),
        content_hash: Digest::of(b""),
    })
}

setters!(RawRecordBuilder {
    /// Sets the id.
    id(id: &str) => id = record_id(id);
    /// Sets the application.
    source_app(app: &str) => source_app = source_app(app);
    /// Sets where the application had it from.
    source(source: &str) => source = Some(source.to_owned());
    /// Sets the data type.
    data_type(name: &str) => data_type = data_type(name);
    /// Sets the record itself.
    content(content: Value) => raw_content = content;
    /// Sets what is known about the record.
    metadata(metadata: Map<String, Value>) => metadata = metadata;
    /// Sets or removes when the application obtained it.
    scraped_at(instant: Option<DateTime<Utc>>) => scraped_at = instant;
    /// Sets when it was ingested.
    ingested_at(instant: DateTime<Utc>) => ingested_at = instant;
});

impl RawRecordBuilder {
    /// Returns the record with the hash of its content.
    pub fn build(self) -> RawRecord {
        let record = self.0;
        let content_hash = RawRecord::content_hash_of(
            &record.raw_content,
            &record.metadata,
            record.source.as_deref(),
            record.scraped_at,
        );
        RawRecord { content_hash, ..record }
    }
}
