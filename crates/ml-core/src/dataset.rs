//! Immutable snapshots of rows, for training and evaluation.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artifact::ArtifactRef;
use crate::digest::Digest;
use crate::error::StoreError;
use crate::name::text_conversions;
use crate::record::InvalidName;
use crate::table::ColumnSchema;

/// The name of a dataset. Letters, digits, `_`, `-`, `.`; begins with a letter; up to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetName(String);

impl DatasetName {
    /// Accepts `[A-Za-z][A-Za-z0-9_.-]{0,63}`.
    pub fn parse(text: &str) -> Result<DatasetName, InvalidName> {
        let begins_well = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if begins_well && text.len() <= 64 && text.chars().all(allowed) {
            return Ok(DatasetName(text.to_owned()));
        }
        let text = text.chars().take(80).collect();
        Err(InvalidName { kind: "dataset name", text, allowed: "letters, digits, `_`, `-` and `.`" })
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_conversions!(InvalidName: DatasetName);

/// A part of a dataset version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Fitted on.
    Train,
    /// Looked at while choosing.
    Validation,
    /// Scored on, once.
    Test,
}

impl Split {
    /// All splits.
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

    /// Returns the value that the column `split` of a dataset holds.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }

    /// Returns the split called `name`.
    pub fn find_by_name(name: &str) -> Option<Split> {
        Split::ALL.into_iter().find(|split| split.name() == name)
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many rows each split has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitCounts {
    /// Rows to fit on.
    pub train: u64,
    /// Rows to choose by.
    pub validation: u64,
    /// Rows to score on.
    pub test: u64,
}

impl SplitCounts {
    /// Returns the count of `split`, to be read or raised.
    pub fn of_mut(&mut self, split: Split) -> &mut u64 {
        match split {
            Split::Train => &mut self.train,
            Split::Validation => &mut self.validation,
            Split::Test => &mut self.test,
        }
    }

    /// Returns the number of all rows.
    pub fn total(self) -> u64 {
        self.train + self.validation + self.test
    }
}

/// What became of joining a feature source to the rows of a dataset; `n_found + n_too_old + n_missing` is the number of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinCounts {
    /// The name of the feature source.
    pub source: String,
    /// Rows that have its values.
    pub n_found: u64,
    /// Rows for which the latest value was older than its time to live.
    pub n_too_old: u64,
    /// Rows for which there was no value.
    pub n_missing: u64,
    /// Values that were read.
    pub n_read: u64,
    /// Values that were left out of those, for want of an entity or an instant, or because they break a rule.
    pub n_unfit: u64,
    /// Documents whose only version was first known after the as-of time: an earlier one, if there was any, is not kept.
    pub n_known_later: u64,
}

/// What a dataset version is made of, before it has a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewDatasetVersion {
    /// The dataset it belongs to.
    pub name: DatasetName,
    /// The query, time range and split rule it was made by, in the form the dataset builder understands.
    pub spec: Value,
    /// Nothing that was first known after this instant is in it.
    pub as_of: DateTime<Utc>,
    /// Rows by split.
    pub counts: SplitCounts,
    /// The columns, in order.
    pub schema: Vec<ColumnSchema>,
    /// What became of each feature source, in the order of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<JoinCounts>,
    /// The digest of schema and rows in order; equal for equal rows, whatever the file format.
    pub content_hash: Digest,
    /// The file that holds the rows.
    pub file: ArtifactRef,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A row of `dataset_versions`: immutable, numbered from 1 within its dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetVersion {
    /// The number within the dataset.
    pub version: u32,
    /// What it is made of.
    #[serde(flatten)]
    pub content: NewDatasetVersion,
}

impl DatasetVersion {
    /// Returns the version as people write it: `name@3`.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.content.name, self.version)
    }
}

/// Dataset versions.
#[async_trait]
pub trait DatasetStore: Send + Sync {
    /// Gives the version the next number of its dataset and inserts it.
    ///
    /// When the newest version of the dataset has the same spec and content hash, returns that one and inserts nothing.
    async fn create_version(&self, version: &NewDatasetVersion) -> Result<DatasetVersion, StoreError>;

    /// Returns the version, or [`StoreError::NotFound`].
    async fn get(&self, name: &DatasetName, version: u32) -> Result<DatasetVersion, StoreError>;

    /// Returns the newest version, if the dataset exists.
    async fn find_latest(&self, name: &DatasetName) -> Result<Option<DatasetVersion>, StoreError>;

    /// Lists every version of one dataset or of all, by name, in the order of its bytes, and then number.
    async fn list(&self, name: Option<&DatasetName>) -> Result<Vec<DatasetVersion>, StoreError>;
}
