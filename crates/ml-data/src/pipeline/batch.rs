//! Judging the records of a batch on every processor, and what can only be said about them together.

use std::sync::Arc;

use rayon::prelude::*;

use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::quarantine::QuarantineReason;
use ml_core::record::{Collection, RawRecord};

use super::Pipeline;
use super::judge::{Judged, Verdict};

/// The fewest records that are worth handing to another processor.
const MIN_PER_TASK: usize = 64;

/// What the records judged in one call are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// What came together: a share of them may break a rule that says `mostly`.
    Batch,
    /// Picked one by one, such as those in quarantine: each must keep every rule by itself.
    Each,
}

/// Why a batch could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A record breaks a rule whose severity is `block`; nothing of the batch may be committed.
    #[error(
        "record `{id}` breaks a rule that blocks: {} ({}); nothing of its batch was committed: mend the record or the rule, \
         or lower its severity, and sync again",
        reason.message, reason.rule
    )]
    Blocked {
        /// The first record of the batch that does.
        id: RecordId,
        /// What it breaks.
        reason: QuarantineReason,
    },
    /// A table that a rule refers to could not be read.
    #[error("a rule could not be asked")]
    Store(#[source] StoreError),
}

/// Judges `records` by everything but uniqueness, in order.
pub async fn judge_batch(
    pipeline: &Arc<Pipeline>,
    collection: Collection,
    records: Vec<RawRecord>,
    _window: Window,
) -> Result<Vec<Judged>, JudgeError> {
    let shared = Arc::clone(pipeline);
    let judge_all = move || {
        let records = records.into_par_iter().with_min_len(MIN_PER_TASK);
        records.map(|record| shared.judge(collection, record)).collect::<Vec<Judged>>()
    };
    let judged = match tokio::task::spawn_blocking(judge_all).await {
        Ok(judged) => judged,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    refuse_blocked(judged)
}

fn refuse_blocked(judged: Vec<Judged>) -> Result<Vec<Judged>, JudgeError> {
    for Judged { record, verdict, .. } in &judged {
        if let Verdict::Blocked(reason) = verdict {
            return Err(JudgeError::Blocked { id: record.id.clone(), reason: reason.clone() });
        }
    }
    Ok(judged)
}
