//! `ml-app doctor`: what is healthy, what is not, and what is not there.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;

use crate::harness::mongo::{TestDatabase, look_at};
use crate::harness::namespace::Namespace;
use crate::harness::outcome::Outcome;
use crate::harness::skip;
use crate::harness::trained::trained_workspace;
use crate::harness::workspace::{Workspace, finish};

/// Returns the verdict of a check; fails when there was none.
#[track_caller]
fn verdict(outcome: &Outcome, subject: &str, check: &str) -> String {
    let document = outcome.json();
    let findings = document["findings"].as_array().expect("findings are listed");
    let found = findings.iter().find(|finding| finding["subject"] == subject && finding["check"] == check);
    let found = found.unwrap_or_else(|| panic!("{check} of {subject} was not checked:\n{}", outcome.shown()));
    assert_eq!(found["advice"].is_null(), found["verdict"] == "ok", "{found}");
    found["verdict"].as_str().expect("a verdict is a text").to_owned()
}

fn n_failures(outcome: &Outcome) -> Value {
    outcome.json()["n_failures"].clone()
}

fn doctor(workspace: &Workspace) -> Outcome {
    workspace.run(&["--output", "json", "doctor"])
}

#[test]
fn healthy_embedded_stores() {
    let workspace = trained_workspace();
    for args in [&["--output", "json", "doctor"][..], &["--output", "json", "doctor", "--thorough"]] {
        let outcome = workspace.run(args).succeeded();
        assert_eq!(n_failures(&outcome), 0);
        for subject in ["documents", "sql"] {
            for check in ["reachable", "version", "permissions", "migrations", "integrity"] {
                assert_eq!(verdict(&outcome, subject, check), "ok", "{subject}: {check}");
            }
        }
        for (subject, check) in [
            ("configuration", "values"),
            ("data_folder", "exists"),
            ("data_folder", "permissions"),
            ("artifacts", "references"),
            ("artifacts", "integrity"),
        ] {
            assert_eq!(verdict(&outcome, subject, check), "ok", "{subject}: {check}");
        }
    }
    workspace.run(&["doctor"]).succeeded().says(&["0 failures", "sqlite file", "artifacts"]);
}

#[test]
fn nothing_is_made_where_nothing_was() {
    let workspace = Workspace::new();
    let outcome = doctor(&workspace).succeeded();
    assert_eq!(verdict(&outcome, "documents", "reachable"), "ok");
    assert!(!workspace.path("ml-data").exists(), "{}", outcome.shown());
}

#[test]
fn a_read_only_data_folder() {
    let workspace = trained_workspace();
    let data_folder = workspace.path("ml-data");
    let Some(namespace) = Namespace::with_read_only(&data_folder) else {
        return skip("cannot make a read-only file system");
    };
    let at = data_folder.to_str().expect("the path is UTF-8");
    let outcome = namespace.run(&["--data-dir", at, "--output", "json", "doctor"]).failed_saying(&["checks failed"]);
    assert_eq!(verdict(&outcome, "data_folder", "permissions"), "failure");
    assert_eq!(verdict(&outcome, "sql", "permissions"), "failure");
    assert_eq!(verdict(&outcome, "artifacts", "references"), "ok", "what can be read is examined");
}

/// Returns the files of the artifacts.
fn artifact_files(workspace: &Workspace) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in fs::read_dir(workspace.path("ml-data/artifacts")).expect("the folder can be read") {
        let folder = folder.expect("the folder can be read").path();
        files.extend(
            fs::read_dir(folder).expect("the folder can be read").map(|file| file.expect("it is a file").path()),
        );
    }
    files.sort();
    files
}

#[test]
fn broken_and_missing_artifacts() {
    let workspace = trained_workspace();
    let files = artifact_files(&workspace);
    assert!(files.len() >= 3, "{files:?}");
    fs::write(&files[0], "other bytes").unwrap();
    let outcome = doctor(&workspace).failed_saying(&["has other bytes", "restore"]);
    assert_eq!(verdict(&outcome, "artifacts", "integrity"), "failure");
    assert_eq!(verdict(&outcome, "artifacts", "references"), "ok");

    fs::remove_file(&files[0]).unwrap();
    let outcome = doctor(&workspace).failed_saying(&["notes@1"]);
    assert_eq!(verdict(&outcome, "artifacts", "references"), "failure");
    assert_eq!(n_failures(&outcome), 1);
}

#[test]
fn an_absent_server_does_not_keep_the_rest_from_being_examined() {
    let workspace = trained_workspace();
    // Port 1 is reserved, and nobody listens there.
    let command = look_at(workspace.command(&["--output", "json", "doctor"]), "mongodb://ann:hunter2@127.0.0.1:1/");
    let outcome = finish(command).failed_saying(&["no MongoDB server at 127.0.0.1:1", "start the server"]);
    assert_eq!(verdict(&outcome, "documents", "reachable"), "failure");
    assert_eq!(verdict(&outcome, "sql", "integrity"), "ok");
    assert_eq!(verdict(&outcome, "artifacts", "references"), "ok");
    assert_eq!(n_failures(&outcome), 1);
    assert!(!outcome.stdout.contains("hunter2") && !outcome.stderr.contains("hunter2"), "{}", outcome.shown());
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    // It takes connections, as the system does for it, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let workspace = Workspace::new();
    let mut command = look_at(workspace.command(&["--output", "json", "doctor"]), &format!("mongodb://{address}/"));
    command.env("ML__DATABASE__DOCUMENTS__CONNECT_TIMEOUT_MS", "300");
    command.env("ML__DATABASE__DOCUMENTS__OPERATION_TIMEOUT_MS", "1000");
    let outcome = finish(command).failed_saying(&[&address.to_string()]);
    assert_eq!(verdict(&outcome, "documents", "reachable"), "failure");
    assert_eq!(verdict(&outcome, "sql", "reachable"), "ok");
}

#[test]
fn an_unknown_key() {
    let workspace = Workspace::new();
    workspace.write("config/settings.yaml", "data_dri: ./elsewhere\n");
    let outcome = doctor(&workspace).failed_saying(&["data_dri", "settings.yaml"]);
    assert_eq!(verdict(&outcome, "configuration", "values"), "failure");
    assert!(!workspace.path("ml-data").exists(), "{}", outcome.shown());
}

#[test]
fn files_that_no_store_can_be() {
    let workspace = trained_workspace();
    Connection::open(workspace.path("ml-data/ml.sqlite"))
        .and_then(|sql| sql.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')", []))
        .unwrap();
    workspace.write("ml-data/documents.sqlite", "this is no database at all, it only has the name of one".repeat(200));
    let outcome = doctor(&workspace).failed_saying(&["newer release", "is not a SQLite file"]);
    assert_eq!(verdict(&outcome, "sql", "reachable"), "failure");
    assert_eq!(verdict(&outcome, "documents", "reachable"), "failure");
}

#[test]
fn a_server() {
    let Some(database) = TestDatabase::new() else { return };
    let workspace = database.workspace();
    let outcome = doctor(&workspace).succeeded();
    assert_eq!(verdict(&outcome, "documents", "migrations"), "warning");
    assert_eq!(database.count("schema_migrations", mongodb::bson::doc! {}), 0, "nothing was migrated");

    workspace.run(&["migrate"]).succeeded();
    let outcome = doctor(&workspace).succeeded();
    for check in ["reachable", "round trip", "clock", "permissions", "migrations", "replica set", "change streams"] {
        assert_eq!(verdict(&outcome, "documents", check), "ok", "{check}");
    }
}
