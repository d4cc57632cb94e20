//! `record_lineage`: what became of every raw record, and which version of it that was.

use diesel::prelude::*;
use diesel::sql_types::{Json, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::page::PageRequest;
use ml_core::record::Collection;
use ml_core::sync::{RawVersion, RecordLineage, RowRef, SyncOutcome};

use crate::connection::PostgresConnection;
use crate::error::Failure;
use crate::prepared::prepared;
use crate::schema::sql::record_lineage;
use crate::sql::validated::arrays::{insert_arrays, or_replace};
use crate::sql::validated::bulk::range_worth_asking;
use crate::types::{Instant, JsonText, UtcTimestamp};

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = record_lineage, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(in crate::sql) struct LineageRow {
    collection: String,
    raw_id: String,
    content_hash: String,
    ingested_at: Instant,
    outcome: String,
    target_table: Option<String>,
    row_ids: Option<JsonText>,
    pipeline: String,
    synced_at: Instant,
}

/// Returns the id of the only row of most records, which is not kept for them.
fn usual_row_id(collection: &str, raw_id: &str) -> String {
    format!("{collection}:{raw_id}")
}

impl LineageRow {
    /// Encodes the lineage of a record of `collection`.
    pub(super) fn new(collection: Collection, lineage: RecordLineage) -> LineageRow {
        let collection = collection.name();
        let target_table = lineage.rows.first().map(|row| row.table.clone());
        let row_ids = match lineage.rows.as_slice() {
            [] => None,
            [row] if row.id == usual_row_id(collection, lineage.raw_id.as_str()) => None,
            rows => Some(JsonText::of(&rows)),
        };
        LineageRow {
            collection: collection.to_owned(),
            raw_id: lineage.raw_id.into(),
            content_hash: lineage.version.content_hash.to_string(),
            ingested_at: Instant(lineage.version.ingested_at),
            outcome: lineage.outcome.name().to_owned(),
            target_table,
            row_ids,
            pipeline: lineage.pipeline,
            synced_at: Instant(lineage.synced_at),
        }
    }

    /// Reads the lineage back, or says which one is corrupt and why.
    pub(super) fn into_lineage(self) -> Result<RecordLineage, StoreError> {
        let key = format!("{}/{}", self.collection, self.raw_id);
        self.decode().map_err(|err| StoreError::corrupt(Entity::RecordLineage, key, err))
    }

    fn decode(self) -> Result<RecordLineage, BoxError> {
        let rows = match (self.target_table, self.row_ids) {
            (_, Some(rows)) => rows.parse()?,
            (Some(table), None) => vec![RowRef { table, id: usual_row_id(&self.collection, &self.raw_id) }],
            (None, None) => Vec::new(),
        };
        Ok(RecordLineage {
            raw_id: RecordId::parse(self.raw_id)?,
            version: RawVersion { content_hash: self.content_hash.parse()?, ingested_at: self.ingested_at.0 },
            outcome: SyncOutcome::find_by_name(&self.outcome).ok_or("there is no such outcome")?,
            rows,
            pipeline: self.pipeline,
            synced_at: self.synced_at.0,
        })
    }

    /// Inserts the lineage unless the record has one, and returns whether it did.
    pub(super) fn insert(&self, sqlite: &mut SqliteConnection) -> QueryResult<bool> {
        struct Insert;
        let insert = diesel::insert_into(record_lineage::table)
            .values(self)
            .on_conflict((record_lineage::collection, record_lineage::raw_id))
            .do_nothing();
        Ok(prepared::<Insert, _>(insert).execute(sqlite)? == 1)
    }

    /// Replaces the lineage of the record.
    pub(super) fn replace(&self, sqlite: &mut SqliteConnection) -> QueryResult<()> {
        diesel::update(record_lineage::table.find((&self.collection, &self.raw_id))).set(self).execute(sqlite)?;
        Ok(())
    }
}

/// Returns the lineage of a record, if it has one.
pub(super) fn find(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    raw_id: &RecordId,
) -> Result<Option<RecordLineage>, Failure> {
    let select = record_lineage::table.find((collection.name(), raw_id.as_str()));
    let row: Option<LineageRow> = select.get_result(sqlite).optional()?;
    Ok(row.map(LineageRow::into_lineage).transpose()?)
}

/// Selects a page of the lineages of `$collection`, and one more than it holds.
macro_rules! page_of {
    ($collection:expr, $page:expr) => {
        record_lineage::table
            .filter(record_lineage::collection.eq($collection.name()))
            .filter(record_lineage::raw_id.gt($page.cursor().map_or("", RecordId::as_str)))
            .order(record_lineage::raw_id)
            .limit($page.limit() as i64 + 1)
    };
}

/// Lists lineages of `collection` by ascending id, and one more than the page holds.
pub(super) fn list(
    sqlite: &mut SqliteConnection,
    collection: Collection,
    page: &PageRequest<RecordId>,
) -> Result<Vec<RecordLineage>, Failure> {
    let rows: Vec<LineageRow> = page_of!(collection, page).load(sqlite)?;
    Ok(rows.into_iter().map(LineageRow::into_lineage).collect::<Result<_, _>>()?)
}

/// Returns the lineage of those of the records with these ids that have one.
pub(super) async fn find_on_postgres(
    postgres: &mut PostgresConnection,
    collection: Collection,
    raw_ids: &[&str],
) -> Result<Vec<RecordLineage>, Failure> {
    let of_collection = record_lineage::table.filter(record_lineage::collection.eq(collection.name()));
    if let Some((first, last)) = range_worth_asking(raw_ids) {
        let between = of_collection.filter(record_lineage::raw_id.between(first, last)).select(record_lineage::raw_id);
        if diesel_async::RunQueryDsl::load::<String>(between.limit(1), postgres).await?.is_empty() {
            return Ok(Vec::new());
        }
    }
    let select = of_collection.filter(record_lineage::raw_id.eq_any(raw_ids));
    let rows: Vec<LineageRow> = diesel_async::RunQueryDsl::load(select, postgres).await?;
    Ok(rows.into_iter().map(LineageRow::into_lineage).collect::<Result<_, _>>()?)
}

/// Inserts the lineage of records of `collection` that have none.
pub(super) async fn insert_all(
    postgres: &PostgresConnection,
    collection: Collection,
    lineages: Vec<RecordLineage>,
) -> QueryResult<()> {
    save_all(postgres, collection, lineages, "").await
}

/// Replaces the lineage of records of `collection` that have one.
pub(super) async fn replace_all(
    postgres: &mut PostgresConnection,
    collection: Collection,
    lineages: Vec<RecordLineage>,
) -> QueryResult<()> {
    save_all(postgres, collection, lineages, &or_replace(&["collection", "raw_id"], &COLUMNS)).await
}

/// The columns that [`save_all`] writes.
const COLUMNS: [&str; 9] = [
    "collection",
    "raw_id",
    "content_hash",
    "ingested_at",
    "outcome",
    "target_table",
    "row_ids",
    "pipeline",
    "synced_at",
];

async fn save_all(
    postgres: &PostgresConnection,
    collection: Collection,
    lineages: Vec<RecordLineage>,
    end: &str,
) -> QueryResult<()> {
    let rows: Vec<LineageRow> = lineages.into_iter().map(|lineage| LineageRow::new(collection, lineage)).collect();
    insert_arrays!(
        postgres, "record_lineage", &rows, end,
        each: {
            raw_id: Text,
            content_hash: Text,
        },
        alike: {
            collection: Text,
            ingested_at: UtcTimestamp,
            outcome: Text,
            target_table: Nullable<Text>,
            row_ids: Nullable<Json>,
            pipeline: Text,
            synced_at: UtcTimestamp,
        },
    )?;
    Ok(())
}

/// Lists as [`list`] does.
pub(super) async fn list_on_postgres(
    postgres: &mut PostgresConnection,
    collection: Collection,
    page: &PageRequest<RecordId>,
) -> Result<Vec<RecordLineage>, Failure> {
    let rows: Vec<LineageRow> = diesel_async::RunQueryDsl::load(page_of!(collection, page), postgres).await?;
    Ok(rows.into_iter().map(LineageRow::into_lineage).collect::<Result<_, _>>()?)
}
