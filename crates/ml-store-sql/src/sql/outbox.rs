//! `outbox`: publications that wait for the document store.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::digest::Digest;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::OutboxId;
use ml_core::outbox::{OutboxAction, OutboxCounts, OutboxEntry, OutboxStore};
use ml_core::result::ResultKind;

use crate::prepared::prepared;
use crate::schema::sql::outbox;
use crate::sql::SqlStore;
use crate::types::{Instant, JsonText};

#[derive(Debug, Queryable, Insertable)]
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
        self.database
            .write_blocking("filling the outbox", move |sqlite| {
                let mut n_waiting = 0;
                for row in &rows {
                    n_waiting += enqueue(sqlite, row)? as u64;
                }
                Ok(n_waiting)
            })
            .await
    }

    async fn list_pending(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.database
            .read_blocking("reading the outbox", move |sqlite| {
                let rows: Vec<OutboxRow> = outbox::table
                    .filter(outbox::delivered_at.is_null())
                    .order((outbox::created_at, outbox::id))
                    .limit(limit)
                    .load(sqlite)?;
                let entries: Result<Vec<_>, _> = rows.into_iter().map(OutboxRow::into_entry).collect();
                Ok(entries?)
            })
            .await
    }

    async fn mark_delivered(&self, entries: &[OutboxEntry], at: DateTime<Utc>) -> Result<(), StoreError> {
        let rows: Vec<OutboxRow> = entries.iter().map(OutboxRow::waiting).collect();
        self.database
            .write_blocking("marking deliveries", move |sqlite| {
                for row in &rows {
                    mark_delivered_on_sqlite(sqlite, row, at)?;
                }
                Ok(())
            })
            .await
    }

    async fn counts(&self) -> Result<OutboxCounts, StoreError> {
        self.database
            .read_blocking("counting the outbox", |sqlite| {
                let pending: i64 = outbox::table.filter(outbox::delivered_at.is_null()).count().get_result(sqlite)?;
                let all: i64 = outbox::table.count().get_result(sqlite)?;
                Ok(OutboxCounts { pending: pending as u64, delivered: (all - pending) as u64 })
            })
            .await
    }
}

/// Adds the entry, or replaces one that says something else; returns how many rows that wrote.
pub(super) fn enqueue(sqlite: &mut SqliteConnection, row: &OutboxRow) -> QueryResult<usize> {
    struct Insert;
    let insert = diesel::insert_into(outbox::table).values(row).on_conflict(outbox::id).do_nothing();
    if prepared::<Insert, _>(insert).execute(sqlite)? == 1 {
        return Ok(1);
    }
    let that_differs = outbox::table.find(&row.id).filter(outbox::body_hash.ne(&row.body_hash));
    diesel::update(that_differs)
        .set((
            outbox::kind.eq(&row.kind),
            outbox::action.eq(&row.action),
            outbox::body.eq(&row.body),
            outbox::body_hash.eq(&row.body_hash),
            outbox::created_at.eq(&row.created_at),
            outbox::delivered_at.eq(None::<Instant>),
        ))
        .execute(sqlite)
}

fn mark_delivered_on_sqlite(sqlite: &mut SqliteConnection, row: &OutboxRow, at: DateTime<Utc>) -> QueryResult<()> {
    let as_it_was_read =
        outbox::table.find(&row.id).filter(outbox::body_hash.eq(&row.body_hash)).filter(outbox::delivered_at.is_null());
    if diesel::update(as_it_was_read).set(outbox::delivered_at.eq(Some(Instant(at)))).execute(sqlite)? == 1 {
        return Ok(());
    }
    // What was delivered now may lie over what is newer and was delivered before.
    let replaced = outbox::table.find(&row.id).filter(outbox::body_hash.ne(&row.body_hash));
    diesel::update(replaced).set(outbox::delivered_at.eq(None::<Instant>)).execute(sqlite)?;
    Ok(())
}
