//! What a server is and lets us do: facts for `ml-app doctor`.

use std::time::Instant;

use ml_core::clock::Clock;
use ml_core::error::StoreError;
use ml_core::record::Collection;
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
    /// Whether we may change documents.
    pub may_write: bool,
    /// Whether we may see the indexes.
    pub may_list_indexes: bool,
    /// How far its clock is ahead of ours, in milliseconds; negative when it is behind.
    pub clock_skew_ms: i64,
    /// How long an answer takes, in milliseconds.
    pub round_trip_ms: u64,
    /// Migrations that are still to be applied, in order.
    pub pending_migrations: Vec<String>,
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
            may_write: self.may_write().await?,
            may_list_indexes: self.may_list_indexes().await?,
            clock_skew_ms: there - between,
            round_trip_ms,
            pending_migrations: self.pending_migrations().await?,
        })
    }

    async fn ask(&self, command: Document) -> Result<Document, StoreError> {
        self.run(OPERATION, || async { self.database.run_command(command.clone()).await }).await
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

impl Topology {
    fn of(hello: &Document) -> Topology {
        match hello.get_str("setName") {
            Ok(name) => Topology::ReplicaSet(name.to_owned()),
            Err(_) if hello.get_str("msg").is_ok_and(|message| message == "isdbgrid") => Topology::Sharded,
            Err(_) => Topology::Standalone,
        }
    }
}
