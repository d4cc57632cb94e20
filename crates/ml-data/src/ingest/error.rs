//! What can go wrong with an input as a whole.

use std::io;

use ml_core::error::StoreError;

use super::report::IngestReport;
use crate::routing::UnknownDataType;

/// An input that cannot be ingested, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The data type has no route.
    #[error(transparent)]
    UnknownDataType(#[from] UnknownDataType),
    /// The input cannot be opened.
    #[error("cannot open {input}")]
    Open {
        /// The file.
        input: String,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// The input is a folder.
    #[error("{input} is a directory: name the files in it, for example \"{input}/*.jsonl\"")]
    Directory {
        /// The folder.
        input: String,
    },
    /// There is nothing in it.
    #[error("{input} is empty")]
    Empty {
        /// The file or stream.
        input: String,
    },
    /// It is something that has no records.
    #[error("{input} is {what}")]
    Foreign {
        /// The file or stream.
        input: String,
        /// What it is, and what to do.
        what: &'static str,
    },
    /// It is not text.
    #[error("{input} is a binary file: JSON, CSV or Parquet is needed, plain or gzip")]
    Binary {
        /// The file or stream.
        input: String,
    },
    /// Neither its name nor its content tells what it is.
    #[error("cannot tell the format of {input}: say it with --format: jsonl, json, csv, tsv or parquet")]
    UnknownFormat {
        /// The file or stream.
        input: String,
    },
    /// The first row does not name the columns.
    #[error("the header of {input} {fault}")]
    Header {
        /// The file or stream.
        input: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The Parquet file cannot be read.
    #[error("{input} cannot be read as Parquet; before that: {report}")]
    Parquet {
        /// The file or stream.
        input: String,
        /// What was kept before.
        report: Box<IngestReport>,
        /// The reader's own error.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// The input broke off: a truncated archive, a lost connection, a disk fault.
    #[error("{input} cannot be read on from line {line}; what came before is kept: {report}")]
    Read {
        /// The file or stream.
        input: String,
        /// The first line that was not taken.
        line: u64,
        /// What was kept before.
        report: Box<IngestReport>,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// The store did not take a batch.
    #[error("{input} was not ingested to its end; what came before is kept: {report}")]
    Store {
        /// The file or stream.
        input: String,
        /// What was kept before.
        report: Box<IngestReport>,
        /// The store's own error.
        #[source]
        source: StoreError,
    },
    /// A name with wildcards that fits no file, or is not well formed.
    #[error("{pattern}: {fault}")]
    Pattern {
        /// The name as it was given.
        pattern: String,
        /// What is wrong with it.
        fault: String,
    },
}

impl IngestError {
    /// Returns the error with what was kept before it.
    pub(super) fn after(mut self, kept: IngestReport) -> IngestError {
        if let IngestError::Parquet { report, .. }
        | IngestError::Read { report, .. }
        | IngestError::Store { report, .. } = &mut self
        {
            **report = kept;
        }
        self
    }

    /// Returns what was kept before the error, if anything may have been.
    pub fn report(&self) -> Option<&IngestReport> {
        match self {
            IngestError::Parquet { report, .. }
            | IngestError::Read { report, .. }
            | IngestError::Store { report, .. } => Some(report),
            _ => None,
        }
    }
}
