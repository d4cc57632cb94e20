//! Into quarantine and out of it, within the transaction of a sync.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::id::RecordId;
use ml_core::record::Collection;

use super::QuarantineRow;
use crate::schema::sql::{quarantine, quarantine_reasons};

/// Lets the records with these ids out of quarantine, where most of them never were.
pub(in crate::sql) fn release(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    raw_ids: &[RecordId],
) -> QueryResult<()> {
    let of_collection = quarantine::table.filter(quarantine::collection.eq(collection.name()));
    if !diesel::select(diesel::dsl::exists(of_collection)).get_result(sqlite)? {
        return Ok(());
    }
    for raw_id in raw_ids {
        diesel::delete(quarantine::table.find((collection.name(), raw_id.as_str()))).execute(sqlite)?;
    }
    Ok(())
}

/// Puts a record into quarantine, or renews its reasons and counts one attempt more.
pub(in crate::sql) fn enter(sqlite: &mut SqliteConnection, quarantined: &QuarantineRow) -> QueryResult<()> {
    let row = &quarantined.row;
    diesel::insert_into(quarantine::table)
        .values(row)
        .on_conflict((quarantine::collection, quarantine::raw_id))
        .do_update()
        .set((
            quarantine::data_type.eq(&row.data_type),
            quarantine::source_app.eq(&row.source_app),
            quarantine::record.eq(&row.record),
            quarantine::reasons.eq(&row.reasons),
            quarantine::last_seen_at.eq(&row.last_seen_at),
            quarantine::attempts.eq(quarantine::attempts + 1),
        ))
        .execute(sqlite)?;
    let former = quarantine_reasons::table
        .filter(quarantine_reasons::collection.eq(&row.collection))
        .filter(quarantine_reasons::raw_id.eq(&row.raw_id));
    diesel::delete(former).execute(sqlite)?;
    for (place, (rule, field)) in (0_i32..).zip(&quarantined.reasons) {
        diesel::insert_into(quarantine_reasons::table)
            .values((
                quarantine_reasons::collection.eq(&row.collection),
                quarantine_reasons::raw_id.eq(&row.raw_id),
                quarantine_reasons::place.eq(place),
                quarantine_reasons::rule.eq(rule),
                quarantine_reasons::field.eq(field),
            ))
            .execute(sqlite)?;
    }
    Ok(())
}
