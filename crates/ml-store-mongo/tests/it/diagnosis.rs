//! Facts about the server.

use ml_core::clock::SystemClock;
use ml_store_mongo::{MongoOptions, Permissions, Topology};

use crate::fixture::TestDatabase;

#[tokio::test]
async fn facts_about_the_server() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.connect().await;

    let before = store.diagnose(&SystemClock).await.unwrap();
    store.migrate().await.unwrap();
    let after = store.diagnose(&SystemClock).await.unwrap();

    assert!(before.server_version.starts_with(|c: char| c.is_ascii_digit()), "{before:?}");
    assert!(matches!(before.topology, Topology::ReplicaSet(_)), "{before:?}");
    let permitted = Permissions { read: true, write: true, list_indexes: true, create_indexes: None };
    assert!(before.has_change_streams, "{before:?}");
    assert_eq!(before.permissions, permitted);
    assert!(before.clock_skew_ms.abs() < 5_000, "the server is on this machine: {before:?}");
    assert_eq!(before.database, database.options.database);
    assert_eq!(before.pending_migrations.first().map(String::as_str), Some("create_record_collections"));
    assert_eq!(after.pending_migrations, Vec::<String>::new());
    assert_eq!(after.permissions, Permissions { create_indexes: Some(true), ..permitted });
}

#[tokio::test]
async fn streams_that_are_switched_off_are_not_there() {
    let Some(database) = TestDatabase::new() else { return };
    let options = MongoOptions { change_streams: false, ..database.options.clone() };
    let store = ml_store_mongo::MongoDocuments::connect(&options).await.unwrap();
    assert!(!store.diagnose(&SystemClock).await.unwrap().has_change_streams);
}
