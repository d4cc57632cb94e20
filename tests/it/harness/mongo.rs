//! A database of a test on the server that `ML_TEST_MONGODB_URL` names, seen without help from the product.

use std::process::Command;

use futures::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::{Client, Collection, Database};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::workspace::Workspace;
use super::{skip, wait_until};

/// A database that no other test has touched; it goes when this does.
pub(crate) struct TestDatabase {
    runtime: Runtime,
    database: Database,
    url: String,
}

impl TestDatabase {
    /// Thinks of a database; `None`, and a line that says why, where there is no server.
    pub(crate) fn new() -> Option<TestDatabase> {
        let Ok(url) = std::env::var("ML_TEST_MONGODB_URL") else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "set ML_TEST_MONGODB_URL: in CI nothing is skipped");
            skip("set ML_TEST_MONGODB_URL");
            return None;
        };
        Some(TestDatabase::on(url))
    }

    /// Thinks of a database on the server at `url`.
    pub(crate) fn on(url: String) -> TestDatabase {
        #[expect(clippy::disallowed_methods, reason = "tests that run side by side need names of their own")]
        let name = format!("ml_e2e_{}", Uuid::now_v7().simple());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads start");
        let client = runtime.block_on(Client::with_uri_str(&url)).expect("the address is one of MongoDB");
        TestDatabase { runtime, database: client.database(&name), url }
    }

    /// Returns the port that the server listens on.
    pub(crate) fn port(&self) -> u16 {
        let address = self.url.trim_start_matches("mongodb://").split(['/', ',']).next().unwrap_or_default();
        let port = address.rsplit_once(':').map(|(_, port)| port.parse());
        port.expect("the address has a port").expect("a port is a number")
    }

    /// Returns what belongs into `database.yaml` for documents that are here and reached at `port` of this machine.
    pub(crate) fn settings_through(&self, port: u16, more: &str) -> String {
        let name = self.database.name();
        let url = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
        format!("documents: {{ backend: mongodb, url: '{url}', database: {name}, {more} }}\n")
    }

    /// Returns the section of `database.yaml` that puts documents here.
    pub(crate) fn section(&self) -> String {
        format!("documents: {{ backend: mongodb, url: '{}', database: {} }}\n", self.url, self.database.name())
    }

    /// Makes a workspace whose documents are here.
    pub(crate) fn workspace(&self) -> Workspace {
        let workspace = Workspace::new();
        workspace.write("config/database.yaml", self.section());
        workspace
    }

    /// Counts the documents of a collection that match.
    pub(crate) fn count(&self, collection: &str, filter: Document) -> u64 {
        let documents = self.documents(collection);
        self.runtime.block_on(async { documents.count_documents(filter).await }).expect("the collection can be counted")
    }

    /// Deletes documents as another program would.
    pub(crate) fn delete(&self, collection: &str, filter: Document) -> u64 {
        let documents = self.documents(collection);
        self.runtime
            .block_on(async { documents.delete_many(filter).await })
            .expect("the documents can be deleted")
            .deleted_count
    }

    /// Returns the documents of a collection that match.
    pub(crate) fn find(&self, collection: &str, filter: Document) -> Vec<Document> {
        let documents = self.documents(collection);
        let found = self.runtime.block_on(async { documents.find(filter).await?.try_collect().await });
        found.expect("the documents can be read")
    }

    /// Writes documents as another program would.
    pub(crate) fn insert(&self, collection: &str, inserted: impl Iterator<Item = Document>) {
        let documents = self.documents(collection);
        let inserted: Vec<Document> = inserted.collect();
        self.runtime.block_on(async { documents.insert_many(inserted).await }).expect("the documents can be written");
    }

    /// Changes a field of a document as another program would.
    pub(crate) fn set(&self, collection: &str, filter: Document, field: &str, value: &str) {
        let documents = self.documents(collection);
        let update = doc! { "$set": { field: value } };
        let updated = self
            .runtime
            .block_on(async { documents.update_one(filter, update).await })
            .expect("the document can be changed");
        assert_eq!(updated.modified_count, 1, "{collection} has no such document");
    }

    /// Runs a command on the server's own database.
    pub(crate) fn run_as_administrator(&self, command: Document) {
        let administration = self.database.client().database("admin");
        self.runtime.block_on(async { administration.run_command(command).await }).expect("the command is done");
    }

    /// Lists the documents of a collection.
    pub(crate) fn list(&self, collection: &str, projection: Document) -> Vec<Document> {
        let documents = self.documents(collection);
        self.persist(|| async { documents.find(doc! {}).projection(projection.clone()).await?.try_collect().await })
    }

    /// Does what must be done at last, however often the server goes away meanwhile; `attempt` may be done more than once.
    pub(crate) fn persist<T, F>(&self, attempt: impl Fn() -> F) -> T
    where
        F: Future<Output = mongodb::error::Result<T>>,
    {
        wait_until("the MongoDB server has done what it was asked", || match self.runtime.block_on(attempt()) {
            Ok(done) => Ok(done),
            Err(error) => {
                assert!(is_of_the_network(&error), "{error}");
                Err(error.to_string())
            }
        })
    }

    /// Returns a collection to work with.
    pub(crate) fn documents(&self, collection: &str) -> Collection<Document> {
        self.database.collection(collection)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = self.runtime.block_on(async { self.database.drop().await });
        assert!(std::thread::panicking() || dropped.is_ok(), "{dropped:?}");
    }
}

fn is_of_the_network(error: &Error) -> bool {
    let is_cut = |kind: &ErrorKind| {
        matches!(kind, ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } | ErrorKind::ServerSelection { .. })
    };
    is_cut(&error.kind) || error.contains_label("RetryableWriteError")
}

/// Has a command look for its documents at `url`, and give up soon.
pub(crate) fn look_at(mut command: Command, url: &str) -> Command {
    command
        .env("ML__DATABASE__DOCUMENTS__BACKEND", "mongodb")
        .env("ML__DATABASE__DOCUMENTS__URL", url)
        .env("ML__DATABASE__DOCUMENTS__SERVER_SELECTION_TIMEOUT_MS", "300");
    command
}
