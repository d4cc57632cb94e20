//! `record_warnings`: rules that a record broke whose rows were written nevertheless.

pub(super) mod write;

use std::cmp::Reverse;

use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::prelude::{BoolExpressionMethods as _, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::quarantine::{QuarantineReason, ReasonCount};
use ml_core::record::Collection;
use ml_core::warning::{RecordWarning, WarningKey, WarningQuery, WarningStore};

use crate::schema::sql::record_warnings;
use crate::sql::SqlStore;
use crate::types::Instant;

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = record_warnings, treat_none_as_default_value = false)]
struct WarningRow {
    collection: String,
    raw_id: String,
    place: i32,
    rule: String,
    field: Option<String>,
    message: String,
    warned_at: Instant,
}

impl WarningRow {
    fn into_warning(self) -> Result<RecordWarning, StoreError> {
        let key = format!("{}/{}", self.collection, self.raw_id);
        self.decode().map_err(|err| StoreError::corrupt(Entity::RawRecord, key, err))
    }

    fn decode(self) -> Result<RecordWarning, BoxError> {
        Ok(RecordWarning {
            collection: collection_named(&self.collection)?,
            raw_id: RecordId::parse(self.raw_id)?,
            place: u32::try_from(self.place)?,
            reason: QuarantineReason { field: self.field, rule: self.rule, message: self.message },
            warned_at: self.warned_at.0,
        })
    }
}

fn collection_named(name: &str) -> Result<Collection, BoxError> {
    Collection::find_by_name(name).ok_or_else(|| format!("there is no collection `{name}`").into())
}

#[async_trait]
impl WarningStore for SqlStore {
    async fn list(
        &self,
        query: &WarningQuery,
        page: PageRequest<WarningKey>,
    ) -> Result<Page<RecordWarning, WarningKey>, StoreError> {
        use record_warnings::{collection, place, raw_id};
        let mut select = select(query).order((collection, raw_id, place));
        if let Some(cursor) = page.cursor() {
            let (name, id) = (cursor.collection.name(), cursor.raw_id.as_str());
            let later_of_record = collection.eq(name).and(raw_id.eq(id)).and(place.gt(cursor.place as i32));
            let later_in_collection = collection.eq(name).and(raw_id.gt(id));
            select = select.filter(collection.gt(name).or(later_in_collection).or(later_of_record));
        }
        let select = select.limit(page.limit() as i64 + 1);
        let rows: Vec<WarningRow> =
            self.database.read("listing warnings", async |connection| Ok(select.load(connection).await?)).await?;
        let found = rows.into_iter().map(WarningRow::into_warning).collect::<Result<_, _>>()?;
        Ok(Page::from_lookahead(found, page.limit(), RecordWarning::key))
    }

    async fn count_records(&self, query: &WarningQuery) -> Result<u64, StoreError> {
        // No name of a collection has a colon, so that the two together are a key.
        let select = select(query).select(sql::<BigInt>("count(DISTINCT collection || ':' || raw_id)"));
        let n_records: i64 = self
            .database
            .read("counting warnings", async |connection| Ok(select.get_result(connection).await?))
            .await?;
        Ok(n_records as u64)
    }

    async fn count_by_reason(&self) -> Result<Vec<ReasonCount>, StoreError> {
        let columns = (record_warnings::collection, record_warnings::rule, record_warnings::field);
        let n_records = sql::<BigInt>("count(DISTINCT raw_id)");
        let select = record_warnings::table.group_by(columns).select((columns, n_records)).order(columns);
        let rows: Vec<((String, String, Option<String>), i64)> =
            self.database.read("counting warnings", async |connection| Ok(select.load(connection).await?)).await?;
        let mut counts = Vec::with_capacity(rows.len());
        for ((collection, rule, field), n_records) in rows {
            let collection = collection_named(&collection)
                .map_err(|err| StoreError::corrupt(Entity::RawRecord, &collection, err))?;
            counts.push(ReasonCount { collection, field, rule, n_records: n_records as u64 });
        }
        counts.sort_by_key(|count| Reverse(count.n_records));
        Ok(counts)
    }
}

fn select(query: &WarningQuery) -> record_warnings::BoxedQuery<'_, Sqlite> {
    let mut select = record_warnings::table.into_boxed();
    if let Some(collection) = query.collection {
        select = select.filter(record_warnings::collection.eq(collection.name()));
    }
    if let Some(rule) = &query.rule {
        select = select.filter(record_warnings::rule.eq(rule));
    }
    select
}
