//! Models without a target go the same way as others: trained, registered, evaluated, asked for predictions, watched.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use crate::harness::workspace::Workspace;

const N_CUSTOMERS: usize = 240;

/// Customers of three kinds, in turn: who looks and buys little, who buys often, who buys much at once. Every fortieth order is
/// of an amount that nobody else comes near, and some ages are not known, which no model here reads.
fn customers() -> String {
    let mut lines = String::new();
    for row in 0..N_CUSTOMERS {
        let wave = |step: f64| (row as f64 * step).sin();
        let (kind, visits, spent) = match row % 3 {
            0 => ("looks", 4.0 + wave(0.7), 20.0 + 6.0 * wave(1.1)),
            1 => ("returns", 30.0 + 4.0 * wave(0.9), 300.0 + 40.0 * wave(1.3)),
            _ => ("splurges", 6.0 + wave(0.5), 1500.0 + 150.0 * wave(1.7)),
        };
        let is_odd = row % 40 == 39;
        let country = ["NO", "IT", "CH"][row * 7 % 3];
        let age = (row % 11 != 0).then(|| 38.0 + 12.0 * wave(2.3));
        let record = json!({
            "id": format!("c{row}"),
            "visits": if is_odd { 400.0 } else { visits },
            "spent": if is_odd { 90_000.0 } else { spent },
            "age": age,
            "country": country,
            "kind": kind,
            "fraud": is_odd,
        });
        writeln!(lines, "{record}").expect("a string takes what is written");
    }
    lines
}

const GROUPS: &str = "version: 1
name: customer-groups
task: clustering
seed: 3
features:
  - { columns: [spent, visits], steps: [log1p, standardise, { clip: { min: -2, max: 2 } }] }
estimator: { kind: k_means, k: 3 }
";

/// What the customers are is known, and is called like the predictions: it is compared with, and not learnt from.
const FRAUD: &str = "version: 1
name: odd-orders
task: anomaly
target: fraud
features:
  - { columns: [spent, visits], steps: [standardise] }
  - { columns: [country], steps: [one_hot] }
estimator: { kind: isolation_forest, contamination: 0.03 }
";

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("customers.jsonl", customers());
    workspace.write("groups.yaml", GROUPS);
    workspace.write("fraud.yaml", FRAUD);
    for command in [
        "ingest customers.jsonl --data-type tabular --source-app shop --id-field id",
        "sync",
        "dataset create customers --data-type tabular --split stratified:fraud:80/20 --seed 5",
    ] {
        workspace.run(&command.split(' ').collect::<Vec<_>>()).succeeded();
    }
    workspace
}

/// Returns the prediction for each customer of the file, in its order.
fn predicted(workspace: &Workspace, model: &str) -> Vec<Value> {
    let report = workspace.json(&["predict", "--model", model, "--input", "customers.jsonl"]);
    let predictions = report["predictions"].as_array().expect("predictions are listed").clone();
    assert_eq!(predictions.len(), N_CUSTOMERS);
    predictions
}

fn number(report: &Value, figure: &str) -> f64 {
    report["metrics"][figure].as_f64().unwrap_or_else(|| panic!("there is no `{figure}`: {}", report["metrics"]))
}

#[test]
fn customers_are_grouped_from_training_to_monitoring() {
    let workspace = workspace();
    let train = ["train", "--pipeline", "groups.yaml", "--dataset", "customers", "--alias", "champion"];
    let report = workspace.json(&train);
    assert_eq!(report["model"], "customer-groups@1");
    assert_eq!(number(&report, "n_clusters"), 3.0);
    assert!(number(&report, "silhouette") > 0.4, "{report}");
    assert_eq!(report["baselines"].as_array().map(Vec::len), Some(0));

    let evaluated = workspace.json(&["evaluate", "--model", "customer-groups@champion", "--dataset", "customers"]);
    assert_eq!(evaluated["metrics"], report["metrics"]);
    let evaluate = ["evaluate", "--model", "customer-groups", "--dataset", "customers"];
    workspace.run(&evaluate).succeeded().says(&["silhouette", "n_clusters"]);
    workspace.run(&[&evaluate[..], &["--learning-curve"]].concat()).failed_saying(&["needs a target"]);
    workspace.run(&[&evaluate[..], &["--importance"]].concat()).failed_saying(&["needs a target"]);
    workspace.run(&[&evaluate[..], &["--report", "groups.html"]].concat()).succeeded();
    let page = fs::read_to_string(workspace.path("groups.html")).expect("the report was written");
    for part in ["silhouette", "how many clusters there are", "higher is better", "</html>"] {
        assert!(page.contains(part), "{part}");
    }

    let predictions = predicted(&workspace, "customer-groups@champion");
    let cluster = |row: usize| predictions[row]["value"].as_str().expect("a cluster has a name");
    for row in (0..N_CUSTOMERS).filter(|row| row % 40 != 39) {
        assert_eq!(cluster(row), cluster(row % 3), "customer {row}");
    }
    assert!(cluster(0) != cluster(1) && cluster(1) != cluster(2) && cluster(0) != cluster(2));
    assert_eq!(predictions[0]["target"], "cluster");
    assert!(predictions[0]["details"]["decision_scores"]["0"].is_number(), "{}", predictions[0]);

    let scored = workspace.json(&["predict", "--model", "customer-groups", "--dataset", "customers"]);
    assert_eq!((&scored["n_scored"], &scored["n_missing"]), (&json!(N_CUSTOMERS), &json!(0)));
    workspace.run(&["publish"]).succeeded();
    workspace.run(&["models", "show", "customer-groups@1"]).succeeded().says(&["customer-groups", "cluster"]);
    workspace.run(&["models", "show", "customer-groups@1", "--card"]).succeeded().says(&["found without a target"]);
    workspace.run(&["monitor", "report", "--model", "customer-groups", "--dataset", "customers"]).succeeded();
    assert_eq!(workspace.json(&train)["artifact"], report["artifact"], "the same training gives the same bytes");
}

#[test]
fn odd_orders_are_found_and_compared_with_what_is_known() {
    let workspace = workspace();
    let report = workspace.json(&["train", "--pipeline", "fraud.yaml", "--dataset", "customers"]);
    assert!(number(&report, "anomaly_share") < 0.15, "{report}");
    assert!(number(&report, "recall") > 0.9 && number(&report, "roc_auc") > 0.95, "{report}");
    let evaluated =
        workspace.json(&["evaluate", "--model", "odd-orders", "--dataset", "customers", "--split", "train"]);
    assert!(number(&evaluated, "recall") > 0.9, "{evaluated}");

    let predictions = predicted(&workspace, "odd-orders@1");
    for (row, prediction) in predictions.iter().enumerate() {
        let scores = &prediction["details"]["decision_scores"];
        let score = scores["anomaly"].as_f64().unwrap_or_else(|| panic!("no score of customer {row}: {prediction}"));
        assert_eq!(prediction["value"] == "anomaly", score > 0.0, "customer {row}");
        assert!(row % 40 != 39 || prediction["value"] == "anomaly", "customer {row}: {prediction}");
    }
    let n_found = predictions.iter().filter(|prediction| prediction["value"] == "anomaly").count();
    assert!((6..=15).contains(&n_found), "{n_found} of {N_CUSTOMERS} are taken for anomalies");

    workspace.write("one.jsonl", "{\"id\": \"new\", \"spent\": 85000, \"visits\": 380, \"country\": \"XX\"}\n");
    let one = workspace.json(&["predict", "--model", "odd-orders", "--input", "one.jsonl"]);
    assert_eq!(one["predictions"][0]["value"], "anomaly", "{one}");
    workspace.write("search.yaml", "version: 1\nmethod: grid\nscore: f1\nvary: { estimator.n_trees: [5, 50] }\n");
    let search = ["train", "--pipeline", "fraud.yaml", "--search", "search.yaml", "--dataset", "customers"];
    let searched = workspace.json(&search);
    assert_eq!(searched["search"]["score"], "f1", "{searched}");
}
