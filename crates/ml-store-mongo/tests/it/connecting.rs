//! What cannot be connected to says why, and never a password.

use std::error::Error;

use ml_core::error::StoreError;
use ml_core::secret::Secret;
use ml_store_mongo::{MongoDocuments, MongoOptions};
use mongodb::bson::doc;

use crate::fixture::{TestDatabase, chain};

async fn refusal(options: &MongoOptions) -> String {
    let error = MongoDocuments::connect(options).await.unwrap_err();
    let (StoreError::Backend { operation, .. } | StoreError::Unavailable { operation, .. }) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*operation, "connecting to MongoDB");
    // Both what people read and what is logged.
    let (text, debug) = (chain(&error), format!("{error:?}"));
    assert!(!text.contains("hunter2") && !debug.contains("hunter2"), "{text}\n{debug}");
    text
}

fn patient_for_a_moment(url: &str) -> MongoOptions {
    MongoOptions { server_selection_timeout_ms: 300, connect_timeout_ms: 300, ..MongoOptions::new(url) }
}

#[tokio::test]
async fn an_absent_server_is_named() {
    // Port 1 is reserved, and nobody listens there.
    let text = refusal(&patient_for_a_moment("mongodb://ann:hunter2@127.0.0.1:1")).await;
    assert!(text.contains("does not answer: no MongoDB server at 127.0.0.1:1"), "{text}");
    assert!(text.contains("config/database.yaml"), "{text}");
}

#[tokio::test]
async fn an_address_of_something_else_is_refused() {
    let text = refusal(&patient_for_a_moment("postgres://ann:hunter2@127.0.0.1:1")).await;
    assert!(text.contains("is not one of MongoDB"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_is_told_apart() {
    let Some(database) = TestDatabase::new() else { return };
    let options = MongoOptions {
        user: Some("nobody".to_owned()),
        password: Some(Secret::new("hunter2")),
        ..database.options.clone()
    };
    let text = refusal(&options).await;
    assert!(text.contains("refuses the user or the password"), "{text}");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    let migrations = database.outside().await.collection("schema_migrations");
    migrations.insert_one(doc! { "_id": 999, "name": "from_the_future" }).await.unwrap();

    let text = refusal(&database.options).await;

    assert!(text.contains("was written by a newer release (migration 999 is unknown here)"), "{text}");
    let error: Box<dyn Error> = store.migrate().await.unwrap_err().into();
    assert!(error.source().is_some_and(|source| source.to_string().contains("newer release")), "{error}");
    store.revert_migrations().await.unwrap_err();
}
