//! The last word on judged records: who owns which unique value.
//!
//! Records are decided in order, so that the first of two with the same value owns it, wherever the batches are cut. Where the
//! better of two duplicates is kept, the other gives way, also when it passed long ago.

use chrono::{DateTime, Utc};

use ml_core::id::RecordId;
use ml_core::quarantine::{QuarantineReason, QuarantinedRecord};
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::{PassedRecord, RawVersion, UniqueKey};

use super::SyncError;
use super::owners::{Contest, Owners, Replaceable};
use crate::pipeline::{Blocked, Judged, Pipeline, Verdict};
use crate::rule::{Claim, Severity};

/// What becomes of some records.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// When it was decided, which is from when rows are known.
    pub(super) at: DateTime<Utc>,
    pub(super) passed: Vec<PassedRecord>,
    pub(super) quarantined: Vec<QuarantinedRecord>,
    /// Records that passed before, and now give way to a better duplicate.
    pub(super) displaced: Vec<QuarantinedRecord>,
    /// How many of those passed in the same replay.
    pub(super) n_displaced_here: u64,
    pub(super) unique_keys: Vec<UniqueKey>,
    /// The first record that breaks a rule which lets nothing of the batch pass.
    blocked: Option<(RecordId, Blocked)>,
}

impl Decided {
    /// Returns an error when a rule lets nothing of the batch pass.
    pub(super) fn check_blocked(&self, collection: Collection) -> Result<(), SyncError> {
        let Some((raw_id, blocked)) = self.blocked.clone() else { return Ok(()) };
        let Blocked { place, reason } = blocked;
        let field = reason.field.map(|field| format!("{field}: ")).unwrap_or_default();
        Err(SyncError::Blocked {
            collection,
            raw_id,
            place,
            rule: reason.rule,
            message: format!("{field}{}", reason.message),
        })
    }
}

/// Decides about `judged` in order. New owners are added to `owners`.
pub(super) fn decide(
    collection: Collection,
    judged: Vec<Judged>,
    owners: &mut Owners,
    pipeline: &Pipeline,
    committed_at: DateTime<Utc>,
) -> Decided {
    let mut decided = Decided { at: committed_at, ..Decided::default() };
    for judged in judged {
        owners.release(&judged.record.id);
        decided.add(collection, judged, owners, pipeline, committed_at);
    }
    decided
}

/// How the claims of a record end.
#[derive(Default)]
struct Claimed {
    taken: Vec<QuarantineReason>,
    warnings: Vec<QuarantineReason>,
    kept: Vec<Claim>,
    /// Who gives way, and why.
    displaced: Vec<(RecordId, QuarantineReason)>,
    blocked: Option<Blocked>,
}

impl Decided {
    fn add(
        &mut self,
        collection: Collection,
        judged: Judged,
        owners: &mut Owners,
        pipeline: &Pipeline,
        at: DateTime<Utc>,
    ) {
        let Judged { record, verdict, claims, mut warnings, blocked, .. } = judged;
        let claimed = contest(claims, &record, owners, pipeline);
        if let Some(blocked) = blocked.or(claimed.blocked) {
            self.blocked.get_or_insert_with(|| (record.id.clone(), blocked));
        }
        let mut rows = match verdict {
            Verdict::Passed(rows) if claimed.taken.is_empty() => rows,
            Verdict::Passed(_) => return self.quarantined.push(quarantined(collection, record, claimed.taken, at)),
            Verdict::Failed(mut reasons) => {
                reasons.extend(claimed.taken);
                return self.quarantined.push(quarantined(collection, record, reasons, at));
            }
        };
        for (raw_id, reason) in claimed.displaced {
            self.displace(collection, &raw_id, reason, owners, at);
        }
        for row in &mut rows {
            row.set_created_at(at);
        }
        let mut is_ranked = false;
        for Claim { scope, key, rank, .. } in claimed.kept {
            let key = UniqueKey { scope, key, collection, raw_id: record.id.clone() };
            owners.add(&key, rank);
            is_ranked |= rank.is_some();
            self.unique_keys.push(key);
        }
        warnings.extend(claimed.warnings);
        let version = RawVersion::from(&record);
        self.passed.push(PassedRecord { raw_id: record.id.clone(), version, rows, warnings });
        if is_ranked {
            owners.add_replaceable(record);
        }
    }

    /// Puts a record that passed into quarantine, for a better duplicate came.
    fn displace(
        &mut self,
        collection: Collection,
        raw_id: &RecordId,
        reason: QuarantineReason,
        owners: &mut Owners,
        at: DateTime<Utc>,
    ) {
        let Some(Replaceable { record, passed_here }) = owners.replace(raw_id) else { return };
        let entry = quarantined(collection, record, vec![reason], at);
        self.unique_keys.retain(|key| key.raw_id != *raw_id);
        match self.passed.iter().position(|passed| passed.raw_id == *raw_id) {
            Some(index) => {
                self.passed.remove(index);
                self.quarantined.push(entry);
            }
            None => {
                self.n_displaced_here += u64::from(passed_here);
                self.displaced.push(entry);
            }
        }
    }
}

fn contest(claims: Vec<Claim>, record: &RawRecord, owners: &Owners, pipeline: &Pipeline) -> Claimed {
    let mut claimed = Claimed::default();
    for claim in claims {
        let rule = if claim.rank.is_some() { "dedup" } else { "unique" };
        let field = Some(claim.field.as_str().to_owned());
        let reason = |message: String| QuarantineReason { field: field.clone(), rule: rule.to_owned(), message };
        let owner = match owners.contest(&claim, &record.id) {
            Contest::Free => {
                claimed.kept.push(claim);
                continue;
            }
            Contest::Won(owner) if claim.severity == Severity::Quarantine => {
                let message = format!("{} is a duplicate: record `{}` takes its place", claim.shown, record.id);
                claimed.displaced.push((owner.clone(), reason(message)));
                claimed.kept.push(claim);
                continue;
            }
            Contest::Won(owner) | Contest::Taken(owner) => owner,
        };
        let message = match (claim.rank, claim.severity) {
            (Some(_), Severity::Quarantine) => format!("{} is a duplicate: record `{owner}` is kept", claim.shown),
            (Some(_), _) => format!("{} is a duplicate: record `{owner}` has the same values", claim.shown),
            (None, _) => format!("{} is not unique: record `{owner}` has it", claim.shown),
        };
        match claim.severity {
            Severity::Warn => claimed.warnings.push(reason(message)),
            Severity::Quarantine => claimed.taken.push(reason(message)),
            Severity::Block => {
                let place = pipeline.place_of(claim.rule).to_owned();
                claimed.blocked.get_or_insert(Blocked { place, reason: reason(message.clone()) });
                claimed.taken.push(reason(message));
            }
        }
    }
    claimed
}

fn quarantined(
    collection: Collection,
    record: RawRecord,
    reasons: Vec<QuarantineReason>,
    at: DateTime<Utc>,
) -> QuarantinedRecord {
    QuarantinedRecord { collection, record, reasons, first_seen_at: at, last_seen_at: at, attempts: 1 }
}
