//! Databases of their own on the server that `ML_TEST_MONGODB_URL` names, dropped in the end.

use ml_core::record::RawRecord;
use ml_core::testkit::Fresh;
use ml_core::testkit::build::a_raw_record;
use ml_store_mongo::{MongoDocuments, MongoOptions};
use mongodb::{Client, Database};
use uuid::Uuid;

/// Returns the server's address; `None`, and a line that says why, where there is none.
#[expect(clippy::print_stdout, reason = "whoever runs the tests should know that one was not run")]
pub(crate) fn server_url() -> Option<String> {
    let url = std::env::var("ML_TEST_MONGODB_URL").ok();
    if url.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "set ML_TEST_MONGODB_URL: in CI nothing is skipped");
        println!("skipped: set ML_TEST_MONGODB_URL");
    }
    url
}

/// A database that no other test has touched; it goes when this does.
pub(crate) struct TestDatabase {
    pub(crate) options: MongoOptions,
}

impl TestDatabase {
    /// Thinks of a database; it is made by what is first written to it.
    pub(crate) fn new() -> Option<TestDatabase> {
        let mut options = MongoOptions::new(server_url()?);
        #[expect(clippy::disallowed_methods, reason = "tests that run side by side need names of their own")]
        let name = Uuid::now_v7();
        options.database = format!("ml_test_{}", name.simple());
        Some(TestDatabase { options })
    }

    /// Connects once more.
    pub(crate) async fn connect(&self) -> MongoDocuments {
        MongoDocuments::connect(&self.options).await.unwrap()
    }

    /// Connects and migrates.
    pub(crate) async fn migrated(&self) -> MongoDocuments {
        let store = self.connect().await;
        store.migrate().await.unwrap();
        store
    }

    /// Reaches the database as another program would.
    pub(crate) async fn outside(&self) -> Database {
        let client = Client::with_uri_str(server_url().unwrap()).await.unwrap();
        client.database(&self.options.database)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = self.options.database.clone();
        // In a thread, for a runtime cannot wait for another one within itself.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = Client::with_uri_str(server_url().unwrap()).await.unwrap();
                client.database(&name).drop().await
            })
        });
        if !std::thread::panicking() {
            dropping.join().unwrap().unwrap();
        }
    }
}

pub(crate) async fn fresh() -> Option<Fresh<MongoDocuments>> {
    let database = TestDatabase::new()?;
    let store = database.migrated().await;
    Some(Fresh::with_guard(store, database))
}

/// Makes `n_records` records with ids that begin with `prefix`.
pub(crate) fn records(prefix: &str, n_records: usize) -> Vec<RawRecord> {
    (0..n_records).map(|n| a_raw_record().id(&format!("{prefix}-{n:05}")).build()).collect()
}

/// Returns the error with its causes, as the command line prints it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
