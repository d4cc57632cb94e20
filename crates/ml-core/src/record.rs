//! A record as an application sent it, in any shape.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::id::RecordId;
use crate::name::text_conversions;

/// The field of the metadata of a document that says who wrote it, where that is us.
pub const ORIGIN_FIELD: &str = "origin";

/// What it says in a document that this platform wrote, such as a prediction: sync leaves it alone, for it came from here.
pub const ORIGIN: &str = "ml-app";

/// The text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: use 1 to 64 characters of {allowed}, beginning with a letter")]
pub struct InvalidName {
    /// What the name is of.
    pub kind: &'static str,
    /// The text that was given.
    pub text: String,
    /// Which characters a name may have.
    pub allowed: &'static str,
}

/// What kind of record it is: `text`, `social`, `raw_market`, `market_metrics`, … Lower-case letters, digits, `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DataType(String);

/// The application a record came from. Letters, digits, `_`, `-`, `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceApp(String);

impl DataType {
    /// Accepts `[a-z][a-z0-9_]{0,63}`.
    pub fn parse(text: &str) -> Result<DataType, InvalidName> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        check_name("data type", text, allowed, "lower-case letters, digits and `_`")?;
        Ok(DataType(text.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SourceApp {
    /// Accepts `[A-Za-z][A-Za-z0-9_.-]{0,63}`.
    pub fn parse(text: &str) -> Result<SourceApp, InvalidName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        check_name("source app", text, allowed, "letters, digits, `_`, `-` and `.`")?;
        Ok(SourceApp(text.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_name(
    kind: &'static str,
    text: &str,
    is_allowed: impl Fn(char) -> bool,
    allowed: &'static str,
) -> Result<(), InvalidName> {
    let begins_well = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    if begins_well && text.len() <= 64 && text.chars().all(is_allowed) {
        return Ok(());
    }
    Err(InvalidName { kind, text: text.chars().take(80).collect(), allowed })
}

text_conversions!(InvalidName: DataType, SourceApp);

/// A collection of the document store that holds raw records. The names are an interface: notebooks read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    /// Records of any kind that has no collection of its own.
    RawRecords,
    /// News and other long text.
    TextCorpus,
    /// Raw market streams.
    MarketData,
    /// Social posts.
    SocialContent,
}

impl Collection {
    /// All collections, in the order in which they are listed and synced.
    pub const ALL: [Collection; 4] =
        [Collection::RawRecords, Collection::TextCorpus, Collection::MarketData, Collection::SocialContent];

    /// Returns the name on disk.
    pub fn name(self) -> &'static str {
        match self {
            Collection::RawRecords => "raw_records",
            Collection::TextCorpus => "text_corpus",
            Collection::MarketData => "market_data",
            Collection::SocialContent => "social_content",
        }
    }

    /// Returns the collection called `name` on disk.
    pub fn find_by_name(name: &str) -> Option<Collection> {
        Collection::ALL.into_iter().find(|collection| collection.name() == name)
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an application sent, with where it came from and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RawRecord {
    /// Unique within its collection; the same input always gets the same id.
    #[serde(rename = "_id")]
    pub id: RecordId,
    /// The application it came from.
    pub source_app: SourceApp,
    /// Where that application had it from: an outlet, a feed, a file.
    pub source: Option<String>,
    /// What kind of record it is.
    pub data_type: DataType,
    /// The record itself, as sent.
    pub raw_content: Value,
    /// What is known about the record and is not part of it.
    pub metadata: Map<String, Value>,
    /// When the application obtained it; the event time until a better one is found in the content.
    pub scraped_at: Option<DateTime<Utc>>,
    /// When this platform first had this content: its known time.
    pub ingested_at: DateTime<Utc>,
    /// The digest of everything the application sent, see [`RawRecord::content_hash_of`].
    pub content_hash: Digest,
}

impl RawRecord {
    /// Returns the digest by which two ingests of a record are compared: content, metadata, source and scrape time; not the
    /// id, and not when it was ingested.
    pub fn content_hash_of(
        raw_content: &Value,
        metadata: &Map<String, Value>,
        source: Option<&str>,
        scraped_at: Option<DateTime<Utc>>,
    ) -> Digest {
        let mut bytes = Vec::with_capacity(512);
        write_json(&mut bytes, raw_content);
        bytes.push(0);
        write_json(&mut bytes, metadata);
        bytes.push(0);
        bytes.extend_from_slice(source.unwrap_or_default().as_bytes());
        bytes.push(0);
        if let Some(scraped_at) = scraped_at {
            bytes.extend_from_slice(&scraped_at.timestamp_micros().to_be_bytes());
        }
        Digest::of(&bytes)
    }
}

fn write_json(bytes: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(bytes, value).expect("JSON values serialise, and a vector takes every byte");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(DataType::parse("raw_market").is_ok());
        for text in ["", "Text", "1x", "a b", "a-b", &"x".repeat(65)] {
            assert!(DataType::parse(text).is_err(), "{text:?}");
        }
        assert!(SourceApp::parse("crm-2.eu").is_ok());
        assert!(SourceApp::parse("../etc").is_err());
    }

    #[test]
    fn collections_are_found_by_their_names() {
        for collection in Collection::ALL {
            assert_eq!(Collection::find_by_name(collection.name()), Some(collection));
        }
    }

    #[test]
    fn the_content_hash_sees_every_part() {
        let hash = |content: Value, source, at| RawRecord::content_hash_of(&content, &Map::new(), source, at);
        let base = hash(json!({"a": 1}), None, None);
        assert_ne!(base, hash(json!({"a": 2}), None, None));
        assert_ne!(base, hash(json!({"a": 1}), Some("x"), None));
        assert_ne!(base, hash(json!({"a": 1}), None, DateTime::from_timestamp(0, 0)));
    }
}
