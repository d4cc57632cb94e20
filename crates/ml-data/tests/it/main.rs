//! Integration tests of the crate, over memory stores.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agreement;
mod data_sets;
mod dataset;
mod dataset_joins;
mod dataset_splits;
mod examples;
mod fixture;
mod flaky;
mod infer;
mod ingest;
mod ingest_rejections;
mod mapping;
mod parquet_files;
mod publish;
mod replay;
mod retention;
mod scoring;
mod settled_past;
mod severity;
mod sync;
