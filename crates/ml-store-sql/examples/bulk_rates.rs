//! Measures bulk writes: `cargo run --release -p ml-store-sql --example bulk_rates -- [N_ROWS] [BATCH]`.
//!
//! Prints rows per second of new and of unchanged records and rows, with ids in order and ids at random, and the peak memory.

use std::error::Error;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use ml_core::digest::Digest;
use ml_core::document::{ChangeFeed as _, DocumentStore as _};
use ml_core::id::RecordId;
use ml_core::record::{Collection, DataType, RawRecord, SourceApp};
use ml_store_sql::EmbeddedDocuments;
use serde_json::{Map, json};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone, Copy)]
enum Ids {
    InOrder,
    AtRandom,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let n_rows: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let batch: u64 = arguments.next().map_or(Ok(5_000), |text| text.parse())?;
    for (name, ids) in [("in order", Ids::InOrder), ("at random", Ids::AtRandom)] {
        let folder = tempfile::tempdir()?;
        let documents = EmbeddedDocuments::open(folder.path().join("documents.sqlite")).await?;
        documents.migrate().await?;
        for round in ["new", "unchanged"] {
            let mut busy = Duration::ZERO;
            for first in (0..n_rows).step_by(usize::try_from(batch)?) {
                let records =
                    (first..n_rows.min(first + batch)).map(|n| record(n, ids)).collect::<Outcome<Vec<_>>>()?;
                let start = Instant::now();
                documents.upsert(Collection::TextCorpus, &records).await?;
                busy += start.elapsed();
            }
            report(&format!("documents, {round}, ids {name}"), n_rows, busy);
        }
        let (start, mut token, mut n_read) = (Instant::now(), None, 0);
        loop {
            let batch = documents.changes(Collection::TextCorpus, token.as_ref(), 5_000).await?;
            if batch.records.is_empty() {
                break;
            }
            n_read += batch.records.len() as u64;
            token = batch.token;
        }
        report(&format!("documents, changes, ids {name}"), n_read, start.elapsed());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn report(what: &str, n_rows: u64, busy: Duration) {
    let rate = n_rows as f64 / busy.as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
    println!("{what}: {rate:.0} rows/s; {peak}");
}

fn id(n: u64, ids: Ids) -> Outcome<RecordId> {
    Ok(match ids {
        Ids::InOrder => RecordId::parse(format!("article-{n:09}"))?,
        Ids::AtRandom => RecordId::parse(&Digest::of(&n.to_le_bytes()).to_string()[..32])?,
    })
}

fn record(n: u64, ids: Ids) -> Outcome<RawRecord> {
    let raw_content = json!({
        "headline": format!("Shares of company {} rise after a quarter better than expected", n % 977),
        "body": "The board raised its outlook for the year, citing demand in two regions and lower freight costs; analysts had \
                 expected less.",
        "n_words": n % 400,
        "label": if n.is_multiple_of(3) { "business" } else { "markets" },
    });
    let scraped_at = Some(start_time()? + TimeDelta::seconds(n as i64));
    let metadata = Map::new();
    let content_hash = RawRecord::content_hash_of(&raw_content, &metadata, Some("wire"), scraped_at);
    Ok(RawRecord {
        id: id(n, ids)?,
        source_app: SourceApp::parse("bench")?,
        source: Some("wire".to_owned()),
        data_type: DataType::parse("text")?,
        raw_content,
        metadata,
        scraped_at,
        ingested_at: start_time()?,
        content_hash,
    })
}

fn start_time() -> Outcome<DateTime<Utc>> {
    DateTime::from_timestamp(1_700_000_000, 0).ok_or_else(|| "a time in range".into())
}
