//! `settled_past`: the latest instant up to which nothing changes any more.
//!
//! Whoever commits reads it in the transaction that writes. SQLite runs writing transactions one after the other, so that a
//! commit is either visible before an instant is settled, or finds it settled. On PostgreSQL commits run side by side and share
//! a lock; who settles waits for those who have it, and then has it alone.

use chrono::{DateTime, Utc};
use diesel::prelude::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _};
use diesel::query_dsl::methods::FilterDsl;
use diesel::sqlite::SqliteConnection;
use diesel::upsert::excluded;
use diesel::{QueryResult, RunQueryDsl};
use diesel_async::RunQueryDsl as AsyncRunQueryDsl;

use crate::connection::{Connection, PostgresConnection, on_backend};
use crate::prepared::prepared_text;
use crate::schema::sql::settled_past;
use crate::types::Instant;

/// The only row.
const ID: i32 = 1;

/// Selects the latest settled instant.
macro_rules! latest {
    () => {
        settled_past::table.find(ID).select(settled_past::as_of)
    };
}

/// Returns the latest settled instant, if any was.
pub(super) async fn find(connection: &mut Connection) -> QueryResult<Option<DateTime<Utc>>> {
    let found: Option<Instant> =
        on_backend!(connection => AsyncRunQueryDsl::get_result(latest!(), connection).await).optional()?;
    Ok(found.map(|instant| instant.0))
}

/// Returns the latest settled instant, if any was.
pub(super) fn find_on_sqlite(sqlite: &mut SqliteConnection) -> QueryResult<Option<DateTime<Utc>>> {
    let found: Option<Instant> = RunQueryDsl::get_result(latest!(), sqlite).optional()?;
    Ok(found.map(|instant| instant.0))
}

/// Returns the latest settled instant, if any was, to a commit that holds the lock.
pub(super) async fn find_on_postgres(postgres: &mut PostgresConnection) -> QueryResult<Option<DateTime<Utc>>> {
    let found: Option<Instant> = AsyncRunQueryDsl::get_result(latest!(), postgres).await.optional()?;
    Ok(found.map(|instant| instant.0))
}

/// Settles the past up to `as_of`, which is after the latest settled instant.
pub(super) fn save_on_sqlite(sqlite: &mut SqliteConnection, as_of: DateTime<Utc>) -> QueryResult<()> {
    let as_of = settled_past::as_of.eq(Instant(as_of));
    let upsert = diesel::insert_into(settled_past::table)
        .values((settled_past::id.eq(ID), as_of))
        .on_conflict(settled_past::id)
        .do_update()
        .set(as_of);
    RunQueryDsl::execute(upsert, sqlite)?;
    Ok(())
}

/// Settles the past up to `as_of`, unless it is settled further already.
pub(super) async fn save_on_postgres(postgres: &mut PostgresConnection, as_of: DateTime<Utc>) -> QueryResult<()> {
    let upsert = diesel::insert_into(settled_past::table)
        .values((settled_past::id.eq(ID), settled_past::as_of.eq(Instant(as_of))))
        .on_conflict(settled_past::id)
        .do_update()
        .set(settled_past::as_of.eq(excluded(settled_past::as_of)));
    let upsert = FilterDsl::filter(upsert, settled_past::as_of.lt(excluded(settled_past::as_of)));
    AsyncRunQueryDsl::execute(upsert, postgres).await?;
    Ok(())
}

/// Waits for the commits that are under way, and keeps others waiting until this transaction ends.
pub(super) async fn wait_for_commits(postgres: &mut PostgresConnection) -> QueryResult<()> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/settled_past', 0))";
    AsyncRunQueryDsl::execute(diesel::sql_query(lock), postgres).await?;
    Ok(())
}

/// Keeps those who settle the past waiting until the commit of this transaction is visible.
///
/// The instant has to be read by a later statement, which sees what was committed while this one waited.
pub(super) async fn hold_off(postgres: &mut PostgresConnection) -> QueryResult<()> {
    let lock = "SELECT pg_advisory_xact_lock_shared(hashtextextended(current_schema() || '/settled_past', 0))";
    AsyncRunQueryDsl::execute(prepared_text(diesel::sql_query(lock)), postgres).await?;
    Ok(())
}
