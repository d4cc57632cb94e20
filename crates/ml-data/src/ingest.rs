//! Ingest: records from outside into a document collection.
//!
//! One input passes three stages that overlap, joined by short queues: a thread reads, unpacks and cuts it into blocks of
//! items; the blocks are parsed and hashed in parallel; the batches are written in the order of the input. At most a
//! handful of batches exist at a time, however long the input is.
//!
//! A second ingest of the same input changes nothing: ids come from the records and contents are compared by hash.

mod assemble;
mod cells;
mod error;
mod format;
mod framing;
mod input;
mod json;
mod mapping;
mod parquet_rows;
mod parse;
mod paths;
mod read;
mod report;
mod seen;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::info;

use ml_core::clock::Clock;
use ml_core::document::{DocumentStore, UpsertCounts};
use ml_core::record::{Collection, DataType, RawRecord, SourceApp};

use self::assemble::Assembler;
use self::input::Opened;
use self::parse::{Batch, Parser};
use self::read::Reader;
use crate::routing::Routing;

pub use self::error::IngestError;
pub use self::format::{InputFormat, UnknownFormat};
pub use self::input::Input;
pub use self::mapping::FieldMapping;
pub use self::paths::expand_path;
pub use self::report::{IngestReport, MAX_REJECTIONS, RejectReason, Rejection};

/// The longest line that is accepted, unless something else is asked for.
pub const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// How many blocks or batches wait between two stages: enough that they overlap, few enough to keep memory low.
const QUEUE_LENGTH: usize = 1;

/// How many batches are handed to the store at once: while it writes one, it can bring the next into its own form. The embedded
/// store takes them in order; where a server does not, the later version of a record stays, for no older one replaces it.
const WRITES_AT_A_TIME: usize = 2;

/// What an input holds.
#[derive(Debug, Clone)]
pub struct IngestRequest {
    /// What kind of records.
    pub data_type: DataType,
    /// The application that they come from.
    pub source_app: SourceApp,
    /// Which field is what.
    pub mapping: FieldMapping,
    /// How they are written; guessed when absent.
    pub format: Option<InputFormat>,
    /// Longer lines, rows and values are rejected.
    pub max_line_bytes: usize,
}

impl IngestRequest {
    /// Asks for records of `data_type` from `source_app`, everything else guessed.
    pub fn new(data_type: DataType, source_app: SourceApp) -> IngestRequest {
        let mapping = FieldMapping::default();
        IngestRequest { data_type, source_app, mapping, format: None, max_line_bytes: MAX_LINE_BYTES }
    }
}

/// How far an ingest got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct IngestProgress {
    /// Bytes read from the input, before decompression.
    pub bytes_read: u64,
    /// Bytes of the input, before decompression, where that is known.
    pub bytes_total: Option<u64>,
    /// Records that the store has been given.
    pub n_records: u64,
    /// Lines that were not taken.
    pub n_rejected: u64,
}

/// Is told after every batch how far an ingest got.
pub type IngestObserver<'a> = &'a (dyn Fn(IngestProgress) + Send + Sync);

/// Puts records into the collections that the routing table names.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct Ingestor {
    /// Where the records go.
    pub documents: Arc<dyn DocumentStore>,
    /// Says which collection takes which data type.
    pub routing: Arc<Routing>,
    /// Tells when a record was first here.
    pub clock: Arc<dyn Clock>,
}

impl Ingestor {
    /// Ingests `input` to its end, or until `cancel` is set, which ends it after the batch at hand.
    ///
    /// # Errors
    /// [`IngestError`] for an input that is unfit as a whole, breaks off, or is not taken by the store; what was kept before
    /// is in the error. Lines that are unfit are counted in the report and stop nothing.
    pub async fn ingest(
        &self,
        input: Input,
        request: &IngestRequest,
        observer: IngestObserver<'_>,
        cancel: &CancellationToken,
    ) -> Result<IngestReport, IngestError> {
        let collection = self.routing.data_route(&request.data_type)?.collection;
        let name = input.name().to_owned();
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let stages = Stages { request: request.clone(), clock: Arc::clone(&self.clock), cancel: cancel.child_token() };
        // Should this future be dropped, the stages must not go on.
        let stop_with_us = stages.cancel.clone().drop_guard();
        let worker = tokio::task::spawn_blocking(move || stages.run(input, &sender));
        let mut report = self.write(&name, collection, receiver, observer).await;
        drop(stop_with_us);
        if let Err(panic) = worker.await {
            std::panic::resume_unwind(panic.into_panic());
        }
        if let Ok(report) = &mut report {
            report.cancelled = cancel.is_cancelled();
            info!(input = name, collection = collection.name(), "ingested {name}: {report}");
        }
        report
    }

    async fn write(
        &self,
        name: &str,
        collection: Collection,
        mut batches: mpsc::Receiver<Result<Progressed, IngestError>>,
        observer: IngestObserver<'_>,
    ) -> Result<IngestReport, IngestError> {
        let arriving = stream::poll_fn(|context| batches.poll_recv(context));
        let written = arriving.map(|next| self.write_batch(name, collection, next)).buffered(WRITES_AT_A_TIME);
        let mut written = pin!(written);
        let mut report = IngestReport::default();
        while let Some(next) = written.next().await {
            let Written { counts, n_repeated, rejected, n_bytes, bytes_read, bytes_total } = match next {
                Ok(written) => written,
                Err(error) => return Err(error.after(report)),
            };
            report.add_counts(counts);
            report.repeated += n_repeated;
            report.add_rejections(rejected.0, rejected.1);
            report.bytes += n_bytes;
            let (n_records, n_rejected) = (report.n_records(), report.rejected);
            observer(IngestProgress { bytes_read, bytes_total, n_records, n_rejected });
        }
        Ok(report)
    }

    async fn write_batch(
        &self,
        name: &str,
        collection: Collection,
        next: Result<Progressed, IngestError>,
    ) -> Result<Written, IngestError> {
        let Progressed { batch, bytes_read, bytes_total } = next?;
        let Batch { records, n_repeated, n_rejected, rejections, n_bytes } = batch;
        let counts = if records.is_empty() {
            UpsertCounts::default()
        } else {
            self.documents.upsert(collection, &records).await.map_err(|source| IngestError::Store {
                input: name.to_owned(),
                report: Box::default(),
                source,
            })?
        };
        // Memory is given back soonest by the threads that took it.
        rayon::spawn(move || drop(records));
        Ok(Written { counts, n_repeated, rejected: (n_rejected, rejections), n_bytes, bytes_read, bytes_total })
    }
}

/// Reads every record of `input`, in order, without storing any; and the lines that were rejected.
///
/// Blocks until the end of the input, and holds all of it: for rows that are to be scored.
///
/// # Errors
/// As [`Ingestor::ingest`], stores aside.
pub fn read_records(
    input: Input,
    request: IngestRequest,
    clock: Arc<dyn Clock>,
) -> Result<(Vec<RawRecord>, Vec<Rejection>), IngestError> {
    let (sender, mut batches) = mpsc::channel(QUEUE_LENGTH);
    let stages = Stages { request, clock, cancel: CancellationToken::new() };
    std::thread::scope(|scope| {
        scope.spawn(move || stages.run(input, &sender));
        let (mut records, mut rejections) = (Vec::new(), Vec::new());
        while let Some(progressed) = batches.blocking_recv() {
            let batch = progressed?.batch;
            records.extend(batch.records);
            rejections.extend(batch.rejections);
        }
        Ok((records, rejections))
    })
}

/// A batch, and how much of the input had been read when it was made.
struct Progressed {
    batch: Batch,
    bytes_read: u64,
    bytes_total: Option<u64>,
}

/// What became of a batch, and how much of the input had been read when it was made.
struct Written {
    counts: UpsertCounts,
    n_repeated: u64,
    /// How many items were rejected, and the first of them.
    rejected: (u64, Vec<Rejection>),
    n_bytes: u64,
    bytes_read: u64,
    bytes_total: Option<u64>,
}

/// The stages that are not asynchronous.
struct Stages {
    request: IngestRequest,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
}

impl Stages {
    fn run(self, input: Input, batches: &mpsc::Sender<Result<Progressed, IngestError>>) {
        let opened = input.open().and_then(|opened| self.format_of(&opened).map(|format| (opened, format)));
        match opened {
            Ok((opened, format)) => self.overlap(opened, format, batches),
            // Nobody takes the error only when nobody wants the ingest any more.
            Err(error) => drop(batches.blocking_send(Err(error))),
        }
    }

    fn format_of(&self, opened: &Opened) -> Result<InputFormat, IngestError> {
        let guess = || InputFormat::guess(&opened.name, &opened.content.head);
        self.request.format.or_else(guess).ok_or_else(|| IngestError::UnknownFormat { input: opened.name.clone() })
    }

    /// Reads in a thread of its own while this one parses.
    fn overlap(self, opened: Opened, format: InputFormat, batches: &mpsc::Sender<Result<Progressed, IngestError>>) {
        let (sender, blocks) = std::sync::mpsc::sync_channel(QUEUE_LENGTH);
        let IngestRequest { data_type, source_app, mapping, max_line_bytes, .. } = self.request;
        let (bytes_read, bytes_total): (Arc<AtomicU64>, _) = (Arc::clone(&opened.bytes_read), opened.size);
        let assembler = Assembler::new(data_type, source_app, mapping.clone());
        let parser = Parser { input: opened.name.clone(), assembler, clock: self.clock };
        let send = |batch: Result<Batch, IngestError>| {
            let bytes_read = bytes_read.load(Ordering::Relaxed);
            let progressed = batch.map(|batch| Progressed { batch, bytes_read, bytes_total });
            batches.blocking_send(progressed).is_ok()
        };
        std::thread::scope(|scope| {
            let (mapping, cancel) = (&mapping, &self.cancel);
            scope.spawn(move || Reader { format, max_line_bytes, mapping, blocks: sender, cancel }.run(opened));
            parser.run(&blocks, send);
            // A reader that waits to hand a block on sees that nobody takes it.
            drop(blocks);
        });
    }
}
