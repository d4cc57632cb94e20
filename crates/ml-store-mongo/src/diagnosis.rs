//! What a server is and lets us do: facts for `ml-app doctor`.

use std::time::Instant;

use futures::TryStreamExt as _;
use ml_core::clock::Clock;
use ml_core::error::StoreError;
use ml_core::record::Collection;
use mongodb::IndexModel;
use mongodb::bson::{Document, doc};

use crate::error::{self, code};
use crate::store::MongoDocuments;

const OPERATION: &str = "examining the MongoDB server";

/// Facts about a server, as seen from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Where it was looked for.
    pub servers: String,
    /// The database of the collections.
    pub database: String,
    /// What it calls itself, such as `8.0.4`.
    pub server_version: String,
    /// Alone, or one of several.
    pub topology: Topology,
    /// Whether it tells of changes by itself; otherwise it is polled, and deletions are not seen.
    pub has_change_streams: bool,
    /// What we may do there.
    pub permissions: Permissions,
    /// The disk that its data is on, where it tells.
    pub disk: Option<ServerDisk>,
    /// How far its clock is ahead of ours, in milliseconds; negative when it is behind.
    pub clock_skew_ms: i64,
    /// How long an answer takes, in milliseconds.
    pub round_trip_ms: u64,
    /// Migrations that are still to be applied, in order.
    pub pending_migrations: Vec<String>,
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    /// Whether we may read documents.
    pub read: bool,
    /// Whether we may change documents.
    pub write: bool,
    /// Whether we may see the indexes.
    pub list_indexes: bool,
    /// Whether we may make indexes; absent before the first migration, when there is no collection to try it on.
    pub create_indexes: Option<bool>,
}

/// How full the disk of a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerDisk {
    /// What it holds in all.
    pub total_bytes: u64,
    /// What is not used yet.
    pub free_bytes: u64,
}

/// How a server stands with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// On its own, without change streams.
    Standalone,
    /// A member of the replica set of this name.
    ReplicaSet(String),
    /// A router of a sharded cluster.
    Sharded,
}

impl MongoDocuments {
    /// Asks the server what it is and what we may do; changes nothing.
    pub async fn diagnose(&self, clock: &dyn Clock) -> Result<Diagnosis, StoreError> {
        let build = self.ask(doc! { "buildInfo": 1 }).await?;
        let (start, before) = (Instant::now(), clock.now());
        let hello = self.ask(doc! { "hello": 1 }).await?;
        let round_trip_ms = start.elapsed().as_millis() as u64;
        let between = before.timestamp_millis().midpoint(clock.now().timestamp_millis());
        let there = hello.get_datetime("localTime").map_or(between, |time| time.timestamp_millis());
        Ok(Diagnosis {
            servers: self.place.servers.clone(),
            database: self.place.database.clone(),
            server_version: build.get_str("version").unwrap_or("unknown").to_owned(),
            topology: Topology::of(&hello),
            has_change_streams: self.has_change_streams().await?,
            permissions: Permissions {
                read: self.may_read().await?,
                write: self.may_write().await?,
                list_indexes: self.may_list_indexes().await?,
                create_indexes: self.may_create_indexes().await?,
            },
            disk: self.disk().await?,
            clock_skew_ms: there - between,
            round_trip_ms,
            pending_migrations: self.pending_migrations().await?,
        })
    }

    async fn ask(&self, command: Document) -> Result<Document, StoreError> {
        self.run(OPERATION, || async { self.database.run_command(command.clone()).await }).await
    }

    async fn may_read(&self) -> Result<bool, StoreError> {
        let documents = self.documents(Collection::RawRecords.name());
        self.is_allowed(|| async { documents.find_one(doc! { "_id": "" }).await.map(drop) }).await
    }

    /// Tries an update that no document matches.
    async fn may_write(&self) -> Result<bool, StoreError> {
        let documents = self.documents(Collection::RawRecords.name());
        let nothing = doc! { "$set": { "content_hash": "" } };
        self.is_allowed(|| async { documents.update_one(doc! { "_id": "" }, nothing.clone()).await.map(drop) }).await
    }

    async fn may_list_indexes(&self) -> Result<bool, StoreError> {
        let documents = self.documents(Collection::RawRecords.name());
        self.is_allowed(|| async { documents.list_indexes().await.map(drop) }).await
    }

    /// Asks for an index that is there already.
    async fn may_create_indexes(&self) -> Result<Option<bool>, StoreError> {
        let documents = self.documents(Collection::RawRecords.name());
        let list = || async {
            match documents.list_indexes().await {
                Ok(indexes) => indexes.try_collect::<Vec<IndexModel>>().await,
                Err(err) if matches!(error::code_of(&err), Some(code::UNAUTHORIZED | code::NAMESPACE_NOT_FOUND)) => {
                    Ok(Vec::new())
                }
                Err(err) => Err(err),
            }
        };
        let indexes = self.run(OPERATION, list).await?;
        // That of the ids, which comes first, is none that can be asked for.
        let Some(index) = indexes.into_iter().nth(1) else { return Ok(None) };
        let ask = || async { documents.create_index(index.clone()).await.map(drop) };
        self.is_allowed(ask).await.map(Some)
    }

    /// Returns how full the disk is, which not every server tells everyone.
    async fn disk(&self) -> Result<Option<ServerDisk>, StoreError> {
        let ask = || async {
            match self.database.run_command(doc! { "dbStats": 1 }).await {
                Ok(stats) => Ok(Some(stats)),
                Err(err) if error::is_transient(&err) => Err(err),
                Err(_) => Ok(None),
            }
        };
        Ok(self.run(OPERATION, ask).await?.as_ref().and_then(ServerDisk::of))
    }

    async fn is_allowed<F>(&self, attempt: impl Fn() -> F) -> Result<bool, StoreError>
    where
        F: Future<Output = mongodb::error::Result<()>>,
    {
        let attempt = || async {
            match attempt().await {
                Err(err) if error::code_of(&err) == Some(code::UNAUTHORIZED) => Ok(false),
                // Before the first migration there is nothing to look at.
                Err(err) if error::code_of(&err) != Some(code::NAMESPACE_NOT_FOUND) => Err(err),
                _ => Ok(true),
            }
        };
        self.run(OPERATION, attempt).await
    }
}

impl ServerDisk {
    fn of(stats: &Document) -> Option<ServerDisk> {
        let bytes = |name: &str| {
            let bytes = stats.get(name)?;
            bytes.as_f64().or_else(|| bytes.as_i64().map(|bytes| bytes as f64)).or(bytes.as_i32().map(f64::from))
        };
        let (total, used) = (bytes("fsTotalSize")?, bytes("fsUsedSize")?);
        (total > 0.0).then_some(ServerDisk { total_bytes: total as u64, free_bytes: (total - used).max(0.0) as u64 })
    }
}

impl Topology {
    fn of(hello: &Document) -> Topology {
        match hello.get_str("setName") {
            Ok(name) => Topology::ReplicaSet(name.to_owned()),
            Err(_) if hello.get_str("msg").is_ok_and(|message| message == "isdbgrid") => Topology::Sharded,
            Err(_) => Topology::Standalone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_told_in_any_kind_of_number() {
        let disk = Some(ServerDisk { total_bytes: 100, free_bytes: 60 });
        assert_eq!(ServerDisk::of(&doc! { "fsTotalSize": 100.0, "fsUsedSize": 40_i64 }), disk);
        assert_eq!(ServerDisk::of(&doc! { "fsTotalSize": 100_i32, "fsUsedSize": 40.0 }), disk);
        assert_eq!(ServerDisk::of(&doc! { "fsTotalSize": 100.0 }), None);
        assert_eq!(ServerDisk::of(&doc! { "fsTotalSize": 0.0, "fsUsedSize": 0.0 }), None);
    }

    #[test]
    fn topologies_are_told_apart() {
        let set = Topology::ReplicaSet("rs0".to_owned());
        assert_eq!(Topology::of(&doc! { "setName": "rs0" }), set);
        assert_eq!(Topology::of(&doc! { "msg": "isdbgrid" }), Topology::Sharded);
        assert_eq!(Topology::of(&doc! { "ok": 1 }), Topology::Standalone);
    }
}
