//! What `evaluate` finds out and writes down, from outside.

use std::fs;

use crate::harness::trained::{N_NOTES, trained_workspace};
use crate::harness::workspace::Workspace;

fn evaluate(workspace: &Workspace, options: &str) -> crate::harness::outcome::Outcome {
    let command = format!("evaluate --model notes --dataset notes {options}");
    workspace.run(&command.split_whitespace().collect::<Vec<_>>())
}

#[test]
fn a_report_is_one_page_and_the_same_each_time() {
    let workspace = trained_workspace();
    let options = "--slice-by event_time --false-positive-cost 1 --false-negative-cost 5 --learning-curve";
    evaluate(&workspace, &format!("{options} --report first.html"))
        .succeeded()
        .says(&["interval", "threshold of least cost"]);
    let page = fs::read_to_string(workspace.path("first.html")).expect("the report was written");
    for part in ["<svg", "By event_time", "Where it is worst", "What matters", "Would more rows help?", "</html>"] {
        assert!(page.contains(part), "{part}");
    }
    for foreign in ["<script", "http://", "https://", "src="] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    evaluate(&workspace, &format!("{options} --report second.html")).succeeded();
    let again = fs::read_to_string(workspace.path("second.html")).expect("the report was written");
    // The line of the heading has the time.
    let without_heading = |page: &str| page.lines().filter(|line| !line.starts_with("<header>")).collect::<String>();
    assert_eq!(without_heading(&page), without_heading(&again));
}

#[test]
fn figures_come_with_rows_and_intervals() {
    let workspace = trained_workspace();
    let report = workspace.json(&["evaluate", "--model", "notes", "--dataset", "notes", "--confidence", "0.9"]);
    let accuracy = &report["study"]["measured"]["figures"]["accuracy"];
    assert_eq!(accuracy["value"], report["metrics"]["accuracy"]);
    assert_eq!(accuracy["n_samples"], N_NOTES / 5);
    assert!(accuracy["interval"]["low"].as_f64() < accuracy["value"].as_f64(), "{accuracy}");
    assert_eq!(report["study"]["measured"]["confidence"], 0.9);
    assert_eq!(report["study"]["leaks"].as_array().map(Vec::len), Some(0), "{}", report["study"]["leaks"]);
    let trained = workspace.json(&["train", "--pipeline", "notes.yaml", "--dataset", "notes", "--no-register"]);
    assert!(trained["measured"]["figures"]["accuracy"]["interval"].is_object(), "{trained}");
}

#[test]
fn a_model_against_itself_is_no_better() {
    let workspace = trained_workspace();
    evaluate(&workspace, "--against notes@champion").succeeded().says(&["no significant difference", "McNemar"]);
}

#[test]
fn what_cannot_be_evaluated_names_the_way_out() {
    let workspace = trained_workspace();
    evaluate(&workspace, "--metric acuracy").failed_saying(&["no figure `acuracy`", "the figures are accuracy"]);
    evaluate(&workspace, "--slice-by country").failed_saying(&["no column `country`", "event_time"]);
    evaluate(&workspace, "--false-positive-cost 1 --false-negative-cost 1 --positive chess")
        .failed_saying(&["`chess` is no class", "`energy` and `sport`"]);
    evaluate(&workspace, "--split validation").failed_saying(&["there are no rows to score"]);
    evaluate(&workspace, "--false-positive-cost 1").misused_saying(&["--false-negative-cost"]);
    evaluate(&workspace, "--confidence 95").misused_saying(&["such as 0.95"]);
}
