//! What was inserted or changed since a position: a range of the primary key.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::document::{ChangeBatch, ChangeFeed, ResumeToken};
use ml_core::error::{Entity, StoreError};
use ml_core::record::{Collection, RawRecord};

use crate::documents::EmbeddedDocuments;
use crate::documents::records::last_seq;
use crate::documents::row::{RecordRow, on_collection, record_columns};
use crate::error::Failure;

/// Marks our tokens, so that those of another store are told apart.
const TOKEN_PREFIX: &str = "embedded:";

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
                let (records, last) = read_after(sqlite, collection, after, limit)?;
                Ok(ChangeBatch { records, token: last.map(token_of).or(token) })
            })
            .await
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
        let reason = format!("`{collection}` ends at {head}: the position belongs to another file");
        return Err(corrupt(reason).into());
    }
    Ok(seq)
}

fn read_after(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    after: i64,
    limit: i64,
) -> Result<(Vec<RawRecord>, Option<i64>), Failure> {
    let (mut found, mut last) = (Vec::new(), None);
    on_collection!(collection, records => {
        let select = records::table
            .filter(records::seq.gt(after))
            .order(records::seq)
            .limit(limit)
            .select((records::seq, record_columns!(records)));
        for row in select.load_iter::<(i64, RecordRow), _>(sqlite)? {
            let (seq, row) = row?;
            found.push(row.into_record()?);
            last = Some(seq);
        }
    });
    Ok((found, last))
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
    Ok(n_changes as u64)
}
