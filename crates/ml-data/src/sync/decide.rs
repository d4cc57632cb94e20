//! The last word on judged records: who owns which unique value.
//!
//! Records are decided in order, so that the first of two with the same value owns it, wherever the batches are cut.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::quarantine::{QuarantineReason, QuarantinedRecord};
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::{PassedRecord, RawVersion, SyncStore, UniqueKey};

use crate::pipeline::{Judged, Verdict};
use crate::rule::Claim;

/// How many keys are asked for at a time.
const KEYS_PER_QUERY: usize = 5_000;

/// What becomes of some records.
#[derive(Debug, Default)]
pub(super) struct Decided {
    pub(super) passed: Vec<PassedRecord>,
    pub(super) quarantined: Vec<QuarantinedRecord>,
    pub(super) unique_keys: Vec<UniqueKey>,
}

/// The owners of unique values, as far as they matter here: by scope, then key.
#[derive(Debug, Default)]
pub(super) struct Owners {
    by_key: HashMap<String, HashMap<String, RecordId>>,
    /// What the owners that the store knows have, by owner: they may give it up.
    stored: HashMap<RecordId, Vec<(String, String)>>,
}

impl Owners {
    /// Adds who owns what the records claim, as the store knows it.
    pub(super) async fn load(&mut self, store: &dyn SyncStore, judged: &[Judged]) -> Result<(), StoreError> {
        let mut claimed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for claim in judged.iter().flat_map(|judged| &judged.claims) {
            claimed.entry(&claim.scope).or_default().push(claim.key.clone());
        }
        for (scope, mut keys) in claimed {
            keys.sort_unstable();
            keys.dedup();
            for keys in keys.chunks(KEYS_PER_QUERY) {
                for UniqueKey { scope, key, raw_id, .. } in store.find_unique_owners(scope, keys).await? {
                    self.stored.entry(raw_id.clone()).or_default().push((scope.clone(), key.clone()));
                    self.by_key.entry(scope).or_default().insert(key, raw_id);
                }
            }
        }
        Ok(())
    }

    fn find(&self, claim: &Claim) -> Option<&RecordId> {
        self.by_key.get(&claim.scope)?.get(&claim.key)
    }

    fn add(&mut self, key: &UniqueKey) {
        self.by_key.entry(key.scope.clone()).or_default().insert(key.key.clone(), key.raw_id.clone());
    }

    /// Lets a record give up what it had: it is judged anew, and what it keeps is added again.
    pub(super) fn release(&mut self, raw_id: &RecordId) {
        for (scope, key) in self.stored.remove(raw_id).unwrap_or_default() {
            let owners = self.by_key.get_mut(&scope);
            let Some(owners) = owners.filter(|owners| owners.get(&key) == Some(raw_id)) else { continue };
            owners.remove(&key);
        }
    }
}

/// Decides about `judged` in order. New owners are added to `owners`.
pub(super) fn decide(
    collection: Collection,
    judged: Vec<Judged>,
    owners: &mut Owners,
    committed_at: DateTime<Utc>,
) -> Decided {
    let mut decided = Decided::default();
    for Judged { record, verdict, claims } in judged {
        owners.release(&record.id);
        let taken: Vec<QuarantineReason> =
            claims.iter().filter_map(|claim| taken_by_another(claim, &record, owners)).collect();
        match verdict {
            Verdict::Passed(mut row) if taken.is_empty() => {
                row.set_created_at(committed_at);
                for claim in claims {
                    let Claim { scope, key, .. } = claim;
                    let key = UniqueKey { scope, key, collection, raw_id: record.id.clone() };
                    owners.add(&key);
                    decided.unique_keys.push(key);
                }
                let version = RawVersion::from(&record);
                decided.passed.push(PassedRecord { raw_id: record.id, version, rows: vec![row] });
            }
            Verdict::Passed(_) => decided.quarantined.push(quarantined(collection, record, taken, committed_at)),
            Verdict::Failed(mut reasons) => {
                reasons.extend(taken);
                decided.quarantined.push(quarantined(collection, record, reasons, committed_at));
            }
        }
    }
    decided
}

fn taken_by_another(claim: &Claim, record: &RawRecord, owners: &Owners) -> Option<QuarantineReason> {
    let owner = owners.find(claim).filter(|owner| **owner != record.id)?;
    Some(QuarantineReason {
        field: Some(claim.field.as_str().to_owned()),
        rule: "unique".to_owned(),
        message: format!("{} is not unique: record `{owner}` has it", claim.shown),
    })
}

fn quarantined(
    collection: Collection,
    record: RawRecord,
    reasons: Vec<QuarantineReason>,
    at: DateTime<Utc>,
) -> QuarantinedRecord {
    QuarantinedRecord { collection, record, reasons, first_seen_at: at, last_seen_at: at, attempts: 1 }
}
