//! Into quarantine and out of it, many records at a time, within the transaction of a sync on PostgreSQL.

use std::collections::BTreeMap;

use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel::sql_types::{Array, BigInt, Integer, Json, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use ml_core::quarantine::QuarantinedRecord;
use ml_core::record::Collection;

use super::{QuarantineRow, RecordRow};
use crate::connection::PostgresConnection;
use crate::prepared::prepared_text;
use crate::schema::sql::quarantine_reasons;
use crate::sql::validated::arrays::insert_arrays;
use crate::types::{UtcTimestamp, WithoutNul as _};

/// Renews the reasons of a record that is there, and counts one attempt more.
const OR_RENEW: &str = " ON CONFLICT (collection, raw_id) DO UPDATE SET data_type = excluded.data_type, \
                        source_app = excluded.source_app, record = excluded.record, reasons = excluded.reasons, \
                        last_seen_at = excluded.last_seen_at, attempts = quarantine.attempts + 1";

/// A row of `quarantine_reasons`.
struct ReasonRow<'q> {
    collection: &'q str,
    raw_id: &'q str,
    place: i32,
    rule: String,
    field: Option<String>,
}

/// Lets the records with these ids out of quarantine, where most of them never were: often none between the first and the last of
/// a batch, which is looked at first.
pub(in crate::sql) async fn release_all(
    postgres: &mut PostgresConnection,
    collection: Collection,
    raw_ids: &[&str],
) -> QueryResult<()> {
    let (Some(first), Some(last)) = (raw_ids.iter().min(), raw_ids.iter().max()) else { return Ok(()) };
    let delete = diesel::sql_query(
        "DELETE FROM quarantine WHERE collection = $1 AND raw_id = ANY($2) \
         AND EXISTS (SELECT FROM quarantine AS one WHERE one.collection = $1 AND one.raw_id BETWEEN $3 AND $4)",
    )
    .bind::<Text, _>(collection.name())
    .bind::<Array<Text>, _>(raw_ids)
    .bind::<Text, _>(first)
    .bind::<Text, _>(last);
    prepared_text(delete).execute(postgres).await?;
    Ok(())
}

/// Puts records into quarantine, or renews their reasons and counts one attempt more; of those with the same id the last. Only
/// those with the ids `renewed` may be there.
pub(in crate::sql) async fn enter_all(
    postgres: &mut PostgresConnection,
    collection: Collection,
    records: &[&QuarantinedRecord],
    renewed: &[&str],
) -> QueryResult<()> {
    if records.is_empty() {
        return Ok(());
    }
    let by_id: BTreeMap<&str, &QuarantinedRecord> =
        records.iter().map(|record| (record.record.id.as_str(), *record)).collect();
    let entering: Vec<QuarantineRow> = by_id.into_values().map(QuarantineRow::from).collect();
    let rows: Vec<&RecordRow> = entering.iter().map(|quarantined| &quarantined.row).collect();
    save(postgres, &rows).await?;
    if !renewed.is_empty() {
        let former = quarantine_reasons::table
            .filter(quarantine_reasons::collection.eq(collection.name()))
            .filter(quarantine_reasons::raw_id.eq_any(renewed));
        diesel::delete(former).execute(postgres).await?;
    }
    let reasons: Vec<ReasonRow<'_>> = entering.iter().flat_map(reasons_of).collect();
    insert_arrays!(
        postgres, "quarantine_reasons", &reasons, "",
        each: {
            raw_id: Text,
            place: Integer,
        },
        alike: {
            collection: Text,
            rule: Text,
            field: Nullable<Text>,
        },
    )?;
    Ok(())
}

async fn save(postgres: &mut PostgresConnection, rows: &[&RecordRow]) -> QueryResult<()> {
    insert_arrays!(
        postgres, "quarantine", rows, OR_RENEW,
        each: {
            raw_id: Text,
            record: Json,
            reasons: Json,
        },
        alike: {
            collection: Text,
            data_type: Text,
            source_app: Text,
            first_seen_at: UtcTimestamp,
            last_seen_at: UtcTimestamp,
            attempts: BigInt,
        },
    )?;
    Ok(())
}

fn reasons_of(quarantined: &QuarantineRow) -> impl Iterator<Item = ReasonRow<'_>> {
    let row = &quarantined.row;
    (0_i32..).zip(&quarantined.reasons).map(|(place, (rule, field))| {
        let (mut rule, mut field) = (rule.clone(), field.clone());
        rule.replace_nul();
        field.replace_nul();
        ReasonRow { collection: &row.collection, raw_id: &row.raw_id, place, rule, field }
    })
}
