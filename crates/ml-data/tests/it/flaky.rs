//! Stores that fail at a chosen call, and count what they are asked for.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use ml_core::document::{Change, ChangeBatch, ChangeFeed, ResumeToken, UpsertCounts};
use ml_core::error::StoreError;
use ml_core::id::{RecordId, ResultId};
use ml_core::page::{Page, PageRequest};
use ml_core::record::Collection;
use ml_core::result::{Prediction, PredictionQuery, PredictionStore};
use ml_core::sync::{Checkpoint, RecordLineage, SyncBatch, SyncCounts, SyncStore, UniqueKey};
use ml_core::testkit::memory::{MemoryDocuments, MemorySql};

/// Counts calls down to the one that fails.
#[derive(Debug)]
pub(crate) struct Countdown(AtomicI64);

impl Countdown {
    /// Fails at the n-th call, counted from 1.
    pub(crate) fn at(n: i64) -> Countdown {
        Countdown(AtomicI64::new(n))
    }

    fn is_up(&self) -> bool {
        self.0.fetch_sub(1, Ordering::SeqCst) == 1
    }
}

fn power_cut() -> StoreError {
    StoreError::Backend { operation: "committing", source: "the power went".into() }
}

/// How a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Nothing is written.
    BeforeWriting,
    /// All is written, and the answer is lost.
    AfterWriting,
    /// The connection breaks, and what was sent is written a moment later.
    Late,
}

/// The SQL side, of which one commit fails.
pub(crate) struct FlakySql {
    inner: Arc<MemorySql>,
    fails: Countdown,
    mishap: Mishap,
    late: Mutex<Option<SyncBatch>>,
    /// What others do while a commit is on its way.
    meanwhile: Box<dyn Fn() + Send + Sync>,
}

impl FlakySql {
    pub(crate) fn new(inner: Arc<MemorySql>, fails: Countdown, mishap: Mishap) -> FlakySql {
        FlakySql { inner, fails, mishap, late: Mutex::default(), meanwhile: Box::new(|| {}) }
    }

    /// A side of which no commit fails, and every one takes as long as `meanwhile`.
    pub(crate) fn slow(inner: Arc<MemorySql>, meanwhile: impl Fn() + Send + Sync + 'static) -> FlakySql {
        let never = Countdown::at(0);
        FlakySql { meanwhile: Box::new(meanwhile), ..FlakySql::new(inner, never, Mishap::BeforeWriting) }
    }
}

#[async_trait]
impl SyncStore for FlakySql {
    async fn find_checkpoint(&self, collection: Collection) -> Result<Option<Checkpoint>, StoreError> {
        self.inner.find_checkpoint(collection).await
    }

    async fn list_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        self.inner.list_checkpoints().await
    }

    async fn commit(&self, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
        (self.meanwhile)();
        tokio::task::yield_now().await;
        let late = self.late.lock().unwrap().take();
        if let Some(late) = late {
            self.inner.commit(&late).await?;
        }
        if !self.fails.is_up() {
            return self.inner.commit(batch).await;
        }
        match self.mishap {
            Mishap::BeforeWriting => Err(power_cut()),
            Mishap::AfterWriting => {
                self.inner.commit(batch).await?;
                Err(power_cut())
            }
            Mishap::Late => {
                *self.late.lock().unwrap() = Some(batch.clone());
                Err(StoreError::Unavailable { operation: "committing", source: "the connection broke".into() })
            }
        }
    }

    async fn settle(&self, as_of: DateTime<Utc>) -> Result<(), StoreError> {
        self.inner.settle(as_of).await
    }

    async fn find_unique_owners(&self, scope: &str, keys: &[String]) -> Result<Vec<UniqueKey>, StoreError> {
        self.inner.find_unique_owners(scope, keys).await
    }

    async fn find_lineage(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<RecordLineage>, StoreError> {
        self.inner.find_lineage(collection, ids).await
    }

    async fn list_lineage(
        &self,
        collection: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordLineage, RecordId>, StoreError> {
        self.inner.list_lineage(collection, page).await
    }
}

/// A feed that does not answer for some calls, and counts the records that it fetches one by one.
pub(crate) struct FlakyFeed {
    pub(crate) inner: Arc<MemoryDocuments>,
    /// How many of the next calls find it away.
    pub(crate) n_away: AtomicI64,
    /// How many records were asked for by id.
    pub(crate) n_fetched: AtomicUsize,
    /// Whether it tells of a deletion before everything that it tells.
    pub(crate) tells_deletions: bool,
}

impl FlakyFeed {
    pub(crate) fn new(inner: Arc<MemoryDocuments>) -> FlakyFeed {
        FlakyFeed { inner, n_away: AtomicI64::new(0), n_fetched: AtomicUsize::new(0), tells_deletions: false }
    }

    fn answer(&self) -> Result<(), StoreError> {
        if self.n_away.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Err(StoreError::Unavailable { operation: "reading changes", source: "connection refused".into() });
        }
        Ok(())
    }
}

#[async_trait]
impl ChangeFeed for FlakyFeed {
    async fn changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
    ) -> Result<ChangeBatch, StoreError> {
        self.answer()?;
        let mut batch = self.inner.changes(collection, token, limit).await?;
        if self.tells_deletions {
            let with_deletion = |change: Change| [Change::Deleted(change.id().clone()), change];
            batch.changes = batch.changes.into_iter().flat_map(with_deletion).collect();
        }
        Ok(batch)
    }

    async fn wait_for_changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
        at_most: Duration,
    ) -> Result<ChangeBatch, StoreError> {
        self.answer()?;
        let batch = self.inner.changes(collection, token, limit).await?;
        if !batch.changes.is_empty() {
            return Ok(batch);
        }
        // By the clock of the runtime, which a test may hold still.
        tokio::time::timeout(at_most, std::future::pending::<()>()).await.unwrap_err();
        self.answer()?;
        self.inner.changes(collection, token, limit).await
    }

    async fn latest(&self, collection: Collection) -> Result<ResumeToken, StoreError> {
        self.answer()?;
        self.inner.latest(collection).await
    }

    async fn list_foreign_ids(
        &self,
        collection: Collection,
        page: PageRequest<ResumeToken>,
    ) -> Result<Page<RecordId, ResumeToken>, StoreError> {
        self.answer()?;
        self.inner.list_foreign_ids(collection, page).await
    }

    async fn current(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<Change>, StoreError> {
        self.n_fetched.fetch_add(ids.len(), Ordering::SeqCst);
        self.inner.current(collection, ids).await
    }

    async fn count_pending(&self, collection: Collection, token: Option<&ResumeToken>) -> Result<u64, StoreError> {
        self.answer()?;
        self.inner.count_pending(collection, token).await
    }
}

/// A collection of predictions that does not answer for some calls: before it writes, or, as when the answer is lost, after.
pub(crate) struct FlakyPredictions {
    pub(crate) inner: Arc<MemoryDocuments>,
    /// How many of the next calls find it away.
    pub(crate) n_away: AtomicI64,
    pub(crate) after_writing: bool,
    pub(crate) error: fn() -> StoreError,
}

impl FlakyPredictions {
    /// Does not answer the next `n_away` calls.
    pub(crate) fn away(inner: Arc<MemoryDocuments>, n_away: i64) -> FlakyPredictions {
        let error =
            || StoreError::Unavailable { operation: "writing predictions", source: "connection refused".into() };
        FlakyPredictions { inner, n_away: AtomicI64::new(n_away), after_writing: false, error }
    }
}

#[async_trait]
impl PredictionStore for FlakyPredictions {
    async fn upsert(&self, predictions: &[Prediction]) -> Result<UpsertCounts, StoreError> {
        let fails = self.n_away.fetch_sub(1, Ordering::SeqCst) > 0;
        if fails && !self.after_writing {
            return Err((self.error)());
        }
        let counts = PredictionStore::upsert(&*self.inner, predictions).await?;
        if fails { Err((self.error)()) } else { Ok(counts) }
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        PredictionStore::delete(&*self.inner, ids).await
    }

    async fn find_by_ids(&self, ids: &[ResultId]) -> Result<Vec<Prediction>, StoreError> {
        self.inner.find_by_ids(ids).await
    }

    async fn list(
        &self,
        query: &PredictionQuery,
        page: PageRequest<ResultId>,
    ) -> Result<Page<Prediction, ResultId>, StoreError> {
        PredictionStore::list(&*self.inner, query, page).await
    }

    async fn count(&self, query: &PredictionQuery) -> Result<u64, StoreError> {
        PredictionStore::count(&*self.inner, query).await
    }
}
