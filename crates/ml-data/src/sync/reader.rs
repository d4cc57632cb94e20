//! Reading a collection and judging what comes, also ahead: on other threads, while the changes before are decided and committed.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use ml_core::document::{ChangeBatch, ResumeToken};
use ml_core::error::StoreError;
use ml_core::record::Collection;

use super::decide::{Decided, decide};
use super::incoming::{Incoming, Intake};
use super::owners::Owners;
use super::{DocumentToSql, SyncError, SyncOptions};

/// Changes that were judged by everything but uniqueness, and the position after them.
pub(super) struct Prepared {
    pub(super) incoming: Incoming,
    /// What becomes of the judged records, which are not in `incoming` then, where the store has no say in it.
    pub(super) decided: Option<Decided>,
    pub(super) to: Option<ResumeToken>,
    /// Whether there were none.
    pub(super) is_idle: bool,
}

/// Reads one collection.
#[derive(Clone)]
pub(super) struct Reader {
    sync: DocumentToSql,
    collection: Collection,
    batch_size: usize,
    max_record_bytes: usize,
}

/// What is read ahead; dropped, it is given up.
pub(super) struct Ahead(JoinSet<Result<Prepared, SyncError>>);

impl Reader {
    pub(super) fn new(sync: &DocumentToSql, options: &SyncOptions, collection: Collection) -> Reader {
        let (batch_size, max_record_bytes) = (options.batch_size.max(1), options.max_record_bytes);
        Reader { sync: sync.clone(), collection, batch_size, max_record_bytes }
    }

    /// Reads and judges what comes after `from`.
    pub(super) async fn read(&self, from: Option<&ResumeToken>) -> Result<Prepared, SyncError> {
        let changes = self.sync.feed.changes(self.collection, from, self.batch_size).await;
        self.judged(changes.map_err(|err| self.failed(err))?).await
    }

    /// The same, but on its own.
    pub(super) fn read_ahead(&self, from: &ResumeToken) -> Ahead {
        let (reader, from) = (self.clone(), from.clone());
        let mut ahead = JoinSet::new();
        ahead.spawn(async move { reader.read(Some(&from)).await });
        Ahead(ahead)
    }

    /// Waits for something to come, for so long or until stopped.
    pub(super) async fn wait(
        &self,
        from: Option<&ResumeToken>,
        at_most: Duration,
        stop: &CancellationToken,
    ) -> Result<Prepared, SyncError> {
        let waiting = self.sync.feed.wait_for_changes(self.collection, from, self.batch_size, at_most);
        tokio::select! {
            () = stop.cancelled() => Ok(Prepared::idle(from.cloned())),
            changes = waiting => self.judged(changes.map_err(|err| self.failed(err))?).await,
        }
    }

    pub(super) fn intake(&self) -> Intake<'_> {
        Intake {
            references: &*self.sync.references,
            pipeline: &self.sync.pipeline,
            max_record_bytes: self.max_record_bytes,
        }
    }

    async fn judged(&self, ChangeBatch { changes, token }: ChangeBatch) -> Result<Prepared, SyncError> {
        if changes.is_empty() {
            return Ok(Prepared::idle(token));
        }
        let mut incoming = self.intake().take(self.collection, changes).await?;
        let decided = (!incoming.depends_on_store()).then(|| {
            let (judged, now) = (std::mem::take(&mut incoming.judged), self.sync.clock.now());
            decide(self.collection, judged, &mut Owners::default(), &self.sync.pipeline, now)
        });
        Ok(Prepared { incoming, decided, to: token, is_idle: false })
    }

    fn failed(&self, source: StoreError) -> SyncError {
        SyncError::Store { collection: self.collection, source }
    }
}

impl Prepared {
    fn idle(to: Option<ResumeToken>) -> Prepared {
        Prepared { incoming: Incoming::default(), decided: None, to, is_idle: true }
    }
}

impl Ahead {
    /// Waits for it.
    pub(super) async fn get(mut self) -> Result<Prepared, SyncError> {
        match self.0.join_next().await.expect("it is one task, and asked for once") {
            Ok(prepared) => prepared,
            Err(ended) => std::panic::resume_unwind(ended.into_panic()),
        }
    }
}
