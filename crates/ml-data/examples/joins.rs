//! Measures point-in-time joins: `cargo run --release -p ml-data --example joins [ROWS] [SOURCES]`.
//!
//! The store makes up its rows and keeps none, so that what is measured is joining and what a dataset takes anyway. With
//! 0 sources it is the dataset alone.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use ml_core::clock::SystemClock;
use ml_core::dataset::DatasetName;
use ml_core::digest::Digest;
use ml_core::error::StoreError;
use ml_core::global_data::ValidatedQuery;
use ml_core::id::RecordId;
use ml_core::market_metric::{MarketMetric, MarketMetricStore};
use ml_core::page::{Page, PageRequest};
use ml_core::record::SourceApp;
use ml_core::testkit::memory::{MemoryArtifacts, MemoryDocuments, MemorySql};
use ml_core::user_interaction::{UserInteraction, UserInteractionStore};
use ml_data::dataset::builder::{DatasetBuilder, DatasetStores, SORT_BYTES};
use ml_data::dataset::join::FeatureSource;
use ml_data::dataset::spec::{DatasetSource, DatasetSpec};
use ml_data::pipeline::Pipeline;

const N_ENTITIES: usize = 5_000;

/// Rows by number: of entities in turn, one each minute, in an order of ids that is not that of time.
struct MadeUp {
    n_rows: usize,
}

impl MadeUp {
    fn page<T>(&self, request: &PageRequest<RecordId>, row: impl Fn(RecordId, usize) -> T) -> Page<T, RecordId> {
        let after = request.cursor().map_or(0, |id| id.as_str()[1..].parse::<usize>().unwrap_or(0));
        let last = self.n_rows.min(after + request.limit());
        let id = |n: usize| RecordId::parse(format!("r{n:09}")).expect("an id");
        let items = (after + 1..=last).map(|n| row(id(n), n.wrapping_mul(2_654_435_761) % self.n_rows)).collect();
        Page { items, next_cursor: (last < self.n_rows).then(|| id(last)) }
    }
}

fn entity_of(n: usize) -> String {
    format!("entity-{:05}", n % N_ENTITIES)
}

fn at(n: usize) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(18_000) + TimeDelta::seconds(n as i64)
}

#[async_trait]
impl UserInteractionStore for MadeUp {
    async fn list(
        &self,
        _: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<UserInteraction, RecordId>, StoreError> {
        Ok(self.page(&page, |id, n| UserInteraction {
            raw_id: id.clone(),
            id,
            source_app: SourceApp::parse("bench").expect("a name"),
            user_id: entity_of(n / 3),
            item_id: entity_of(n),
            action: "view".to_owned(),
            value: Some(n as f64),
            event_time: at(n),
            created_at: at(n),
            content_hash: Digest::of(b""),
        }))
    }

    async fn count(&self, _: &ValidatedQuery) -> Result<u64, StoreError> {
        Ok(self.n_rows as u64)
    }
}

#[async_trait]
impl MarketMetricStore for MadeUp {
    async fn list(
        &self,
        _: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<MarketMetric, RecordId>, StoreError> {
        Ok(self.page(&page, |id, n| MarketMetric {
            raw_id: id.clone(),
            id,
            source_app: SourceApp::parse("bench").expect("a name"),
            symbol: entity_of(n / 2),
            event_time: at(n),
            open: None,
            high: None,
            low: None,
            close: n as f64,
            volume: Some(1.0),
            created_at: at(n),
            content_hash: Digest::of(b""),
        }))
    }

    async fn count(&self, _: &ValidatedQuery) -> Result<u64, StoreError> {
        Ok(self.n_rows as u64)
    }
}

fn source(number: usize) -> FeatureSource {
    let key = if number.is_multiple_of(2) { "item_id" } else { "user_id" };
    let yaml = format!(
        "{{ name: s{number}, table: market_metrics, on: {{ left: {key}, right: symbol }}, columns: [close], ttl: 1d }}"
    );
    serde_yaml_ng::from_str(&yaml).expect("it is written as it should be")
}

/// Returns the most memory that the process has had, where the system tells.
fn peak_rss_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let n_rows = arguments.next().unwrap_or(1_000_000);
    let n_sources = arguments.next().unwrap_or(2);
    let (sql, made_up) = (Arc::new(MemorySql::default()), Arc::new(MadeUp { n_rows }));
    let stores = DatasetStores {
        global_data: sql.clone(),
        market_metrics: made_up.clone(),
        user_interactions: made_up,
        documents: Arc::new(MemoryDocuments::default()),
        references: Arc::new(MemorySql::default()),
        sync: sql.clone(),
        datasets: sql,
        artifacts: Arc::new(MemoryArtifacts::default()),
    };
    let builder = DatasetBuilder::new(stores, Arc::new(Pipeline::default()), Arc::new(SystemClock));
    let spec = DatasetSpec {
        join: (0..n_sources).map(source).collect(),
        ..DatasetSpec::new(DatasetSource::UserInteractions {})
    };

    let started = Instant::now();
    let version = builder.create(&DatasetName::parse("bench")?, &spec, None).await?;
    let seconds = started.elapsed().as_secs_f64();

    println!("{n_rows} rows x {n_sources} sources of {n_rows} values, {} MiB to sort in", SORT_BYTES >> 20);
    println!("{seconds:.2} s, {:.0} rows/s, peak RSS {:?} MiB", n_rows as f64 / seconds, peak_rss_mib());
    for counts in &version.content.joins {
        println!("{counts:?}");
    }
    Ok(())
}
