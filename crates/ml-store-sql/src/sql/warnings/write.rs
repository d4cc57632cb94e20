//! Warnings coming and going with the rows of their record, within the transaction of a sync.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::quarantine::QuarantineReason;
use ml_core::record::Collection;

use super::WarningRow;
use crate::schema::sql::record_warnings;
use crate::types::Instant;

/// Takes the warnings of a record away.
pub(in crate::sql) fn clear(sqlite: &mut SqliteConnection, collection: Collection, raw_id: &str) -> QueryResult<()> {
    let of_record = record_warnings::table
        .filter(record_warnings::collection.eq(collection.name()))
        .filter(record_warnings::raw_id.eq(raw_id));
    diesel::delete(of_record).execute(sqlite)?;
    Ok(())
}

/// Gives warnings to a record that has none.
pub(in crate::sql) fn add(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    raw_id: &str,
    warnings: &[QuarantineReason],
    at: DateTime<Utc>,
) -> QueryResult<()> {
    for (place, warning) in (0_i32..).zip(warnings) {
        let row = WarningRow::new(collection, raw_id, place, warning, Instant(at));
        diesel::insert_into(record_warnings::table).values(row).execute(sqlite)?;
    }
    Ok(())
}
