//! Records that are gone, at the places of their deletions in the order of changes.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::record::Collection;

use crate::schema::documents::deleted_records;

/// Returns whether any record of the collection is gone.
pub(super) fn exist(sqlite: &mut SqliteConnection, collection: Collection) -> QueryResult<bool> {
    let of_collection = deleted_records::table.filter(deleted_records::collection.eq(collection.name()));
    diesel::select(diesel::dsl::exists(of_collection)).get_result(sqlite)
}

/// Says that the record went at `seq`.
pub(super) fn add(sqlite: &mut SqliteConnection, collection: Collection, seq: i64, id: &str) -> QueryResult<()> {
    diesel::insert_into(deleted_records::table)
        .values((
            deleted_records::collection.eq(collection.name()),
            deleted_records::seq.eq(seq),
            deleted_records::id.eq(id),
        ))
        .execute(sqlite)?;
    Ok(())
}

/// Says that the record is there again.
pub(super) fn remove(sqlite: &mut SqliteConnection, collection: Collection, id: &str) -> QueryResult<()> {
    let of_record = deleted_records::table
        .filter(deleted_records::collection.eq(collection.name()))
        .filter(deleted_records::id.eq(id));
    diesel::delete(of_record).execute(sqlite)?;
    Ok(())
}

/// Lists which records went after a place, each with its own, in order.
pub(super) fn list_after(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<(i64, String)>> {
    deleted_records::table
        .filter(deleted_records::collection.eq(collection.name()))
        .filter(deleted_records::seq.gt(after))
        .order(deleted_records::seq)
        .limit(limit)
        .select((deleted_records::seq, deleted_records::id))
        .load(sqlite)
}

/// Counts the records that went after a place.
pub(super) fn count_after(sqlite: &mut SqliteConnection, collection: Collection, after: i64) -> QueryResult<i64> {
    deleted_records::table
        .filter(deleted_records::collection.eq(collection.name()))
        .filter(deleted_records::seq.gt(after))
        .count()
        .get_result(sqlite)
}
