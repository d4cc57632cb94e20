//! Estimators for tables against scikit-learn's on the same small data, and tasks without a target.

use ml_core::table::{Column, ColumnValues, Table};
use ml_train::evaluate::{compare, evaluate};
use ml_train::predict::Predictions;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::{train, train_rows};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("../golden/tabular.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

/// Makes columns `x0`, `x1` … of rows.
fn columns(rows: &Value) -> Vec<Column> {
    let rows: Vec<Vec<f64>> = rows.as_array().unwrap().iter().map(numbers).collect();
    let column = |index: usize| Column::numbers(format!("x{index}"), rows.iter().map(|row| row[index]).collect());
    (0..rows[0].len()).map(column).collect()
}

fn pipeline(task: &str, target: &str, features: &[&str], estimator: &str) -> PipelineSpec {
    let features = features.join(", ");
    let yaml = format!(
        "{{version: 1, name: t, task: {task}, {target} features: [{{columns: [{features}]}}], estimator: {estimator}}}"
    );
    PipelineSpec::from_yaml(&yaml).unwrap()
}

fn fit(reference: &Value, task: &str, target: &str, estimator: &str) -> Predictions {
    let mut all = columns(&reference["features"]);
    all.push(Column::numbers("y", numbers(&reference[target])));
    let table = Table::new(all).unwrap();
    let trained = train(&pipeline(task, "target: y,", &["x0", "x1", "x2", "x3"], estimator), &table, &Silent).unwrap();
    assert!(trained.summary.warnings.is_empty(), "{:?}", trained.summary.warnings);
    trained.model.predict(&table).unwrap()
}

#[track_caller]
fn check(name: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "{name} row {row}: {found} is not {expected}");
    }
}

#[test]
fn regressions_agree_with_scikit_learn() {
    let reference = reference();
    // Each stops within a tolerance of the optimum, and where the optimum is flat the intercept moves a little with it.
    for (key, estimator, tolerance) in [
        ("lasso", "{kind: lasso, alpha: 0.1, tolerance: 1.0e-12, max_iterations: 100000}", 1e-7),
        (
            "elastic_net",
            "{kind: elastic_net, alpha: 0.2, l1_share: 0.3, tolerance: 1.0e-12, max_iterations: 100000}",
            1e-7,
        ),
        ("svr_rbf", "{kind: svm, c: 2.0, epsilon: 0.05, tolerance: 1.0e-10}", 1e-5),
        ("svr_linear", "{kind: svm, kernel: linear, tolerance: 1.0e-10}", 1e-5),
    ] {
        let predictions = fit(&reference, "regression", "numbers", estimator);
        let found: Vec<f64> = (0..predictions.n_rows()).map(|row| predictions.number(row).unwrap()).collect();
        check(key, &found, &numbers(&reference[key]), tolerance);
    }
}

#[test]
fn decisions_agree_with_scikit_learn() {
    let reference = reference();
    for (key, estimator) in [
        ("svc_rbf", "{kind: svm, c: 2.0, tolerance: 1.0e-10}"),
        ("svc_polynomial", "{kind: svm, kernel: polynomial, degree: 2, coef0: 1.0, gamma: auto, tolerance: 1.0e-10}"),
    ] {
        let scores = fit(&reference, "classification", "halves", estimator).decision_scores.unwrap();
        let second: Vec<f64> = scores.values.chunks(2).map(|row| row[1]).collect();
        check(key, &second, &numbers(&reference[key]), 1e-5);
    }
}

fn points(reference: &Value) -> Table {
    Table::new(columns(&reference["points"])).unwrap()
}

fn labels(predictions: &Predictions) -> Vec<String> {
    (0..predictions.n_rows()).map(|row| predictions.label(row).unwrap().to_owned()).collect()
}

#[test]
fn dbscan_finds_the_clusters_of_scikit_learn() {
    let reference = reference();
    let table = points(&reference);
    let spec = pipeline("clustering", "", &["x0", "x1"], "{kind: dbscan, eps: 0.7, min_samples: 4}");
    let model = train(&spec, &table, &Silent).unwrap().model;
    let expected = numbers(&reference["dbscan"]).into_iter();
    let expected: Vec<String> =
        expected.map(|label| if label < 0.0 { "noise".to_owned() } else { label.to_string() }).collect();
    assert_eq!(labels(&model.predict(&table).unwrap()), expected);
}

#[test]
fn k_means_comes_as_far_as_scikit_learn() {
    let reference = reference();
    let mut table = points(&reference);
    let spec = pipeline("clustering", "", &["x0", "x1"], "{kind: k_means, k: 4}");
    assert_eq!(spec.target, "cluster");
    let model = train(&spec, &table, &Silent).unwrap().model;
    let evaluation = evaluate(&model, &table).unwrap();
    let (found, expected) = (evaluation.metrics["inertia"], reference["k_means_inertia"].as_f64().unwrap());
    assert!(found <= expected * (1.0 + 1e-9), "{found} is more than {expected}");
    assert_eq!(evaluation.metrics["n_clusters"], 4.0);
    assert!(!evaluation.metrics.contains_key("adjusted_rand"));

    // A column called like the predictions is no feature and no target, but what they are compared with.
    table.push(Column::numbers("cluster", numbers(&reference["groups"]))).unwrap();
    let rows: Vec<usize> = (0..90).collect();
    let comparison = compare(&train_rows(&spec, &table, &rows, &Silent).unwrap().model, &table, &rows, &rows).unwrap();
    assert!(comparison.model.metrics["adjusted_rand"] > 0.7, "{:?}", comparison.model.metrics);
    assert!(comparison.baselines.is_empty());
}

#[test]
fn isolation_forest_sets_apart_what_scikit_learn_does() {
    let reference = reference();
    let mut table = points(&reference);
    let is_apart = numbers(&reference["groups"]).into_iter().map(|group| Some(group == 3.0)).collect();
    table.push(Column { name: "anomaly".to_owned(), values: ColumnValues::Boolean(is_apart) }).unwrap();
    for seed in 0..5 {
        let mut spec = pipeline("anomaly", "", &["x0", "x1"], "{kind: isolation_forest, contamination: 0.1}");
        spec.seed = seed;
        let model = train(&spec, &table, &Silent).unwrap().model;
        let evaluation = evaluate(&model, &table).unwrap();
        // Both draw at random: scikit-learn's area over 20 seeds, with half of its range on either side.
        let least = reference["isolation_area"]["least"].as_f64().unwrap();
        assert!(evaluation.metrics["roc_auc"] >= least - 0.003, "{:?}", evaluation.metrics);
        assert!((evaluation.metrics["anomaly_share"] - 0.1).abs() < 0.01, "{:?}", evaluation.metrics);
        assert!(evaluation.metrics["precision"] > 0.85, "{:?}", evaluation.metrics);
    }
}

#[test]
fn a_task_without_target_refuses_what_needs_one() {
    let faults = |yaml: &str| PipelineSpec::from_yaml(yaml).unwrap_err().to_string();
    let err = faults(
        "{version: 1, name: t, task: clustering, target_transform: log, features: [{columns: [a], steps: [target_encode]}], \
         estimator: ridge}",
    );
    assert!(err.contains("`target_transform`: is for `task: regression` only"), "{err}");
    assert!(err.contains("`target_encode` learns from a target, and `task: clustering` has none"), "{err}");
    assert!(err.contains("`ridge` is not for `task: clustering`; known are `k_means`, `dbscan`"), "{err}");
    let err = faults("{version: 1, name: t, task: regression, features: [{columns: [a]}], estimator: k_means}");
    assert!(err.contains("`target`: missing: the column to predict"), "{err}");
}

#[test]
fn few_and_equal_rows_are_grouped_or_said_to_be() {
    for (task, estimator) in [("clustering", "k_means"), ("clustering", "dbscan"), ("anomaly", "isolation_forest")] {
        let spec = pipeline(task, "", &["x"], estimator);
        let err = train(&spec, &Table::new(vec![Column::numbers("x", vec![1.0])]).unwrap(), &Silent).unwrap_err();
        assert!(err.to_string().contains("1 of 1 rows can be learnt from"), "{err}");
        for x in [vec![5.0; 12], vec![1e300, -1e300, 1e-300, 0.0, 1.0, 2.0]] {
            let table = Table::new(vec![Column::numbers("x", x)]).unwrap();
            match train(&spec, &table, &Silent) {
                Ok(trained) => {
                    let predictions = trained.model.predict(&table).unwrap();
                    assert!(predictions.missing.is_empty(), "{estimator}");
                    evaluate(&trained.model, &table).unwrap();
                }
                Err(err) => assert!(err.to_string().contains("standardise the features"), "{estimator}: {err}"),
            }
        }
    }
}
