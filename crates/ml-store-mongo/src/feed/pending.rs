//! How much is still to be read.

use ml_core::error::StoreError;
use ml_core::record::Collection;
use mongodb::bson::{Document, doc};

use super::token::{Position, Snapshot};
use super::{OPERATION, snapshot};
use crate::store::MongoDocuments;

impl MongoDocuments {
    /// Counts the changes after a position, or all.
    pub(super) async fn count_after(
        &self,
        collection: Collection,
        position: Option<Position>,
    ) -> Result<u64, StoreError> {
        match position {
            None => self.count_matching(collection, doc! {}).await,
            Some(Position::Snapshot(Snapshot { stream, after })) => {
                let n_records = self.count_matching(collection, snapshot::rest_after(after.as_ref())).await?;
                Ok(n_records + self.count_streamed_after(collection, &stream).await?)
            }
            Some(Position::Streamed(position)) => self.count_streamed_after(collection, &position).await,
            Some(Position::Polled { after }) => {
                let filter = self.settled_after(after.as_ref()).await?;
                self.count_matching(collection, filter).await
            }
        }
    }

    async fn count_matching(&self, collection: Collection, filter: Document) -> Result<u64, StoreError> {
        let documents = self.raw(collection.name());
        self.run(OPERATION, || async { documents.count_documents(filter.clone()).await }).await
    }
}
