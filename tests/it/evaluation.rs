//! What `evaluate` finds out and writes down, from outside.

use std::fmt::Write as _;
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

/// Rows of which a quarter is for the test, with a city there that training does not see; some have no answer.
fn orders() -> String {
    let mut rows = "id,city,split,empty,late\n".to_owned();
    for row in 0..80 {
        let (is_test, is_odd) = (row % 4 == 3, row % 8 == 3);
        let city = if is_test && is_odd { "Bern" } else { ["Oslo", "Rome"][row % 2] };
        let late = if row % 20 < 2 || row == 43 { "" } else { ["no", "yes"][row / 2 % 2] };
        let split = if is_test { "test" } else { "train" };
        writeln!(rows, "{row},{city},{split},,{late}").expect("a string takes what is written");
    }
    rows
}

#[test]
fn what_is_left_out_or_unknown_is_counted_and_told() {
    let workspace = Workspace::new();
    workspace.write("orders.csv", orders());
    let pipeline = "{version: 1, name: orders, task: classification, target: late, estimator: logistic_regression, features: \
                    [{columns: [city], steps: [one_hot]}]}";
    workspace.write("orders.yaml", pipeline);
    workspace.write("empty.yaml", pipeline.replace("[city]", "[city, empty]"));
    for command in [
        "ingest orders.csv --data-type tabular --source-app shop --id-field id",
        "sync",
        "dataset create orders --data-type tabular --split column:split",
    ] {
        workspace.run(&command.split(' ').collect::<Vec<_>>()).succeeded();
    }
    let unknown = "values that training did not see: 10 of `city`";

    let train = ["train", "--pipeline", "orders.yaml", "--dataset", "orders"];
    workspace.run(&train).succeeded().says(&[
        "8 of 60 rows: target `late` is missing in 8",
        "1 row without a truth",
        unknown,
    ]);
    let report = workspace.json(&train);
    assert_eq!(report["left_out"]["target `late` is missing"], 8, "{report}");
    assert_eq!(
        (&report["n_without_target"], &report["unknown_categories"]["city"]),
        (&1.into(), &10.into()),
        "{report}"
    );

    let evaluate = ["evaluate", "--model", "orders", "--dataset", "orders"];
    workspace.run(&evaluate).succeeded().says(&["1 row without a truth", unknown]);
    assert_eq!(workspace.json(&evaluate)["unknown_categories"]["city"], 10);

    let predict = ["predict", "--model", "orders", "--dataset", "orders", "--split", "test"];
    workspace.run(&predict).succeeded().says(&[unknown]);
    let of_file = ["predict", "--model", "orders", "--input", "orders.csv"];
    let outcome = workspace.run(&of_file).succeeded();
    assert_eq!(outcome.stdout.lines().count(), 80, "{}", outcome.stdout);
    assert!(outcome.stderr.contains(unknown), "{}", outcome.stderr);
    assert_eq!(workspace.json(&of_file)["unknown_categories"]["city"], 10);

    workspace
        .run(&["train", "--pipeline", "empty.yaml", "--dataset", "orders"])
        .failed_saying(&["no column `empty`", "a field without a value in any row makes no column"]);
}

#[test]
fn a_model_against_itself_is_no_better() {
    let workspace = trained_workspace();
    evaluate(&workspace, "--against notes@champion").succeeded().says(&["no significant difference", "McNemar"]);
}

#[test]
fn a_threshold_that_is_recommended_is_predicted_by() {
    let workspace = trained_workspace();
    let costs = ["--false-positive-cost", "1", "--false-negative-cost", "20", "--positive", "energy"];
    let evaluate =
        |model: &str| workspace.json(&[&["evaluate", "--model", model, "--dataset", "notes"][..], &costs].concat());
    let recommended = evaluate("notes@1")["study"]["threshold"]["chosen"].clone();
    let threshold = recommended["threshold"].as_f64().expect("a threshold is recommended");
    let pipeline = fs::read_to_string(workspace.path("notes.yaml")).expect("the pipeline is there");
    let decided = format!("{pipeline}\ndecision: {{ positive: energy, threshold: {threshold:?} }}\n");
    workspace.write("decided.yaml", decided);
    let trained = workspace.json(&["train", "--pipeline", "decided.yaml", "--dataset", "notes", "--model", "decided"]);
    assert_eq!(trained["decision"]["threshold"].as_f64(), Some(threshold));
    assert_eq!(trained["decision"]["positive"], "energy");

    let report = evaluate("decided");
    assert_eq!(report["study"]["threshold"]["usual"], recommended, "it predicts as was recommended");
    let score = |prediction: &serde_json::Value| {
        let details = &prediction["details"];
        let scores = details.get("probabilities").or(details.get("decision_scores"));
        scores.and_then(|scores| scores["energy"].as_f64()).expect("there is a score")
    };
    let predicted = workspace.json(&["predict", "--model", "decided", "--input", "notes.jsonl"]);
    let before = workspace.json(&["predict", "--model", "notes@1", "--input", "notes.jsonl"]);
    let predictions = predicted["predictions"].as_array().expect("predictions are listed");
    for (prediction, before) in predictions.iter().zip(before["predictions"].as_array().expect("they are listed")) {
        assert_eq!(prediction["value"] == "energy", score(prediction) >= threshold, "{prediction}");
        assert_eq!(score(prediction), score(before), "the scores stay");
    }
    workspace.run(&["models", "show", "decided", "--card"]).succeeded().says(&["It is `energy` where the score"]);

    let by_costs = "\ndecision: { positive: energy, false_positive_cost: 1, false_negative_cost: 20 }\n";
    workspace.write("costs.yaml", format!("{pipeline}{by_costs}"));
    let train = ["train", "--pipeline", "costs.yaml", "--dataset", "notes", "--no-register"];
    workspace.run(&train).succeeded().says(&["decision", "`energy` from a score of"]);
    workspace.write("both.yaml", format!("{pipeline}\ndecision: {{ threshold: 0.5, false_positive_cost: 1 }}\n"));
    let both = workspace.run(&["train", "--pipeline", "both.yaml", "--dataset", "notes"]);
    both.failed_saying(&["`decision`: needs a `threshold`, or"]);
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
