//! The loop with documents on MongoDB and SQL on PostgreSQL, as with both embedded.

use mongodb::bson::doc;

use crate::harness::mongo::TestDatabase;
use crate::harness::postgres::TestSchema;
use crate::harness::samples;
use crate::harness::workspace::{Workspace, finish};

const NOTES: &[&str] =
    &["--data-type", "text", "--source-app", "tests", "--id-field", "id", "--time-field", "published_at"];

/// A workspace with a profile `servers`, and what is on them.
struct Servers {
    documents: TestDatabase,
    sql: TestSchema,
    workspace: Workspace,
}

impl Servers {
    fn new() -> Option<Servers> {
        let (documents, sql) = (TestDatabase::new()?, TestSchema::new()?);
        let workspace = Workspace::new();
        workspace.write("config/servers/database.yaml", documents.section() + &sql.section());
        Some(Servers { documents, sql, workspace })
    }

    /// Runs a command that must succeed, with the profile.
    #[track_caller]
    fn run(&self, args: &[&str]) -> String {
        self.workspace.run(&[&["--profile", "servers"], args].concat()).succeeded().stdout
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> serde_json::Value {
        self.workspace.json(&[&["--profile", "servers"], args].concat())
    }

    fn check_nothing_is_embedded(&self) {
        for file in ["ml-data/documents.sqlite", "ml-data/ml.sqlite"] {
            assert!(!self.workspace.path(file).exists(), "nothing is kept in {file} beside the configured stores");
        }
    }
}

#[test]
fn the_whole_loop() {
    let Some(servers) = Servers::new() else { return };
    servers.workspace.write("notes.jsonl", samples::notes(300));
    servers.workspace.write("pipeline.yaml", include_str!("fixtures/notes.yaml"));
    let ingest = [&["ingest", "notes.jsonl"], NOTES].concat();

    assert_eq!(servers.json(&ingest)["inserted"], 300);
    assert_eq!(servers.json(&ingest)["unchanged"], 300);

    servers.run(&["sync"]);
    servers.run(&["sync"]);
    assert_eq!((servers.sql.count("global_ml_data"), servers.sql.count("record_lineage")), (300, 300));
    servers.run(&["dataset", "create", "notes", "--data-type", "text", "--split", "stratified:topic:80/20"]);
    servers.run(&["train", "--pipeline", "pipeline.yaml", "--dataset", "notes", "--alias", "champion"]);
    servers.run(&["train", "--pipeline", "pipeline.yaml", "--dataset", "notes"]);
    assert_eq!((servers.sql.count("model_versions"), servers.sql.count("model_aliases")), (2, 1));
    servers.run(&["predict", "--model", "notes@champion", "--dataset", "notes", "--split", "test"]);
    assert_eq!(servers.documents.count("predictions", doc! {}), 0, "they wait in the outbox");
    servers.run(&["publish"]);
    servers.run(&["publish"]);
    assert_eq!(servers.documents.count("predictions", doc! { "model_name": "notes", "model_version": 1 }), 60);
    servers.run(&["monitor", "report", "--model", "notes@champion"]);
    servers.check_nothing_is_embedded();
}

#[test]
fn what_changes_is_followed_and_what_fails_is_replayed() {
    let Some(servers) = Servers::new() else { return };
    servers.workspace.write("notes.jsonl", samples::notes(40));
    servers.run(&[&["ingest", "notes.jsonl"], NOTES].concat());
    servers.run(&["sync"]);

    assert_eq!(servers.documents.delete("text_corpus", doc! { "raw_content.id": { "$in": ["note-3", "note-4"] } }), 2);
    servers.run(&["sync"]);
    assert_eq!((servers.sql.count("global_ml_data"), servers.sql.count("superseded_rows")), (38, 2));

    servers.documents.set("text_corpus", doc! { "raw_content.id": "note-5" }, "data_type", "No such type!");
    servers.run(&["sync"]);
    assert_eq!((servers.sql.count("global_ml_data"), servers.sql.count("quarantine")), (37, 1));
    servers.run(&["quarantine", "list"]);
}

#[test]
fn the_demo() {
    let Some(servers) = Servers::new() else { return };
    let report = servers.run(&["demo"]);
    assert!(report.to_lowercase().contains("baseline"), "{report}");
    assert_eq!(servers.documents.count("market_data", doc! {}), 11_412);
    assert_eq!((servers.sql.count("market_metrics"), servers.sql.count("global_ml_data")), (11_411, 450));
    assert!(servers.documents.count("predictions", doc! {}) > 0);
    servers.check_nothing_is_embedded();
}

#[test]
fn migrations_are_shown_and_applied() {
    let Some(servers) = Servers::new() else { return };
    let check = ["--profile", "servers", "migrate", "--check"];
    servers
        .workspace
        .run(&check)
        .failed_saying(&["sql 2026-01-05-110000_create_validated_tables", "run `ml-app migrate`"]);
    assert_eq!(servers.sql.n_tables(), 0, "only looking changes nothing");
    servers.run(&["migrate"]);
    servers.workspace.run(&check).succeeded();
    assert!(servers.sql.n_tables() > 20);
}

#[test]
fn the_doctor_examines_both() {
    let Some(servers) = Servers::new() else { return };
    servers.run(&["migrate"]);
    let document = servers.json(&["doctor"]);
    let findings = document["findings"].as_array().expect("findings are listed");
    let of_sql = findings.iter().filter(|finding| finding["subject"] == "sql");
    let checks: Vec<(&str, &str)> =
        of_sql.filter_map(|finding| Some((finding["check"].as_str()?, finding["verdict"].as_str()?))).collect();
    for check in ["reachable", "version", "permissions", "migrations", "encryption"] {
        assert!(checks.contains(&(check, "ok")), "{check}: {checks:?}");
    }
}

#[test]
fn an_absent_server() {
    let workspace = Workspace::new();
    // Port 1 is reserved, and nobody listens there.
    let absent = "sql: { backend: postgres, url: 'postgres://ann:hunter2@127.0.0.1:1/ml', max_retries: 1 }\n";
    workspace.write("config/database.yaml", absent);
    let outcome =
        workspace.run(&["sync"]).failed_saying(&["no postgresql server at 127.0.0.1:1", "config/database.yaml"]);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.shown());
}

#[test]
fn settings_are_checked_and_shown_without_secrets() {
    let workspace = Workspace::new();
    workspace.write("config/far/database.yaml", "sql: { backend: postgres, url: 'postgres://ann:hunter2@h/ml' }\n");
    let far = |args: &[&str]| workspace.command(&[&["--profile", "far"], args].concat());

    // The path of the embedded store is no setting of this one.
    let shown = finish(far(&["config", "show"])).succeeded().says(&["postgres://ann:********@h/ml"]);
    assert!(!shown.stdout.contains("hunter2") && !shown.stdout.contains("ml.sqlite"), "{}", shown.shown());

    let mut wrong = far(&["config", "check"]);
    wrong.env("ML__DATABASE__SQL__SCHEMA", "not a name").env("ML__DATABASE__SQL__MAX_POOL_SIZE", "0");
    wrong.env("ML__DATABASE__SQL__URL", "mysql://ann:hunter2@h");
    let outcome =
        finish(wrong).failed_saying(&["is not one of PostgreSQL", "not the name of a schema", "max_pool_size"]);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.shown());
}
