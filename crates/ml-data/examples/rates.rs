//! Measures ingest and sync without a store: `cargo run --release -p ml-data --example rates [RECORDS]`.
//!
//! The stores take everything and keep nothing, so that what is measured is reading, parsing, hashing and judging.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use ml_core::clock::SystemClock;
use ml_core::document::{
    Change, ChangeBatch, ChangeFeed, DocumentStore, RecordHash, RecordQuery, ResumeToken, UpsertCounts,
};
use ml_core::error::{Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::{Collection, DataType, RawRecord, SourceApp};
use ml_core::reference::{ColumnRef, ReferenceStore};
use ml_core::sync::{Checkpoint, RecordLineage, SyncBatch, SyncCounts, SyncStore, UniqueKey};
use ml_data::ingest::{IngestRequest, Ingestor, Input, InputFormat};
use ml_data::pipeline::Pipeline;
use ml_data::routing::Routing;
use ml_data::sync::{DocumentToSql, SyncOptions};

/// Keeps one batch, to be given again and again.
#[derive(Default)]
struct Sink {
    sample: Mutex<Vec<RawRecord>>,
    n_to_give: usize,
}

#[async_trait]
impl DocumentStore for Sink {
    async fn upsert(&self, _: Collection, records: &[RawRecord]) -> Result<UpsertCounts, StoreError> {
        let mut sample = self.sample.lock().expect("no one panics while holding it");
        if sample.is_empty() {
            sample.extend_from_slice(records);
        }
        Ok(UpsertCounts { inserted: records.len() as u64, ..UpsertCounts::default() })
    }

    async fn get(&self, _: Collection, id: &RecordId) -> Result<RawRecord, StoreError> {
        Err(StoreError::not_found(Entity::RawRecord, id))
    }

    async fn list(
        &self,
        _: Collection,
        _: &RecordQuery,
        _: PageRequest<RecordId>,
    ) -> Result<Page<RawRecord, RecordId>, StoreError> {
        Ok(Page { items: Vec::new(), next_cursor: None })
    }

    async fn count(&self, _: Collection, _: &RecordQuery) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn list_hashes(
        &self,
        _: Collection,
        _: PageRequest<RecordId>,
    ) -> Result<Page<RecordHash, RecordId>, StoreError> {
        Ok(Page { items: Vec::new(), next_cursor: None })
    }

    async fn delete(&self, _: Collection, _: &[RecordId]) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn delete_ingested_before(&self, _: Collection, _: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[async_trait]
impl ChangeFeed for Sink {
    async fn changes(&self, _: Collection, token: Option<&ResumeToken>, _: usize) -> Result<ChangeBatch, StoreError> {
        let n_given: usize = token.map_or(0, |token| token.as_str().parse().unwrap_or(0));
        if n_given >= self.n_to_give {
            return Ok(ChangeBatch { changes: Vec::new(), token: token.cloned() });
        }
        let records = self.sample.lock().expect("no one panics while holding it").clone();
        let token = Some(ResumeToken::new((n_given + records.len()).to_string()));
        Ok(ChangeBatch { changes: records.into_iter().map(Change::Upserted).collect(), token })
    }

    async fn wait_for_changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
        _: Duration,
    ) -> Result<ChangeBatch, StoreError> {
        self.changes(collection, token, limit).await
    }

    async fn latest(&self, _: Collection) -> Result<ResumeToken, StoreError> {
        Ok(ResumeToken::new(self.n_to_give.to_string()))
    }

    async fn list_foreign_ids(
        &self,
        _: Collection,
        _: PageRequest<ResumeToken>,
    ) -> Result<Page<RecordId, ResumeToken>, StoreError> {
        Ok(Page { items: Vec::new(), next_cursor: None })
    }

    async fn current(&self, _: Collection, ids: &[RecordId]) -> Result<Vec<Change>, StoreError> {
        Ok(ids.iter().cloned().map(Change::Deleted).collect())
    }

    async fn count_pending(&self, _: Collection, _: Option<&ResumeToken>) -> Result<u64, StoreError> {
        Ok(self.n_to_give as u64)
    }
}

#[async_trait]
impl SyncStore for Sink {
    async fn find_checkpoint(&self, _: Collection) -> Result<Option<Checkpoint>, StoreError> {
        Ok(None)
    }

    async fn list_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        Ok(Vec::new())
    }

    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
        let (written, quarantined) = (batch.passed.len() as u64, batch.quarantined.len() as u64);
        Ok(SyncCounts { read: written + quarantined, written, quarantined, ..SyncCounts::default() })
    }

    async fn settle(&self, _: DateTime<Utc>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn find_lineage(&self, _: Collection, _: &[RecordId]) -> Result<Vec<RecordLineage>, StoreError> {
        Ok(Vec::new())
    }

    async fn list_lineage(
        &self,
        _: Collection,
        _: PageRequest<RecordId>,
    ) -> Result<Page<RecordLineage, RecordId>, StoreError> {
        Ok(Page { items: Vec::new(), next_cursor: None })
    }

    async fn find_unique_owners(&self, _: &str, _: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl ReferenceStore for Sink {
    async fn are_present(&self, _: &ColumnRef, values: &[serde_json::Value]) -> Result<Vec<bool>, StoreError> {
        Ok(vec![true; values.len()])
    }
}

const WORDS: &str = "shares rose on monday after the company said that orders had grown faster than expected in the \
                     second quarter while costs stayed flat and the board raised its outlook for the year again";

/// Writes records of about 300 bytes.
fn write_records(file: &File, n_records: usize, format: InputFormat) -> std::io::Result<()> {
    let mut file = BufWriter::new(file);
    if format == InputFormat::Csv {
        writeln!(file, "id,text,label,price,n,published_at,source,ok")?;
    }
    for n in 0..n_records {
        let (price, sentiment) = (n as f64 / 7.0, ["positive", "negative", "neutral"][n % 3]);
        if format == InputFormat::Csv {
            writeln!(file, "r{n},{WORDS},{sentiment},{price},{n},2024-05-31T08:30:00Z,wire,true")?;
        } else {
            writeln!(
                file,
                "{{\"id\":\"r{n}\",\"text\":\"{WORDS}\",\"label\":\"{sentiment}\",\"price\":{price},\"n\":{n},\
                 \"published_at\":\"2024-05-31T08:30:00Z\",\"source\":\"wire\",\"ok\":true}}"
            )?;
        }
    }
    file.flush()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n_records: usize = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let sink = Arc::new(Sink { n_to_give: n_records, ..Sink::default() });
    let ingestor =
        Ingestor { documents: sink.clone(), routing: Arc::new(Routing::default()), clock: Arc::new(SystemClock) };
    let cancel = CancellationToken::new();
    for format in [InputFormat::Jsonl, InputFormat::Csv] {
        let file = tempfile::NamedTempFile::new()?;
        write_records(file.as_file(), n_records, format)?;
        let mut request = IngestRequest::new(DataType::parse("text")?, SourceApp::parse("bench")?);
        request.format = Some(format);
        let start = Instant::now();
        let report = ingestor.ingest(Input::file(file.path()), &request, &|_| {}, &cancel).await?;
        print_rate(&format!("ingest {format}"), report.inserted, start);
    }
    let syncer = DocumentToSql {
        documents: sink.clone(),
        feed: sink.clone(),
        store: sink.clone(),
        references: sink,
        pipeline: Arc::new(Pipeline::default()),
        clock: Arc::new(SystemClock),
    };
    let options = SyncOptions { collections: vec![Collection::TextCorpus], ..SyncOptions::default() };
    let start = Instant::now();
    let total = syncer.sync(&options, &|_| {}, &cancel).await?.total();
    print_rate("sync", total.written, start);
    Ok(())
}

fn print_rate(what: &str, n_records: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    let rate = n_records as f64 / seconds;
    println!("{what}: {rate:.0} records/s ({seconds:.2} s), at most {} so far", peak_memory());
}

/// Returns the most memory this process ever had, where the system tells.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown memory".to_owned(), |peak| peak.trim().to_owned())
}
