//! A raw record as the columns of its table, and which table that is.

use diesel::Queryable;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::record::{DataType, RawRecord, SourceApp};

use crate::types::{Instant, JsonText};

/// Runs `$body` with `$table` naming the module of the collection's table; the tables differ in nothing but the name.
macro_rules! on_collection {
    ($collection:expr, $table:ident => $body:expr) => {
        match $collection {
            ml_core::record::Collection::RawRecords => {
                use crate::schema::documents::raw_records as $table;
                $body
            }
            ml_core::record::Collection::TextCorpus => {
                use crate::schema::documents::text_corpus as $table;
                $body
            }
            ml_core::record::Collection::MarketData => {
                use crate::schema::documents::market_data as $table;
                $body
            }
            ml_core::record::Collection::SocialContent => {
                use crate::schema::documents::social_content as $table;
                $body
            }
        }
    };
}
pub(super) use on_collection;

/// The columns of a record but for `seq`, in the order of the table.
#[derive(Debug, Queryable)]
pub(super) struct RecordRow {
    pub(super) id: String,
    pub(super) source_app: String,
    pub(super) source: Option<String>,
    pub(super) data_type: String,
    pub(super) raw_content: JsonText,
    pub(super) metadata: JsonText,
    pub(super) scraped_at: Option<Instant>,
    pub(super) ingested_at: Instant,
    pub(super) content_hash: String,
}

impl From<&RawRecord> for RecordRow {
    fn from(record: &RawRecord) -> RecordRow {
        RecordRow {
            id: record.id.as_str().to_owned(),
            source_app: record.source_app.as_str().to_owned(),
            source: record.source.clone(),
            data_type: record.data_type.as_str().to_owned(),
            raw_content: JsonText::of(&record.raw_content),
            metadata: JsonText::of(&record.metadata),
            scraped_at: record.scraped_at.map(Instant),
            ingested_at: Instant(record.ingested_at),
            content_hash: record.content_hash.to_string(),
        }
    }
}

impl RecordRow {
    /// Reads the record back, or says which one is corrupt and why.
    pub(super) fn into_record(self) -> Result<RawRecord, StoreError> {
        self.into_record_or_content().map_err(|(error, _)| error)
    }

    /// Reads the record back, or says which one is corrupt and why, and returns its content as it is.
    pub(super) fn into_record_or_content(mut self) -> Result<RawRecord, (StoreError, JsonText)> {
        let key = self.id.clone();
        let content = std::mem::replace(&mut self.raw_content, JsonText(String::new()));
        self.decode(&content).map_err(|err| (StoreError::corrupt(Entity::RawRecord, key, err), content))
    }

    fn decode(self, content: &JsonText) -> Result<RawRecord, BoxError> {
        Ok(RawRecord {
            id: RecordId::parse(self.id)?,
            source_app: SourceApp::parse(&self.source_app)?,
            source: self.source,
            data_type: DataType::parse(&self.data_type)?,
            raw_content: content.parse()?,
            metadata: self.metadata.parse()?,
            scraped_at: self.scraped_at.map(|instant| instant.0),
            ingested_at: self.ingested_at.0,
            content_hash: self.content_hash.parse()?,
        })
    }
}

/// The columns that make a [`RecordRow`].
macro_rules! record_columns {
    ($table:ident) => {
        (
            $table::id,
            $table::source_app,
            $table::source,
            $table::data_type,
            $table::raw_content,
            $table::metadata,
            $table::scraped_at,
            $table::ingested_at,
            $table::content_hash,
        )
    };
}
pub(super) use record_columns;
