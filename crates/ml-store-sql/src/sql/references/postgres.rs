//! Looking up on PostgreSQL, which compares nothing across types: a column of numbers is asked by value, any other by text.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use ml_core::reference::ColumnRef;
use serde_json::Value;

use super::no_column;
use crate::connection::PostgresConnection;
use crate::error::Failure;

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Bool)]
    is_numeric: bool,
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Bool)]
    is_there: bool,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    place: i64,
}

/// Asks for all values at once.
pub(super) async fn are_present(
    postgres: &mut PostgresConnection,
    column: &ColumnRef,
    values: &[Value],
) -> Result<Vec<bool>, Failure> {
    let (table, name) = (column.table(), column.column());
    let known: Vec<Known> = diesel::sql_query(
        "SELECT type.typcategory = 'N' AS is_numeric FROM pg_attribute AS attribute \
         JOIN pg_type AS type ON type.oid = attribute.atttypid \
         WHERE attribute.attrelid = to_regclass($1) AND attribute.attname = $2 \
         AND attribute.attnum > 0 AND NOT attribute.attisdropped",
    )
    .bind::<Text, _>(table)
    .bind::<Text, _>(name)
    .load(postgres)
    .await?;
    let Some(known) = known.into_iter().next() else {
        let query = diesel::sql_query("SELECT to_regclass($1) IS NOT NULL AS is_there");
        let found: Vec<Table> = query.bind::<Text, _>(table).load(postgres).await?;
        return Err(no_column(column, found.iter().any(|table| table.is_there)).into());
    };
    // Both names were checked to be plain words when they were read.
    let select = |cast: &str| {
        format!(
            "SELECT asked.place FROM unnest($1) WITH ORDINALITY AS asked (value, place) \
             WHERE EXISTS (SELECT FROM \"{table}\" AS looked WHERE looked.\"{name}\"::{cast} = asked.value)"
        )
    };
    let found: Vec<Found> = if known.is_numeric {
        let asked: Vec<Option<f64>> = values.iter().map(number).collect();
        diesel::sql_query(select("float8")).bind::<Array<Nullable<Double>>, _>(asked).load(postgres).await?
    } else {
        let asked: Vec<Option<String>> = values.iter().map(text).collect();
        diesel::sql_query(select("text")).bind::<Array<Nullable<Text>>, _>(asked).load(postgres).await?
    };
    let mut are_present = vec![false; values.len()];
    for Found { place } in found {
        are_present[place as usize - 1] = true;
    }
    Ok(are_present)
}

/// Returns the number that a value is, or that its text reads as.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    }
}

/// Returns a text as it is, and anything else as it prints; null is nowhere, nor is a text that no column can hold.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.contains('\0') => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
