//! Measures bulk writes: `cargo run --release -p ml-store-sql --example bulk_rates -- [N_ROWS] [BATCH]`.
//!
//! Prints rows per second for new, unchanged and changed rows of both stores and for reading changes, with ids in order and at
//! random, and the peak memory. Making the rows is not part of the time. With `ML_TEST_POSTGRES_URL` set it measures commits on
//! that server too, in a schema of its own, beside a bare `COPY` of the same rows into the same table.

use std::error::Error;
use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::SinkExt as _;
use ml_core::digest::Digest;
use ml_core::document::{ChangeFeed as _, DocumentStore as _, ResumeToken};
use ml_core::global_data::GlobalRecord;
use ml_core::id::RecordId;
use ml_core::record::{Collection, DataType, RawRecord, SourceApp};
use ml_core::sync::{Advance, PassedRecord, RawVersion, SyncBatch, SyncStore as _, ValidatedRow};
use ml_store_sql::{EmbeddedDocuments, PostgresOptions, SqlStore};
use serde_json::{Map, json};
use tokio_postgres::{Client, NoTls};

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
        measure_sync_on_sqlite(plan).await?;
        if let Ok(url) = std::env::var("ML_TEST_POSTGRES_URL") {
            measure_sync_on_postgres(plan, &url).await?;
        }
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
        report(&format!("upsert, {round}"), plan, busy, None);
    }
    let (start, mut token) = (Instant::now(), None);
    loop {
        let batch = documents.changes(Collection::TextCorpus, token.as_ref(), 5_000).await?;
        if batch.changes.is_empty() {
            break;
        }
        token = batch.token;
    }
    report("changes", plan, start.elapsed(), None);
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

async fn measure_sync_on_sqlite(plan: Plan) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let store = SqlStore::open(folder.path().join("sql.sqlite")).await?;
    store.migrate().await?;
    measure_commits(&store, plan, None).await
}

async fn measure_sync_on_postgres(plan: Plan, url: &str) -> Outcome<()> {
    let mut options = PostgresOptions::new(url);
    options.schema = format!("bulk_rates_{}", std::process::id());
    let store = SqlStore::connect(&options).await?;
    store.migrate().await?;
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    #[expect(clippy::disallowed_methods, reason = "it ends with the client")]
    tokio::spawn(connection);
    client.batch_execute(&format!("SET search_path TO {}", options.schema)).await?;
    let bare = measure_copy(&client, plan).await;
    let measured = match bare {
        Ok(bare) => measure_commits(&store, plan, Some(bare)).await,
        Err(error) => Err(error),
    };
    client.batch_execute(&format!("DROP SCHEMA {} CASCADE", options.schema)).await?;
    measured
}

/// Copies the rows into their table and nothing else anywhere, each batch in a transaction of its own, and takes them out again.
async fn measure_copy(client: &Client, plan: Plan) -> Outcome<Duration> {
    let mut busy = Duration::ZERO;
    for numbers in plan.batches() {
        let mut lines = String::new();
        for record in numbers.map(|n| passed(n, plan.ids, 0)) {
            record?.rows.iter().for_each(|row| push_line(&mut lines, row));
        }
        let start = Instant::now();
        let mut sink = Box::pin(client.copy_in("COPY global_ml_data FROM STDIN").await?);
        sink.send(Cursor::new(lines.into_bytes())).await?;
        sink.as_mut().finish().await?;
        busy += start.elapsed();
    }
    report("bare COPY", plan, busy, None);
    client.batch_execute("TRUNCATE global_ml_data").await?;
    Ok(busy)
}

/// Adds a row as a line of PostgreSQL's text format; nothing in these rows has to be escaped.
fn push_line(lines: &mut String, row: &ValidatedRow) {
    let ValidatedRow::Global(row) = row else { return };
    let columns = [
        row.id.to_string(),
        row.source_app.to_string(),
        row.data_type.to_string(),
        row.processed_content.clone().unwrap_or_default(),
        json!(row.features).to_string(),
        row.event_time.to_rfc3339(),
        row.created_at.to_rfc3339(),
        row.raw_id.to_string(),
        row.content_hash.to_string(),
        row.schema_version.to_string(),
    ];
    lines.push_str(&columns.join("\t"));
    lines.push('\n');
}

async fn measure_commits(store: &SqlStore, plan: Plan, bare: Option<Duration>) -> Outcome<()> {
    let mut position = None;
    for (round, version) in [("new", 0), ("unchanged", 0), ("changed", 1)] {
        let mut busy = Duration::ZERO;
        for numbers in plan.batches() {
            let to = ResumeToken::new(format!("{round}-{}", numbers.end));
            let rows = numbers.map(|n| passed(n, plan.ids, version)).collect::<Outcome<Vec<_>>>()?;
            let batch = SyncBatch {
                collection: Collection::TextCorpus,
                advance: Some(Advance::new(position.replace(to.clone()), to)),
                passed: rows,
                quarantined: Vec::new(),
                deleted: Vec::new(),
                unique_keys: Vec::new(),
                retained_from: None,
                pipeline: "0123456789abcdef".to_owned(),
                committed_at: second(version)?,
            };
            let start = Instant::now();
            store.commit(&batch).await?;
            busy += start.elapsed();
        }
        report(&format!("commit, {round}"), plan, busy, bare);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn report(what: &str, plan: Plan, busy: Duration, bare: Option<Duration>) {
    let rate = plan.n_rows as f64 / busy.as_secs_f64();
    let ratio =
        bare.map_or_else(String::new, |bare| format!(" ({:.2} of COPY)", bare.as_secs_f64() / busy.as_secs_f64()));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    println!("{what:18} {:?}: {rate:9.0} rows/s{ratio}, peak memory so far {peak}", plan.ids);
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

/// Makes the row with this number, which is other in every version.
fn passed(n: u64, ids: Ids, version: u64) -> Outcome<PassedRecord> {
    let raw_id = id(n, ids)?;
    let (content_hash, known_at) = (Digest::of(&[n.to_le_bytes(), version.to_le_bytes()].concat()), second(version)?);
    let version = RawVersion { content_hash, ingested_at: known_at };
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
        created_at: known_at,
        raw_id: raw_id.clone(),
        content_hash,
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
