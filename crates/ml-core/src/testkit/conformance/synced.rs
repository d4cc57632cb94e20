//! What the cases of a sync have in common: committing, and looking at what that wrote.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::document::ResumeToken;
use crate::global_data::{GlobalRecord, ValidatedQuery};
use crate::page::PageRequest;
use crate::quarantine::{QuarantineKey, QuarantineQuery};
use crate::record::Collection::{self, TextCorpus};
use crate::sync::{RecordLineage, SyncBatch, SyncCounts, UniqueKey};
use crate::testkit::build::{SyncBatchBuilder, record_id};
use crate::testkit::side::SyncSide;

pub(super) async fn commit(side: &dyn SyncSide, batch: SyncBatch) -> SyncCounts {
    let counts = side.sync().commit(&batch).await.unwrap();
    assert!(counts.add_up(), "{counts:?}");
    assert_eq!(counts.read, (batch.passed.len() + batch.quarantined.len() + batch.deleted.len()) as u64);
    counts
}

pub(super) async fn token_of(side: &dyn SyncSide, collection: Collection) -> Option<ResumeToken> {
    side.sync().find_checkpoint(collection).await.unwrap().map(|checkpoint| checkpoint.token)
}

pub(super) async fn n_global(side: &dyn SyncSide) -> u64 {
    side.global().count(&ValidatedQuery::default()).await.unwrap()
}

pub(super) async fn n_quarantined(side: &dyn SyncSide) -> u64 {
    side.quarantine().count(&QuarantineQuery::default()).await.unwrap()
}

pub(super) fn key_of(collection: Collection, id: &str) -> QuarantineKey {
    QuarantineKey { collection, raw_id: record_id(id) }
}

pub(super) async fn owners(side: &dyn SyncSide, scope: &str, keys: &[&str]) -> BTreeSet<(String, String)> {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let owners = side.sync().find_unique_owners(scope, &keys).await.unwrap();
    let pair = |owner: UniqueKey| {
        assert_eq!(owner.scope, scope);
        (owner.key, owner.raw_id.to_string())
    };
    owners.into_iter().map(pair).collect()
}

pub(super) fn pairs(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(key, id)| ((*key).to_owned(), (*id).to_owned())).collect()
}

pub(super) async fn known_by(side: &dyn SyncSide, instant: DateTime<Utc>) -> Vec<GlobalRecord> {
    let query = ValidatedQuery { known_by: Some(instant), ..ValidatedQuery::default() };
    let listed = side.global().list(&query, PageRequest::first(100)).await.unwrap().items;
    assert_eq!(side.global().count(&query).await.unwrap(), listed.len() as u64);
    listed
}

pub(super) async fn lineages(side: &dyn SyncSide, collection: Collection) -> Vec<RecordLineage> {
    side.sync().list_lineage(collection, PageRequest::first(50_000)).await.unwrap().items
}

pub(super) async fn lineage_of(side: &dyn SyncSide, id: &str) -> RecordLineage {
    let found = lineages(side, TextCorpus).await.into_iter().find(|lineage| lineage.raw_id.as_str() == id);
    found.unwrap_or_else(|| panic!("`{id}` has no lineage"))
}

/// Commits what the feed brings after `t1`, `t2` and so on: the n-th batch goes from `t<n>` on.
pub(super) async fn follow(side: &dyn SyncSide, n: u32, batch: SyncBatchBuilder) -> SyncCounts {
    let (from, to) = (format!("t{n}"), format!("t{}", n + 1));
    commit(side, batch.advance(Some(&from), &to).build()).await
}

pub(super) fn counts_of(written: u64, unchanged: u64, quarantined: u64, deleted: u64) -> SyncCounts {
    SyncCounts { read: written + unchanged + quarantined + deleted, written, unchanged, quarantined, deleted }
}
