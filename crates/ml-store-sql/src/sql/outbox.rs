//! `outbox`: publications that wait for the document store.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::sql_types::{Array, Text};
use diesel::sqlite::SqliteConnection;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl as _;
use ml_core::digest::Digest;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::OutboxId;
use ml_core::outbox::{OutboxAction, OutboxCounts, OutboxEntry, OutboxStore};
use ml_core::result::ResultKind;

use crate::connection::{Connection, Database, PostgresConnection, ROWS_PER_STATEMENT, on_backend};
use crate::error::Failure;
use crate::prepared::prepared;
use crate::schema::sql::outbox;
use crate::sql::SqlStore;
use crate::types::{Instant, JsonText, UtcTimestamp};

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = outbox, treat_none_as_default_value = false)]
pub(super) struct OutboxRow {
    id: String,
    kind: String,
    body: JsonText,
    body_hash: String,
    created_at: Instant,
    delivered_at: Option<Instant>,
    action: String,
}

impl OutboxRow {
    /// Encodes the entry as one that waits.
    pub(super) fn waiting(entry: &OutboxEntry) -> OutboxRow {
        let body = JsonText::of(&entry.body);
        OutboxRow {
            id: entry.id.as_str().to_owned(),
            kind: entry.kind.name().to_owned(),
            body_hash: hash_of(entry.action, &body).to_string(),
            body,
            created_at: Instant(entry.created_at),
            delivered_at: None,
            action: entry.action.name().to_owned(),
        }
    }

    fn into_entry(self) -> Result<OutboxEntry, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::OutboxEntry, key, err))
    }

    fn decode(self) -> Result<OutboxEntry, BoxError> {
        Ok(OutboxEntry {
            id: OutboxId::parse(self.id)?,
            kind: ResultKind::find_by_name(&self.kind).ok_or("there is no such kind of result")?,
            action: OutboxAction::find_by_name(&self.action).ok_or("there is no such action")?,
            body: self.body.parse()?,
            created_at: self.created_at.0,
            delivered_at: self.delivered_at.map(|instant| instant.0),
        })
    }
}

/// Returns the digest of what is to be done: of the document, or, for a deletion, of a text that is no document.
fn hash_of(action: OutboxAction, body: &JsonText) -> Digest {
    match action {
        OutboxAction::Put => Digest::of(body.0.as_bytes()),
        OutboxAction::Delete => Digest::of(b"delete"),
    }
}

#[async_trait]
impl OutboxStore for SqlStore {
    async fn enqueue(&self, entries: &[OutboxEntry]) -> Result<u64, StoreError> {
        let rows: Vec<OutboxRow> = entries.iter().map(OutboxRow::waiting).collect();
        let operation = "filling the outbox";
        let n_waiting = match &self.database {
            Database::Sqlite(sqlite) => {
                sqlite.write_blocking(operation, move |sqlite| Ok(enqueue_on_sqlite(sqlite, &rows)?)).await?
            }
            Database::Postgres(postgres) => {
                let rows = last_of_each(rows);
                postgres.write(operation, async |postgres| Ok(enqueue_on_postgres(postgres, &rows).await?)).await?
            }
        };
        Ok(n_waiting as u64)
    }

    async fn list_pending(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let waiting = outbox::table.filter(outbox::delivered_at.is_null());
        let select = waiting.order((outbox::created_at, outbox::id)).limit(limit);
        let rows: Vec<OutboxRow> = self
            .database
            .read("reading the outbox", async |connection| {
                Ok(on_backend!(connection => select.load(connection).await)?)
            })
            .await?;
        rows.into_iter().map(OutboxRow::into_entry).collect()
    }

    async fn mark_delivered(&self, entries: &[OutboxEntry], at: DateTime<Utc>) -> Result<(), StoreError> {
        let rows: Vec<OutboxRow> = entries.iter().map(OutboxRow::waiting).collect();
        let operation = "marking deliveries";
        match &self.database {
            Database::Sqlite(sqlite) => {
                let mark = move |sqlite: &mut SqliteConnection| {
                    rows.iter().try_for_each(|row| mark_delivered_on_sqlite(sqlite, row, at))
                };
                sqlite.write_blocking(operation, move |sqlite| Ok(mark(sqlite)?)).await
            }
            Database::Postgres(postgres) => {
                let rows = last_of_each(rows);
                postgres
                    .write(operation, async |postgres| Ok(mark_delivered_on_postgres(postgres, &rows, at).await?))
                    .await
            }
        }
    }

    async fn counts(&self) -> Result<OutboxCounts, StoreError> {
        self.database
            .read("counting the outbox", async |connection| {
                let waiting = outbox::table.filter(outbox::delivered_at.is_null()).count();
                let pending: i64 = on_backend!(connection => waiting.get_result(connection).await)?;
                let all: i64 = on_backend!(connection => outbox::table.count().get_result(connection).await)?;
                Ok(OutboxCounts { pending: pending as u64, delivered: (all - pending) as u64 })
            })
            .await
    }
}

/// Adds the entries, or replaces those that say something else, within a transaction.
pub(super) async fn enqueue(connection: &mut Connection, rows: Vec<OutboxRow>) -> Result<(), Failure> {
    match connection {
        Connection::Sqlite(sqlite) => sqlite.spawn_blocking(move |sqlite| enqueue_on_sqlite(sqlite, &rows)).await?,
        Connection::Postgres(postgres) => enqueue_on_postgres(postgres, &last_of_each(rows)).await?,
    };
    Ok(())
}

/// Returns the last row with each id, by ascending id, which is the order that every writer locks them in.
fn last_of_each(rows: Vec<OutboxRow>) -> Vec<OutboxRow> {
    let by_id: BTreeMap<String, OutboxRow> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    by_id.into_values().collect()
}

/// Adds the rows, each with an id of its own, or replaces those that say something else; returns how many that wrote.
async fn enqueue_on_postgres(postgres: &mut PostgresConnection, rows: &[OutboxRow]) -> QueryResult<usize> {
    let mut n_waiting = 0;
    for some in rows.chunks(ROWS_PER_STATEMENT) {
        let upsert = diesel::insert_into(outbox::table).values(some).on_conflict(outbox::id).do_update().set((
            outbox::kind.eq(excluded(outbox::kind)),
            outbox::action.eq(excluded(outbox::action)),
            outbox::body.eq(excluded(outbox::body)),
            outbox::body_hash.eq(excluded(outbox::body_hash)),
            outbox::created_at.eq(excluded(outbox::created_at)),
            outbox::delivered_at.eq(None::<Instant>),
        ));
        let that_differs = outbox::body_hash.ne(excluded(outbox::body_hash));
        // Two traits have this method, and the one that is usual is not for upserts.
        let upsert = diesel::query_dsl::methods::FilterDsl::filter(upsert, that_differs);
        n_waiting += upsert.execute(postgres).await?;
    }
    Ok(n_waiting)
}

/// Adds the rows, or replaces those that say something else; returns how many rows that wrote.
fn enqueue_on_sqlite(sqlite: &mut SqliteConnection, rows: &[OutboxRow]) -> QueryResult<usize> {
    let mut n_waiting = 0;
    for row in rows {
        n_waiting += enqueue_one_on_sqlite(sqlite, row)?;
    }
    Ok(n_waiting)
}

fn enqueue_one_on_sqlite(sqlite: &mut SqliteConnection, row: &OutboxRow) -> QueryResult<usize> {
    struct Insert;
    let insert = diesel::insert_into(outbox::table).values(row).on_conflict(outbox::id).do_nothing();
    if diesel::RunQueryDsl::execute(prepared::<Insert, _>(insert), sqlite)? == 1 {
        return Ok(1);
    }
    let that_differs = outbox::table.find(&row.id).filter(outbox::body_hash.ne(&row.body_hash));
    let update = diesel::update(that_differs).set((
        outbox::kind.eq(&row.kind),
        outbox::action.eq(&row.action),
        outbox::body.eq(&row.body),
        outbox::body_hash.eq(&row.body_hash),
        outbox::created_at.eq(&row.created_at),
        outbox::delivered_at.eq(None::<Instant>),
    ));
    diesel::RunQueryDsl::execute(update, sqlite)
}

/// Marks the rows, each with an id of its own, that are as they were read; the others wait, for what was delivered now may lie
/// over what is newer and was delivered before.
async fn mark_delivered_on_postgres(
    postgres: &mut PostgresConnection,
    rows: &[OutboxRow],
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let body_hashes: Vec<&str> = rows.iter().map(|row| row.body_hash.as_str()).collect();
    diesel::sql_query(
        "UPDATE outbox \
         SET delivered_at = CASE WHEN outbox.body_hash = given.body_hash THEN coalesce(delivered_at, $3) END \
         FROM unnest($1, $2) AS given (id, body_hash) \
         WHERE outbox.id = given.id",
    )
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Text>, _>(body_hashes)
    .bind::<UtcTimestamp, _>(Instant(at))
    .execute(postgres)
    .await?;
    Ok(())
}

fn mark_delivered_on_sqlite(sqlite: &mut SqliteConnection, row: &OutboxRow, at: DateTime<Utc>) -> QueryResult<()> {
    let as_it_was_read =
        outbox::table.find(&row.id).filter(outbox::body_hash.eq(&row.body_hash)).filter(outbox::delivered_at.is_null());
    let mark = diesel::update(as_it_was_read).set(outbox::delivered_at.eq(Some(Instant(at))));
    if diesel::RunQueryDsl::execute(mark, sqlite)? == 1 {
        return Ok(());
    }
    // What was delivered now may lie over what is newer and was delivered before.
    let replaced = outbox::table.find(&row.id).filter(outbox::body_hash.ne(&row.body_hash));
    let unmark = diesel::update(replaced).set(outbox::delivered_at.eq(None::<Instant>));
    diesel::RunQueryDsl::execute(unmark, sqlite)?;
    Ok(())
}
