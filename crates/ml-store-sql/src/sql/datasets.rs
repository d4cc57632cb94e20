//! `dataset_versions`: immutable snapshots of rows.

use async_trait::async_trait;
use diesel::OptionalExtension as _;
use diesel::prelude::{ExpressionMethods as _, Insertable, QueryDsl as _, Queryable};
use diesel_async::RunQueryDsl as _;
use ml_core::artifact::ArtifactRef;
use ml_core::dataset::{DatasetName, DatasetStore, DatasetVersion, NewDatasetVersion, SplitCounts};
use ml_core::error::{BoxError, Entity, StoreError};

use crate::connection::{Connection, lock, on_backend};
use crate::error::Failure;
use crate::schema::sql::dataset_versions;
use crate::sql::SqlStore;
use crate::types::{Instant, JsonText};

#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = dataset_versions, treat_none_as_default_value = false)]
struct VersionRow {
    name: String,
    version: i64,
    spec: JsonText,
    as_of: Instant,
    n_train: i64,
    n_validation: i64,
    n_test: i64,
    schema: JsonText,
    content_hash: String,
    file_digest: String,
    file_size_bytes: i64,
    created_at: Instant,
    joins: JsonText,
}

impl From<&DatasetVersion> for VersionRow {
    fn from(version: &DatasetVersion) -> VersionRow {
        let content = &version.content;
        VersionRow {
            name: content.name.as_str().to_owned(),
            version: version.version.into(),
            spec: JsonText::of(&content.spec),
            as_of: Instant(content.as_of),
            n_train: content.counts.train as i64,
            n_validation: content.counts.validation as i64,
            n_test: content.counts.test as i64,
            schema: JsonText::of(&content.schema),
            content_hash: content.content_hash.to_string(),
            file_digest: content.file.digest.to_string(),
            file_size_bytes: content.file.size_bytes as i64,
            created_at: Instant(content.created_at),
            joins: JsonText::of(&content.joins),
        }
    }
}

impl VersionRow {
    fn into_version(self) -> Result<DatasetVersion, StoreError> {
        let key = format!("{}@{}", self.name, self.version);
        self.decode().map_err(|err| StoreError::corrupt(Entity::DatasetVersion, key, err))
    }

    fn decode(self) -> Result<DatasetVersion, BoxError> {
        let counts = SplitCounts {
            train: u64::try_from(self.n_train)?,
            validation: u64::try_from(self.n_validation)?,
            test: u64::try_from(self.n_test)?,
        };
        let file = ArtifactRef { digest: self.file_digest.parse()?, size_bytes: u64::try_from(self.file_size_bytes)? };
        let content = NewDatasetVersion {
            name: DatasetName::parse(&self.name)?,
            spec: self.spec.parse()?,
            as_of: self.as_of.0,
            counts,
            schema: self.schema.parse()?,
            joins: self.joins.parse()?,
            content_hash: self.content_hash.parse()?,
            file,
            created_at: self.created_at.0,
        };
        Ok(DatasetVersion { version: u32::try_from(self.version)?, content })
    }
}

#[async_trait]
impl DatasetStore for SqlStore {
    async fn create_version(&self, version: &NewDatasetVersion) -> Result<DatasetVersion, StoreError> {
        self.database
            .write("creating a dataset version", async |connection| {
                lock(connection, &format!("dataset/{}", version.name)).await?;
                let newest = load_latest(connection, &version.name).await?;
                let is_same = |newest: &DatasetVersion| {
                    newest.content.spec == version.spec && newest.content.content_hash == version.content_hash
                };
                if let Some(newest) = &newest
                    && is_same(newest)
                {
                    return Ok(newest.clone());
                }
                let number = newest.map_or(1, |newest| newest.version + 1);
                let created = DatasetVersion { version: number, content: version.clone() };
                let insert = diesel::insert_into(dataset_versions::table).values(VersionRow::from(&created));
                on_backend!(connection => insert.execute(connection).await)?;
                Ok(created)
            })
            .await
    }

    async fn get(&self, name: &DatasetName, version: u32) -> Result<DatasetVersion, StoreError> {
        let select = dataset_versions::table.find((name.as_str(), i64::from(version)));
        let row: Option<VersionRow> = self
            .database
            .read("reading a dataset version", async |connection| {
                Ok(on_backend!(connection => select.get_result(connection).await).optional()?)
            })
            .await?;
        row.ok_or_else(|| StoreError::not_found(Entity::DatasetVersion, format!("{name}@{version}")))?.into_version()
    }

    async fn find_latest(&self, name: &DatasetName) -> Result<Option<DatasetVersion>, StoreError> {
        self.database.read("reading a dataset version", async |connection| load_latest(connection, name).await).await
    }

    async fn list(&self, name: Option<&DatasetName>) -> Result<Vec<DatasetVersion>, StoreError> {
        let rows: Vec<VersionRow> = self
            .database
            .read("listing dataset versions", async |connection| {
                let rows = on_backend!(connection => {
                    let mut select =
                        dataset_versions::table.order((dataset_versions::name, dataset_versions::version)).into_boxed();
                    if let Some(name) = name {
                        select = select.filter(dataset_versions::name.eq(name.as_str()));
                    }
                    select.load(connection).await
                });
                Ok(rows?)
            })
            .await?;
        rows.into_iter().map(VersionRow::into_version).collect()
    }
}

async fn load_latest(connection: &mut Connection, name: &DatasetName) -> Result<Option<DatasetVersion>, Failure> {
    let select = dataset_versions::table
        .filter(dataset_versions::name.eq(name.as_str()))
        .order(dataset_versions::version.desc());
    let row: Option<VersionRow> = on_backend!(connection => select.first(connection).await).optional()?;
    Ok(row.map(VersionRow::into_version).transpose()?)
}
