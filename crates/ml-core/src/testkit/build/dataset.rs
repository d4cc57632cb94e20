//! Builds dataset versions.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::second;
use crate::artifact::ArtifactRef;
use crate::dataset::{DatasetName, JoinCounts, NewDatasetVersion, SplitCounts};
use crate::digest::Digest;
use crate::table::{ColumnKind, ColumnSchema};

/// Builds a [`NewDatasetVersion`].
#[derive(Debug, Clone)]
pub struct DatasetVersionBuilder(NewDatasetVersion);

/// Starts with a version of `news` that has 8 + 1 + 1 rows of two columns, made at [`second`] zero.
pub fn a_dataset_version() -> DatasetVersionBuilder {
    DatasetVersionBuilder(NewDatasetVersion {
        name: DatasetName::parse("news").expect("a valid name"),
        spec: json!({"data_type": "text", "split": {"train": 0.8}}),
        as_of: second(0),
        counts: SplitCounts { train: 8, validation: 1, test: 1 },
        schema: vec![
            ColumnSchema { name: "text".to_owned(), kind: ColumnKind::Text, nullable: false },
            ColumnSchema { name: "score".to_owned(), kind: ColumnKind::Number, nullable: true },
        ],
        joins: Vec::new(),
        content_hash: Digest::of(b"rows"),
        file: ArtifactRef::of(b"file of rows"),
        created_at: second(0),
    })
}

setters!(DatasetVersionBuilder {
    /// Sets the dataset.
    name(name: &str) => name = DatasetName::parse(name).expect("a test writes valid names");
    /// Sets what it was made by.
    spec(spec: Value) => spec = spec;
    /// Sets the as-of time.
    as_of(instant: DateTime<Utc>) => as_of = instant;
    /// Sets the rows by split.
    counts(counts: SplitCounts) => counts = counts;
    /// Sets the columns.
    schema(schema: Vec<ColumnSchema>) => schema = schema;
    /// Sets what became of the feature sources.
    joins(joins: Vec<JoinCounts>) => joins = joins;
    /// Sets the content hash to that of `rows`.
    rows(rows: &str) => content_hash = Digest::of(rows.as_bytes());
    /// Sets the file that holds the rows.
    file(file: ArtifactRef) => file = file;
    /// Sets when it was made.
    created_at(instant: DateTime<Utc>) => created_at = instant;
});

build_as_is!(DatasetVersionBuilder => NewDatasetVersion);
