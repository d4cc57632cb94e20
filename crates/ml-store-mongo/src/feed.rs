//! What changed: an initial snapshot in pieces, then the server's own stream of changes.
//!
//! A position begins with where the stream was before the snapshot began, so that what changes while the snapshot is read comes
//! after it. Servers that keep no changes, which is those outside of a replica set, are asked for what was ingested since the
//! last look instead; deletions do not come then.

mod change;
mod foreign;
mod pending;
mod polling;
mod snapshot;
mod stream;
mod token;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use ml_core::document::{Change, ChangeBatch, ChangeFeed, ResumeToken};
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};
use ml_core::record::Collection;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, RawDocumentBuf, Uuid, doc};
use tokio::time::Instant;

use crate::store::MongoDocuments;

pub(crate) use snapshot::Snapshots;
use stream::Patience;
pub(crate) use stream::Streams;
use token::Position;

/// What the feed does, for messages.
const OPERATION: &str = "reading changes";

/// How often a server is asked that does not tell by itself.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

#[async_trait]
impl ChangeFeed for MongoDocuments {
    async fn changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
    ) -> Result<ChangeBatch, StoreError> {
        let position = token.map(token::read).transpose()?;
        self.changes_after(collection, position, limit, Patience::Prompt).await
    }

    async fn wait_for_changes(
        &self,
        collection: Collection,
        token: Option<&ResumeToken>,
        limit: usize,
        at_most: Duration,
    ) -> Result<ChangeBatch, StoreError> {
        let mut position = token.map(token::read).transpose()?;
        let start = Instant::now();
        loop {
            let left = at_most.saturating_sub(start.elapsed());
            let polls = matches!(position, Some(Position::Polled { .. }));
            let batch = self.changes_after(collection, position, limit, Patience::within(left)).await?;
            let left = at_most.saturating_sub(start.elapsed());
            if !batch.changes.is_empty() || left.is_zero() {
                return Ok(batch);
            }
            position = batch.token.as_ref().map(token::read).transpose()?;
            if polls {
                tokio::time::sleep(POLL_INTERVAL.min(left)).await;
            }
        }
    }

    async fn latest(&self, collection: Collection) -> Result<ResumeToken, StoreError> {
        let position = if self.has_change_streams().await? {
            Position::Streamed(self.stream_position(collection).await?)
        } else {
            self.latest_polled(collection).await?
        };
        Ok(token::write(&position))
    }

    async fn list_foreign_ids(
        &self,
        collection: Collection,
        page: PageRequest<ResumeToken>,
    ) -> Result<Page<RecordId, ResumeToken>, StoreError> {
        self.list_foreign(collection, page).await
    }

    async fn current(&self, collection: Collection, ids: &[RecordId]) -> Result<Vec<Change>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(IDS_AT_ONCE) {
            let keys: Vec<Bson> = ids.iter().flat_map(keys_of).collect();
            self.find_by_keys(collection, &keys, &mut found).await?;
        }
        let missing: HashSet<&RecordId> = ids.iter().filter(|id| !found.contains_key(id)).collect();
        if !missing.is_empty() {
            let keys = self.foreign_keys_of(collection, &missing).await?;
            for keys in keys.chunks(IDS_AT_ONCE) {
                self.find_by_keys(collection, keys, &mut found).await?;
            }
        }
        // Not taken out of there: the same id may be asked for twice.
        let change_of = |id: &RecordId| found.get(id).cloned().unwrap_or_else(|| Change::Deleted(id.clone()));
        Ok(ids.iter().map(change_of).collect())
    }

    async fn count_pending(&self, collection: Collection, token: Option<&ResumeToken>) -> Result<u64, StoreError> {
        let position = token.map(token::read).transpose()?;
        self.count_after(collection, position).await
    }
}

/// The most records asked for in one query.
const IDS_AT_ONCE: usize = 500;

/// Returns what a record of this id may be called in MongoDB: other programs' ids of the usual other types are shown as text.
fn keys_of(id: &RecordId) -> Vec<Bson> {
    let text = id.as_str();
    let mut keys = vec![Bson::String(text.to_owned())];
    keys.extend(ObjectId::parse_str(text).ok().map(Bson::ObjectId));
    keys.extend(text.parse().ok().map(Bson::Int64));
    keys.extend(Uuid::parse_str(text).ok().map(Bson::from));
    keys
}

impl MongoDocuments {
    /// Adds the documents with these ids as they are now.
    async fn find_by_keys(
        &self,
        collection: Collection,
        keys: &[Bson],
        found: &mut HashMap<RecordId, Change>,
    ) -> Result<(), StoreError> {
        let documents = self.raw(collection.name());
        let find = || async {
            let found = documents.find(doc! { "_id": { "$in": keys } });
            found.await?.try_collect::<Vec<RawDocumentBuf>>().await
        };
        let now = self.run(OPERATION, find).await?;
        let now = now.iter().map(|document| change::upserted(document));
        found.extend(now.map(|change| (change.id().clone(), change)));
        Ok(())
    }

    async fn changes_after(
        &self,
        collection: Collection,
        position: Option<Position>,
        limit: usize,
        patience: Patience,
    ) -> Result<ChangeBatch, StoreError> {
        let position = match position {
            Some(position) => position,
            None => self.beginning(collection).await?,
        };
        let (changes, position) = match position {
            Position::Snapshot(snapshot) => {
                let (changes, position) = self.snapshot_after(collection, snapshot, limit).await?;
                match position {
                    // Nothing was left of the snapshot, and an empty batch has to mean that nothing is newer.
                    Position::Streamed(token) if changes.is_empty() => {
                        self.streamed_after(collection, token, limit, patience).await?
                    }
                    position => (changes, position),
                }
            }
            Position::Streamed(token) => self.streamed_after(collection, token, limit, patience).await?,
            Position::Polled { after } => self.polled_after(collection, after, limit).await?,
        };
        Ok(ChangeBatch { changes, token: Some(token::write(&position)) })
    }

    async fn beginning(&self, collection: Collection) -> Result<Position, StoreError> {
        if !self.has_change_streams().await? {
            return Ok(Position::Polled { after: None });
        }
        let stream = self.stream_position(collection).await?;
        Ok(Position::Snapshot(token::Snapshot { stream, after: None }))
    }

    /// Tells whether the server keeps its changes, and we are to follow them; neither changes while we are connected.
    pub(crate) async fn has_change_streams(&self) -> Result<bool, StoreError> {
        if !self.follows_streams {
            return Ok(false);
        }
        let keeps_changes = self.streams.keeps_changes.get_or_try_init(|| async {
            let hello = self.run(OPERATION, || async { self.database.run_command(doc! { "hello": 1 }).await }).await?;
            let keeps_changes =
                hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|message| message == "isdbgrid");
            if !keeps_changes {
                tracing::warn!(
                    "the MongoDB server at {} is no member of a replica set: deletions are not seen, and changes come late. \
                     Start it with `--replSet rs0` and run `rs.initiate()` once, or set `change_streams: false` to do without",
                    self.place.servers
                );
            }
            Ok(keeps_changes)
        });
        Ok(*keeps_changes.await?)
    }
}
