//! `ml-app prune`, and what is configured for it.

use mongodb::bson::doc;
use rusqlite::Connection;

use crate::harness::mongo::TestDatabase;
use crate::harness::samples;
use crate::harness::workspace::Workspace;

const NOTES: &[&str] = &["--data-type", "text", "--source-app", "tests", "--id-field", "id"];

#[test]
fn old_records_go_once_they_are_synced() {
    let workspace = Workspace::new();
    workspace.run(&["prune"]).succeeded().says(&["kept for ever"]);
    workspace.write("config/database.yaml", "retention: { text_corpus: 90d }\n");
    workspace.write("old.jsonl", samples::notes(30));
    workspace.run(&[&["ingest", "old.jsonl"], NOTES].concat()).succeeded();
    let documents = Connection::open(workspace.path("ml-data/documents.sqlite")).unwrap();
    let age = "UPDATE text_corpus SET ingested_at = '2020-01-01 00:00:00' WHERE seq <= 20";
    assert_eq!(documents.execute(age, []).unwrap(), 20);

    workspace.run(&["prune"]).failed_saying(&["text_corpus", "run `ml-app sync` first"]);
    assert_eq!(workspace.count("text_corpus"), 30);
    workspace.run(&["sync"]).succeeded();
    let seen = workspace.json(&["prune", "--dry-run"]);
    assert_eq!((&seen["collections"][0]["n_old"], &seen["collections"][0]["n_deleted"]), (&20.into(), &0.into()));
    workspace.run(&["prune"]).succeeded();

    assert_eq!((workspace.count("text_corpus"), workspace.count("global_ml_data")), (10, 30));
    workspace.run(&["sync"]).succeeded();
    assert_eq!(workspace.count("global_ml_data"), 30, "retention deletes no rows");
}

#[test]
fn on_a_server_young_records_are_kept_and_their_deletion_is_carried() {
    let Some(database) = TestDatabase::new() else { return };
    let workspace = database.workspace();
    let config = std::fs::read_to_string(workspace.path("config/database.yaml")).unwrap();
    workspace.write("config/database.yaml", format!("{config}retention: {{ text_corpus: 1h }}\n"));
    workspace.write("notes.jsonl", samples::notes(20));
    workspace.run(&[&["ingest", "notes.jsonl"], NOTES].concat()).succeeded();
    workspace.run(&["sync"]).succeeded();

    assert_eq!(database.delete("text_corpus", doc! { "raw_content.id": "note-3" }), 1);
    workspace.run(&["sync"]).succeeded();
    assert_eq!(workspace.count("global_ml_data"), 19, "a young record was deleted, and so is its row");
    workspace.run(&["prune"]).succeeded();
    assert_eq!(database.count("text_corpus", doc! {}), 19, "nothing is old yet");
}

#[test]
fn values_are_checked() {
    let workspace = Workspace::new();
    workspace.write("config/database.yaml", "retention: { text_corpus: 90 days }\n");
    workspace.write("config/settings.yaml", "sync: { batch_size: 0 }\n");
    workspace.run(&["config", "check"]).failed_saying(&["90 days", "90d"]);
    workspace.write("config/database.yaml", "retention: { text_corpus: 2w }\n");
    workspace.run(&["config", "check"]).failed_saying(&["settings.sync.batch_size is 0"]);
    workspace.write("config/settings.yaml", "sync: { batch_size: 7 }\n");
    let shown = workspace.json(&["config", "show"]);
    assert_eq!(shown["settings"]["sync"]["batch_size"], 7);
    assert_eq!(shown["settings"]["sync"]["max_record_bytes"], 8_388_608);
    assert_eq!(shown["database"]["retention"]["text_corpus"], "2w");
    assert_eq!(shown["database"]["retention"]["raw_records"], "forever");
}

#[test]
fn a_large_record_waits_in_quarantine() {
    let workspace = Workspace::new();
    workspace.write("config/settings.yaml", "sync: { max_record_bytes: 2000 }\n");
    let long = "word ".repeat(1_000);
    workspace
        .write("notes.jsonl", format!("{{\"id\": 1, \"text\": \"{long}\"}}\n{{\"id\": 2, \"text\": \"short\"}}\n"));
    workspace.run(&[&["ingest", "notes.jsonl"], NOTES].concat()).succeeded();
    workspace.run(&["sync"]).succeeded();
    assert_eq!((workspace.count("global_ml_data"), workspace.count("quarantine")), (1, 1));
    workspace.run(&["quarantine", "list"]).succeeded().says(&["too_large"]);
}
