//! `record_warnings`: rules that a record broke whose rows were written nevertheless.

pub(super) mod bulk;
pub(super) mod write;

use std::cmp::Reverse;

use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::prelude::{BoolExpressionMethods as _, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::quarantine::{QuarantineReason, ReasonCount};
use ml_core::record::Collection;
use ml_core::warning::{RecordWarning, WarningKey, WarningQuery, WarningStore};

use crate::connection::on_backend;
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
    fn new(collection: Collection, raw_id: &str, place: i32, warning: &QuarantineReason, at: Instant) -> WarningRow {
        WarningRow {
            collection: collection.name().to_owned(),
            raw_id: raw_id.to_owned(),
            place,
            rule: warning.rule.clone(),
            field: warning.field.clone(),
            message: warning.message.clone(),
            warned_at: at,
        }
    }

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

/// Selects the warnings that a query asks for; a macro, for the type of such a selection names the engine.
macro_rules! matching {
    ($query:expr) => {{
        let query: &WarningQuery = $query;
        let mut select = record_warnings::table.into_boxed();
        if let Some(collection) = query.collection {
            select = select.filter(record_warnings::collection.eq(collection.name()));
        }
        if let Some(rule) = &query.rule {
            select = select.filter(record_warnings::rule.eq(rule));
        }
        select
    }};
}

#[async_trait]
impl WarningStore for SqlStore {
    async fn list(
        &self,
        query: &WarningQuery,
        page: PageRequest<WarningKey>,
    ) -> Result<Page<RecordWarning, WarningKey>, StoreError> {
        let (collection, raw_id, place) =
            (record_warnings::collection, record_warnings::raw_id, record_warnings::place);
        let limit = page.limit() as i64 + 1;
        let rows: Vec<WarningRow> = self
            .database
            .read("listing warnings", async |connection| {
                let rows = on_backend!(connection => {
                    let mut select = matching!(query).order((collection, raw_id, place));
                    if let Some(cursor) = page.cursor() {
                        let (name, id) = (cursor.collection.name(), cursor.raw_id.as_str());
                        let later_of_record = collection.eq(name).and(raw_id.eq(id)).and(place.gt(cursor.place as i32));
                        let later_in_collection = collection.eq(name).and(raw_id.gt(id));
                        select = select.filter(collection.gt(name).or(later_in_collection).or(later_of_record));
                    }
                    select.limit(limit).load(connection).await
                });
                Ok(rows?)
            })
            .await?;
        let found = rows.into_iter().map(WarningRow::into_warning).collect::<Result<_, _>>()?;
        Ok(Page::from_lookahead(found, page.limit(), RecordWarning::key))
    }

    async fn count_records(&self, query: &WarningQuery) -> Result<u64, StoreError> {
        let n_records: i64 = self
            .database
            .read("counting warnings", async |connection| {
                let counted = on_backend!(connection => {
                    // No name of a collection has a colon, so that the two together are a key.
                    let select = matching!(query).select(sql::<BigInt>("count(DISTINCT collection || ':' || raw_id)"));
                    select.get_result(connection).await
                });
                Ok(counted?)
            })
            .await?;
        Ok(n_records as u64)
    }

    async fn count_by_reason(&self) -> Result<Vec<ReasonCount>, StoreError> {
        let columns = (record_warnings::collection, record_warnings::rule, record_warnings::field);
        let mut rows: Vec<((String, String, Option<String>), i64)> = self
            .database
            .read("counting warnings", async |connection| {
                let counted = on_backend!(connection => {
                    let n_records = sql::<BigInt>("count(DISTINCT raw_id)");
                    record_warnings::table.group_by(columns).select((columns, n_records)).load(connection).await
                });
                Ok(counted?)
            })
            .await?;
        // The engines put null to different ends.
        rows.sort();
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
