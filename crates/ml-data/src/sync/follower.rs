//! The sync of one collection: along the feed, batch by batch, and on a fresh position where the old one has expired.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::TryFutureExt as _;
use futures::future::try_join;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use ml_core::document::ResumeToken;
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::quarantine::ReasonCount;
use ml_core::record::Collection;
use ml_core::sync::{Advance, SyncBatch, SyncCounts};

use super::decide::{Decided, decide};
use super::incoming::{Incoming, quarantined_as_unreadable};
use super::owners::{Owners, Sources};
use super::reader::{Prepared, Reader};
use super::reconcile::{Occasion, ReconcileCounts};
use super::{CollectionReport, DocumentToSql, SyncError, SyncObserver, SyncOptions, SyncProgress, SyncStage};
use crate::backoff::{Backoff, in_one_line};

/// How often a position that moved although nothing came is committed while following.
const IDLE_COMMIT_INTERVAL: Duration = Duration::from_secs(10);

/// Syncs one collection.
pub(super) struct Follower<'a> {
    pub(super) sync: &'a DocumentToSql,
    pub(super) options: &'a SyncOptions,
    pub(super) collection: Collection,
    pub(super) stop: CancellationToken,
    pub(super) reader: Reader,
    observer: SyncObserver<'a>,
    backoff: Backoff,
    stage: SyncStage,
    n_pending: u64,
    counts: SyncCounts,
    reconciled: Option<ReconcileCounts>,
    /// How many records broke a rule and passed nevertheless, by rule and field.
    warned: BTreeMap<(String, Option<String>), u64>,
    /// Whether the comparison that was asked for is still to be done.
    is_reconcile_due: bool,
    /// Whether the last commit may still be written: its connection broke before the answer came.
    is_commit_in_doubt: bool,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        sync: &'a DocumentToSql,
        options: &'a SyncOptions,
        collection: Collection,
        observer: SyncObserver<'a>,
        stop: CancellationToken,
    ) -> Follower<'a> {
        Follower {
            sync,
            options,
            collection,
            stop,
            reader: Reader::new(sync, options, collection),
            observer,
            backoff: Backoff::new(options.patience),
            stage: SyncStage::Changes,
            n_pending: 0,
            counts: SyncCounts::default(),
            reconciled: None,
            warned: BTreeMap::new(),
            is_reconcile_due: options.reconcile,
            is_commit_in_doubt: false,
        }
    }

    /// Runs until nothing is newer, or until stopped; a store that does not answer is waited for.
    pub(super) async fn run(mut self) -> Result<CollectionReport, SyncError> {
        while let Err(error) = self.attempt().await {
            let Some(pause) = self.pause_after(&error) else { return Err(error) };
            let cause = in_one_line(&error);
            warn!(collection = %self.collection, "{cause}; trying again in {} ms", pause.as_millis());
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        let Follower { collection, counts, reconciled, warned, .. } = self;
        let warnings = warned.into_iter();
        let warnings = warnings.map(|((rule, field), n_records)| ReasonCount { collection, field, rule, n_records });
        Ok(CollectionReport { collection, counts, reconciled, warnings: warnings.collect() })
    }

    /// Returns how long to wait after `error` before trying again, if that may help.
    fn pause_after(&mut self, error: &SyncError) -> Option<Duration> {
        match error {
            // Who moved the checkpoint was this very sync, as far as anyone knows.
            SyncError::AnotherSync { .. } if std::mem::take(&mut self.is_commit_in_doubt) => Some(Duration::ZERO),
            SyncError::Store { source, .. } => self.backoff.pause_after(source),
            _ => None,
        }
    }

    /// Goes on from the checkpoint, whatever happened before.
    async fn attempt(&mut self) -> Result<(), SyncError> {
        let checkpoint = self.sync.store.find_checkpoint(self.collection).await.map_err(|err| self.failed(err))?;
        self.stage = if checkpoint.is_none() { SyncStage::Snapshot } else { SyncStage::Changes };
        let mut from = checkpoint.map(|checkpoint| checkpoint.token);
        if self.is_reconcile_due && from.is_some() {
            from = self.reconcile(from, Occasion::Asked).await?;
        }
        while let Err(error) = self.follow(&mut from).await {
            let SyncError::Store { source: source @ StoreError::Expired { .. }, .. } = &error else {
                return Err(error);
            };
            warn!(collection = %self.collection, "{source}: comparing both sides record by record");
            from = self.reconcile(from, Occasion::Expired).await?;
        }
        Ok(())
    }

    async fn reconcile(
        &mut self,
        from: Option<ResumeToken>,
        occasion: Occasion,
    ) -> Result<Option<ResumeToken>, SyncError> {
        self.stage = SyncStage::Comparison;
        let (found, to) = self.compare(from, occasion).await?;
        self.stage = SyncStage::Changes;
        self.is_reconcile_due = false;
        *self.reconciled.get_or_insert_default() += found;
        Ok(to)
    }

    /// Follows the feed after `from`, which moves along.
    async fn follow(&mut self, from: &mut Option<ResumeToken>) -> Result<(), SyncError> {
        let mut moved_at = Instant::now();
        // Side by side, for a server may take seconds for either.
        let n_pending = self.sync.feed.count_pending(self.collection, from.as_ref()).map_err(|err| self.failed(err));
        let (n_pending, mut next) = try_join(n_pending, self.reader.read(from.as_ref())).await?;
        self.n_pending = n_pending;
        while !self.stop.is_cancelled() {
            let Prepared { incoming, decided, to, is_idle } = next;
            let is_due = !is_idle || self.options.follow.is_none() || moved_at.elapsed() >= IDLE_COMMIT_INTERVAL;
            if let Some(to) = to.clone().filter(|to| is_due && from.as_ref() != Some(to)) {
                // An idle position is all that is to be committed then, and waiting comes next.
                let ahead = (!is_idle).then(|| self.reader.read_ahead(&to));
                self.let_go(&incoming, from.as_ref()).await?;
                let batch = self.batch(incoming, decided, Advance::new(from.clone(), to.clone())).await?;
                let committed = self.sync.store.commit(&batch).await;
                self.committed(&batch, committed)?;
                // Taking thousands of records apart takes a while, and the next are waiting.
                rayon::spawn(move || drop(batch));
                *from = Some(to);
                moved_at = Instant::now();
                if let Some(ahead) = ahead {
                    next = ahead.get().await?;
                    continue;
                }
            }
            let Some(at_most) = self.options.follow else { break };
            next = self.reader.wait(to.as_ref(), at_most, &self.stop).await?;
            if next.is_idle {
                // Everything that came is committed, and the feed answers.
                self.backoff.reset();
            }
        }
        Ok(())
    }

    /// Carries deletions that what came back depends on, and holds the position against another sync.
    pub(super) async fn let_go(&mut self, incoming: &Incoming, from: Option<&ResumeToken>) -> Result<(), SyncError> {
        let deleted = incoming.deletions_before_returns(&*self.sync.store, self.collection).await;
        let deleted = deleted.map_err(|err| self.failed(err))?;
        let Some(from) = from.filter(|_| !deleted.is_empty()) else { return Ok(()) };
        let deletions = Incoming { deleted, ..Incoming::default() };
        let batch = self.batch(deletions, None, Advance::new(Some(from.clone()), from.clone())).await?;
        let committed = self.sync.store.commit(&batch).await;
        self.committed(&batch, committed)
    }

    /// Has the last word on what came in, where there is one to be had, and makes a batch of it.
    pub(super) async fn batch(
        &mut self,
        mut incoming: Incoming,
        decided: Option<Decided>,
        advance: Advance,
    ) -> Result<SyncBatch, SyncError> {
        let collection = self.collection;
        let decided = match decided {
            Some(decided) => decided,
            None => self.decide(&mut incoming).await.map_err(|err| self.failed(err))?,
        };
        decided.check_blocked(collection)?;
        let Decided { at: committed_at, passed, mut quarantined, displaced, unique_keys, .. } = decided;
        // A record that gives way and is gone, or cannot be read any more, is told of as that.
        let is_told = |id: &RecordId| {
            incoming.deleted.iter().any(|deletion| deletion.raw_id == *id)
                || incoming.unreadable.iter().any(|(record, _)| record.id == *id)
        };
        quarantined.extend(displaced.into_iter().filter(|entry| !is_told(&entry.record.id)));
        let unreadable = incoming.unreadable.into_iter();
        quarantined.extend(unreadable.map(|document| quarantined_as_unreadable(collection, document, committed_at)));
        Ok(SyncBatch {
            collection,
            advance: Some(advance),
            passed,
            quarantined,
            deleted: incoming.deleted,
            unique_keys,
            retained_from: self.options.retention.get(&collection).map(|kept_for| committed_at - *kept_for),
            pipeline: self.sync.pipeline.digest().short(),
            committed_at,
        })
    }

    /// Decides about what the store has a say in.
    async fn decide(&self, incoming: &mut Incoming) -> Result<Decided, StoreError> {
        // Not before: the version before it may have been in the batch before this one.
        incoming.date(&*self.sync.store, self.collection).await?;
        let mut owners = Owners::default();
        let (store, feed, pipeline) = (&*self.sync.store, &*self.sync.feed, &*self.sync.pipeline);
        let sources = Sources { store, feed, pipeline };
        owners.load(sources, self.collection, &incoming.judged).await?;
        incoming.deleted.iter().for_each(|deletion| owners.release(&deletion.raw_id));
        incoming.unreadable.iter().for_each(|(record, _)| owners.release(&record.id));
        let judged = std::mem::take(&mut incoming.judged);
        Ok(decide(self.collection, judged, &mut owners, pipeline, self.sync.clock.now()))
    }

    /// Counts what was committed, and tells how far that is.
    pub(super) fn committed(
        &mut self,
        batch: &SyncBatch,
        committed: Result<SyncCounts, StoreError>,
    ) -> Result<(), SyncError> {
        self.is_commit_in_doubt |= matches!(committed, Err(StoreError::Unavailable { .. }));
        let counts = committed.map_err(|error| SyncError::of_commit(self.collection, error))?;
        self.is_commit_in_doubt = false;
        self.backoff.reset();
        self.counts += counts;
        self.count_warnings(batch);
        if counts != SyncCounts::default() {
            self.tell();
        }
        Ok(())
    }

    fn count_warnings(&mut self, batch: &SyncBatch) {
        for passed in batch.passed.iter().filter(|passed| !passed.warnings.is_empty()) {
            let reasons: BTreeSet<_> = passed.warnings.iter().map(|reason| (&reason.rule, &reason.field)).collect();
            for (rule, field) in reasons {
                *self.warned.entry((rule.clone(), field.clone())).or_default() += 1;
            }
        }
    }

    fn tell(&self) {
        let (collection, stage, counts, n_pending) = (self.collection, self.stage, self.counts, self.n_pending);
        (self.observer)(SyncProgress { collection, stage, counts, n_pending });
    }

    /// Sets how many records wait.
    pub(super) fn set_pending(&mut self, n_pending: u64) {
        self.n_pending = n_pending;
    }

    pub(super) fn failed(&self, source: StoreError) -> SyncError {
        SyncError::Store { collection: self.collection, source }
    }
}
