//! Values looked up in the columns of tables, ours or others in the same file.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use ml_core::error::{Entity, StoreError};
use ml_core::reference::{ColumnRef, ReferenceStore};
use serde_json::Value;

use crate::error::Failure;
use crate::sql::SqlStore;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    place: i64,
}

#[async_trait]
impl ReferenceStore for SqlStore {
    async fn are_present(&self, column: &ColumnRef, values: &[Value]) -> Result<Vec<bool>, StoreError> {
        let column = column.clone();
        let n_values = values.len();
        let values = Value::from(values).to_string();
        self.database
            .read_blocking("looking values up", move |sqlite| are_present(sqlite, &column, &values, n_values))
            .await
    }
}

/// Asks for all values at once. SQLite compares a text with a number by value; a number in a column of text is asked for as it prints.
fn are_present(
    sqlite: &mut SqliteConnection,
    column: &ColumnRef,
    values: &str,
    n_values: usize,
) -> Result<Vec<bool>, Failure> {
    let (table, name) = (column.table(), column.column());
    let known = diesel::sql_query("SELECT cid AS place FROM pragma_table_info(?) WHERE name = ?")
        .bind::<Text, _>(table)
        .bind::<Text, _>(name);
    if known.load::<Found>(sqlite)?.is_empty() {
        return Err(StoreError::not_found(Entity::Column, format!("{table}.{name}")).into());
    }
    // Both names were checked to be plain words when they were read.
    let select = format!(
        "SELECT asked.key AS place FROM json_each(?) AS asked \
         WHERE EXISTS (SELECT 1 FROM \"{table}\" AS looked WHERE looked.\"{name}\" = asked.value \
         OR (asked.type IN ('integer', 'real') AND looked.\"{name}\" = CAST(asked.value AS TEXT)))"
    );
    let mut are_present = vec![false; n_values];
    for Found { place } in diesel::sql_query(select).bind::<Text, _>(values).load::<Found>(sqlite)? {
        are_present[place as usize] = true;
    }
    Ok(are_present)
}
