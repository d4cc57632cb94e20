//! Configuration, pipeline files and command lines that are wrong.

use crate::harness::samples;
use crate::harness::workspace::Workspace;

const PIPELINE: &str = include_str!("../fixtures/notes.yaml");

fn workspace_with_config(file: &str, text: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write(&format!("config/{file}"), text);
    workspace
}

#[test]
fn an_unknown_key() {
    let workspace = workspace_with_config("settings.yaml", "data_dri: ./elsewhere\n");
    workspace.run(&["config", "check"]).failed_saying(&["data_dri", "settings.yaml"]);
    workspace.run(&["dataset", "list"]).failed_saying(&["data_dri", "settings.yaml"]);
    assert!(!workspace.path("ml-data").exists(), "a faulty configuration must not leave a data folder");
}

#[test]
fn an_unknown_key_in_the_environment() {
    let workspace = Workspace::new();
    let mut command = workspace.command(&["config", "check"]);
    command.env("ML__SETTINGS__DATA_DRI", "x");
    crate::harness::workspace::finish(command).failed_saying(&["data_dri"]);
}

#[test]
fn all_faults_at_once() {
    let workspace = workspace_with_config("settings.yaml", "data_dri: ./elsewhere\n");
    workspace.write("config/database.yaml", "routing:\n  data_types:\n    text: { colection: text_corpus }\n");
    workspace.run(&["config", "check"]).failed_saying(&["data_dri", "colection"]);
}

#[test]
fn a_file_that_is_not_yaml() {
    let workspace = workspace_with_config("settings.yaml", "data_dir: [unclosed\n");
    workspace.run(&["config", "check"]).failed_saying(&["settings.yaml"]);
}

#[test]
fn folders_that_are_not_there() {
    let workspace = Workspace::new();
    workspace.run(&["--config", "nowhere", "config", "check"]).failed_saying(&["nowhere"]);
    workspace.run(&["--profile", "production", "config", "check"]).failed_saying(&["production"]);
}

/// Trains with `pipeline`, which must be refused with a message that has every one of `needles`.
#[track_caller]
fn check_pipeline_refused(pipeline: &str, needles: &[&str]) {
    let workspace = Workspace::new();
    workspace.write("notes.jsonl", samples::notes(40));
    workspace.write("pipeline.yaml", pipeline);
    workspace
        .run(&["ingest", "notes.jsonl", "--data-type", "text", "--source-app", "tests", "--id-field", "id"])
        .succeeded();
    workspace.run(&["sync"]).succeeded();
    workspace.run(&["dataset", "create", "notes", "--data-type", "text", "--split", "random:80/20"]).succeeded();
    workspace.run(&["train", "--pipeline", "pipeline.yaml", "--dataset", "notes"]).failed_saying(needles);
    assert_eq!(workspace.count("model_versions"), 0);
}

#[test]
fn a_pipeline_that_is_not_yaml() {
    check_pipeline_refused("version: [1\n", &["pipeline.yaml"]);
}

#[test]
fn near_misses_in_a_pipeline_are_answered_with_the_name_meant() {
    let pipeline = PIPELINE.replace("linear_svm", "linear_smv").replace("tfidf", "tdidf").replace("seed:", "sede:");
    check_pipeline_refused(&pipeline, &["linear_smv", "linear_svm", "tdidf", "tfidf", "sede", "seed"]);
}

#[test]
fn a_column_that_the_dataset_does_not_have() {
    check_pipeline_refused(&PIPELINE.replace("columns: [text]", "columns: [txet]"), &["txet", "text"]);
    check_pipeline_refused(&PIPELINE.replace("target: topic", "target: topik"), &["topik", "topic"]);
}

#[test]
fn a_pipeline_of_a_later_release() {
    check_pipeline_refused(&PIPELINE.replace("version: 1", "version: 2"), &["version"]);
}

#[test]
fn wrong_usage_ends_with_exit_code_2() {
    let workspace = Workspace::new();
    workspace.run(&["ingets"]).misused_saying(&["ingets", "ingest"]);
    workspace.run(&["ingest", "--data-type", "text"]).misused_saying(&["file"]);
    workspace.run(&["ingest", "a.jsonl"]).misused_saying(&["--data-type"]);
    workspace.run(&["dataset", "list", "--output", "xml"]).misused_saying(&["xml", "json"]);
    workspace.run(&["dataset", "list", "--ouput", "json"]).misused_saying(&["--output"]);
    workspace
        .run(&["ingest", "a", "--data-type", "Text!", "--source-app", "t"])
        .misused_saying(&["Text!", "lower-case"]);
    workspace.run(&["dataset", "create", "n", "--data-type", "text", "--from", "yesterday"]).misused_saying(&["2025"]);
    assert!(!workspace.path("ml-data").exists(), "wrong usage must not leave a data folder");
}

#[test]
fn splits_that_make_no_sense() {
    let workspace = Workspace::new();
    for split in ["random:80/90/x", "random:", "rndom:80/20", "stratified:80/20", "time:-1/2", "random:NaN/20"] {
        let outcome = workspace.run(&["dataset", "create", "notes", "--data-type", "text", "--split", split]);
        outcome.failed_saying(&["split"]);
    }
}
