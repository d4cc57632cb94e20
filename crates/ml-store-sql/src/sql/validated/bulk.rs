//! Rows of the validated tables on PostgreSQL, many at a time.

use std::borrow::Cow;

use diesel::QueryResult;
use ml_core::sync::ValidatedRow;

use super::arrays::insert_arrays;
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

/// Fewer keys than these are looked up as they are.
const MANY_KEYS: usize = 64;

/// Returns the first and the last of many keys. Where there is nothing between them, as in a snapshot by id, none has to be looked
/// up, and one look tells.
pub(in crate::sql) fn range_worth_asking<'k>(keys: &[&'k str]) -> Option<(&'k str, &'k str)> {
    let is_worth_asking = keys.len() >= MANY_KEYS;
    let (first, last) = (keys.iter().min()?, keys.iter().max()?);
    is_worth_asking.then_some((*first, *last))
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
    fn insert_all(postgres: &PostgresConnection, rows: &[Self]) -> impl Future<Output = QueryResult<usize>> + Send;

    /// Replaces rows that are there.
    fn replace_all(postgres: &mut PostgresConnection, rows: &[Self])
    -> impl Future<Output = QueryResult<usize>> + Send;

    /// Deletes the rows with these keys.
    fn delete_all(postgres: &mut PostgresConnection, keys: &[&str]) -> impl Future<Output = QueryResult<usize>> + Send;
}

/// Implements [`BulkRow::insert_all`] and [`BulkRow::replace_all`] for the table `$table`; columns under `alike` are those that mostly
/// have one value throughout a batch.
macro_rules! bulk_writes {
    (
        $table:ident, ($($key:ident),+),
        each: { $($column:ident: $sql_type:ty),+ $(,)? },
        alike: { $($same:ident: $same_type:ty),+ $(,)? } $(,)?
    ) => {
        async fn insert_all(
            postgres: &crate::connection::PostgresConnection,
            rows: &[Self],
        ) -> diesel::QueryResult<usize> {
            crate::sql::validated::arrays::insert_arrays!(
                postgres, stringify!($table), rows, "",
                each: { $($column: $sql_type),+ },
                alike: { $($same: $same_type),+ }
            )
        }

        async fn replace_all(
            postgres: &mut crate::connection::PostgresConnection,
            rows: &[Self],
        ) -> diesel::QueryResult<usize> {
            let columns = [$(stringify!($column),)+ $(stringify!($same)),+];
            let end = crate::sql::validated::arrays::or_replace(&[$(stringify!($key)),+], &columns);
            crate::sql::validated::arrays::insert_arrays!(
                postgres, stringify!($table), rows, &end,
                each: { $($column: $sql_type),+ },
                alike: { $($same: $same_type),+ }
            )
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
            if let Some((first, last)) = crate::sql::validated::bulk::range_worth_asking(keys) {
                let between = $table::table.filter($table::id.between(first, last)).select($table::id).limit(1);
                if diesel_async::RunQueryDsl::load::<String>(between, postgres).await?.is_empty() {
                    return Ok(Vec::new());
                }
            }
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
    insert_arrays!(
        postgres, "superseded_rows", former, " ON CONFLICT DO NOTHING",
        each: {
            id: diesel::sql_types::Text,
            created_at: crate::types::UtcTimestamp,
            event_time: crate::types::UtcTimestamp,
            body: diesel::sql_types::Json,
        },
        alike: {
            table_name: diesel::sql_types::Text,
            superseded_at: crate::types::UtcTimestamp,
            source_app: diesel::sql_types::Text,
            data_type: diesel::sql_types::Nullable<diesel::sql_types::Text>,
        },
    )
}
