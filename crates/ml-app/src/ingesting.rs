//! Ingest: files and standard input into the document store, with progress.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use ml_core::record::{DataType, SourceApp};
use ml_data::ingest::{
    self, FieldMapping, IngestError, IngestProgress, IngestReport, Ingestor, Input, InputFormat, MAX_LINE_BYTES,
    expand_path,
};

use crate::compose::App;
use crate::progress::Progress;

/// What stands for standard input on the command line.
const STANDARD_INPUT: &str = "-";

/// Which inputs to ingest, and what they hold.
#[derive(Debug)]
pub(crate) struct IngestRequest {
    /// Files, patterns, or `-`.
    pub(crate) files: Vec<String>,
    /// What kind of records.
    pub(crate) data_type: DataType,
    /// The application that they come from.
    pub(crate) source_app: SourceApp,
    /// How they are written; guessed when absent.
    pub(crate) format: Option<InputFormat>,
    /// Which field is what.
    pub(crate) mapping: FieldMapping,
}

/// What became of the inputs.
#[derive(Debug, Default)]
pub(crate) struct Ingested {
    /// What was taken from all of them, also from those that broke off.
    pub(crate) report: IngestReport,
    /// How many inputs were taken to their end.
    pub(crate) n_complete: usize,
    /// Why the others were not.
    pub(crate) failures: Vec<IngestError>,
}

impl Ingested {
    /// Returns the error that names every input that was not taken to its end, if there is one.
    pub(crate) fn failure(&mut self) -> Option<anyhow::Error> {
        if self.failures.len() < 2 {
            return self.failures.pop().map(anyhow::Error::from);
        }
        let n_inputs = self.n_complete + self.failures.len();
        let mut text = format!("{} of {n_inputs} inputs were not ingested to their end:", self.failures.len());
        for failure in self.failures.drain(..) {
            let _ = write!(text, "\n  - {:#}", anyhow::Error::from(failure));
        }
        Some(anyhow::anyhow!(text))
    }
}

/// Ingests the inputs one after the other. One that is unfit does not stop the rest, a store that takes no more does.
pub(crate) async fn ingest(app: &App, request: IngestRequest, stop: &CancellationToken) -> anyhow::Result<Ingested> {
    let ingestor = Ingestor {
        documents: app.documents.records.clone(),
        routing: Arc::new(app.data.routing().clone()),
        clock: app.clock.clone(),
    };
    let of_each = ingest::IngestRequest {
        data_type: request.data_type,
        source_app: request.source_app,
        mapping: request.mapping,
        format: request.format,
        max_line_bytes: MAX_LINE_BYTES,
    };
    let mut ingested = Ingested::default();
    for input in inputs(&request.files)? {
        let progress = Progress::bytes(input.name());
        let observer = |done: IngestProgress| {
            progress.set_of(done.bytes_read, done.bytes_total);
            progress.message(format!("{} records, {} rejected", done.n_records, done.n_rejected));
        };
        match ingestor.ingest(input, &of_each, &observer, stop).await {
            Ok(report) => {
                ingested.report.merge(report);
                ingested.n_complete += 1;
            }
            Err(failure) => {
                ingested.report.merge(failure.report().cloned().unwrap_or_default());
                let is_of_store = matches!(failure, IngestError::Store { .. } | IngestError::UnknownDataType(_));
                ingested.failures.push(failure);
                if is_of_store {
                    break;
                }
            }
        }
        if ingested.report.cancelled {
            break;
        }
    }
    Ok(ingested)
}

/// Returns the input that is meant by one name on the command line.
pub(crate) fn input(file: &Path) -> Input {
    if file == Path::new(STANDARD_INPUT) {
        return Input::stream("standard input", std::io::stdin());
    }
    Input::file(file)
}

fn inputs(files: &[String]) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for file in files {
        if file == STANDARD_INPUT {
            inputs.push(input(Path::new(file)));
        } else {
            inputs.extend(expand_path(file)?.into_iter().map(Input::file));
        }
    }
    Ok(inputs)
}
