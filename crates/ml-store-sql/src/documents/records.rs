//! Raw records: bulk upsert, listing, counting, retention.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ml_core::document::{DocumentStore, RecordHash, RecordQuery, UpsertCounts};
use ml_core::error::{Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::{Collection, RawRecord};
use serde_json::Value;

use crate::documents::EmbeddedDocuments;
use crate::documents::insert_record::InsertRecord;
use crate::documents::row::{RecordRow, on_collection, record_columns};
use crate::documents::tombstones;
use crate::error::Failure;
use crate::schema::documents::collection_heads;
use crate::types::Instant;

#[async_trait]
impl DocumentStore for EmbeddedDocuments {
    async fn upsert(&self, collection: Collection, records: &[RawRecord]) -> Result<UpsertCounts, StoreError> {
        // Encoded here, and not on the blocking thread: it needs no copy of the records, and the writer is busy meanwhile.
        let mut rows: Vec<RecordRow> = records.iter().map(RecordRow::from).collect();
        self.database
            .write_blocking("writing records", move |sqlite| {
                let head = last_seq(sqlite, collection)?;
                let (counts, new_head) = upsert_rows(sqlite, collection, &mut rows, head)?;
                if new_head > head {
                    set_last_seq(sqlite, collection, new_head)?;
                }
                Ok(counts)
            })
            .await
    }

    async fn get(&self, collection: Collection, id: &RecordId) -> Result<RawRecord, StoreError> {
        let key = id.clone();
        self.database
            .read_blocking("reading a record", move |sqlite| {
                let row: Option<RecordRow> = on_collection!(collection, records => {
                    records::table
                        .filter(records::id.eq(key.as_str()))
                        .select(record_columns!(records))
                        .get_result(sqlite)
                        .optional()?
                });
                let row = row.ok_or_else(|| StoreError::not_found(Entity::RawRecord, &key))?;
                Ok(row.into_record()?)
            })
            .await
    }

    async fn list(
        &self,
        collection: Collection,
        query: &RecordQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RawRecord, RecordId>, StoreError> {
        let query = query.clone();
        self.database
            .read_blocking("listing records", move |sqlite| {
                let (limit, mut found) = (page.limit(), Vec::new());
                let after = page.cursor().map_or("", RecordId::as_str);
                visit(sqlite, collection, &query, after, |record| {
                    found.push(record);
                    found.len() <= limit
                })?;
                Ok(Page::from_lookahead(found, limit, |record| record.id.clone()))
            })
            .await
    }

    async fn count(&self, collection: Collection, query: &RecordQuery) -> Result<u64, StoreError> {
        let query = query.clone();
        self.database
            .read_blocking("counting records", move |sqlite| {
                if query.content_equals.is_empty() {
                    return Ok(count_by_columns(sqlite, collection, &query)?);
                }
                let mut n_records = 0;
                visit(sqlite, collection, &query, "", |_| {
                    n_records += 1;
                    true
                })?;
                Ok(n_records)
            })
            .await
    }

    async fn list_hashes(
        &self,
        collection: Collection,
        page: PageRequest<RecordId>,
    ) -> Result<Page<RecordHash, RecordId>, StoreError> {
        self.database
            .read_blocking("listing records", move |sqlite| {
                let hashes = list_hashes(sqlite, collection, &page)?;
                Ok(Page::from_lookahead(hashes, page.limit(), |hash| hash.id.clone()))
            })
            .await
    }

    async fn delete(&self, collection: Collection, ids: &[RecordId]) -> Result<u64, StoreError> {
        let ids = ids.to_vec();
        self.database.write_blocking("deleting records", move |sqlite| Ok(delete_all(sqlite, collection, &ids)?)).await
    }

    async fn delete_ingested_before(&self, collection: Collection, instant: DateTime<Utc>) -> Result<u64, StoreError> {
        self.database
            .write_blocking("deleting records", move |sqlite| {
                let n_deleted = on_collection!(collection, records => {
                    diesel::delete(records::table.filter(records::ingested_at.lt(Instant(instant)))).execute(sqlite)?
                });
                Ok(n_deleted as u64)
            })
            .await
    }
}

/// Returns the last number that was given to a change of the collection.
pub(super) fn last_seq(sqlite: &mut SqliteConnection, collection: Collection) -> QueryResult<i64> {
    collection_heads::table.find(collection.name()).select(collection_heads::last_seq).get_result(sqlite)
}

fn set_last_seq(sqlite: &mut SqliteConnection, collection: Collection, last_seq: i64) -> QueryResult<()> {
    diesel::update(collection_heads::table.find(collection.name()))
        .set(collection_heads::last_seq.eq(last_seq))
        .execute(sqlite)?;
    Ok(())
}

/// Writes the rows one after the other and returns the number of the last change beside the counts.
///
/// Every statement is prepared once per connection. Most records are new, so the insert comes first; only those that are there
/// already have their hashes looked at.
fn upsert_rows(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    rows: &mut [RecordRow],
    head: i64,
) -> QueryResult<(UpsertCounts, i64)> {
    let (mut counts, mut head) = (UpsertCounts::default(), head);
    let any_deleted = tombstones::exist(sqlite, collection)?;
    for row in rows {
        if insert(sqlite, collection, head + 1, row)? {
            head += 1;
            counts.inserted += 1;
            if any_deleted {
                tombstones::remove(sqlite, collection, &row.id)?;
            }
            continue;
        }
        let (stored_hash, stored_time) = stored_version(sqlite, collection, &row.id)?;
        if stored_hash == row.content_hash {
            counts.unchanged += 1;
            continue;
        }
        // A change is a record with a new place in the order of changes, and never from before what it replaces.
        row.ingested_at = row.ingested_at.max(stored_time);
        delete(sqlite, collection, &row.id)?;
        insert(sqlite, collection, head + 1, row)?;
        head += 1;
        counts.changed += 1;
    }
    Ok((counts, head))
}

/// Inserts the row unless its id is there, and returns whether it did.
fn insert(sqlite: &mut SqliteConnection, collection: Collection, seq: i64, row: &RecordRow) -> QueryResult<bool> {
    let n_inserted = on_collection!(collection, records => {
        InsertRecord::<records::table>::new(seq, row, collection.name()).execute(sqlite)?
    });
    Ok(n_inserted == 1)
}

fn stored_version(sqlite: &mut SqliteConnection, collection: Collection, id: &str) -> QueryResult<(String, Instant)> {
    on_collection!(collection, records => {
        records::table
            .filter(records::id.eq(id))
            .select((records::content_hash, records::ingested_at))
            .get_result(sqlite)
    })
}

/// Deletes the record and returns whether it was there.
fn delete(sqlite: &mut SqliteConnection, collection: Collection, id: &str) -> QueryResult<bool> {
    let n_deleted = on_collection!(collection, records => {
        diesel::delete(records::table.filter(records::id.eq(id))).execute(sqlite)?
    });
    Ok(n_deleted == 1)
}

/// Deletes the records one after the other, each with a place in the order of changes, and returns how many were there.
fn delete_all(sqlite: &mut SqliteConnection, collection: Collection, ids: &[RecordId]) -> QueryResult<u64> {
    let first = last_seq(sqlite, collection)?;
    let mut head = first;
    for id in ids {
        if delete(sqlite, collection, id.as_str())? {
            head += 1;
            tombstones::add(sqlite, collection, head, id.as_str())?;
        }
    }
    if head > first {
        set_last_seq(sqlite, collection, head)?;
    }
    Ok((head - first) as u64)
}

fn list_hashes(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    page: &PageRequest<RecordId>,
) -> Result<Vec<RecordHash>, Failure> {
    let rows: Vec<(String, String)> = on_collection!(collection, records => {
        records::table
            .filter(records::id.gt(page.cursor().map_or("", RecordId::as_str)))
            .order(records::id)
            .limit(page.limit() as i64 + 1)
            .select((records::id, records::content_hash))
            .load(sqlite)?
    });
    let mut hashes = Vec::with_capacity(rows.len());
    for (id, content_hash) in rows {
        let id = RecordId::parse(id.as_str()).map_err(|err| StoreError::corrupt(Entity::RawRecord, id, err))?;
        hashes.push(RecordHash { id, content_hash: content_hash.parse().ok() });
    }
    Ok(hashes)
}

/// Restricts a boxed query to the bounds that are columns.
macro_rules! filter_columns {
    ($records:ident, $select:expr, $query:expr) => {{
        let query: &RecordQuery = $query;
        let mut select = $select;
        if let Some(data_type) = &query.data_type {
            select = select.filter($records::data_type.eq(data_type.as_str()));
        }
        if let Some(source_app) = &query.source_app {
            select = select.filter($records::source_app.eq(source_app.as_str()));
        }
        if let Some(source) = &query.source {
            select = select.filter($records::source.eq(source));
        }
        if let Some(from) = query.scraped_from {
            select = select.filter($records::scraped_at.ge(Instant(from)));
        }
        if let Some(before) = query.scraped_before {
            select = select.filter($records::scraped_at.lt(Instant(before)));
        }
        if let Some(known_by) = query.known_by {
            select = select.filter($records::ingested_at.le(Instant(known_by)));
        }
        select
    }};
}

fn count_by_columns(sqlite: &mut SqliteConnection, collection: Collection, query: &RecordQuery) -> QueryResult<u64> {
    let n_records: i64 = on_collection!(collection, records => {
        filter_columns!(records, records::table.count().into_boxed(), query).get_result(sqlite)?
    });
    Ok(n_records as u64)
}

/// Shows matching records with ids above `after`, by ascending id, until `keep_going` says no.
///
/// Rows are read one at a time. Fields of the content are compared here and not in SQL, for there two JSON texts of one value
/// could differ.
fn visit(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    query: &RecordQuery,
    after: &str,
    mut keep_going: impl FnMut(RawRecord) -> bool,
) -> Result<(), Failure> {
    on_collection!(collection, records => {
        let select = filter_columns!(records, records::table.select(record_columns!(records)).into_boxed(), query)
            .filter(records::id.gt(after))
            .order(records::id);
        for row in select.load_iter::<RecordRow, _>(sqlite)? {
            let record = row?.into_record()?;
            if content_matches(&record, query) && !keep_going(record) {
                break;
            }
        }
    });
    Ok(())
}

fn content_matches(record: &RawRecord, query: &RecordQuery) -> bool {
    query.content_equals.iter().all(|(field, value)| {
        let found = record.raw_content.as_object().and_then(|fields| fields.get(field));
        found.is_some_and(|found| equals(found, value))
    })
}

/// Compares as people do, for whom `1` is `1.0`.
fn equals(found: &Value, expected: &Value) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => found == expected,
        _ => found == expected,
    }
}
