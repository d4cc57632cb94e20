//! Who owns which unique value, as far as a batch or a replay needs to know.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ml_core::document::{Change, ChangeFeed};
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::{SyncStore, UniqueKey};

use crate::pipeline::{Judged, Pipeline};
use crate::rule::{Claim, Rank};

/// How many keys are asked for at a time.
const KEYS_PER_QUERY: usize = 5_000;

/// What the owners are read from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) store: &'a dyn SyncStore,
    pub(super) feed: &'a dyn ChangeFeed,
    pub(super) pipeline: &'a Pipeline,
}

/// The owners of unique values, as far as they matter here: by scope, then key.
#[derive(Debug, Default)]
pub(super) struct Owners {
    by_key: HashMap<String, HashMap<String, Owner>>,
    /// What the owners that the store knows have, by owner: they may give it up.
    stored: HashMap<RecordId, Vec<(String, String)>>,
    /// The owners that a better duplicate may take the place of, as they are now.
    replaceable: HashMap<RecordId, Replaceable>,
}

/// Who has a value, and how good its claim is, where a better one takes its place.
#[derive(Debug, Clone)]
struct Owner {
    raw_id: RecordId,
    rank: Option<Rank>,
}

/// A record that may have to give way.
#[derive(Debug)]
pub(super) struct Replaceable {
    pub(super) record: RawRecord,
    /// Whether it passed since the owners were first read, and not before.
    pub(super) passed_here: bool,
}

/// How a claim stands to what others own.
pub(super) enum Contest<'a> {
    /// Nobody else has it.
    Free,
    /// The owner keeps it.
    Taken(&'a RecordId),
    /// The owner gives way.
    Won(&'a RecordId),
}

impl Owners {
    /// Adds who owns what the records claim, as the store knows it, and what is needed to tell which duplicate is better.
    pub(super) async fn load(
        &mut self,
        sources: Sources<'_>,
        collection: Collection,
        judged: &[Judged],
    ) -> Result<(), StoreError> {
        let mut claimed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut ranked = BTreeSet::new();
        for claim in judged.iter().flat_map(|judged| &judged.claims) {
            claimed.entry(&claim.scope).or_default().push(claim.key.clone());
            if claim.rank.is_some() {
                ranked.insert(claim.scope.as_str());
            }
        }
        let mut rivals = BTreeSet::new();
        for (scope, mut keys) in claimed {
            keys.sort_unstable();
            keys.dedup();
            for keys in keys.chunks(KEYS_PER_QUERY) {
                for UniqueKey { scope, key, collection: of, raw_id } in
                    sources.store.find_unique_owners(scope, keys).await?
                {
                    if of == collection && ranked.contains(scope.as_str()) {
                        rivals.insert(raw_id.clone());
                    }
                    self.stored.entry(raw_id.clone()).or_default().push((scope.clone(), key.clone()));
                    self.by_key.entry(scope).or_default().insert(key, Owner { raw_id, rank: None });
                }
            }
        }
        for judged in judged {
            rivals.remove(&judged.record.id);
        }
        let rivals: Vec<RecordId> = rivals.into_iter().collect();
        self.load_rivals(sources, collection, &rivals).await
    }

    /// Reads the owners that may have to give way; one that is gone from the documents stays until its deletion is told.
    async fn load_rivals(
        &mut self,
        sources: Sources<'_>,
        collection: Collection,
        rivals: &[RecordId],
    ) -> Result<(), StoreError> {
        if rivals.is_empty() {
            return Ok(());
        }
        for change in sources.feed.current(collection, rivals).await? {
            let Change::Upserted(record) = change else { continue };
            let Judged { record, claims, .. } = sources.pipeline.judge(collection, record);
            for Claim { scope, key, rank, .. } in claims {
                let owner = self.by_key.get_mut(&scope).and_then(|owners| owners.get_mut(&key));
                if let Some(owner) = owner.filter(|owner| owner.raw_id == record.id) {
                    owner.rank = rank;
                }
            }
            let passed_here = self.replaceable.get(&record.id).is_some_and(|known| known.passed_here);
            self.replaceable.insert(record.id.clone(), Replaceable { record, passed_here });
        }
        Ok(())
    }

    /// Tells whether a record may have what it claims.
    pub(super) fn contest(&self, claim: &Claim, raw_id: &RecordId) -> Contest<'_> {
        let owner = self.by_key.get(&claim.scope).and_then(|owners| owners.get(&claim.key));
        let Some(owner) = owner.filter(|owner| owner.raw_id != *raw_id) else { return Contest::Free };
        let (Some(rank), Some(owned)) = (claim.rank, owner.rank) else { return Contest::Taken(&owner.raw_id) };
        let is_better = rank > owned || (rank == owned && *raw_id < owner.raw_id);
        if is_better && self.replaceable.contains_key(&owner.raw_id) {
            Contest::Won(&owner.raw_id)
        } else {
            Contest::Taken(&owner.raw_id)
        }
    }

    /// Says that a record has a value now.
    pub(super) fn add(&mut self, key: &UniqueKey, rank: Option<Rank>) {
        let owner = Owner { raw_id: key.raw_id.clone(), rank };
        self.by_key.entry(key.scope.clone()).or_default().insert(key.key.clone(), owner);
        self.stored.entry(key.raw_id.clone()).or_default().push((key.scope.clone(), key.key.clone()));
    }

    /// Says that a record that passed may have to give way to a better duplicate.
    pub(super) fn add_replaceable(&mut self, record: RawRecord) {
        self.replaceable.insert(record.id.clone(), Replaceable { record, passed_here: true });
    }

    /// Takes out a record that gives way, and lets it give up what it had.
    pub(super) fn replace(&mut self, raw_id: &RecordId) -> Option<Replaceable> {
        self.release(raw_id);
        self.replaceable.remove(raw_id)
    }

    /// Lets a record give up what it had: it is judged anew, and what it keeps is added again.
    pub(super) fn release(&mut self, raw_id: &RecordId) {
        for (scope, key) in self.stored.remove(raw_id).unwrap_or_default() {
            let Some(owners) = self.by_key.get_mut(&scope) else { continue };
            if owners.get(&key).is_some_and(|owner| owner.raw_id == *raw_id) {
                owners.remove(&key);
            }
        }
    }
}
