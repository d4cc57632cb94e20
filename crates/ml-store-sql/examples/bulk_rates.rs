//! Measures bulk writes: `cargo run --release -p ml-store-sql --example bulk_rates -- [N_ROWS] [BATCH]`.
//!
//! Prints rows per second for new and for unchanged rows of both stores and for reading changes, with ids in order and at
//! random, and the peak memory. Making the rows is not part of the time.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use ml_core::digest::Digest;
use ml_core::document::{ChangeFeed as _, DocumentStore as _, ResumeToken};
use ml_core::global_data::GlobalRecord;
use ml_core::id::RecordId;
use ml_core::record::{Collection, DataType, RawRecord, SourceApp};
use ml_core::sync::{Advance, PassedRecord, RawVersion, SyncBatch, SyncStore as _, ValidatedRow};
use ml_store_sql::{EmbeddedDocuments, SqlStore};
use serde_json::{Map, json};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// In which order ids come, which decides how far apart the pages are that an index writes.
#[derive(Debug, Clone, Copy)]
enum Ids {
    InOrder,
    AtRandom,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    n_rows: u64,
    batch: u64,
    ids: Ids,
}

impl Plan {
    /// Returns the numbers of the rows, batch by batch.
    fn batches(self) -> impl Iterator<Item = std::ops::Range<u64>> {
        let n_batches = self.n_rows.div_ceil(self.batch);
        (0..n_batches).map(move |n| n * self.batch..self.n_rows.min((n + 1) * self.batch))
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let n_rows: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let batch: u64 = arguments.next().map_or(Ok(5_000), |text| text.parse())?;
    for ids in [Ids::InOrder, Ids::AtRandom] {
        let plan = Plan { n_rows, batch, ids };
        measure_documents(plan).await?;
        measure_sync(plan).await?;
    }
    Ok(())
}

async fn measure_documents(plan: Plan) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("documents.sqlite");
    let documents = EmbeddedDocuments::open(&path).await?;
    documents.migrate().await?;
    for round in ["new", "unchanged"] {
        let mut busy = Duration::ZERO;
        for numbers in plan.batches() {
            let records = numbers.map(|n| record(n, plan.ids)).collect::<Outcome<Vec<_>>>()?;
            let start = Instant::now();
            documents.upsert(Collection::TextCorpus, &records).await?;
            busy += start.elapsed();
        }
        report(&format!("upsert, {round}"), plan, busy);
    }
    let (start, mut token) = (Instant::now(), None);
    loop {
        let batch = documents.changes(Collection::TextCorpus, token.as_ref(), 5_000).await?;
        if batch.changes.is_empty() {
            break;
        }
        token = batch.token;
    }
    report("changes", plan, start.elapsed());
    drop(documents);
    measure_opening(&path).await
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
async fn measure_opening(path: &Path) -> Outcome<()> {
    let start = Instant::now();
    let documents = EmbeddedDocuments::open(path).await?;
    println!("opening {:.2?}", start.elapsed());
    let start = Instant::now();
    documents.migrate().await?;
    println!("migrating what is migrated {:.2?}", start.elapsed());
    Ok(())
}

async fn measure_sync(plan: Plan) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let store = SqlStore::open(folder.path().join("sql.sqlite")).await?;
    store.migrate().await?;
    let mut position = None;
    for round in ["new", "unchanged"] {
        let mut busy = Duration::ZERO;
        for numbers in plan.batches() {
            let to = ResumeToken::new(format!("{round}-{}", numbers.end));
            let rows = numbers.map(|n| passed(n, plan.ids)).collect::<Outcome<Vec<_>>>()?;
            let batch = SyncBatch {
                collection: Collection::TextCorpus,
                advance: Some(Advance::new(position.replace(to.clone()), to)),
                passed: rows,
                quarantined: Vec::new(),
                deleted: Vec::new(),
                unique_keys: Vec::new(),
                retained_from: None,
                pipeline: "0123456789abcdef".to_owned(),
                committed_at: second(0)?,
            };
            let start = Instant::now();
            store.commit(&batch).await?;
            busy += start.elapsed();
        }
        report(&format!("commit, {round}"), plan, busy);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn report(what: &str, plan: Plan, busy: Duration) {
    let rate = plan.n_rows as f64 / busy.as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    println!("{what:18} {:?}: {rate:9.0} rows/s, peak memory so far {peak}", plan.ids);
}

fn record(n: u64, ids: Ids) -> Outcome<RawRecord> {
    let raw_content = json!({
        "headline": format!("Shares of company {} rise after a quarter better than expected", n % 977),
        "body": "The board raised its outlook for the year, citing demand in two regions and lower freight costs; analysts had \
                 expected less.",
        "n_words": n % 400,
        "label": if n.is_multiple_of(3) { "business" } else { "markets" },
    });
    let (metadata, scraped_at) = (Map::new(), Some(second(n)?));
    let content_hash = RawRecord::content_hash_of(&raw_content, &metadata, Some("wire"), scraped_at);
    Ok(RawRecord {
        id: id(n, ids)?,
        source_app: SourceApp::parse("bench")?,
        source: Some("wire".to_owned()),
        data_type: DataType::parse("text")?,
        raw_content,
        metadata,
        scraped_at,
        ingested_at: second(0)?,
        content_hash,
    })
}

fn passed(n: u64, ids: Ids) -> Outcome<PassedRecord> {
    let raw_id = id(n, ids)?;
    let version = RawVersion { content_hash: Digest::of(&n.to_be_bytes()), ingested_at: second(0)? };
    let features = json!({"n_words": n % 400, "label": "business", "split": "train"});
    let row = ValidatedRow::Global(GlobalRecord {
        id: RecordId::parse(format!("text_corpus:{raw_id}"))?,
        source_app: SourceApp::parse("bench")?,
        data_type: DataType::parse("text")?,
        processed_content: Some(format!(
            "shares of company {} rise after a quarter better than expected the board raised its outlook for the year citing \
             demand in two regions and lower freight costs analysts had expected less",
            n % 977
        )),
        features: features.as_object().cloned().unwrap_or_default(),
        event_time: second(n)?,
        created_at: second(0)?,
        raw_id: raw_id.clone(),
        content_hash: Digest::of(&n.to_le_bytes()),
        schema_version: 1,
    });
    Ok(PassedRecord { raw_id, version, rows: vec![row], warnings: Vec::new() })
}

fn id(n: u64, ids: Ids) -> Outcome<RecordId> {
    Ok(match ids {
        Ids::InOrder => RecordId::parse(format!("article-{n:09}"))?,
        Ids::AtRandom => RecordId::parse(&Digest::of(&n.to_le_bytes()).to_string()[..32])?,
    })
}

fn second(n: u64) -> Outcome<DateTime<Utc>> {
    let start = DateTime::from_timestamp(1_700_000_000, 0).ok_or("a time in range")?;
    Ok(start + TimeDelta::seconds(n as i64))
}
