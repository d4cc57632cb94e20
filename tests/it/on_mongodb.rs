//! The loop with documents on MongoDB and SQL embedded, as with both embedded.

use mongodb::bson::{DateTime, doc};

use crate::harness::mongo::{TestDatabase, look_at};
use crate::harness::samples;
use crate::harness::workspace::{Workspace, finish};

const NOTES: &[&str] =
    &["--data-type", "text", "--source-app", "tests", "--id-field", "id", "--time-field", "published_at"];

#[test]
fn the_whole_loop() {
    let Some(database) = TestDatabase::new() else { return };
    let workspace = database.workspace();
    workspace.write("notes.jsonl", samples::notes(300));
    workspace.write("pipeline.yaml", include_str!("fixtures/notes.yaml"));
    let ingest = [&["ingest", "notes.jsonl"], NOTES].concat();

    assert_eq!(workspace.json(&ingest)["inserted"], 300);
    assert_eq!(workspace.json(&ingest)["unchanged"], 300);
    assert_eq!(database.count("text_corpus", doc! { "source_app": "tests" }), 300);

    workspace.run(&["sync"]).succeeded();
    assert_eq!(workspace.count("global_ml_data"), 300);
    workspace
        .run(&["dataset", "create", "notes", "--data-type", "text", "--split", "stratified:topic:80/20"])
        .succeeded();
    workspace.run(&["train", "--pipeline", "pipeline.yaml", "--dataset", "notes", "--alias", "champion"]).succeeded();
    workspace.run(&["predict", "--model", "notes@champion", "--dataset", "notes", "--split", "test"]).succeeded();
    assert_eq!(database.count("predictions", doc! {}), 0, "they wait in the outbox");
    workspace.run(&["publish"]).succeeded();
    workspace.run(&["publish"]).succeeded();
    assert_eq!(database.count("predictions", doc! { "model_name": "notes", "model_version": 1 }), 60);
    workspace.run(&["monitor", "report", "--model", "notes@champion"]).succeeded();

    assert!(!workspace.path("ml-data/documents.sqlite").exists(), "nothing is kept beside the configured store");
}

#[test]
fn what_other_programs_change_and_delete_is_followed() {
    let Some(database) = TestDatabase::new() else { return };
    let workspace = database.workspace();
    workspace.write("notes.jsonl", samples::notes(40));
    workspace.run(&[&["ingest", "notes.jsonl"], NOTES].concat()).succeeded();
    workspace.run(&["sync"]).succeeded();

    assert_eq!(database.delete("text_corpus", doc! { "raw_content.id": { "$in": ["note-3", "note-4"] } }), 2);
    workspace.run(&["sync"]).succeeded();
    assert_eq!(workspace.count("global_ml_data"), 38);

    database.set("text_corpus", doc! { "raw_content.id": "note-5" }, "data_type", "No such type!");
    workspace.run(&["sync"]).succeeded();
    assert_eq!((workspace.count("global_ml_data"), workspace.count("quarantine")), (37, 1));
}

#[test]
fn what_was_published_is_never_synced_back() {
    let Some(database) = TestDatabase::new() else { return };
    let workspace = database.workspace();
    workspace.write("notes.jsonl", samples::notes(60));
    workspace.write("pipeline.yaml", include_str!("fixtures/notes.yaml"));
    workspace.run(&[&["ingest", "notes.jsonl"], NOTES].concat()).succeeded();
    workspace.run(&["sync"]).succeeded();
    workspace.run(&["dataset", "create", "notes", "--data-type", "text", "--split", "random:80/20"]).succeeded();
    workspace.run(&["train", "--pipeline", "pipeline.yaml", "--dataset", "notes", "--alias", "champion"]).succeeded();
    workspace.run(&["predict", "--model", "notes@champion", "--dataset", "notes", "--split", "test"]).succeeded();
    workspace.run(&["publish"]).succeeded();
    let published = database.find("predictions", doc! {});
    assert!(!published.is_empty());

    // Another program makes records of the predictions, as for a dashboard, and takes their metadata along.
    let records = published.iter().map(|prediction| {
        let id = prediction.get_str("_id").expect("an id is a text");
        doc! {
            "_id": id, "source_app": "dashboard", "source": null, "data_type": "tabular", "raw_content": { "x": 1 },
            "metadata": prediction.get_document("metadata").expect("it says where it came from").clone(),
            "scraped_at": null, "ingested_at": DateTime::now(), "content_hash": "0".repeat(64),
        }
    });
    database.insert("raw_records", records);
    let before = (workspace.count("global_ml_data"), workspace.count("quarantine"));

    workspace.run(&["sync"]).succeeded();

    assert_eq!((workspace.count("global_ml_data"), workspace.count("quarantine")), before);
    assert_eq!(database.count("raw_records", doc! {}), published.len() as u64);
}

#[test]
fn the_demo() {
    let Some(database) = TestDatabase::new() else { return };
    let workspace = database.workspace();
    let outcome = workspace.run(&["demo"]).succeeded();
    assert!(outcome.stdout.to_lowercase().contains("baseline"), "{}", outcome.shown());
    assert_eq!(database.count("market_data", doc! {}), 11_412);
    assert_eq!(workspace.count("market_metrics"), 11_411);
    assert_eq!(workspace.count("global_ml_data"), 450);
    assert!(database.count("predictions", doc! {}) > 0);
}

#[test]
fn migrations_are_shown_and_applied() {
    let Some(database) = TestDatabase::new() else { return };
    let workspace = database.workspace();
    workspace.run(&["migrate", "--check"]).failed_saying(&["create_record_collections", "run `ml-app migrate`"]);
    workspace.run(&["migrate"]).succeeded();
    workspace.run(&["migrate", "--check"]).succeeded();
}

#[test]
fn an_absent_server() {
    let workspace = Workspace::new();
    // Port 1 is reserved, and nobody listens there.
    let command = look_at(workspace.command(&["sync"]), "mongodb://ann:hunter2@127.0.0.1:1/");
    let outcome = finish(command).failed_saying(&["no MongoDB server at 127.0.0.1:1", "config/database.yaml"]);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.shown());
}

#[test]
fn a_wrong_password() {
    let Some(database) = TestDatabase::new() else { return };
    let workspace = database.workspace();
    let mut command = workspace.command(&["sync"]);
    command.env("ML__DATABASE__DOCUMENTS__USER", "nobody").env("ML__DATABASE__DOCUMENTS__PASSWORD", "hunter2");
    let outcome = finish(command).failed_saying(&["refuses the user or the password"]);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.shown());
}

#[test]
fn a_password_of_digits_needs_no_quotes() {
    let Some(database) = TestDatabase::new() else { return };
    let workspace = database.workspace();
    let mut command = workspace.command(&["sync"]);
    command.env("ML__DATABASE__DOCUMENTS__USER", "1001").env("ML__DATABASE__DOCUMENTS__PASSWORD", "0012345");
    finish(command).failed_saying(&["refuses the user or the password"]);
}

#[test]
fn settings_are_checked_and_shown_without_secrets() {
    let workspace = Workspace::new();
    workspace.write("config/far/database.yaml", "documents: { backend: mongodb, url: 'mongodb://ann:hunter2@h' }\n");
    let far = |args: &[&str]| workspace.command(&[&["--profile", "far"], args].concat());

    // The path of the embedded store is no setting of this one.
    let shown = finish(far(&["config", "show"])).succeeded().says(&["mongodb://ann:********@h"]);
    assert!(!shown.stdout.contains("hunter2") && !shown.stdout.contains("documents.sqlite"), "{}", shown.shown());

    let mut misspelt = far(&["config", "check"]);
    misspelt.env("ML__DATABASE__DOCUMENTS__PASSWROD", "hunter3");
    finish(misspelt).failed_saying(&["passwrod"]);
    let mut wrong = far(&["config", "check"]);
    wrong.env("ML__DATABASE__DOCUMENTS__URL", "postgres://ann:hunter2@h");
    wrong.env("ML__DATABASE__DOCUMENTS__MAX_POOL_SIZE", "0");
    let outcome = finish(wrong).failed_saying(&["is not one of MongoDB", "max_pool_size"]);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.shown());
}
