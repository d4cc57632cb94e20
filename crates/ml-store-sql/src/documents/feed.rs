//! What was inserted, changed or deleted since a position: a range of the primary key, and of the deletions.

use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::digest::Digest;
use ml_core::document::{Change, ChangeBatch, ChangeFeed, ResumeToken, Unreadable};
use ml_core::error::{Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::Collection;
use serde_json::Value;

use crate::documents::EmbeddedDocuments;
use crate::documents::records::last_seq;
use crate::documents::row::{RecordRow, on_collection, record_columns};
use crate::documents::tombstones;
use crate::error::Failure;
use crate::types::JsonText;

/// Marks our tokens, so that those of another store are told apart.
const TOKEN_PREFIX: &str = "embedded:";

/// How long waiting pauses before it looks again: another process may have written, and nobody tells.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(80);

#[async_trait]
impl ChangeFeed for EmbeddedDocuments {
    async fn changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
    ) -> Result<ChangeBatch, StoreError> {
        let token = token.cloned();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.database
            .read_blocking("reading changes", move |sqlite| {
                let after = position(sqlite, collection, token.as_ref())?;
                let (changes, last) = read_after(sqlite, collection, after, limit)?;
                Ok(ChangeBatch { changes, token: last.map(token_of).or(token) })
            })
            .await
    }

    async fn wait_for_changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
        at_most: Duration,
    ) -> Result<ChangeBatch, StoreError> {
        let gives_up_at = tokio::time::Instant::now() + at_most;
        let mut pause = SHORTEST_PAUSE;
        loop {
            let batch = self.changes(collection, token, limit).await?;
            let left = gives_up_at.saturating_duration_since(tokio::time::Instant::now());
            if !batch.changes.is_empty() || left.is_zero() {
                return Ok(batch);
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn latest(&self, collection: Collection) -> Result<ResumeToken, StoreError> {
        self.database
            .read_blocking("reading the position", move |sqlite| Ok(token_of(last_seq(sqlite, collection)?)))
            .await
    }

    /// There are none: the ids of the tables are texts.
    async fn list_foreign_ids(
        &self,
        _collection: Collection,
        _page: PageRequest<ResumeToken>,
    ) -> Result<Page<RecordId, ResumeToken>, StoreError> {
        Ok(Page { items: Vec::new(), next_cursor: None })
    }

    async fn current(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<Change>, StoreError> {
        let ids = ids.to_vec();
        self.database.read_blocking("reading records", move |sqlite| read_current(sqlite, collection, ids)).await
    }

    async fn count_pending(&self, collection: Collection, token: Option<&ResumeToken>) -> Result<u64, StoreError> {
        let token = token.cloned();
        self.database
            .read_blocking("counting changes", move |sqlite| {
                let after = position(sqlite, collection, token.as_ref())?;
                Ok(count_after(sqlite, collection, after)?)
            })
            .await
    }
}

fn token_of(seq: i64) -> ResumeToken {
    ResumeToken::new(format!("{TOKEN_PREFIX}{seq}"))
}

/// Reads a token; a position that was not reached yet is of another file, or this one was put back to an older state.
fn position(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    token: Option<&ResumeToken>,
) -> Result<i64, Failure> {
    let Some(token) = token else {
        return Ok(0);
    };
    let corrupt = |reason: String| StoreError::corrupt(Entity::Checkpoint, token.as_str(), reason);
    let seq = token.as_str().strip_prefix(TOKEN_PREFIX).and_then(|digits| digits.parse::<u64>().ok());
    let Some(seq) = seq.and_then(|seq| i64::try_from(seq).ok()) else {
        return Err(corrupt("it is not a position of the embedded document store".to_owned()).into());
    };
    let head = last_seq(sqlite, collection)?;
    if seq > head {
        let reason = format!(
            "`{collection}` ends at {head}: the position belongs to another file, or this one was put back to an older state; \
             where that was meant, `ml-app sync --reconcile` compares both sides and goes on from there"
        );
        return Err(corrupt(reason).into());
    }
    Ok(seq)
}

/// Reads up to `limit` changes after a place, and the place of the last.
fn read_after(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    after: i64,
    limit: i64,
) -> Result<(Vec<Change>, Option<i64>), Failure> {
    let mut deleted = tombstones::list_after(sqlite, collection, after, limit)?.into_iter().peekable();
    let (mut found, mut last) = (Vec::new(), None);
    let mut add = |seq: i64, change: Change| {
        if (found.len() as i64) < limit {
            found.push(change);
            last = Some(seq);
        }
    };
    on_collection!(collection, records => {
        let select = records::table
            .filter(records::seq.gt(after))
            .order(records::seq)
            .limit(limit)
            .select((records::seq, record_columns!(records)));
        for row in select.load_iter::<(i64, RecordRow), _>(sqlite)? {
            let (seq, row) = row?;
            while let Some((seq, id)) = deleted.next_if(|(deleted_at, _)| *deleted_at < seq) {
                add(seq, deletion(&id)?);
            }
            add(seq, change(row));
        }
    });
    for (seq, id) in deleted {
        add(seq, deletion(&id)?);
    }
    Ok((found, last))
}

fn deletion(id: &str) -> Result<Change, StoreError> {
    let id = RecordId::parse(id).map_err(|err| StoreError::corrupt(Entity::RawRecord, id, err))?;
    Ok(Change::Deleted(id))
}

/// Reads a row as a change; one that another program spoiled is handed on as what it is.
fn change(row: RecordRow) -> Change {
    let id = row.id.clone();
    match row.into_record_or_content() {
        Ok(record) => Change::Upserted(record),
        Err((error, content)) => undecodable(&id, &content, &error),
    }
}

fn undecodable(id: &str, content: &JsonText, error: &StoreError) -> Change {
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    let stand_in = || format!("sha256:{}", Digest::of(id.as_bytes()));
    let id = RecordId::parse(id).unwrap_or_else(|_| RecordId::parse(stand_in()).expect("a digest is an id"));
    let content = content.parse().unwrap_or_else(|_| Value::from(content.0.as_str()));
    Change::Undecodable { id, fault: Unreadable::Malformed, content, reason: format!("{error}{cause}") }
}

fn read_current(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    ids: Vec<RecordId>,
) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::with_capacity(ids.len());
    for id in ids {
        let row: Option<RecordRow> = on_collection!(collection, records => {
            records::table
                .filter(records::id.eq(id.as_str()))
                .select(record_columns!(records))
                .get_result(sqlite)
                .optional()?
        });
        changes.push(row.map_or(Change::Deleted(id), change));
    }
    Ok(changes)
}

fn count_after(sqlite: &mut SqliteConnection, collection: Collection, after: i64) -> QueryResult<u64> {
    let n_changes: i64 = on_collection!(collection, records => {
        if after == 0 {
            // Without a condition SQLite counts along the narrow index of ids and not along the documents.
            records::table.count().get_result(sqlite)?
        } else {
            records::table.filter(records::seq.gt(after)).count().get_result(sqlite)?
        }
    });
    Ok((n_changes + tombstones::count_after(sqlite, collection, after)?) as u64)
}
