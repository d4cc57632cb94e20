//! The same dataset version, pipeline and seed give the same bytes, whatever the number of threads.

use serde_json::Value;

use crate::harness::trained::trained_workspace;
use crate::harness::workspace::{Workspace, finish};

const FOREST: &str = "version: 1
name: length
task: regression
target: length
seed: 11
features:
  - { columns: [topic], steps: [one_hot] }
  - { columns: [text], steps: [{ tfidf: { max_features: 20 } }] }
estimator: { kind: random_forest, n_trees: 20 }
";

fn train(workspace: &Workspace, pipeline: &str, n_threads: &str) -> Value {
    let args = ["--output", "json", "train", "--pipeline", pipeline, "--dataset", "notes@1"];
    let mut command = workspace.command(&args);
    command.env("RAYON_NUM_THREADS", n_threads);
    finish(command).succeeded().json()
}

/// Trains with one thread, with two, and with two again: every model must have the same digest and figures.
#[track_caller]
fn check_same_bytes(workspace: &Workspace, pipeline: &str) {
    let first = train(workspace, pipeline, "1");
    for _ in 0..2 {
        let again = train(workspace, pipeline, "2");
        assert_eq!(again["artifact"], first["artifact"], "{pipeline}");
        assert_eq!(again["metrics"], first["metrics"], "{pipeline}");
    }
    assert!(first["artifact"].as_str().is_some_and(|digest| digest.len() == 64), "{first}");
}

#[test]
fn a_text_classifier() {
    check_same_bytes(&trained_workspace(), "notes.yaml");
}

#[test]
fn a_random_forest() {
    let workspace = trained_workspace();
    workspace.write("forest.yaml", FOREST);
    check_same_bytes(&workspace, "forest.yaml");
}

#[test]
fn another_seed_gives_another_forest() {
    let workspace = trained_workspace();
    workspace.write("forest.yaml", FOREST);
    workspace.write("other.yaml", FOREST.replace("seed: 11", "seed: 12"));
    assert_ne!(train(&workspace, "forest.yaml", "2")["artifact"], train(&workspace, "other.yaml", "2")["artifact"]);
}

#[test]
fn the_same_rows_and_rule_give_the_same_dataset() {
    let one = trained_workspace();
    let create =
        ["dataset", "create", "notes", "--data-type", "text", "--split", "stratified:topic:80/20", "--seed", "7"];
    let again = one.json(&create);
    let first = one.json(&["dataset", "show", "notes@1"]);
    assert_eq!(again["content_hash"], first["content_hash"]);

    let other_seed = [&create[..create.len() - 1], &["8"]].concat();
    assert_ne!(one.json(&other_seed)["content_hash"], first["content_hash"]);
}
