//! Searches and long fits from outside: what they record, that they can be stopped, and that they go on where they were.

use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::outcome::Outcome;
use crate::harness::signal::interrupt;
use crate::harness::trained::trained_workspace;
use crate::harness::workspace::Workspace;
use crate::harness::{dump, wait_until};

const TRAIN: [&str; 5] = ["train", "--pipeline", "notes.yaml", "--dataset", "notes"];

fn search(workspace: &Workspace) -> Value {
    workspace.json(&[&TRAIN[..], &["--search", "search.yaml"]].concat())
}

/// Returns how many runs have `status`.
fn n_runs(workspace: &Workspace, status: &str) -> usize {
    let tables = dump::dump(&workspace.path("ml-data"));
    let status = format!("status={status} ");
    tables["runs"].iter().filter(|row| row.contains(&status)).count()
}

fn start(workspace: &Workspace, args: &[&str]) -> Child {
    let mut command = workspace.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Presses Ctrl-C and waits for the end.
fn stop(child: Child) -> Outcome {
    interrupt(child.id());
    Outcome::new("interrupted".to_owned(), child.wait_with_output().expect("the process ends"))
}

#[test]
fn a_search_records_its_trials_and_registers_the_best() {
    let workspace = trained_workspace();
    workspace.write(
        "search.yaml",
        "version: 1\nmethod: grid\nscore: f1_macro\nsplit: { by: stratified, folds: 3 }\nnested: { folds: 2 }\nvary:\n  \
         - { estimator.c: [0.001, 1], features.0.steps.0.tfidf.min_df: [1, 2] }\n  \
         - { estimator: [{ kind: multinomial_naive_bayes, alpha: 0.5 }] }\n",
    );
    let before = n_runs(&workspace, "finished");

    let report = search(&workspace);

    let ranking = report["search"]["ranking"].as_array().expect("the trials are listed");
    assert_eq!(ranking.len(), 5);
    let means: Vec<f64> = ranking.iter().map(|trial| trial["mean"].as_f64().expect("no trial failed")).collect();
    assert!(means.is_sorted_by(|left, right| left >= right), "{means:?}");
    for trial in ranking {
        let folds: Vec<f64> = trial["folds"].as_array().unwrap().iter().map(|fold| fold.as_f64().unwrap()).collect();
        let mean = folds.iter().sum::<f64>() / 3.0;
        assert!(folds.len() == 3 && (mean - trial["mean"].as_f64().unwrap()).abs() < 1e-12, "{trial}");
    }
    assert_eq!(report["search"]["nested"]["folds"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["model"], "notes@2");
    assert_eq!(n_runs(&workspace, "finished"), before + 6, "five trials and their parent");
    let parent = report["run_id"].as_str().expect("the run is told");
    let tags = dump::dump(&workspace.path("ml-data"))["tags"].clone();
    let is_child = |row: &&String| row.contains("mlflow.parentRunId") && row.contains(parent);
    assert_eq!(tags.iter().filter(is_child).count(), 5);

    let again = search(&workspace);
    assert_eq!(again["search"]["n_reused"], 5, "{again}");
    assert_eq!(again["artifact"], report["artifact"]);
    assert_eq!(again["search"]["ranking"][0]["run_id"], ranking[0]["run_id"]);
    assert_eq!(n_runs(&workspace, "finished"), before + 7);

    let shown = workspace.run(&[&TRAIN[..], &["--search", "search.yaml", "--no-register"]].concat()).succeeded();
    shown.says(&["5 of grid", "5 done before", "compared by", "estimator.c=0.001", "nested"]);
}

#[test]
fn a_wrong_search_says_everything_that_is_wrong() {
    let workspace = trained_workspace();
    workspace.write(
        "search.yaml",
        "version: 1\nmethod: grid\nscore: f1\nvary: { estimator.cost: [1], features.0.steps.0.tfidf.ngram: [[1, 2]] }\n",
    );
    let before = workspace.count("runs");
    let args = [&TRAIN[..], &["--search", "search.yaml"]].concat();
    workspace.run(&args).failed_saying(&[
        "search.yaml is no search: invalid search, 3 faults",
        "`score`: no figure `f1`",
        "`vary.estimator.cost`: the pipeline has no such place; did you mean `estimator.",
        "did you mean `features[0].steps[0].tfidf.ngrams`?",
    ]);
    assert_eq!(workspace.count("runs"), before);
}

/// A pipeline whose fit takes hours.
const ENDLESS: &str = "version: 1
name: endless
task: classification
target: topic
features: [{ columns: [length] }]
estimator: { kind: gradient_boosting, max_iterations: 100000000, early_stopping: never }
";

#[test]
fn ctrl_c_ends_a_fit_and_marks_the_run() {
    let workspace = trained_workspace();
    workspace.write("endless.yaml", ENDLESS);
    let versions = workspace.count("model_versions");
    let child = start(&workspace, &["train", "--pipeline", "endless.yaml", "--dataset", "notes"]);
    wait_until("the run has begun", || match n_runs(&workspace, "running") {
        1 => Ok(()),
        n => Err(format!("{n} runs are running")),
    });

    stop(child).failed_saying(&["cancelled"]);

    assert_eq!((n_runs(&workspace, "killed"), n_runs(&workspace, "running")), (1, 0));
    assert_eq!(workspace.count("model_versions"), versions, "nothing is registered");
}

#[test]
fn a_killed_training_is_marked_by_the_next_one_and_a_live_one_is_not() {
    let workspace = trained_workspace();
    workspace.write("endless.yaml", ENDLESS);
    workspace.write("search.yaml", "version: 1\nmethod: grid\nvary: { seed: [1, 2] }\n");
    let endless = ["train", "--pipeline", "endless.yaml", "--dataset", "notes"];
    let n_running = |n: usize| match n_runs(&workspace, "running") {
        found if found == n => Ok(()),
        found => Err(format!("{found} runs are running")),
    };
    let mut fit = start(&workspace, &endless);
    let mut search = start(&workspace, &[&endless[..], &["--search", "search.yaml"]].concat());
    let live = start(&workspace, &endless);
    wait_until("three runs have begun", || n_running(3));
    for killed in [&mut fit, &mut search] {
        killed.kill().expect("a process of ours can be killed");
        killed.wait().expect("it ends");
    }

    let trained = workspace.run(&TRAIN).succeeded();

    trained.says(&["an earlier training was interrupted"]);
    assert_eq!((n_runs(&workspace, "failed"), n_runs(&workspace, "running")), (2, 1));
    let tables = dump::dump(&workspace.path("ml-data"));
    let reasons = tables["tags"].iter().filter(|row| row.contains("interrupted: its process ended")).count();
    assert_eq!(reasons, 2);
    workspace.run(&TRAIN).succeeded();
    assert_eq!((n_runs(&workspace, "failed"), n_runs(&workspace, "running")), (2, 1));
    stop(live).failed_saying(&["cancelled"]);
    assert_eq!((n_runs(&workspace, "killed"), n_runs(&workspace, "running")), (1, 0));
}

#[test]
fn a_stopped_search_keeps_its_trials_and_goes_on_from_there() {
    let workspace = trained_workspace();
    workspace.write("notes.yaml", ENDLESS);
    // Trials with another seed have folds of their own to prepare: the endless one comes last.
    let quick = "  - { seed: [1, 2], estimator.max_iterations: [2] }\n";
    let endless = "  - { seed: [3] }\n";
    let begin = "version: 1\nmethod: grid\nsplit: { by: stratified, folds: 2 }\nvary:\n";
    workspace.write("search.yaml", format!("{begin}{quick}{endless}"));
    let before = n_runs(&workspace, "finished");
    let child = start(&workspace, &[&TRAIN[..], &["--search", "search.yaml"]].concat());
    wait_until("two trials are recorded", || match n_runs(&workspace, "finished") - before {
        2 => Ok(()),
        n => Err(format!("{n} trials")),
    });

    stop(child).failed_saying(&["2 trials are kept", "the same command goes on from there"]);

    assert_eq!((n_runs(&workspace, "killed"), n_runs(&workspace, "running")), (1, 0));
    workspace.write("search.yaml", format!("{begin}{quick}  - {{ seed: [4], estimator.max_iterations: [3] }}\n"));
    let report = search(&workspace);
    assert_eq!(report["search"]["n_reused"], 2, "{report}");
    assert_eq!(n_runs(&workspace, "finished"), before + 4, "one more trial and its parent");
}
