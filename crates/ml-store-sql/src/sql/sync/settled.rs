//! `settled_past`: the latest instant up to which nothing changes any more.
//!
//! Whoever commits reads it in the transaction that writes. SQLite runs writing transactions one after the other, so that a
//! commit is either visible before an instant is settled, or finds it settled.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use crate::schema::sql::settled_past;
use crate::types::Instant;

/// The only row.
const ID: i32 = 1;

/// Returns the latest settled instant, if any was.
pub(super) fn find(sqlite: &mut SqliteConnection) -> QueryResult<Option<DateTime<Utc>>> {
    let found: Option<Instant> =
        settled_past::table.find(ID).select(settled_past::as_of).get_result(sqlite).optional()?;
    Ok(found.map(|instant| instant.0))
}

/// Settles the past up to `as_of`, which is after the latest settled instant.
pub(super) fn save(sqlite: &mut SqliteConnection, as_of: DateTime<Utc>) -> QueryResult<()> {
    let as_of = settled_past::as_of.eq(Instant(as_of));
    diesel::insert_into(settled_past::table)
        .values((settled_past::id.eq(ID), as_of))
        .on_conflict(settled_past::id)
        .do_update()
        .set(as_of)
        .execute(sqlite)?;
    Ok(())
}
