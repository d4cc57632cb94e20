//! Replay: quarantined records are judged again, by the rules and as the documents are now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use ml_core::clock::Clock;
use ml_core::document::{Change, ChangeFeed};
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::page::PageRequest;
use ml_core::quarantine::{QuarantineKey, QuarantineQuery, QuarantineStore, QuarantinedRecord, ReasonCount};
use ml_core::record::Collection;
use ml_core::reference::ReferenceStore;
use ml_core::sync::{SyncBatch, SyncStore};

use super::decide::{Decided, decide};
use super::error::SyncError;
use super::incoming::{Intake, quarantined_as_unreadable};
use super::owners::{Owners, Sources};
use crate::pipeline::Pipeline;

/// How many quarantined records are judged and committed at a time.
const PAGE_SIZE: usize = 1_000;

/// Which quarantined records to judge again.
#[derive(Debug, Clone)]
pub enum ReplaySelection {
    /// Those that match.
    Matching(QuarantineQuery),
    /// These; one that is not in quarantine is an error.
    Keys(Vec<QuarantineKey>),
}

/// What a replay did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// Records judged again.
    pub judged: u64,
    /// Those that pass now, and left quarantine unless nothing was to be written.
    pub passed: u64,
    /// Those that stay.
    pub failed: u64,
    /// Records that were rows, and give way to better duplicates among those that pass.
    pub displaced: u64,
    /// Why the rest stays, most frequent first.
    pub by_reason: Vec<ReasonCount>,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Whether it was stopped before the end.
    pub cancelled: bool,
}

/// Judges quarantined records again.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct Replayer {
    /// The documents as they are now.
    pub feed: Arc<dyn ChangeFeed>,
    /// What waits.
    pub quarantine: Arc<dyn QuarantineStore>,
    /// Where rows and rejects go.
    pub store: Arc<dyn SyncStore>,
    /// What values are looked up in.
    pub references: Arc<dyn ReferenceStore>,
    /// How records are judged.
    pub pipeline: Arc<Pipeline>,
    /// Larger records stay where they are.
    pub max_record_bytes: usize,
    /// Tells when a batch is committed.
    pub clock: Arc<dyn Clock>,
}

impl Replayer {
    /// Judges what is selected again and writes the outcome. A record is taken from the documents, or, where it is gone from
    /// there, as it was when it was judged last.
    pub async fn replay(
        &self,
        selection: &ReplaySelection,
        cancel: &CancellationToken,
    ) -> Result<ReplayReport, SyncError> {
        self.run(selection, false, cancel).await
    }

    /// Says how many of what is selected would pass now, and writes nothing.
    pub async fn dry_run(
        &self,
        selection: &ReplaySelection,
        cancel: &CancellationToken,
    ) -> Result<ReplayReport, SyncError> {
        self.run(selection, true, cancel).await
    }

    async fn run(
        &self,
        selection: &ReplaySelection,
        dry_run: bool,
        cancel: &CancellationToken,
    ) -> Result<ReplayReport, SyncError> {
        let mut report = ReplayReport { dry_run, ..ReplayReport::default() };
        let mut owners = Owners::default();
        let mut staying = Staying::default();
        let mut pages = Pages::new(selection);
        while let Some(page) = pages.next(&*self.quarantine).await.map_err(SyncError::Quarantine)? {
            if cancel.is_cancelled() {
                report.cancelled = true;
                break;
            }
            for (collection, waiting) in by_collection(page) {
                let decided = self.decide(collection, waiting, &mut owners).await?;
                report.add(&decided);
                staying.add(&decided);
                if !dry_run {
                    self.commit(collection, decided).await?;
                }
            }
        }
        report.by_reason = staying.into_counts();
        Ok(report)
    }

    async fn decide(
        &self,
        collection: Collection,
        waiting: Vec<QuarantinedRecord>,
        owners: &mut Owners,
    ) -> Result<Decided, SyncError> {
        let failed = |source| SyncError::Store { collection, source };
        let current = self.current(collection, waiting).await.map_err(failed)?;
        let (store, pipeline, max_record_bytes) = (&*self.store, &self.pipeline, self.max_record_bytes);
        let intake = Intake { references: &*self.references, pipeline, max_record_bytes };
        let mut incoming = intake.take(collection, current).await?;
        incoming.date(store, collection).await.map_err(failed)?;
        let sources = Sources { store, feed: &*self.feed, pipeline };
        owners.load(sources, collection, &incoming.judged).await.map_err(failed)?;
        let now = self.clock.now();
        let mut decided = decide(collection, incoming.judged, owners, pipeline, now);
        let unreadable = incoming.unreadable.into_iter();
        decided.quarantined.extend(unreadable.map(|document| quarantined_as_unreadable(collection, document, now)));
        Ok(decided)
    }

    /// Returns the documents as they are now; one that is gone as it was when it was judged last.
    async fn current(
        &self,
        collection: Collection,
        waiting: Vec<QuarantinedRecord>,
    ) -> Result<Vec<Change>, StoreError> {
        let ids: Vec<RecordId> = waiting.iter().map(|waiting| waiting.record.id.clone()).collect();
        let current = self.feed.current(collection, &ids).await?;
        let as_judged = |(change, waiting): (Change, QuarantinedRecord)| match change {
            Change::Deleted(_) => Change::Upserted(waiting.record),
            change => change,
        };
        Ok(current.into_iter().zip(waiting).map(as_judged).collect())
    }

    async fn commit(&self, collection: Collection, decided: Decided) -> Result<(), SyncError> {
        let Decided { at: committed_at, passed, mut quarantined, displaced, unique_keys, .. } = decided;
        quarantined.extend(displaced);
        let batch = SyncBatch {
            collection,
            advance: None,
            passed,
            quarantined,
            deleted: Vec::new(),
            unique_keys,
            retained_from: None,
            pipeline: self.pipeline.digest().short(),
            committed_at,
        };
        self.store.commit(&batch).await.map_err(|error| SyncError::of_commit(collection, error))?;
        Ok(())
    }
}

impl ReplayReport {
    fn add(&mut self, decided: &Decided) {
        let (passed, failed) = (decided.passed.len() as u64, decided.quarantined.len() as u64);
        self.judged += passed + failed;
        self.passed += passed;
        self.failed += failed;
        // One that passed a moment ago and gives way is one that stays.
        self.passed -= decided.n_displaced_here;
        self.failed += decided.n_displaced_here;
        self.displaced += decided.displaced.len() as u64 - decided.n_displaced_here;
    }
}

/// Counts why records stay: those that break a rule on a field, each once.
#[derive(Default)]
struct Staying(BTreeMap<(Collection, String, Option<String>), u64>);

impl Staying {
    fn add(&mut self, decided: &Decided) {
        for entry in &decided.quarantined {
            let reasons: BTreeSet<_> = entry.reasons.iter().map(|reason| (&reason.rule, &reason.field)).collect();
            for (rule, field) in reasons {
                *self.0.entry((entry.collection, rule.clone(), field.clone())).or_default() += 1;
            }
        }
    }

    fn into_counts(self) -> Vec<ReasonCount> {
        let counts = self.0.into_iter();
        let counts =
            counts.map(|((collection, rule, field), n_records)| ReasonCount { collection, field, rule, n_records });
        let mut counts: Vec<ReasonCount> = counts.collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.n_records));
        counts
    }
}

/// What is selected, page by page. Records that leave quarantine meanwhile shift nothing: pages go by key.
enum Pages<'a> {
    Matching { query: &'a QuarantineQuery, next: Option<PageRequest<QuarantineKey>> },
    Keys(std::slice::Chunks<'a, QuarantineKey>),
}

impl<'a> Pages<'a> {
    fn new(selection: &'a ReplaySelection) -> Pages<'a> {
        match selection {
            ReplaySelection::Matching(query) => Pages::Matching { query, next: Some(PageRequest::first(PAGE_SIZE)) },
            ReplaySelection::Keys(keys) => Pages::Keys(keys.chunks(PAGE_SIZE)),
        }
    }

    async fn next(&mut self, store: &dyn QuarantineStore) -> Result<Option<Vec<QuarantinedRecord>>, StoreError> {
        match self {
            Pages::Matching { query, next } => {
                let Some(request) = next.take() else { return Ok(None) };
                let page = store.list(query, request).await?;
                *next = page.next_cursor.map(|cursor| PageRequest::first(PAGE_SIZE).after(cursor));
                Ok(Some(page.items))
            }
            Pages::Keys(chunks) => {
                let Some(keys) = chunks.next() else { return Ok(None) };
                let mut waiting = Vec::with_capacity(keys.len());
                for key in keys {
                    waiting.push(store.get(key).await?);
                }
                Ok(Some(waiting))
            }
        }
    }
}

fn by_collection(page: Vec<QuarantinedRecord>) -> BTreeMap<Collection, Vec<QuarantinedRecord>> {
    let mut groups: BTreeMap<Collection, Vec<QuarantinedRecord>> = BTreeMap::new();
    for waiting in page {
        groups.entry(waiting.collection).or_default().push(waiting);
    }
    groups
}
