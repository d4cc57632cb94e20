//! Collections, validators and indexes: numbered steps, each of which may be applied again without harm.
//!
//! What was applied is in the collection `schema_migrations`. A step is never edited once released; it is followed by another.

mod steps;

use futures::TryStreamExt as _;
use ml_core::error::StoreError;
use mongodb::bson::{Document, doc};

use crate::error::MongoFault;
use crate::store::MongoDocuments;

pub(crate) use steps::RETIRED_RECORDS;
use steps::STEPS;

/// The collection that says what was applied.
const MIGRATIONS: &str = "schema_migrations";

impl MongoDocuments {
    /// Applies the pending migrations and returns their names; with none pending it only reads.
    ///
    /// Two processes may do so at once.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        const OPERATION: &str = "migrating the document store";
        self.refuse_newer_schema(OPERATION).await?;
        let applied = self.applied_migrations(OPERATION).await?;
        let mut names = Vec::new();
        for step in STEPS.iter().filter(|step| !applied.contains(&step.version)) {
            self.run(OPERATION, || (step.apply)(&self.database)).await?;
            self.run(OPERATION, || self.remember_migration(step.version, step.name)).await?;
            names.push(step.name.to_owned());
        }
        Ok(names)
    }

    /// Lists the names of the migrations that are still to be applied, in order.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let applied = self.applied_migrations("listing migrations").await?;
        let pending = STEPS.iter().filter(|step| !applied.contains(&step.version));
        Ok(pending.map(|step| step.name.to_owned()).collect())
    }

    /// Undoes every migration; the collections go, with everything in them.
    pub async fn revert_migrations(&self) -> Result<(), StoreError> {
        const OPERATION: &str = "reverting the document store";
        self.refuse_newer_schema(OPERATION).await?;
        for step in STEPS.iter().rev() {
            self.run(OPERATION, || (step.revert)(&self.database)).await?;
        }
        self.run(OPERATION, || async { self.documents(MIGRATIONS).drop().await }).await
    }

    /// Fails when a release that we know nothing of has changed the collections.
    pub(crate) async fn refuse_newer_schema(&self, operation: &'static str) -> Result<(), StoreError> {
        let applied = self.applied_migrations(operation).await?;
        let unknown = applied.into_iter().find(|version| STEPS.iter().all(|step| step.version != *version));
        let Some(version) = unknown else { return Ok(()) };
        Err(MongoFault::NewerSchema { database: self.place.database.clone(), version }.into_store_error(operation))
    }

    async fn applied_migrations(&self, operation: &'static str) -> Result<Vec<i32>, StoreError> {
        let applied: Vec<Document> = self
            .run(operation, || async {
                self.documents(MIGRATIONS).find(doc! {}).sort(doc! { "_id": 1 }).await?.try_collect().await
            })
            .await?;
        Ok(applied.iter().filter_map(|document| document.get_i32("_id").ok()).collect())
    }

    async fn remember_migration(&self, version: i32, name: &str) -> mongodb::error::Result<()> {
        let applied = doc! { "$set": { "name": name }, "$currentDate": { "applied_at": true } };
        self.documents(MIGRATIONS).update_one(doc! { "_id": version }, applied).upsert(true).await.map(drop)
    }
}
