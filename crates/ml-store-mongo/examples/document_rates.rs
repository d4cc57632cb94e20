//! Measures bulk writes and the feed: `ML_TEST_MONGODB_URL=… cargo run --release -p ml-store-mongo --example document_rates -- [N] [BATCH]`.
//!
//! Prints records per second for new and for unchanged records, for the initial snapshot, and for reading the server's stream of
//! changes; and how long after a write a waiting reader has the record. Making the records is not part of the time. The
//! collections are dropped in the end.

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use ml_core::document::{ChangeFeed as _, DocumentStore as _, ResumeToken};
use ml_core::id::RecordId;
use ml_core::record::{Collection, DataType, RawRecord, SourceApp};
use ml_store_mongo::{MongoDocuments, MongoOptions};
use serde_json::{Map, json};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const COLLECTION: Collection = Collection::TextCorpus;

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let n_records: u64 = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let batch: u64 = arguments.next().map_or(Ok(5_000), |text| text.parse())?;
    let url = std::env::var("ML_TEST_MONGODB_URL").map_err(|_| "set ML_TEST_MONGODB_URL")?;
    let mut options = MongoOptions::new(&url);
    options.database = format!("ml_document_rates_{}", std::process::id());
    let store = MongoDocuments::connect(&options).await?;
    store.migrate().await?;
    let measured = measure(&store, n_records, batch).await;
    store.revert_migrations().await?;
    measured
}

async fn measure(store: &MongoDocuments, n_records: u64, batch: u64) -> Outcome<()> {
    let start = store.latest(COLLECTION).await?;
    for round in ["new", "unchanged"] {
        let mut busy = Duration::ZERO;
        for first in (0..n_records).step_by(batch as usize) {
            let numbers = first..n_records.min(first + batch);
            let records = numbers.map(record).collect::<Outcome<Vec<_>>>()?;
            let start = Instant::now();
            store.upsert(COLLECTION, &records).await?;
            busy += start.elapsed();
        }
        report(&format!("upsert, {round}"), n_records, busy);
    }
    measure_feed(store, "changes, snapshot", None, n_records).await?;
    measure_feed(store, "changes, stream", Some(start), n_records).await?;
    measure_latency(store, n_records).await
}

/// Writes records one at a time, 500 a second, while a reader waits for them.
#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
async fn measure_latency(store: &MongoDocuments, first: u64) -> Outcome<()> {
    const N_RECORDS: u64 = 2_000;
    let token = store.latest(COLLECTION).await?;
    let write = async {
        let mut written = HashMap::new();
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        for n in first..first + N_RECORDS {
            ticks.tick().await;
            let record = record(n)?;
            written.insert(record.id.clone(), Instant::now());
            store.upsert(COLLECTION, &[record]).await?;
        }
        Outcome::Ok(written)
    };
    let read = async {
        let (mut token, mut seen) = (Some(token), HashMap::new());
        while (seen.len() as u64) < N_RECORDS {
            let batch = store.wait_for_changes(COLLECTION, token.as_ref(), 5_000, Duration::from_secs(5)).await?;
            seen.extend(batch.changes.iter().map(|change| (change.id().clone(), Instant::now())));
            token = batch.token;
        }
        Outcome::Ok(seen)
    };
    let (written, seen) = tokio::try_join!(write, read)?;
    let latency = |(id, at): (&RecordId, &Instant)| written.get(id).map(|start| at.duration_since(*start));
    let mut latencies: Vec<Duration> = seen.iter().filter_map(latency).collect();
    latencies.sort_unstable();
    let of_rank = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    println!("latency, from the start of a write: p50 {:.1?}, p99 {:.1?}", of_rank(50), of_rank(99));
    Ok(())
}

async fn measure_feed(store: &MongoDocuments, what: &str, from: Option<ResumeToken>, n_records: u64) -> Outcome<()> {
    let (start, mut token, mut n_read) = (Instant::now(), from, 0);
    while n_read < n_records {
        let batch = store.changes(COLLECTION, token.as_ref(), 5_000).await?;
        if batch.changes.is_empty() {
            return Err(format!("only {n_read} changes came").into());
        }
        n_read += batch.changes.len() as u64;
        token = batch.token;
    }
    report(what, n_read, start.elapsed());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn report(what: &str, n_records: u64, busy: Duration) {
    let rate = n_records as f64 / busy.as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    println!("{what:18}: {rate:9.0} records/s, peak memory so far {peak}");
}

fn record(n: u64) -> Outcome<RawRecord> {
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
        id: RecordId::parse(format!("article-{n:09}"))?,
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

fn second(n: u64) -> Outcome<DateTime<Utc>> {
    let start = DateTime::from_timestamp(1_700_000_000, 0).ok_or("a time in range")?;
    Ok(start + TimeDelta::seconds(n as i64))
}
