//! `global_ml_data`: validated rows of any data type that has no table of its own.

use async_trait::async_trait;
use diesel::prelude::{AsChangeset, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::sql_types::{Integer, Json, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension as _, QueryResult};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::global_data::{GlobalDataStore, GlobalRecord, ValidatedQuery};
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::{DataType, SourceApp};

use crate::connection::{Connection, on_backend};
use crate::schema::sql::global_ml_data;
use crate::sql::SqlStore;
use crate::sql::validated::bulk::{BulkRow, bulk_by_id, bulk_writes};
use crate::sql::validated::{
    self, HashedRow, SupersededRow, ValidatedTable, filter_validated, hashed_row_statements, take_by_id,
    validated_queries,
};
use crate::types::{Instant, JsonText, UtcTimestamp};

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = global_ml_data, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct GlobalRow {
    id: String,
    source_app: String,
    data_type: String,
    processed_content: Option<String>,
    features: JsonText,
    event_time: Instant,
    created_at: Instant,
    raw_id: String,
    content_hash: String,
    schema_version: i32,
}

impl From<&GlobalRecord> for GlobalRow {
    fn from(record: &GlobalRecord) -> GlobalRow {
        GlobalRow {
            id: record.id.as_str().to_owned(),
            source_app: record.source_app.as_str().to_owned(),
            data_type: record.data_type.as_str().to_owned(),
            processed_content: record.processed_content.clone(),
            features: JsonText::of(&record.features),
            event_time: Instant(record.event_time),
            created_at: Instant(record.created_at),
            raw_id: record.raw_id.as_str().to_owned(),
            content_hash: record.content_hash.to_string(),
            schema_version: record.schema_version,
        }
    }
}

impl GlobalRow {
    fn decode(self) -> Result<GlobalRecord, BoxError> {
        Ok(GlobalRecord {
            id: RecordId::parse(self.id)?,
            source_app: SourceApp::parse(&self.source_app)?,
            data_type: DataType::parse(&self.data_type)?,
            processed_content: self.processed_content,
            features: self.features.parse()?,
            event_time: self.event_time.0,
            created_at: self.created_at.0,
            raw_id: RecordId::parse(self.raw_id)?,
            content_hash: self.content_hash.parse()?,
            schema_version: self.schema_version,
        })
    }
}

impl HashedRow for GlobalRow {
    hashed_row_statements!(GlobalRow, global_ml_data, (id));
    take_by_id!(GlobalRow, global_ml_data);

    fn superseded(self, superseded_at: Instant) -> Result<Option<SupersededRow>, StoreError> {
        let (id, source_app) = (self.id.clone(), self.source_app.clone());
        let data_type = Some(self.data_type.clone());
        let (created_at, event_time) = (self.created_at, self.event_time);
        Ok(Some(SupersededRow {
            table_name: GlobalRow::TABLE,
            id,
            created_at,
            superseded_at,
            source_app,
            data_type,
            event_time,
            body: JsonText::of(&self.into_record()?),
        }))
    }
}

impl BulkRow for GlobalRow {
    bulk_by_id!(global_ml_data, Global, texts: processed_content);
    bulk_writes!(global_ml_data, (id),
        each: {
            id: Text,
            processed_content: Nullable<Text>,
            features: Json,
            event_time: UtcTimestamp,
            raw_id: Text,
            content_hash: Text,
        },
        alike: {
            source_app: Text,
            data_type: Text,
            created_at: UtcTimestamp,
            schema_version: Integer,
        },
    );
}

impl ValidatedTable for GlobalRow {
    const TABLE: &'static str = "global_ml_data";
    const ENTITY: Entity = Entity::GlobalRecord;

    type Record = GlobalRecord;

    validated_queries!(GlobalRow, global_ml_data, data_type);

    fn into_record(self) -> Result<GlobalRecord, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::GlobalRecord, key, err))
    }

    fn id_of(record: &GlobalRecord) -> &RecordId {
        &record.id
    }
}

#[async_trait]
impl GlobalDataStore for SqlStore {
    async fn get(&self, id: &RecordId) -> Result<GlobalRecord, StoreError> {
        let row: Option<GlobalRow> = self
            .database
            .read("reading a row", async |connection| {
                let select = global_ml_data::table.find(id.as_str());
                Ok(on_backend!(connection => select.get_result(connection).await).optional()?)
            })
            .await?;
        row.ok_or_else(|| StoreError::not_found(Entity::GlobalRecord, id))?.into_record()
    }

    async fn list(
        &self,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<GlobalRecord, RecordId>, StoreError> {
        validated::list::<GlobalRow>(&self.database, "listing rows", query, &page).await
    }

    async fn count(&self, query: &ValidatedQuery) -> Result<u64, StoreError> {
        validated::count::<GlobalRow>(&self.database, "counting rows", query).await
    }
}
