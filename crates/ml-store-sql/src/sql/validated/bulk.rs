//! Many rows in one statement, on PostgreSQL: each column goes as one array, so that the statement is the same however many
//! rows there are.

use std::borrow::Cow;

use diesel::QueryResult;
use ml_core::sync::ValidatedRow;

use super::{HashedRow, SupersededRow};
use crate::connection::PostgresConnection;

/// What decides about a stored row, without the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) struct StoredVersion {
    /// The key, in the form that [`BulkRow::key`] has.
    pub(in crate::sql) key: String,
    /// The digest that two versions are compared by.
    pub(in crate::sql) content_hash: String,
    /// The raw record that it was made from.
    pub(in crate::sql) raw_id: String,
}

/// A row of a table that a sync writes in bulk.
///
/// Keys have the form of [`RowRef::id`](ml_core::sync::RowRef::id), and those of truths the raw record after it and a line break.
/// Nothing here takes a key twice.
pub(in crate::sql) trait BulkRow: HashedRow + Send + Sync {
    /// Encodes a row, if it is for this table.
    fn encode(row: &ValidatedRow) -> Option<Self>;

    /// Returns the key.
    fn key(&self) -> Cow<'_, str>;

    /// Returns what decides about those of the rows with these keys that are there; it may return others too.
    fn load_versions(
        postgres: &mut PostgresConnection,
        keys: &[&str],
    ) -> impl Future<Output = QueryResult<Vec<StoredVersion>>> + Send;

    /// Loads the rows with these keys, and maybe others, and keeps them as they are until the transaction ends.
    fn load_locked(
        postgres: &mut PostgresConnection,
        keys: &[&str],
    ) -> impl Future<Output = QueryResult<Vec<Self>>> + Send;

    /// Inserts rows that are not there.
    fn insert_all(postgres: &mut PostgresConnection, rows: &[Self]) -> impl Future<Output = QueryResult<usize>> + Send;

    /// Replaces rows that are there.
    fn replace_all(postgres: &mut PostgresConnection, rows: &[Self])
    -> impl Future<Output = QueryResult<usize>> + Send;

    /// Deletes the rows with these keys.
    fn delete_all(postgres: &mut PostgresConnection, keys: &[&str]) -> impl Future<Output = QueryResult<usize>> + Send;
}

/// Returns the statement that inserts into `table` what arrays hold, one for each of `columns`.
pub(in crate::sql) fn insert_from_arrays(table: &str, columns: &[&str]) -> String {
    let arrays: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    format!("INSERT INTO {table} ({}) SELECT * FROM unnest({})", columns.join(", "), arrays.join(", "))
}

/// Returns the end of such a statement that puts what is new in the place of what has the same `key`.
pub(in crate::sql) fn or_replace(key: &[&str], columns: &[&str]) -> String {
    let columns = columns.iter().filter(|column| !key.contains(column));
    let set: Vec<String> = columns.map(|column| format!("{column} = excluded.{column}")).collect();
    format!(" ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", "))
}

/// Runs `$statement` with an array for each `$column` of `$rows`, which is of the type `$sql_type` in SQL.
macro_rules! execute_with_arrays {
    ($postgres:expr, $statement:expr, $rows:expr, { $($column:ident: $sql_type:ty),+ $(,)? }) => {
        diesel_async::RunQueryDsl::execute(
            diesel::sql_query($statement)
                $(.bind::<diesel::sql_types::Array<$sql_type>, _>(
                    $rows.iter().map(|row| &row.$column).collect::<Vec<_>>()
                ))+,
            $postgres,
        )
        .await
    };
}
pub(in crate::sql) use execute_with_arrays;

/// Implements [`BulkRow::insert_all`] and [`BulkRow::replace_all`] for the table `$table`.
macro_rules! bulk_writes {
    ($table:ident, ($($key:ident),+), { $($column:ident: $sql_type:ty),+ $(,)? }) => {
        async fn insert_all(
            postgres: &mut crate::connection::PostgresConnection,
            rows: &[Self],
        ) -> diesel::QueryResult<usize> {
            let insert = crate::sql::validated::bulk::insert_from_arrays(
                stringify!($table),
                &[$(stringify!($column)),+],
            );
            crate::sql::validated::bulk::execute_with_arrays!(postgres, insert, rows, { $($column: $sql_type),+ })
        }

        async fn replace_all(
            postgres: &mut crate::connection::PostgresConnection,
            rows: &[Self],
        ) -> diesel::QueryResult<usize> {
            let columns = [$(stringify!($column)),+];
            let mut upsert = crate::sql::validated::bulk::insert_from_arrays(stringify!($table), &columns);
            upsert.push_str(&crate::sql::validated::bulk::or_replace(&[$(stringify!($key)),+], &columns));
            crate::sql::validated::bulk::execute_with_arrays!(postgres, upsert, rows, { $($column: $sql_type),+ })
        }
    };
}
pub(in crate::sql) use bulk_writes;

/// Implements the rest of [`BulkRow`] for a row that is made from the variant `$variant`, in the table `$table` with the key `id`.
///
/// The columns `$text` are what comes from outside as it is.
macro_rules! bulk_by_id {
    ($table:ident, $variant:ident, texts: $($text:ident),+) => {
        fn encode(row: &ml_core::sync::ValidatedRow) -> Option<Self> {
            match row {
                ml_core::sync::ValidatedRow::$variant(row) => {
                    let mut encoded = Self::from(row);
                    $(crate::types::WithoutNul::replace_nul(&mut encoded.$text);)+
                    Some(encoded)
                }
                _ => None,
            }
        }

        fn key(&self) -> std::borrow::Cow<'_, str> {
            std::borrow::Cow::Borrowed(&self.id)
        }

        async fn load_versions(
            postgres: &mut crate::connection::PostgresConnection,
            keys: &[&str],
        ) -> diesel::QueryResult<Vec<crate::sql::validated::bulk::StoredVersion>> {
            let select = $table::table.filter($table::id.eq_any(keys));
            let select = select.select(($table::id, $table::content_hash, $table::raw_id));
            let rows: Vec<(String, String, String)> = diesel_async::RunQueryDsl::load(select, postgres).await?;
            let version =
                |(key, content_hash, raw_id)| crate::sql::validated::bulk::StoredVersion { key, content_hash, raw_id };
            Ok(rows.into_iter().map(version).collect())
        }

        async fn load_locked(
            postgres: &mut crate::connection::PostgresConnection,
            keys: &[&str],
        ) -> diesel::QueryResult<Vec<Self>> {
            let select = $table::table.filter($table::id.eq_any(keys)).order($table::id).for_update();
            diesel_async::RunQueryDsl::load(select, postgres).await
        }

        async fn delete_all(
            postgres: &mut crate::connection::PostgresConnection,
            keys: &[&str],
        ) -> diesel::QueryResult<usize> {
            let delete = diesel::delete($table::table.filter($table::id.eq_any(keys)));
            diesel_async::RunQueryDsl::execute(delete, postgres).await
        }
    };
}
pub(in crate::sql) use bulk_by_id;

/// Writes former versions, but for those that are kept already.
pub(in crate::sql) async fn keep_all(
    postgres: &mut PostgresConnection,
    former: &[SupersededRow],
) -> QueryResult<usize> {
    let was_current = |row: &&SupersededRow| row.created_at < row.superseded_at;
    let former: Vec<&SupersededRow> = former.iter().filter(was_current).collect();
    if former.is_empty() {
        return Ok(0);
    }
    let columns = ["table_name", "id", "created_at", "superseded_at", "source_app", "data_type", "event_time", "body"];
    let insert = insert_from_arrays("superseded_rows", &columns) + " ON CONFLICT DO NOTHING";
    execute_with_arrays!(postgres, insert, former, {
        table_name: diesel::sql_types::Text,
        id: diesel::sql_types::Text,
        created_at: crate::types::UtcTimestamp,
        superseded_at: crate::types::UtcTimestamp,
        source_app: diesel::sql_types::Text,
        data_type: diesel::sql_types::Nullable<diesel::sql_types::Text>,
        event_time: crate::types::UtcTimestamp,
        body: diesel::sql_types::Json,
    })
}
