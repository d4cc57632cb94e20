//! Models that are not there, or no longer as they were stored.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::trained::trained_workspace;
use crate::harness::workspace::Workspace;

#[test]
fn an_unknown_model_is_answered_with_near_names() {
    let workspace = trained_workspace();
    for args in [
        &["models", "show", "notse"][..],
        &["predict", "--model", "notse", "--dataset", "notes"],
        &["evaluate", "--model", "notse", "--dataset", "notes"],
        &["monitor", "report", "--model", "notse"],
    ] {
        workspace.run(args).failed_saying(&["`notse`", "did you mean `notes`"]);
    }
}

#[test]
fn an_unknown_alias_or_version_is_answered_with_the_known_ones() {
    let workspace = trained_workspace();
    workspace.run(&["models", "show", "notes@champoin"]).failed_saying(&["champoin", "`champion`"]);
    workspace.run(&["models", "show", "notes@7"]).failed_saying(&["7", "`1`"]);
}

#[test]
fn an_unknown_dataset_is_named() {
    let workspace = trained_workspace();
    workspace.run(&["dataset", "show", "nots"]).failed_saying(&["`nots`"]);
    workspace.run(&["dataset", "show", "notes@9"]).failed_saying(&["notes", "9"]);
    workspace.run(&["train", "--pipeline", "notes.yaml", "--dataset", "nots"]).failed_saying(&["`nots`"]);
}

fn artifact_digest(workspace: &Workspace) -> String {
    let shown = workspace.json(&["models", "show", "notes@1"]);
    find_digest(&shown).expect("the model shows the digest of its artifact")
}

/// Returns the digest under the key `artifact`, wherever it stands.
fn find_digest(value: &Value) -> Option<String> {
    let fields = value.as_object()?;
    match fields.get("artifact") {
        Some(Value::Object(artifact)) => artifact.get("digest")?.as_str().map(str::to_owned),
        Some(Value::String(digest)) => Some(digest.clone()),
        _ => fields.values().find_map(find_digest),
    }
}

fn artifact_file(workspace: &Workspace, digest: &str) -> PathBuf {
    let path = workspace.path("ml-data/artifacts").join(&digest[..2]).join(&digest[2..]);
    assert!(path.is_file(), "artifacts are named by their digest: {}", path.display());
    path
}

#[test]
fn a_damaged_artifact_is_not_used() {
    let workspace = trained_workspace();
    let digest = artifact_digest(&workspace);
    let file = artifact_file(&workspace, &digest);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let n_predictions = workspace.count("predictions");

    let predict = ["predict", "--model", "notes", "--dataset", "notes"];
    workspace.run(&predict).failed_saying(&[&digest, "notes@1"]);
    workspace.run(&["evaluate", "--model", "notes", "--dataset", "notes"]).failed_saying(&[&digest]);
    workspace.run(&["models", "export", "notes", "--out", "notes.bundle"]).failed_saying(&[&digest]);

    assert_eq!(workspace.count("predictions"), n_predictions);
    assert!(!workspace.path("notes.bundle").exists(), "a failed export must not leave a file");
}

#[test]
fn a_missing_artifact_is_named() {
    let workspace = trained_workspace();
    let digest = artifact_digest(&workspace);
    fs::remove_file(artifact_file(&workspace, &digest)).unwrap();
    workspace.run(&["predict", "--model", "notes", "--dataset", "notes"]).failed_saying(&[&digest, "not found"]);
}

#[test]
fn what_is_no_exported_model_is_not_imported() {
    let workspace = trained_workspace();
    workspace.run(&["models", "export", "notes", "--out", "notes.bundle"]).succeeded();
    let mut bytes = fs::read(workspace.path("notes.bundle")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    workspace.write("damaged.bundle", &bytes);
    workspace.write("short.bundle", &bytes[..last / 2]);

    workspace.run(&["models", "import", "damaged.bundle"]).failed_saying(&["damaged"]);
    workspace.run(&["models", "import", "short.bundle"]).failed_saying(&["cut short"]);
    workspace.run(&["models", "import", "notes.jsonl"]).failed_saying(&["not an exported model"]);

    assert_eq!(workspace.count("model_versions"), 1);
}

#[test]
fn a_cell_that_is_no_number_is_named() {
    let workspace = trained_workspace();
    let predict = |file: &str| workspace.run(&["predict", "--model", "lengths", "--input", file]);
    let pipeline = "version: 1\nname: lengths\ntask: regression\ntarget: n_words\nfeatures:\n  - columns: [length]\n\
                    estimator: { kind: ridge }\n";
    workspace.write("lengths.yaml", pipeline);
    let rows = |last: &str| {
        let rows = (0..40).map(|row| format!("{{\"id\":\"r{row}\",\"length\":{row},\"n_words\":{row}}}\n"));
        format!("{}{{\"id\":\"last\",\"length\":{last},\"n_words\":3}}\n", rows.collect::<String>())
    };
    let load = |name: &str, last: &str| {
        workspace.write(&format!("{name}.jsonl"), rows(last));
        for command in [
            format!("ingest {name}.jsonl --data-type tabular --source-app {name} --id-field id"),
            "sync".to_owned(),
            format!("dataset create {name} --data-type tabular --source-app {name} --split random:80/20"),
        ] {
            workspace.run(&command.split(' ').collect::<Vec<_>>()).succeeded();
        }
        workspace.run(&["train", "--pipeline", "lengths.yaml", "--dataset", name])
    };
    load("sound", "4").succeeded();
    load("worded", "\"long\"").failed_saying(&["`length`", "`long` in row", "worded:last"]);

    workspace.write("nan.csv", "length\n1\nNaN\n");
    predict("nan.csv").failed_saying(&["nan.csv:3", "field `length`", "`nan` is not a finite number"]);
    workspace.write("nan.jsonl", "{\"length\":1}\n{\"length\":NaN}\n");
    predict("nan.jsonl").failed_saying(&["nan.jsonl:2", "field `length`", "`nan` is not a finite number"]);
    workspace.write("text.jsonl", "{\"length\":1}\n{\"length\":\"NaN\"}\n");
    predict("text.jsonl").failed_saying(&["`length`", "row 2", "`nan`"]);
}

#[test]
fn rows_that_a_model_cannot_score_are_named() {
    let workspace = trained_workspace();
    workspace.write("rows.jsonl", "{\"id\":\"a\",\"caption\":\"the keeper held the penalty\"}\n");
    let outcome = workspace.run(&["predict", "--model", "notes", "--input", "rows.jsonl"]);
    outcome.failed_saying(&["text"]);
}
