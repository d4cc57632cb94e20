//! Records to a batch: judged in parallel, then in order as far as values must be unique.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rayon::prelude::*;

use ml_core::clock::Clock;
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::quarantine::{QuarantineReason, QuarantinedRecord};
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::{Advance, SyncBatch, SyncStore, UniqueKey};

use crate::pipeline::{Judged, Pipeline, Verdict};
use crate::rule::Claim;
use crate::target::set_created_at;

use super::SyncError;

/// What records are judged with.
pub(super) struct Judge<'a> {
    pub(super) store: &'a dyn SyncStore,
    pub(super) pipeline: &'a Arc<Pipeline>,
    pub(super) clock: &'a dyn Clock,
}

/// Who owns which values, by scope and key: first those of the store, then those of the batch.
type Owners = HashMap<(String, String), RecordId>;

impl Judge<'_> {
    /// Judges `records`, in their order, into a batch that can be committed.
    pub(super) async fn judge(
        &self,
        collection: Collection,
        records: Vec<RawRecord>,
        advance: Option<Advance>,
    ) -> Result<SyncBatch, SyncError> {
        let pipeline = Arc::clone(self.pipeline);
        let work = move || records.into_par_iter().map(|record| pipeline.judge(collection, record)).collect();
        let judged: Vec<Judged> = tokio::task::spawn_blocking(work)
            .await
            .map_err(|source| SyncError::Panicked { collection, source })?;
        let mut owners = self.owners_of(&judged).await?;

        let committed_at = self.clock.now();
        let mut batch =
            SyncBatch { collection, advance, rows: Vec::new(), quarantined: Vec::new(), unique_keys: Vec::new(), committed_at };
        for judged in judged {
            add(&mut batch, judged, &mut owners);
        }
        Ok(batch)
    }

    async fn owners_of(&self, judged: &[Judged]) -> Result<Owners, StoreError> {
        let mut keys: HashMap<&str, Vec<String>> = HashMap::new();
        for claim in judged.iter().flat_map(|judged| &judged.claims) {
            keys.entry(&claim.scope).or_default().push(claim.key.clone());
        }
        let mut owners = Owners::new();
        for (scope, keys) in keys {
            for owner in self.store.find_unique_owners(scope, &keys).await? {
                owners.insert((owner.scope, owner.key), owner.raw_id);
            }
        }
        Ok(owners)
    }
}

fn add(batch: &mut SyncBatch, judged: Judged, owners: &mut Owners) {
    let Judged { record, verdict, claims } = judged;
    let taken: Vec<QuarantineReason> = claims.iter().filter_map(|claim| reason_of_taken(claim, &record.id, owners)).collect();
    match verdict {
        Verdict::Passed(mut row) if taken.is_empty() => {
            for claim in claims {
                own(batch, claim, &record.id, owners);
            }
            set_created_at(&mut row, batch.committed_at);
            batch.rows.push(*row);
        }
        Verdict::Passed(_) => batch.quarantined.push(held_back(batch, record, taken)),
        Verdict::Failed(mut reasons) => {
            reasons.extend(taken);
            batch.quarantined.push(held_back(batch, record, reasons));
        }
    }
}

fn reason_of_taken(claim: &Claim, id: &RecordId, owners: &Owners) -> Option<QuarantineReason> {
    let owner = owners.get(&(claim.scope.clone(), claim.key.clone())).filter(|owner| *owner != id)?;
    Some(QuarantineReason {
        field: Some(claim.field.to_string()),
        rule: "unique".to_owned(),
        message: format!("{} is that of record `{owner}` already", claim.shown),
    })
}

fn own(batch: &mut SyncBatch, claim: Claim, id: &RecordId, owners: &mut Owners) {
    if let Entry::Vacant(free) = owners.entry((claim.scope.clone(), claim.key.clone())) {
        free.insert(id.clone());
        batch.unique_keys.push(UniqueKey { scope: claim.scope, key: claim.key, raw_id: id.clone() });
    }
}

fn held_back(batch: &SyncBatch, record: RawRecord, reasons: Vec<QuarantineReason>) -> QuarantinedRecord {
    QuarantinedRecord {
        collection: batch.collection,
        record,
        reasons,
        first_seen_at: batch.committed_at,
        last_seen_at: batch.committed_at,
        attempts: 1,
    }
}
