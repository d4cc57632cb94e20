//! Quarantined records judged again, by the rules as they are now.

use std::sync::Arc;

use serde::Serialize;
use tracing::{info, instrument};

use ml_core::clock::Clock;
use ml_core::document::DocumentStore;
use ml_core::error::StoreError;
use ml_core::page::PageRequest;
use ml_core::quarantine::{QuarantineQuery, QuarantineStore, QuarantinedRecord};
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::SyncStore;

use crate::pipeline::Pipeline;

use super::SyncError;
use super::judging::Judge;

/// How many quarantined records are judged at a time.
const PAGE_SIZE: usize = 1_000;

/// What a replay did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Records judged again.
    pub tried: u64,
    /// Those of them that pass now.
    pub passed: u64,
}

/// Tries quarantined records again.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct Replay {
    /// Where the records may have been mended.
    pub documents: Arc<dyn DocumentStore>,
    /// Where they wait.
    pub quarantine: Arc<dyn QuarantineStore>,
    /// Where those that pass go.
    pub store: Arc<dyn SyncStore>,
    /// By which they are judged.
    pub pipeline: Arc<Pipeline>,
    /// When they are judged.
    pub clock: Arc<dyn Clock>,
}

impl Replay {
    /// Judges the quarantined records that match `query` again; with `dry_run` nothing is written.
    ///
    /// A record that is still in its collection is taken from there, because it may have been mended; else the copy that
    /// quarantine keeps. One that fails again stays, with its present reasons and one more attempt.
    #[instrument(skip_all, fields(dry_run))]
    pub async fn run(&self, query: &QuarantineQuery, dry_run: bool) -> Result<ReplayReport, SyncError> {
        let mut report = ReplayReport { dry_run, ..ReplayReport::default() };
        let mut request = PageRequest::first(PAGE_SIZE);
        loop {
            // Records that pass leave the list, but the cursor is a key, so the next page starts right all the same.
            let page = self.quarantine.list(query, request).await?;
            for (collection, records) in by_collection(page.items) {
                let passed = self.judge(collection, &records, dry_run).await?;
                report.tried += records.len() as u64;
                report.passed += passed;
            }
            match page.next_cursor {
                Some(cursor) => request = PageRequest::first(PAGE_SIZE).after(cursor),
                None => break,
            }
        }
        info!(tried = report.tried, passed = report.passed, "{} of {} records pass", report.passed, report.tried);
        Ok(report)
    }

    async fn judge(
        &self,
        collection: Collection,
        records: &[QuarantinedRecord],
        dry_run: bool,
    ) -> Result<u64, SyncError> {
        let mut present = Vec::with_capacity(records.len());
        for quarantined in records {
            present.push(self.present_form(quarantined).await?);
        }
        let judge = Judge { store: self.store.as_ref(), pipeline: &self.pipeline, clock: self.clock.as_ref() };
        let batch = judge.judge(collection, present, None).await?;
        if !dry_run {
            self.store.commit(&batch).await?;
        }
        Ok(batch.rows.len() as u64)
    }

    async fn present_form(&self, quarantined: &QuarantinedRecord) -> Result<RawRecord, StoreError> {
        match self.documents.get(quarantined.collection, &quarantined.record.id).await {
            Err(StoreError::NotFound { .. }) => Ok(quarantined.record.clone()),
            outcome => outcome,
        }
    }
}

fn by_collection(records: Vec<QuarantinedRecord>) -> Vec<(Collection, Vec<QuarantinedRecord>)> {
    let mut groups: Vec<(Collection, Vec<QuarantinedRecord>)> = Vec::new();
    for record in records {
        match groups.last_mut() {
            Some((collection, group)) if *collection == record.collection => group.push(record),
            _ => groups.push((record.collection, vec![record])),
        }
    }
    groups
}
