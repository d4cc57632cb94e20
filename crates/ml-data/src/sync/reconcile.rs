//! Comparing both sides record by record, where the position no longer tells what changed.
//!
//! Hashes of the documents and lineage in SQL are both listed by id and merged like two sorted lists, a page of each in memory.
//! Only what differs is fetched, judged and committed; what is gone is deleted. Documents whose ids are no ids of records are
//! not in that order, and come last. The position is taken before the first
//! page is read and committed after the last, so that a change made meanwhile comes again with the feed, and a comparison that
//! is killed begins anew.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde::Serialize;
use serde_json::Value;
use tracing::info;

use ml_core::document::{Change, RecordHash, RecordQuery, ResumeToken};
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::Collection;
use ml_core::sync::{Advance, Deletion, RecordLineage, SyncOutcome};

use super::SyncError;
use super::follower::Follower;
use super::incoming::{Incoming, stand_in_hash};

/// How many hashes, and how many lineages, are in memory at a time.
const PAGE_SIZE: usize = 5_000;

/// What a comparison found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ReconcileCounts {
    /// Documents that were compared by their hashes.
    pub compared: u64,
    /// Documents that SQL did not know, or knew with other content.
    pub differing: u64,
    /// Records that SQL had and the documents have no more.
    pub gone: u64,
}

impl std::ops::AddAssign for ReconcileCounts {
    fn add_assign(&mut self, other: ReconcileCounts) {
        self.compared += other.compared;
        self.differing += other.differing;
        self.gone += other.gone;
    }
}

/// Why both sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Someone wants it.
    Asked,
    /// The position has expired.
    Expired,
}

/// What is to be done, collected until it is worth a commit.
#[derive(Default)]
struct Differences {
    to_fetch: Vec<RecordId>,
    /// What SQL has of records that the list of documents does not have, and of those in quarantine that it has with another hash.
    doubtful: Vec<RecordLineage>,
}

impl Differences {
    fn len(&self) -> usize {
        self.to_fetch.len() + self.doubtful.len()
    }
}

impl Follower<'_> {
    /// Makes SQL agree with the documents, and returns what that took and the position to go on from.
    pub(super) async fn compare(
        &mut self,
        from: Option<ResumeToken>,
        occasion: Occasion,
    ) -> Result<(ReconcileCounts, Option<ResumeToken>), SyncError> {
        let latest = self.sync.feed.latest(self.collection).await.map_err(|err| self.failed(err))?;
        let mut hashes = Listing::default();
        let mut lineages = Listing::default();
        self.begin(occasion, &mut lineages).await?;
        let (mut found, mut differences) = (ReconcileCounts::default(), Differences::default());
        loop {
            if self.stop.is_cancelled() {
                return Ok((found, from));
            }
            let (hash, lineage) = self.next_pair(&mut hashes, &mut lineages).await.map_err(|err| self.failed(err))?;
            if hash.is_none() && lineage.is_none() {
                break;
            }
            found.compared += u64::from(hash.is_some());
            self.note(hash, lineage, &mut differences);
            self.settle_if_many(&mut differences, from.as_ref(), &mut found).await?;
        }
        if !self.compare_foreign(from.as_ref(), &mut found, &mut differences).await? {
            return Ok((found, from));
        }
        self.settle(&mut differences, from.as_ref(), &mut found).await?;
        let advance = Advance { from, to: latest.clone(), reconciled: true };
        let batch = self.batch(Incoming::default(), advance).await?;
        let committed = self.sync.store.commit(&batch).await;
        self.committed(&batch, committed)?;
        let ReconcileCounts { compared, differing, gone } = found;
        info!(collection = %self.collection, compared, differing, gone, "both sides agree again");
        Ok((found, Some(latest)))
    }

    /// Notes the documents that SQL does not know and no list of records shows, for their ids are no ids of records. What SQL
    /// knows of others was looked for already. Returns whether it came to the end.
    async fn compare_foreign(
        &mut self,
        from: Option<&ResumeToken>,
        found: &mut ReconcileCounts,
        differences: &mut Differences,
    ) -> Result<bool, SyncError> {
        let mut next = Some(PageRequest::first(PAGE_SIZE));
        while let Some(request) = next.take() {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            let page = self.sync.feed.list_foreign_ids(self.collection, request).await;
            let page = page.map_err(|err| self.failed(err))?;
            found.compared += page.items.len() as u64;
            let lineages = self.sync.store.find_lineage(self.collection, &page.items).await;
            let lineages = lineages.map_err(|err| self.failed(err))?.into_iter();
            let living = lineages.filter(|lineage| lineage.outcome != SyncOutcome::Deleted);
            let known: HashSet<RecordId> = living.map(|lineage| lineage.raw_id).collect();
            for id in page.items.into_iter().filter(|id| !known.contains(id)) {
                differences.to_fetch.push(id);
                self.settle_if_many(differences, from, found).await?;
            }
            next = page.next_cursor.map(|cursor| PageRequest::first(PAGE_SIZE).after(cursor));
        }
        Ok(true)
    }

    /// Counts what is to be compared. Documents that are all gone at once are more likely the wrong ones than gone.
    async fn begin(&mut self, occasion: Occasion, lineages: &mut Listing<RecordLineage>) -> Result<(), SyncError> {
        let n_documents = self.sync.documents.count(self.collection, &RecordQuery::default()).await;
        let n_documents = n_documents.map_err(|err| self.failed(err))?;
        self.set_pending(n_documents);
        let (store, collection) = (&self.sync.store, self.collection);
        lineages.fill(|page| store.list_lineage(collection, page)).await.map_err(|err| self.failed(err))?;
        let is_any_left = lineages.items.iter().any(|lineage| lineage.outcome != SyncOutcome::Deleted);
        if n_documents == 0 && is_any_left && occasion == Occasion::Expired && !self.has_foreign().await? {
            return Err(SyncError::Emptied { collection });
        }
        Ok(())
    }

    async fn has_foreign(&self) -> Result<bool, SyncError> {
        let mut next = Some(PageRequest::first(1));
        while let Some(request) = next.take() {
            let page = self.sync.feed.list_foreign_ids(self.collection, request).await;
            let page = page.map_err(|err| self.failed(err))?;
            if !page.items.is_empty() {
                return Ok(true);
            }
            next = page.next_cursor.map(|cursor| PageRequest::first(1).after(cursor));
        }
        Ok(false)
    }

    /// Takes the next of both lists: both where their ids are the same, else the one that comes first.
    async fn next_pair(
        &self,
        hashes: &mut Listing<RecordHash>,
        lineages: &mut Listing<RecordLineage>,
    ) -> Result<(Option<RecordHash>, Option<RecordLineage>), StoreError> {
        let (documents, store, collection): (_, _, Collection) =
            (&self.sync.documents, &self.sync.store, self.collection);
        hashes.fill(|page| documents.list_hashes(collection, page)).await?;
        lineages.fill(|page| store.list_lineage(collection, page)).await?;
        let order = match (hashes.peek(), lineages.peek()) {
            (Some(hash), Some(lineage)) => hash.id.cmp(&lineage.raw_id),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        Ok(match order {
            Ordering::Less => (hashes.take(), None),
            Ordering::Equal => (hashes.take(), lineages.take()),
            Ordering::Greater => (None, lineages.take()),
        })
    }

    /// Notes what is to be done about a record that one side has, or both.
    fn note(&self, hash: Option<RecordHash>, lineage: Option<RecordLineage>, differences: &mut Differences) {
        let lineage = lineage.filter(|lineage| lineage.outcome != SyncOutcome::Deleted);
        match (hash, lineage) {
            (Some(hash), Some(lineage)) if hash.content_hash == Some(lineage.version.content_hash) => {}
            // It may be one that cannot be read, and be in quarantine as it is.
            (Some(_), Some(lineage)) if lineage.outcome == SyncOutcome::Quarantined => {
                differences.doubtful.push(lineage);
            }
            (Some(hash), _) => differences.to_fetch.push(hash.id),
            (None, Some(lineage)) if !self.is_retained(&lineage) => differences.doubtful.push(lineage),
            (None, _) => {}
        }
    }

    fn is_retained(&self, lineage: &RecordLineage) -> bool {
        let kept_for = self.options.retention.get(&self.collection);
        kept_for.is_some_and(|kept_for| lineage.version.ingested_at < self.sync.clock.now() - *kept_for)
    }

    async fn settle_if_many(
        &mut self,
        differences: &mut Differences,
        from: Option<&ResumeToken>,
        found: &mut ReconcileCounts,
    ) -> Result<(), SyncError> {
        if differences.len() < self.options.batch_size.max(1) {
            return Ok(());
        }
        self.settle(differences, from, found).await
    }

    /// Fetches and commits what differs, holding the position against another sync. What is doubtful is looked at too: it may have
    /// come back meanwhile, have an id that no list of records shows, or be in quarantine as it is.
    async fn settle(
        &mut self,
        differences: &mut Differences,
        from: Option<&ResumeToken>,
        found: &mut ReconcileCounts,
    ) -> Result<(), SyncError> {
        let Differences { to_fetch, doubtful } = std::mem::take(differences);
        let Some(from) = from.filter(|_| !to_fetch.is_empty() || !doubtful.is_empty()) else { return Ok(()) };
        let mut changes = self.sync.feed.current(self.collection, &to_fetch).await.map_err(|err| self.failed(err))?;
        let doubtful_ids: Vec<RecordId> = doubtful.iter().map(|lineage| lineage.raw_id.clone()).collect();
        let doubtful_now =
            self.sync.feed.current(self.collection, &doubtful_ids).await.map_err(|err| self.failed(err))?;
        let mut gone = Vec::new();
        for (lineage, change) in doubtful.into_iter().zip(doubtful_now) {
            match change {
                Change::Deleted(raw_id) => gone.push(Deletion { raw_id, seen: Some(lineage.version.content_hash) }),
                Change::Undecodable { content, .. } if waits_as(&lineage, &content) => {}
                change => changes.push(change),
            }
        }
        found.differing += changes.len() as u64;
        found.gone += gone.len() as u64;
        let mut incoming = self.reader.intake().take(self.collection, changes).await?;
        // The documents are what counts, also where they were taken back to what they were.
        incoming.returned = to_fetch;
        incoming.returned.extend(doubtful_ids);
        self.let_go(&incoming, Some(from)).await?;
        incoming.deleted.extend(gone);
        let batch = self.batch(incoming, Advance::new(Some(from.clone()), from.clone())).await?;
        let committed = self.sync.store.commit(&batch).await;
        self.committed(&batch, committed)
    }
}

/// Tells whether a document that cannot be read is in quarantine with this content.
fn waits_as(lineage: &RecordLineage, content: &Value) -> bool {
    lineage.outcome == SyncOutcome::Quarantined && lineage.version.content_hash == stand_in_hash(content)
}

/// A list that is read page by page, of which one page is in memory.
struct Listing<T> {
    items: std::collections::VecDeque<T>,
    next: Option<PageRequest<RecordId>>,
}

impl<T> Default for Listing<T> {
    fn default() -> Listing<T> {
        Listing { items: std::collections::VecDeque::new(), next: Some(PageRequest::first(PAGE_SIZE)) }
    }
}

impl<T> Listing<T> {
    /// Reads the next page where none is in memory.
    async fn fill<F>(&mut self, list: impl Fn(PageRequest<RecordId>) -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<Page<T, RecordId>, StoreError>>,
    {
        while self.items.is_empty() {
            let Some(request) = self.next.take() else { return Ok(()) };
            let page = list(request).await?;
            self.items = page.items.into();
            self.next = page.next_cursor.map(|cursor| PageRequest::first(PAGE_SIZE).after(cursor));
        }
        Ok(())
    }

    fn peek(&self) -> Option<&T> {
        self.items.front()
    }

    fn take(&mut self) -> Option<T> {
        self.items.pop_front()
    }
}
