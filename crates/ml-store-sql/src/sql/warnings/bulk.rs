//! Warnings coming and going with the rows of their records, many at a time, within the transaction of a sync on PostgreSQL.

use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel::sql_types::{Integer, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use ml_core::quarantine::QuarantineReason;
use ml_core::record::Collection;

use super::WarningRow;
use crate::connection::PostgresConnection;
use crate::schema::sql::record_warnings;
use crate::sql::validated::arrays::insert_arrays;
use crate::types::{Instant, UtcTimestamp, WithoutNul as _};

/// Takes the warnings of these records away.
pub(in crate::sql) async fn clear_all(
    postgres: &mut PostgresConnection,
    collection: Collection,
    raw_ids: &[&str],
) -> QueryResult<()> {
    if raw_ids.is_empty() {
        return Ok(());
    }
    let of_records = record_warnings::table
        .filter(record_warnings::collection.eq(collection.name()))
        .filter(record_warnings::raw_id.eq_any(raw_ids));
    diesel::delete(of_records).execute(postgres).await?;
    Ok(())
}

/// Gives records that have none the warnings that stand beside their ids.
pub(in crate::sql) async fn add_all(
    postgres: &mut PostgresConnection,
    collection: Collection,
    warned: &[(&str, &[QuarantineReason])],
    at: Instant,
) -> QueryResult<()> {
    let mut rows = Vec::new();
    for (raw_id, warnings) in warned {
        for (place, warning) in (0_i32..).zip(*warnings) {
            let mut row = WarningRow::new(collection, raw_id, place, warning, at);
            row.rule.replace_nul();
            row.field.replace_nul();
            row.message.replace_nul();
            rows.push(row);
        }
    }
    insert_arrays!(
        postgres, "record_warnings", &rows, "",
        each: {
            raw_id: Text,
            message: Text,
        },
        alike: {
            collection: Text,
            place: Integer,
            rule: Text,
            field: Nullable<Text>,
            warned_at: UtcTimestamp,
        },
    )?;
    Ok(())
}
