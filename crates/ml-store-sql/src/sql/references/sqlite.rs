//! Looking up on SQLite, which compares a text with a number by value where the column is one of numbers.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use ml_core::reference::ColumnRef;
use serde_json::Value;

use super::no_column;
use crate::error::Failure;
use crate::types::JsonText;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    place: i64,
}

/// Asks for all values at once. A number in a column of text is asked for as it prints.
pub(super) fn are_present(
    sqlite: &mut SqliteConnection,
    column: &ColumnRef,
    values: &[Value],
) -> Result<Vec<bool>, Failure> {
    let (table, name) = (column.table(), column.column());
    // 1 for the column that is asked for, 0 for the others.
    let known = diesel::sql_query("SELECT name = ? AS place FROM pragma_table_info(?) ORDER BY place DESC LIMIT 1")
        .bind::<Text, _>(name)
        .bind::<Text, _>(table);
    match known.load::<Found>(sqlite)?[..] {
        [Found { place: 1 }] => {}
        ref others => return Err(no_column(column, !others.is_empty()).into()),
    }
    // Both names were checked to be plain words when they were read.
    let select = format!(
        "SELECT asked.key AS place FROM json_each(?) AS asked \
         WHERE EXISTS (SELECT 1 FROM \"{table}\" AS looked WHERE looked.\"{name}\" = asked.value \
         OR (asked.type IN ('integer', 'real') AND looked.\"{name}\" = CAST(asked.value AS TEXT)))"
    );
    let JsonText(asked) = JsonText::of(&values);
    let mut are_present = vec![false; values.len()];
    for Found { place } in diesel::sql_query(select).bind::<Text, _>(asked).load::<Found>(sqlite)? {
        are_present[place as usize] = true;
    }
    Ok(are_present)
}
