//! Everything that moves records: ingestion, validation, routing, sync in both directions, and dataset snapshots.
//!
//! The crate sees the stores through the traits of `ml-core` alone; no driver and no SQL is named here. The life of a
//! record: [`ingest`] puts it into a document collection, [`sync`] judges it by the [`pipeline`] and writes it to SQL or to
//! quarantine, [`dataset`] takes immutable snapshots, and [`publish`] carries results back to documents.

pub mod backoff;
pub mod dataset;
pub mod field;
mod hints;
pub mod infer;
pub mod ingest;
pub mod instant;
pub mod manager;
pub mod normalise;
pub mod pipeline;
pub mod publish;
mod reason;
pub mod retention;
pub mod routing;
pub mod rule;
pub mod scoring;
mod shown;
pub mod sync;
pub mod target;
