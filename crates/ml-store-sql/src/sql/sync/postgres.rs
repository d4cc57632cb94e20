//! A batch on its way into the tables on PostgreSQL: read what is there, decide, and write each table in one statement.
//!
//! However large the batch is, the server is asked a fixed number of times. Commits of one collection take turns. Those of
//! others run beside them, for mostly the keys of rows begin with the collection; where they do not, the commits that write the
//! same table take turns too. Where two meet in a row or a unique value after all, one of them is done from the start again.

mod plan;
mod rows;

use std::collections::BTreeMap;

use diesel::QueryResult;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::quarantine::QuarantineReason;
use ml_core::sync::{Deletion, SyncBatch, SyncCounts, UniqueKey};

use self::plan::Plan;
use self::rows::Rows;
use super::{checkpoint, decide, lineage, settled, unique};
use crate::connection::{PostgresConnection, PostgresDatabase};
use crate::error::Failure;
use crate::prepared::prepared_text;
use crate::sql::quarantine::bulk as quarantine;
use crate::sql::warnings::bulk as warnings;

/// Writes everything in one transaction, and returns what that did.
pub(super) async fn commit(postgres: &PostgresDatabase, batch: &SyncBatch) -> Result<SyncCounts, StoreError> {
    postgres.write("committing a sync", async |postgres| write(postgres, batch).await).await
}

async fn write(postgres: &mut PostgresConnection, batch: &SyncBatch) -> Result<SyncCounts, Failure> {
    settled::hold_off(postgres).await?;
    take_turn(postgres, batch.collection.name()).await?;
    // Each in a statement after those that wait, for a statement sees what was committed when it began.
    let former = checkpoint::find_on_postgres(postgres, batch.collection).await?;
    if let Some(advance) = &batch.advance {
        checkpoint::check_position(batch.collection, former.as_ref(), advance)?;
    }
    let settled = settled::find_on_postgres(postgres).await?;
    let batch = &*batch.stamped_after(settled);
    let counts = write_records(postgres, batch).await?;
    if let Some(advance) = &batch.advance {
        let next = decide::next_checkpoint(batch, advance, former, counts);
        checkpoint::save_on_postgres(postgres, &next).await?;
    }
    Ok(counts)
}

/// Waits for other commits that write `thing`, and keeps them waiting until this transaction ends.
async fn take_turn(postgres: &mut PostgresConnection, thing: &str) -> QueryResult<()> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/sync/' || $1, 0))";
    prepared_text(diesel::sql_query(lock).bind::<Text, _>(thing)).execute(postgres).await?;
    Ok(())
}

async fn write_records(postgres: &mut PostgresConnection, batch: &SyncBatch) -> Result<SyncCounts, Failure> {
    let collection = batch.collection;
    let former = lineage::find_on_postgres(postgres, collection, &raw_ids_of(batch)).await?;
    let plan = Plan::new(batch, former);
    let mut counts = plan.counts;
    let mut rows = Rows::load(postgres, collection, &plan.records).await?;
    for record in &plan.records {
        let is_changed = rows.follow(record);
        if record.is_passed {
            let count = if is_changed { &mut counts.written } else { &mut counts.unchanged };
            *count += 1;
        }
    }
    rows.replace(postgres).await?;
    let known: Vec<&str> = plan.known.iter().map(|lineage| lineage.raw_id.as_str()).collect();
    let claims = first_claims(&batch.unique_keys);
    if !known.is_empty() {
        unique::release_all(postgres, collection, &known, &claims).await?;
    }
    if !claims.is_empty() {
        unique::claim_all(postgres, &claims).await?;
    }
    warnings::clear_all(postgres, collection, &known).await?;
    warnings::add_all(postgres, collection, &warned(&plan), batch.committed_at.into()).await?;
    quarantine::release_all(postgres, collection, &plan.leaving).await?;
    quarantine::enter_all(postgres, collection, &plan.entering, &plan.renewed).await?;
    lineage::replace_all(postgres, collection, plan.known).await?;
    let insert_lineage = async { Ok(lineage::insert_all(postgres, collection, plan.new).await?) };
    futures::future::try_join(rows.insert(postgres), insert_lineage).await?;
    Ok(counts)
}

/// Returns the records that passed with warnings.
fn warned<'b>(plan: &Plan<'b>) -> Vec<(&'b str, &'b [QuarantineReason])> {
    let warned = plan.records.iter().filter(|record| !record.warnings.is_empty());
    warned.map(|record| (record.raw_id.as_str(), record.warnings)).collect()
}

/// Returns the id of each record of the batch, once and in order: the server finds them fastest like that.
fn raw_ids_of(batch: &SyncBatch) -> Vec<&str> {
    let passed = batch.passed.iter().map(|record| &record.raw_id);
    let quarantined = batch.quarantined.iter().map(|quarantined| &quarantined.record.id);
    let deleted = batch.deleted.iter().map(|Deletion { raw_id, .. }| raw_id);
    let mut raw_ids: Vec<&str> = passed.chain(quarantined).chain(deleted).map(RecordId::as_str).collect();
    raw_ids.sort_unstable();
    raw_ids.dedup();
    raw_ids
}

/// Returns the first claim to each value, in the order that every commit locks them in.
fn first_claims(claims: &[UniqueKey]) -> Vec<&UniqueKey> {
    let mut first = BTreeMap::new();
    for claim in claims {
        first.entry((&claim.scope, &claim.key)).or_insert(claim);
    }
    first.into_values().collect()
}
