//! What a batch does to a record, whichever engine it goes to.

use ml_core::id::RecordId;
use ml_core::sync::{
    Advance, Checkpoint, Deletion, RawVersion, RecordLineage, RowRef, SyncBatch, SyncCounts, SyncOutcome,
};

/// Tells whether the record goes, of which `former` is known.
pub(super) fn is_carried(batch: &SyncBatch, deletion: &Deletion, former: &RecordLineage) -> bool {
    former.outcome != SyncOutcome::Deleted
        && deletion.seen.is_none_or(|seen| seen == former.version.content_hash)
        && batch.retained_from.is_none_or(|from| former.version.ingested_at >= from)
}

/// Returns what the batch says of a record.
pub(super) fn lineage(
    batch: &SyncBatch,
    raw_id: RecordId,
    version: RawVersion,
    outcome: SyncOutcome,
    rows: Vec<RowRef>,
) -> RecordLineage {
    RecordLineage { raw_id, version, outcome, rows, pipeline: batch.pipeline.clone(), synced_at: batch.committed_at }
}

/// Returns the rows that the record had, and has no more.
pub(super) fn lost_rows<'f>(former: &'f RecordLineage, next: &RecordLineage) -> impl Iterator<Item = &'f RowRef> {
    former.rows.iter().filter(|place| !next.rows.contains(place))
}

/// Returns the checkpoint after a batch that did `counts`.
pub(super) fn next_checkpoint(
    batch: &SyncBatch,
    advance: &Advance,
    former: Option<Checkpoint>,
    counts: SyncCounts,
) -> Checkpoint {
    let mut total = former.as_ref().map(|former| former.counts).unwrap_or_default();
    total += counts;
    let (token, updated_at) = (advance.to.clone(), batch.committed_at);
    let former_reconciled_at = former.and_then(|former| former.reconciled_at);
    let reconciled_at = if advance.reconciled { Some(updated_at) } else { former_reconciled_at };
    Checkpoint { collection: batch.collection, token, counts: total, updated_at, reconciled_at }
}
