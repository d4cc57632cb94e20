//! `user_interactions`: validated events between a user and an item.

use async_trait::async_trait;
use diesel::QueryResult;
use diesel::prelude::{AsChangeset, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::sql_types::{Double, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::global_data::ValidatedQuery;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::SourceApp;
use ml_core::user_interaction::{UserInteraction, UserInteractionStore};

use crate::connection::{Connection, on_backend};
use crate::schema::sql::user_interactions;
use crate::sql::SqlStore;
use crate::sql::validated::bulk::{BulkRow, bulk_by_id, bulk_writes};
use crate::sql::validated::{
    self, HashedRow, SupersededRow, ValidatedTable, filter_validated, hashed_row_statements, take_by_id,
    validated_queries,
};
use crate::types::{Instant, JsonText, UtcTimestamp};

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = user_interactions, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct InteractionRow {
    id: String,
    source_app: String,
    user_id: String,
    item_id: String,
    action: String,
    value: Option<f64>,
    event_time: Instant,
    created_at: Instant,
    raw_id: String,
    content_hash: String,
}

impl From<&UserInteraction> for InteractionRow {
    fn from(record: &UserInteraction) -> InteractionRow {
        InteractionRow {
            id: record.id.as_str().to_owned(),
            source_app: record.source_app.as_str().to_owned(),
            user_id: record.user_id.clone(),
            item_id: record.item_id.clone(),
            action: record.action.clone(),
            value: record.value,
            event_time: Instant(record.event_time),
            created_at: Instant(record.created_at),
            raw_id: record.raw_id.as_str().to_owned(),
            content_hash: record.content_hash.to_string(),
        }
    }
}

impl InteractionRow {
    fn decode(self) -> Result<UserInteraction, BoxError> {
        Ok(UserInteraction {
            id: RecordId::parse(self.id)?,
            source_app: SourceApp::parse(&self.source_app)?,
            user_id: self.user_id,
            item_id: self.item_id,
            action: self.action,
            value: self.value,
            event_time: self.event_time.0,
            created_at: self.created_at.0,
            raw_id: RecordId::parse(self.raw_id)?,
            content_hash: self.content_hash.parse()?,
        })
    }
}

impl HashedRow for InteractionRow {
    hashed_row_statements!(InteractionRow, user_interactions, (id));
    take_by_id!(InteractionRow, user_interactions);

    fn superseded(self, superseded_at: Instant) -> Result<Option<SupersededRow>, StoreError> {
        let (id, source_app) = (self.id.clone(), self.source_app.clone());
        let (created_at, event_time) = (self.created_at, self.event_time);
        Ok(Some(SupersededRow {
            table_name: InteractionRow::TABLE,
            id,
            created_at,
            superseded_at,
            source_app,
            data_type: None,
            event_time,
            body: JsonText::of(&self.into_record()?),
        }))
    }
}

impl BulkRow for InteractionRow {
    bulk_by_id!(user_interactions, UserInteraction, texts: user_id, item_id, action);
    bulk_writes!(user_interactions, (id),
        each: {
            id: Text,
            user_id: Text,
            item_id: Text,
            value: Nullable<Double>,
            event_time: UtcTimestamp,
            raw_id: Text,
            content_hash: Text,
        },
        alike: {
            source_app: Text,
            action: Text,
            created_at: UtcTimestamp,
        },
    );
}

impl ValidatedTable for InteractionRow {
    const TABLE: &'static str = "user_interactions";
    const ENTITY: Entity = Entity::UserInteraction;

    type Record = UserInteraction;

    validated_queries!(InteractionRow, user_interactions);

    fn into_record(self) -> Result<UserInteraction, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::UserInteraction, key, err))
    }

    fn id_of(record: &UserInteraction) -> &RecordId {
        &record.id
    }
}

#[async_trait]
impl UserInteractionStore for SqlStore {
    async fn list(
        &self,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<UserInteraction, RecordId>, StoreError> {
        validated::list::<InteractionRow>(&self.database, "listing user interactions", query, &page).await
    }

    async fn count(&self, query: &ValidatedQuery) -> Result<u64, StoreError> {
        validated::count::<InteractionRow>(&self.database, "counting user interactions", query).await
    }
}
