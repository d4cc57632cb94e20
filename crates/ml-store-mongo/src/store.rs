//! The connection that every collection is reached by.

use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ml_core::error::StoreError;
use ml_core::record::Collection;
use mongodb::bson::{Document, RawDocumentBuf};
use mongodb::options::WriteConcern;
use mongodb::{Client, Database};

use crate::error::{self, MongoFault, Place};
use crate::feed::{Snapshots, Streams};
use crate::options::MongoOptions;

/// How long to wait before the first repetition; each further one waits twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest wait between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Collections of documents in one MongoDB database.
///
/// Safe to share between tasks; connections are pooled. Operations that another attempt may mend are repeated, a bounded number
/// of times and with growing pauses.
pub struct MongoDocuments {
    pub(crate) database: Database,
    pub(crate) place: Place,
    pub(crate) write_concern: WriteConcern,
    pub(crate) snapshots: Snapshots,
    pub(crate) streams: Streams,
    pub(crate) follows_streams: bool,
    lookup_first: [AtomicBool; Collection::ALL.len()],
    operation_timeout: Duration,
    max_retries: u32,
}

impl MongoDocuments {
    /// Connects, and makes sure that the server answers, lets us in, and was not migrated by a newer release.
    ///
    /// # Errors
    /// [`StoreError::Backend`] with the way out: options that cannot be used, no server, a wrong password, a newer schema.
    pub async fn connect(options: &MongoOptions) -> Result<MongoDocuments, StoreError> {
        const OPERATION: &str = "connecting to MongoDB";
        let driver_options = options.to_driver().await;
        let driver_options = driver_options.map_err(|err| MongoFault::from(err).into_store_error(OPERATION))?;
        let servers: Vec<String> = driver_options.hosts.iter().map(ToString::to_string).collect();
        let place = Place { servers: servers.join(", "), database: options.database.clone() };
        let client = Client::with_options(driver_options);
        let client = client.map_err(|err| error::store_error(OPERATION, &place, err))?;
        let store = MongoDocuments {
            database: client.database(&options.database),
            place,
            write_concern: options.write_concern.to_driver(),
            snapshots: Snapshots::default(),
            streams: Streams::default(),
            follows_streams: options.change_streams,
            lookup_first: Default::default(),
            operation_timeout: Duration::from_millis(options.operation_timeout_ms),
            max_retries: options.max_retries,
        };
        store.refuse_newer_schema(OPERATION).await?;
        Ok(store)
    }

    /// Runs an operation until it succeeds, fails for good, or has failed often enough.
    ///
    /// The driver repeats single reads and writes once by itself, at once; this waits for servers that need longer.
    pub(crate) async fn run<T, F>(&self, operation: &'static str, attempt: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = mongodb::error::Result<T>>,
    {
        let mut pause = FIRST_PAUSE;
        for n_retries in 0.. {
            let Ok(outcome) = tokio::time::timeout(self.operation_timeout, attempt()).await else {
                let after_ms = self.operation_timeout.as_millis();
                return Err(MongoFault::TimedOut { after_ms }.into_store_error(operation));
            };
            match outcome {
                Ok(value) => return Ok(value),
                Err(err) if n_retries < self.max_retries && error::is_transient(&err) => {
                    tracing::debug!(operation, n_retries, "{operation} is tried again: {}", error::Brief(err));
                    tokio::time::sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
                Err(err) => return Err(error::store_error(operation, &self.place, err)),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Returns the documents of a collection as bytes.
    pub(crate) fn raw(&self, collection: &str) -> mongodb::Collection<RawDocumentBuf> {
        self.database.collection(collection)
    }

    /// Returns the documents of a collection as trees.
    pub(crate) fn documents(&self, collection: &str) -> mongodb::Collection<Document> {
        self.database.collection(collection)
    }

    /// Remembers whether most records that came for a collection were there already.
    pub(crate) fn lookup_first(&self, collection: Collection) -> &AtomicBool {
        let position = Collection::ALL.iter().position(|other| *other == collection);
        &self.lookup_first[position.expect("every collection is among all")]
    }
}

impl std::fmt::Debug for MongoDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MongoDocuments").field("place", &self.place).finish_non_exhaustive()
    }
}
