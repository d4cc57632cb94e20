//! Integration tests of the crate, over memory stores.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agreement;
mod data_sets;
mod dataset;
mod dataset_splits;
mod fixture;
mod flaky;
mod ingest;
mod ingest_rejections;
mod parquet_files;
mod publish;
mod replay;
mod retention;
mod settled_past;
mod sync;
