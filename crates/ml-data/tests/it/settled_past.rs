//! A dataset version is the same when it is made again, although a sync was about to commit when it was made first.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use ml_core::dataset::{DatasetName, DatasetVersion};
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::Collection;
use ml_core::sync::{Checkpoint, RecordLineage, SyncBatch, SyncCounts, SyncStore, UniqueKey};
use ml_core::testkit::build::data_type;
use ml_core::testkit::clock::FixedClock;
use ml_core::testkit::memory::{MemoryArtifacts, MemorySql};
use ml_data::dataset::builder::{DatasetBuilder, DatasetStores};
use ml_data::dataset::spec::{DatasetSource, DatasetSpec};
use ml_data::pipeline::Pipeline;
use ml_data::sync::SyncOptions;

use crate::fixture::{Fixture, request};

/// A store that makes a dataset version just before it commits: the batch has its time by then.
struct DatasetMeanwhile {
    inner: Arc<MemorySql>,
    clock: Arc<FixedClock>,
    builder: DatasetBuilder,
    made: Mutex<Option<DatasetVersion>>,
}

#[async_trait]
impl SyncStore for DatasetMeanwhile {
    async fn find_checkpoint(&self, collection: Collection) -> Result<Option<Checkpoint>, StoreError> {
        self.inner.find_checkpoint(collection).await
    }

    async fn list_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        self.inner.list_checkpoints().await
    }

    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
        if !batch.passed.is_empty() {
            self.clock.advance(TimeDelta::seconds(1));
            *self.made.lock().unwrap() = Some(create(&self.builder, None).await);
            self.clock.advance(TimeDelta::seconds(1));
        }
        self.inner.commit(batch).await
    }

    async fn settle(&self, as_of: DateTime<Utc>) -> Result<(), StoreError> {
        self.inner.settle(as_of).await
    }

    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
        self.inner.find_unique_owners(scope, keys).await
    }

    async fn find_lineage(&self, of: Collection, ids: &[RecordId]) -> Result<Vec<RecordLineage>, StoreError> {
        self.inner.find_lineage(of, ids).await
    }

    async fn list_lineage(
        &self,
        of: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordLineage, RecordId>, StoreError> {
        self.inner.list_lineage(of, page).await
    }
}

async fn create(builder: &DatasetBuilder, as_of: Option<DateTime<Utc>>) -> DatasetVersion {
    let spec = DatasetSpec::new(DatasetSource::of_data_type(data_type("text")));
    builder.create(&DatasetName::parse("news").unwrap(), &spec, as_of).await.unwrap()
}

#[tokio::test]
async fn a_version_is_the_same_again_although_a_commit_was_on_its_way() {
    let fixture = Fixture::default();
    let stores = DatasetStores {
        global_data: fixture.sql.clone(),
        market_metrics: fixture.sql.clone(),
        user_interactions: fixture.sql.clone(),
        documents: fixture.documents.clone(),
        references: fixture.sql.clone(),
        sync: fixture.sql.clone(),
        datasets: fixture.sql.clone(),
        artifacts: Arc::new(MemoryArtifacts::default()),
    };
    let builder = DatasetBuilder::new(stores, Arc::new(Pipeline::default()), fixture.clock.clone());
    let first = "{\"id\": \"a\", \"text\": \"one\"}\n{\"id\": \"b\", \"text\": \"two\"}\n";
    fixture.ingest("-", first, &request("text")).await.unwrap();
    fixture.sync().await.unwrap();
    fixture.clock.advance(TimeDelta::seconds(10));

    // `a` is replaced and `c` is new; both are stamped before the version is made, and committed after it.
    let second = "{\"id\": \"a\", \"text\": \"mended\"}\n{\"id\": \"c\", \"text\": \"three\"}\n";
    fixture.ingest("-", second, &request("text")).await.unwrap();
    let (inner, clock, made) = (fixture.sql.clone(), fixture.clock.clone(), Mutex::default());
    let store = Arc::new(DatasetMeanwhile { inner, clock, builder: builder.clone(), made });
    let syncer = fixture.syncer(store.clone(), Pipeline::default());
    let report = syncer.sync(&SyncOptions::default(), &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(report.total().written, 2);

    let made = store.made.lock().unwrap().clone().unwrap();
    assert_eq!(made.content.counts.total(), 2);
    let again = create(&builder, Some(made.content.as_of)).await;
    assert_eq!(again.content.content_hash, made.content.content_hash);
    assert_eq!(again.version, made.version, "the same version, for nothing differs");
    let newer = create(&builder, None).await;
    assert_eq!((newer.version, newer.content.counts.total()), (2, 3), "what came meanwhile is known now");
}
