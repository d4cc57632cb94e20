//! What the tables of validated rows have in common: filters, as-of reads, and writing a row that keeps its former version.

pub(super) mod arrays;
pub(super) mod bulk;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::{BoolExpressionMethods as _, ExpressionMethods as _, Insertable, QueryDsl as _};
use diesel::sqlite::SqliteConnection;
use diesel_async::RunQueryDsl as _;
use ml_core::error::{Entity, StoreError};
use ml_core::global_data::ValidatedQuery;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use serde::de::DeserializeOwned;

use crate::connection::{Connection, Database, on_backend};
use crate::error::Failure;
use crate::schema::sql::superseded_rows;
use crate::types::{Instant, JsonText};

/// A row that is written by its content hash.
pub(super) trait HashedRow: Sized {
    /// Inserts the row unless its key is there, and returns whether it did.
    fn insert(&self, sqlite: &mut SqliteConnection) -> QueryResult<bool>;

    /// Returns the stored row that has the same key.
    fn stored(&self, sqlite: &mut SqliteConnection) -> QueryResult<Self>;

    /// Replaces the stored row that has the same key.
    fn replace(&self, sqlite: &mut SqliteConnection) -> QueryResult<()>;

    /// Returns the digest that two versions are compared by.
    fn content_hash(&self) -> &str;

    /// Deletes the row with this key, if it was made from `raw_id`, and returns it.
    fn take(sqlite: &mut SqliteConnection, key: &str, raw_id: &str) -> QueryResult<Option<Self>>;

    /// Returns when this version was known first.
    fn created_at(&self) -> Instant;

    /// Says when this version was known first.
    fn set_created_at(&mut self, at: Instant);

    /// Returns the row as it is kept once it is not current any more; absent where nobody asks for former versions.
    fn superseded(self, at: Instant) -> Result<Option<SupersededRow>, StoreError>;
}

/// Implements the statements of [`HashedRow`] for the table `$table` with the key `$key`.
macro_rules! hashed_row_statements {
    ($row:ident, $table:ident, ($($key:ident),+)) => {
        fn insert(&self, sqlite: &mut SqliteConnection) -> QueryResult<bool> {
            struct Insert;
            let insert = diesel::insert_into($table::table).values(self).on_conflict(($($table::$key),+)).do_nothing();
            Ok(diesel::RunQueryDsl::execute(crate::prepared::prepared::<Insert, _>(insert), sqlite)? == 1)
        }

        fn stored(&self, sqlite: &mut SqliteConnection) -> QueryResult<$row> {
            diesel::RunQueryDsl::get_result($table::table.find(($(&self.$key),+)), sqlite)
        }

        fn replace(&self, sqlite: &mut SqliteConnection) -> QueryResult<()> {
            let update = diesel::update($table::table.find(($(&self.$key),+))).set(self);
            diesel::RunQueryDsl::execute(update, sqlite)?;
            Ok(())
        }

        fn content_hash(&self) -> &str {
            &self.content_hash
        }

        fn created_at(&self) -> Instant {
            self.created_at
        }

        fn set_created_at(&mut self, at: Instant) {
            self.created_at = at;
        }
    };
}
pub(super) use hashed_row_statements;

/// Implements [`HashedRow::take`] for the table `$table` with the key `id`.
macro_rules! take_by_id {
    ($row:ident, $table:ident) => {
        fn take(sqlite: &mut SqliteConnection, key: &str, raw_id: &str) -> QueryResult<Option<$row>> {
            let delete = diesel::delete($table::table.filter($table::id.eq(key)).filter($table::raw_id.eq(raw_id)));
            let taken = diesel::RunQueryDsl::get_result(delete.returning($table::all_columns), sqlite);
            diesel::OptionalExtension::optional(taken)
        }
    };
}
pub(super) use take_by_id;

/// A row of a table that is read by [`ValidatedQuery`].
pub(super) trait ValidatedTable: HashedRow + Send {
    /// The name of the table.
    const TABLE: &'static str;

    /// What errors call a row.
    const ENTITY: Entity;

    /// What a row is to callers.
    type Record: DeserializeOwned + Send;

    /// Loads matching current rows with ids above `after`, by ascending id.
    fn load(
        connection: &mut Connection,
        query: &ValidatedQuery,
        after: &str,
        limit: i64,
    ) -> impl Future<Output = QueryResult<Vec<Self>>> + Send;

    /// Counts matching current rows.
    fn count(connection: &mut Connection, query: &ValidatedQuery) -> impl Future<Output = QueryResult<i64>> + Send;

    /// Reads the record back, or says which one is corrupt and why.
    fn into_record(self) -> Result<Self::Record, StoreError>;

    /// Returns the id of a record.
    fn id_of(record: &Self::Record) -> &RecordId;
}

/// A former version of a row.
#[derive(Debug, Insertable)]
#[diesel(table_name = superseded_rows, treat_none_as_default_value = false)]
pub(super) struct SupersededRow {
    pub(super) table_name: &'static str,
    pub(super) id: String,
    pub(super) created_at: Instant,
    pub(super) superseded_at: Instant,
    pub(super) source_app: String,
    pub(super) data_type: Option<String>,
    pub(super) event_time: Instant,
    pub(super) body: JsonText,
}

/// Writes one row, and returns whether that changed anything.
pub(super) fn write<R: HashedRow>(sqlite: &mut SqliteConnection, row: &R) -> Result<bool, Failure> {
    if row.insert(sqlite)? {
        return Ok(true);
    }
    let stored = row.stored(sqlite)?;
    if stored.content_hash() == row.content_hash() {
        return Ok(false);
    }
    if let Some(former) = stored.superseded(row.created_at())? {
        keep(sqlite, &former)?;
    }
    row.replace(sqlite)?;
    Ok(true)
}

/// Removes the row with this key, if it was made from `raw_id`.
pub(super) fn remove<R: HashedRow>(
    sqlite: &mut SqliteConnection,
    key: &str,
    raw_id: &str,
    at: Instant,
) -> Result<(), Failure> {
    let Some(taken) = R::take(sqlite, key, raw_id)? else { return Ok(()) };
    if let Some(former) = taken.superseded(at)? {
        keep(sqlite, &former)?;
    }
    Ok(())
}

/// Keeps a former version, unless no instant could ask for it: then it was current for no time at all.
fn keep(sqlite: &mut SqliteConnection, former: &SupersededRow) -> QueryResult<()> {
    if former.created_at >= former.superseded_at {
        return Ok(());
    }
    diesel::RunQueryDsl::execute(
        diesel::insert_into(superseded_rows::table).values(former).on_conflict_do_nothing(),
        sqlite,
    )?;
    Ok(())
}

/// Restricts a boxed query over a validated table to what `ValidatedQuery` asks for, but for the data type.
macro_rules! filter_validated {
    ($table:ident, $select:expr, $query:expr) => {{
        let query: &ml_core::global_data::ValidatedQuery = $query;
        let mut select = $select;
        if let Some(source_app) = &query.source_app {
            select = select.filter($table::source_app.eq(source_app.as_str()));
        }
        if let Some(from) = query.event_from {
            select = select.filter($table::event_time.ge(crate::types::Instant(from)));
        }
        if let Some(before) = query.event_before {
            select = select.filter($table::event_time.lt(crate::types::Instant(before)));
        }
        if let Some(known_by) = query.known_by {
            select = select.filter($table::created_at.le(crate::types::Instant(known_by)));
        }
        select
    }};
}
pub(super) use filter_validated;

/// Implements the queries of [`ValidatedTable`] over `$table`, which may have a column `$data_type`.
macro_rules! validated_queries {
    ($row:ident, $table:ident $(, $data_type:ident)?) => {
        async fn load(
            connection: &mut Connection,
            query: &ValidatedQuery,
            after: &str,
            limit: i64,
        ) -> QueryResult<Vec<$row>> {
            on_backend!(connection => {
                let select = filter_validated!($table, $table::table.into_boxed(), query);
                $(let select = match &query.data_type {
                    Some(data_type) => select.filter($table::$data_type.eq(data_type.as_str())),
                    None => select,
                };)?
                select.filter($table::id.gt(after)).order($table::id).limit(limit).load(connection).await
            })
        }

        async fn count(connection: &mut Connection, query: &ValidatedQuery) -> QueryResult<i64> {
            on_backend!(connection => {
                let select = filter_validated!($table, $table::table.into_boxed(), query);
                $(let select = match &query.data_type {
                    Some(data_type) => select.filter($table::$data_type.eq(data_type.as_str())),
                    None => select,
                };)?
                select.count().get_result(connection).await
            })
        }
    };
}
pub(super) use validated_queries;

/// Selects the former versions of `$row`s that were current at `$known_by`; no row has two, and none has one beside a current
/// version from before.
macro_rules! former_versions {
    ($row:ident, $query:expr, $known_by:expr) => {{
        let mut select = filter_validated!(superseded_rows, superseded_rows::table.into_boxed(), $query)
            .filter(superseded_rows::table_name.eq($row::TABLE))
            .filter(superseded_rows::superseded_at.gt(Instant($known_by)));
        if let Some(data_type) = &$query.data_type {
            let of_any_type = superseded_rows::data_type.is_null();
            select = select.filter(of_any_type.or(superseded_rows::data_type.eq(data_type.as_str())));
        }
        select
    }};
}

/// Lists matching rows by ascending id, each in the version that the query's as-of bound selects.
pub(super) async fn list<R: ValidatedTable>(
    database: &Database,
    operation: &'static str,
    query: &ValidatedQuery,
    page: &PageRequest<RecordId>,
) -> Result<Page<R::Record, RecordId>, StoreError> {
    let after = page.cursor().map_or("", RecordId::as_str);
    let limit = page.limit() as i64 + 1;
    let (rows, former) = database
        .read(operation, async |connection| {
            let rows = R::load(connection, query, after, limit).await?;
            let former = match query.known_by {
                Some(known_by) => load_former::<R>(connection, query, known_by, after, limit).await?,
                None => Vec::new(),
            };
            Ok((rows, former))
        })
        .await?;
    let mut records = Vec::with_capacity(rows.len() + former.len());
    for row in rows {
        records.push(row.into_record()?);
    }
    if !former.is_empty() {
        records.extend(former);
        records.sort_by(|a, b| R::id_of(a).cmp(R::id_of(b)));
    }
    Ok(Page::from_lookahead(records, page.limit(), |record| R::id_of(record).clone()))
}

/// Counts matching rows, each in the version that the query's as-of bound selects.
pub(super) async fn count<R: ValidatedTable>(
    database: &Database,
    operation: &'static str,
    query: &ValidatedQuery,
) -> Result<u64, StoreError> {
    database
        .read(operation, async |connection| {
            let n_current = R::count(connection, query).await?;
            let n_former = match query.known_by {
                Some(known_by) => on_backend!(connection => {
                    former_versions!(R, query, known_by).count().get_result(connection).await
                })?,
                None => 0_i64,
            };
            Ok((n_current + n_former) as u64)
        })
        .await
}

async fn load_former<R: ValidatedTable>(
    connection: &mut Connection,
    query: &ValidatedQuery,
    known_by: DateTime<Utc>,
    after: &str,
    limit: i64,
) -> Result<Vec<R::Record>, Failure> {
    let rows: Vec<(String, JsonText)> = on_backend!(connection => {
        let select = former_versions!(R, query, known_by).filter(superseded_rows::id.gt(after));
        let select = select.order(superseded_rows::id).limit(limit);
        select.select((superseded_rows::id, superseded_rows::body)).load(connection).await
    })?;
    let mut records = Vec::with_capacity(rows.len());
    for (id, body) in rows {
        records.push(body.parse().map_err(|err| StoreError::corrupt(R::ENTITY, id, err))?);
    }
    Ok(records)
}
