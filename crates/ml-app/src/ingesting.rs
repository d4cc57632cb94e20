//! Ingest: files and standard input into the document store, with progress.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use ml_core::record::{DataType, SourceApp};
use ml_data::ingest::{
    self, FieldMapping, IngestProgress, IngestReport, Ingestor, Input, InputFormat, MAX_LINE_BYTES, expand_path,
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

/// Ingests the inputs one after the other. The first that is unfit as a whole ends it; what came before is kept.
pub(crate) async fn ingest(
    app: &App,
    request: IngestRequest,
    stop: &CancellationToken,
) -> anyhow::Result<IngestReport> {
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
    let mut report = IngestReport::default();
    for input in inputs(&request.files)? {
        let progress = Progress::bytes(input.name());
        let observer = |done: IngestProgress| {
            progress.set_of(done.bytes_read, done.bytes_total);
            progress.message(format!("{} records, {} rejected", done.n_records, done.n_rejected));
        };
        report.merge(ingestor.ingest(input, &of_each, &observer, stop).await?);
        if report.cancelled {
            break;
        }
    }
    Ok(report)
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
