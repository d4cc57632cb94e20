//! `quarantine`: records that broke a rule, with every reason.

pub(super) mod bulk;
pub(super) mod write;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::OptionalExtension as _;
use diesel::prelude::{BoolExpressionMethods as _, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::quarantine::{QuarantineKey, QuarantineQuery, QuarantineStore, QuarantinedRecord, ReasonCount};
use ml_core::record::Collection;

use crate::connection::on_backend;
use crate::schema::sql::{quarantine, quarantine_reasons};
use crate::sql::SqlStore;
use crate::types::{Instant, JsonText};

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = quarantine, treat_none_as_default_value = false)]
struct RecordRow {
    collection: String,
    raw_id: String,
    data_type: String,
    source_app: String,
    record: JsonText,
    reasons: JsonText,
    first_seen_at: Instant,
    last_seen_at: Instant,
    attempts: i64,
}

/// A quarantined record as it goes to the blocking thread.
pub(super) struct QuarantineRow {
    row: RecordRow,
    /// The rules and fields at fault, each pair once.
    reasons: BTreeSet<(String, Option<String>)>,
}

impl From<&QuarantinedRecord> for QuarantineRow {
    fn from(quarantined: &QuarantinedRecord) -> QuarantineRow {
        let record = &quarantined.record;
        let reasons = quarantined.reasons.iter().map(|reason| (reason.rule.clone(), reason.field.clone())).collect();
        let row = RecordRow {
            collection: quarantined.collection.name().to_owned(),
            raw_id: record.id.as_str().to_owned(),
            data_type: record.data_type.as_str().to_owned(),
            source_app: record.source_app.as_str().to_owned(),
            record: JsonText::of(record),
            reasons: JsonText::of(&quarantined.reasons),
            first_seen_at: Instant(quarantined.first_seen_at),
            last_seen_at: Instant(quarantined.last_seen_at),
            attempts: quarantined.attempts.into(),
        };
        QuarantineRow { row, reasons }
    }
}

impl RecordRow {
    fn into_quarantined(self) -> Result<QuarantinedRecord, StoreError> {
        let key = format!("{}/{}", self.collection, self.raw_id);
        self.decode().map_err(|err| StoreError::corrupt(Entity::QuarantinedRecord, key, err))
    }

    fn decode(self) -> Result<QuarantinedRecord, BoxError> {
        Ok(QuarantinedRecord {
            collection: collection_named(&self.collection)?,
            record: self.record.parse()?,
            reasons: self.reasons.parse()?,
            first_seen_at: self.first_seen_at.0,
            last_seen_at: self.last_seen_at.0,
            attempts: u32::try_from(self.attempts)?,
        })
    }
}

fn collection_named(name: &str) -> Result<Collection, BoxError> {
    Collection::find_by_name(name).ok_or_else(|| format!("there is no collection `{name}`").into())
}

/// Selects the records that a query asks for; a macro, for the type of such a selection names the engine.
macro_rules! matching {
    ($query:expr) => {{
        let query: &QuarantineQuery = $query;
        let mut select = quarantine::table.into_boxed();
        if let Some(collection) = query.collection {
            select = select.filter(quarantine::collection.eq(collection.name()));
        }
        if let Some(data_type) = &query.data_type {
            select = select.filter(quarantine::data_type.eq(data_type.as_str()));
        }
        if let Some(source_app) = &query.source_app {
            select = select.filter(quarantine::source_app.eq(source_app.as_str()));
        }
        if let Some(rule) = &query.rule {
            let of_rule = quarantine_reasons::table
                .filter(quarantine_reasons::rule.eq(rule))
                .filter(quarantine_reasons::collection.eq(quarantine::collection))
                .filter(quarantine_reasons::raw_id.eq(quarantine::raw_id));
            select = select.filter(diesel::dsl::exists(of_rule));
        }
        select
    }};
}

#[async_trait]
impl QuarantineStore for SqlStore {
    async fn get(&self, key: &QuarantineKey) -> Result<QuarantinedRecord, StoreError> {
        let select = quarantine::table.find((key.collection.name(), key.raw_id.as_str()));
        let row: Option<RecordRow> = self
            .database
            .read("reading quarantine", async |connection| {
                Ok(on_backend!(connection => select.get_result(connection).await).optional()?)
            })
            .await?;
        let absent = || StoreError::not_found(Entity::QuarantinedRecord, format!("{}/{}", key.collection, key.raw_id));
        row.ok_or_else(absent)?.into_quarantined()
    }

    async fn find_by_raw_id(&self, raw_id: &RecordId) -> Result<Vec<QuarantinedRecord>, StoreError> {
        let select = quarantine::table.filter(quarantine::raw_id.eq(raw_id.as_str())).order(quarantine::collection);
        let rows: Vec<RecordRow> = self
            .database
            .read("reading quarantine", async |connection| {
                Ok(on_backend!(connection => select.load(connection).await)?)
            })
            .await?;
        rows.into_iter().map(RecordRow::into_quarantined).collect()
    }

    async fn list(
        &self,
        query: &QuarantineQuery,
        page: PageRequest<QuarantineKey>,
    ) -> Result<Page<QuarantinedRecord, QuarantineKey>, StoreError> {
        let limit = page.limit() as i64 + 1;
        let rows: Vec<RecordRow> = self
            .database
            .read("listing quarantine", async |connection| {
                let rows = on_backend!(connection => {
                    let mut select = matching!(query).order((quarantine::collection, quarantine::raw_id));
                    if let Some(cursor) = page.cursor() {
                        let name = cursor.collection.name();
                        let later_in_collection =
                            quarantine::collection.eq(name).and(quarantine::raw_id.gt(cursor.raw_id.as_str()));
                        select = select.filter(quarantine::collection.gt(name).or(later_in_collection));
                    }
                    select.limit(limit).load(connection).await
                });
                Ok(rows?)
            })
            .await?;
        let found = rows.into_iter().map(RecordRow::into_quarantined).collect::<Result<_, _>>()?;
        Ok(Page::from_lookahead(found, page.limit(), QuarantinedRecord::key))
    }

    async fn count(&self, query: &QuarantineQuery) -> Result<u64, StoreError> {
        let n_records: i64 = self
            .database
            .read("counting quarantine", async |connection| {
                Ok(on_backend!(connection => matching!(query).count().get_result(connection).await)?)
            })
            .await?;
        Ok(n_records as u64)
    }

    async fn count_by_reason(&self) -> Result<Vec<ReasonCount>, StoreError> {
        let columns = (quarantine_reasons::collection, quarantine_reasons::rule, quarantine_reasons::field);
        let select = quarantine_reasons::table.group_by(columns).select((columns, diesel::dsl::count_star()));
        let mut rows: Vec<((String, String, Option<String>), i64)> = self
            .database
            .read("counting quarantine", async |connection| {
                Ok(on_backend!(connection => select.load(connection).await)?)
            })
            .await?;
        // The engines put null to different ends.
        rows.sort();
        let mut counts = Vec::with_capacity(rows.len());
        for ((collection, rule, field), n_records) in rows {
            let collection = collection_named(&collection)
                .map_err(|err| StoreError::corrupt(Entity::QuarantinedRecord, &collection, err))?;
            counts.push(ReasonCount { collection, field, rule, n_records: n_records as u64 });
        }
        counts.sort_by_key(|count| Reverse(count.n_records));
        Ok(counts)
    }
}
