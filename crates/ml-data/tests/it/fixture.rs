//! The crate's parts over memory stores, and what the tests do with them.

use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use ml_core::document::{DocumentStore, RecordQuery};
use ml_core::global_data::{GlobalDataStore, GlobalRecord, ValidatedQuery};
use ml_core::page::PageRequest;
use ml_core::quarantine::{QuarantineQuery, QuarantineStore, QuarantinedRecord};
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::SyncStore;
use ml_core::testkit::build::{data_type, source_app};
use ml_core::testkit::clock::FixedClock;
use ml_core::testkit::memory::{MemoryDocuments, MemorySql};
use ml_data::ingest::{IngestError, IngestReport, IngestRequest, Ingestor, Input};
use ml_data::pipeline::{Pipeline, PipelineConfig};
use ml_data::routing::Routing;
use ml_data::sync::{DocumentToSql, MAX_RECORD_BYTES, Replayer, SyncError, SyncOptions, SyncReport};

/// Both sides in memory, and a clock that stands still.
#[derive(Default)]
pub(crate) struct Fixture {
    pub(crate) documents: Arc<MemoryDocuments>,
    pub(crate) sql: Arc<MemorySql>,
    pub(crate) clock: Arc<FixedClock>,
}

impl Fixture {
    pub(crate) fn ingestor(&self) -> Ingestor {
        Ingestor { documents: self.documents.clone(), routing: Arc::new(Routing::default()), clock: self.clock.clone() }
    }

    /// Ingests `content` as if it came from a stream called `name`.
    pub(crate) async fn ingest(
        &self,
        name: &str,
        content: impl Into<Vec<u8>>,
        request: &IngestRequest,
    ) -> Result<IngestReport, IngestError> {
        let input = Input::stream(name, Cursor::new(content.into()));
        self.ingestor().ingest(input, request, &|_| {}, &CancellationToken::new()).await
    }

    pub(crate) async fn ingest_file(
        &self,
        path: impl Into<PathBuf>,
        request: &IngestRequest,
    ) -> Result<IngestReport, IngestError> {
        self.ingestor().ingest(Input::file(path), request, &|_| {}, &CancellationToken::new()).await
    }

    pub(crate) fn syncer(&self, store: Arc<dyn SyncStore>, pipeline: Pipeline) -> DocumentToSql {
        DocumentToSql {
            documents: self.documents.clone(),
            feed: self.documents.clone(),
            store,
            references: self.sql.clone(),
            pipeline: Arc::new(pipeline),
            clock: self.clock.clone(),
        }
    }

    /// Syncs by the default pipeline.
    pub(crate) async fn sync(&self) -> Result<SyncReport, SyncError> {
        let syncer = self.syncer(self.sql.clone(), Pipeline::default());
        syncer.sync(&SyncOptions::default(), &|_| {}, &CancellationToken::new()).await
    }

    pub(crate) fn replayer(&self, pipeline: Pipeline) -> Replayer {
        Replayer {
            feed: self.documents.clone(),
            quarantine: self.sql.clone(),
            store: self.sql.clone(),
            references: self.sql.clone(),
            pipeline: Arc::new(pipeline),
            max_record_bytes: MAX_RECORD_BYTES,
            clock: self.clock.clone(),
        }
    }

    /// Returns every record of `collection`, by id.
    pub(crate) async fn records(&self, collection: Collection) -> Vec<RawRecord> {
        let all = PageRequest::first(50_000);
        DocumentStore::list(&*self.documents, collection, &RecordQuery::default(), all).await.unwrap().items
    }

    /// Returns the contents of the records of `collection`, by id.
    pub(crate) async fn contents(&self, collection: Collection) -> Vec<Value> {
        self.records(collection).await.into_iter().map(|record| record.raw_content).collect()
    }

    /// Returns every row of `global_ml_data`, by id.
    pub(crate) async fn rows(&self) -> Vec<GlobalRecord> {
        let all = PageRequest::first(50_000);
        GlobalDataStore::list(&*self.sql, &ValidatedQuery::default(), all).await.unwrap().items
    }

    /// Returns everything in quarantine, by key.
    pub(crate) async fn quarantined(&self) -> Vec<QuarantinedRecord> {
        let all = PageRequest::first(50_000);
        QuarantineStore::list(&*self.sql, &QuarantineQuery::default(), all).await.unwrap().items
    }

    /// Returns why records wait in quarantine: id, field, rule and message.
    pub(crate) async fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for waiting in self.quarantined().await {
            for reason in waiting.reasons {
                let field = reason.field.unwrap_or_default();
                reasons.push(format!("{} {field} {}: {}", waiting.record.id, reason.rule, reason.message));
            }
        }
        reasons
    }
}

/// Asks for records of a data type, from the application `app`.
pub(crate) fn request(of: &str) -> IngestRequest {
    IngestRequest::new(data_type(of), source_app("app"))
}

/// Reads a mapping as it is written in JSON.
pub(crate) fn mapped(of: &str, mapping: Value) -> IngestRequest {
    IngestRequest { mapping: serde_json::from_value(mapping).unwrap(), ..request(of) }
}

pub(crate) fn pipeline(yaml: &str) -> Pipeline {
    Pipeline::new(&PipelineConfig::from_yaml(yaml).unwrap()).unwrap()
}

/// Returns what `line` makes of each number below `n`, one a line.
pub(crate) fn lines_of(n: u64, line: impl Fn(u64) -> String) -> String {
    (0..n).map(line).collect::<Vec<_>>().join("\n") + "\n"
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Returns a file of the development data sets, where they are.
#[expect(clippy::print_stdout, reason = "whoever runs the tests should see that one did nothing")]
pub(crate) fn data_file(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ML_DATA_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let file = folder.join(path);
    if file.exists() {
        return Some(file);
    }
    println!("skipped: no ../shared/data");
    None
}
