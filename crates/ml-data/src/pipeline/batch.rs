//! Judging the records of a batch on every processor.

use std::sync::Arc;

use rayon::prelude::*;

use ml_core::record::{Collection, RawRecord};

use super::Pipeline;
use super::judge::Judged;

/// The fewest records that are worth handing to another processor.
const MIN_PER_TASK: usize = 64;

/// Judges `records` by everything but uniqueness, in order.
pub async fn judge_batch(pipeline: &Arc<Pipeline>, collection: Collection, records: Vec<RawRecord>) -> Vec<Judged> {
    let pipeline = Arc::clone(pipeline);
    let judge_all = move || {
        let records = records.into_par_iter().with_min_len(MIN_PER_TASK);
        records.map(|record| pipeline.judge(collection, record)).collect()
    };
    match tokio::task::spawn_blocking(judge_all).await {
        Ok(judged) => judged,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
