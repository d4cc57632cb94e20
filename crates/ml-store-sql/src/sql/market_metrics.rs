//! `market_metrics`: validated bars of market prices.

use async_trait::async_trait;
use diesel::QueryResult;
use diesel::prelude::{AsChangeset, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel::sql_types::{Double, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel_async::RunQueryDsl as _;
use ml_core::error::{BoxError, Entity, StoreError};
use ml_core::global_data::ValidatedQuery;
use ml_core::id::RecordId;
use ml_core::market_metric::{MarketMetric, MarketMetricStore};
use ml_core::page::{Page, PageRequest};
use ml_core::record::SourceApp;

use crate::connection::{Connection, on_backend};
use crate::schema::sql::market_metrics;
use crate::sql::SqlStore;
use crate::sql::validated::bulk::{BulkRow, bulk_by_id, bulk_writes};
use crate::sql::validated::{
    self, HashedRow, SupersededRow, ValidatedTable, filter_validated, hashed_row_statements, take_by_id,
    validated_queries,
};
use crate::types::{Instant, JsonText, UtcTimestamp};

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = market_metrics, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct MarketRow {
    id: String,
    source_app: String,
    symbol: String,
    event_time: Instant,
    open: Option<f64>,
    high: Option<f64>,
    low: Option<f64>,
    close: f64,
    volume: Option<f64>,
    created_at: Instant,
    raw_id: String,
    content_hash: String,
}

impl From<&MarketMetric> for MarketRow {
    fn from(record: &MarketMetric) -> MarketRow {
        MarketRow {
            id: record.id.as_str().to_owned(),
            source_app: record.source_app.as_str().to_owned(),
            symbol: record.symbol.clone(),
            event_time: Instant(record.event_time),
            open: record.open,
            high: record.high,
            low: record.low,
            close: record.close,
            volume: record.volume,
            created_at: Instant(record.created_at),
            raw_id: record.raw_id.as_str().to_owned(),
            content_hash: record.content_hash.to_string(),
        }
    }
}

impl MarketRow {
    fn decode(self) -> Result<MarketMetric, BoxError> {
        Ok(MarketMetric {
            id: RecordId::parse(self.id)?,
            source_app: SourceApp::parse(&self.source_app)?,
            symbol: self.symbol,
            event_time: self.event_time.0,
            open: self.open,
            high: self.high,
            low: self.low,
            close: self.close,
            volume: self.volume,
            created_at: self.created_at.0,
            raw_id: RecordId::parse(self.raw_id)?,
            content_hash: self.content_hash.parse()?,
        })
    }
}

impl HashedRow for MarketRow {
    hashed_row_statements!(MarketRow, market_metrics, (id));
    take_by_id!(MarketRow, market_metrics);

    fn superseded(self, superseded_at: Instant) -> Result<Option<SupersededRow>, StoreError> {
        let (id, source_app) = (self.id.clone(), self.source_app.clone());
        let (created_at, event_time) = (self.created_at, self.event_time);
        Ok(Some(SupersededRow {
            table_name: MarketRow::TABLE,
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

impl BulkRow for MarketRow {
    bulk_by_id!(market_metrics, MarketMetric, texts: symbol);
    bulk_writes!(market_metrics, (id),
        each: {
            id: Text,
            event_time: UtcTimestamp,
            open: Nullable<Double>,
            high: Nullable<Double>,
            low: Nullable<Double>,
            close: Double,
            volume: Nullable<Double>,
            raw_id: Text,
            content_hash: Text,
        },
        alike: {
            source_app: Text,
            symbol: Text,
            created_at: UtcTimestamp,
        },
    );
}

impl ValidatedTable for MarketRow {
    const TABLE: &'static str = "market_metrics";
    const ENTITY: Entity = Entity::MarketMetric;

    type Record = MarketMetric;

    validated_queries!(MarketRow, market_metrics);

    fn into_record(self) -> Result<MarketMetric, StoreError> {
        let key = self.id.clone();
        self.decode().map_err(|err| StoreError::corrupt(Entity::MarketMetric, key, err))
    }

    fn id_of(record: &MarketMetric) -> &RecordId {
        &record.id
    }
}

#[async_trait]
impl MarketMetricStore for SqlStore {
    async fn list(
        &self,
        query: &ValidatedQuery,
        page: PageRequest<RecordId>,
    ) -> Result<Page<MarketMetric, RecordId>, StoreError> {
        validated::list::<MarketRow>(&self.database, "listing market metrics", query, &page).await
    }

    async fn count(&self, query: &ValidatedQuery) -> Result<u64, StoreError> {
        validated::count::<MarketRow>(&self.database, "counting market metrics", query).await
    }
}
