//! Steps and derived columns against scikit-learn's and pandas' counterparts on the same small data.

use ml_core::table::{Column, ColumnValues, Table};
use ml_train::derive::derive;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train;
use ml_train::transform::FittedStep;
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("../golden/steps.json")).unwrap()
}

/// Returns the numbers in `value`, however deep; null is `NaN`.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap_or(f64::NAN)],
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The same arithmetic on doubles in another order: only the last bits may differ.
#[track_caller]
fn check(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let is_close = (found - expected).abs() <= 1e-11 * expected.abs().max(1.0);
        assert!(is_close || found.is_nan() && expected.is_nan(), "{name} at {index}: {found} is not {expected}");
    }
}

fn table(reference: &Value) -> Table {
    let of_row = numbers(&reference["numbers"]);
    let mut columns: Vec<Column> = (0..3)
        .map(|column| Column::numbers(format!("x{column}"), of_row.iter().skip(column).step_by(3).copied().collect()))
        .collect();
    columns.extend(["category", "size", "halves", "thirds"].map(|name| Column::texts(name, texts(&reference[name]))));
    columns.push(Column::numbers("target", numbers(&reference["target"])));
    Table::new(columns).unwrap()
}

fn spec(task: &str, target: &str, features: &str, estimator: &str) -> PipelineSpec {
    let yaml = format!(
        "{{version: 1, name: steps, task: {task}, target: {target}, features: {features}, estimator: {{kind: {estimator}}}}}"
    );
    PipelineSpec::from_yaml(&yaml).unwrap()
}

/// Returns what the steps make of the rows that they were fitted on, and what they learnt.
fn fitted(table: &Table, task: &str, target: &str, features: &str) -> (Vec<f64>, Vec<FittedStep>) {
    let estimator = if task == "regression" { "mean" } else { "majority_class" };
    let model = train(&spec(task, target, features, estimator), table, &Silent).unwrap().model;
    let features = model.features(table).unwrap();
    let steps = model.preprocessor().groups().flat_map(|(_, steps)| steps.to_vec()).collect();
    (features.to_dense().unwrap().cells().to_vec(), steps)
}

#[test]
fn steps_on_numbers_agree_with_scikit_learn() {
    let reference = reference();
    let table = table(&reference);
    for (key, step) in [
        ("robust_scale", "robust_scale"),
        ("robust_scale_wide", "{robust_scale: {quantiles: [0.1, 0.9]}}"),
        ("polynomial", "{polynomial: {degree: 3}}"),
        ("interactions", "{polynomial: {interactions_only: true}}"),
        ("pca", "pca"),
        ("pca_whiten", "{pca: {components: 3, whiten: true}}"),
    ] {
        let features = format!("[{{columns: [x0, x1, x2], steps: [{step}]}}]");
        let (found, _) = fitted(&table, "regression", "target", &features);
        check(key, &found, &numbers(&reference[key]));
    }
    for (key, strategy) in [("bins_quantile", "quantile"), ("bins_uniform", "uniform")] {
        let features = format!("[{{columns: [x0, x1, x2], steps: [{{bins: {{n: 4, strategy: {strategy}}}}}]}}]");
        let (found, steps) = fitted(&table, "regression", "target", &features);
        let FittedStep::Bins(binner) = &steps[0] else { panic!("{steps:?}") };
        check(key, &binner.cuts().concat(), &numbers(&reference[key]["cuts"]));
        check(key, &found, &numbers(&reference[key]["values"]));
    }
}

#[test]
fn hashes_agree_with_scikit_learn() {
    let reference = reference();
    let table = table(&reference);
    for (key, signed) in [("hashed", true), ("hashed_unsigned", false)] {
        let features =
            format!("[{{columns: [category, size], steps: [{{hash_encode: {{n_features: 16, signed: {signed}}}}}]}}]");
        let (found, _) = fitted(&table, "regression", "target", &features);
        check(key, &found, &numbers(&reference[key]));
    }
}

#[test]
fn means_of_the_target_agree_with_scikit_learn() {
    let reference = reference();
    let table = table(&reference);
    for (key, task, target, smooth) in [
        ("target_auto", "regression", "target", "auto"),
        ("target_smooth", "regression", "target", "3.0"),
        ("target_halves", "classification", "halves", "auto"),
        ("target_thirds", "classification", "thirds", "2.0"),
    ] {
        let settings = format!("{{target_encode: {{smooth: {smooth}, folds: 4, shuffle: false}}}}");
        let features = format!("[{{columns: [category, size], steps: [{settings}]}}]");
        let (found, _) = fitted(&table, task, target, &features);
        check(key, &found, &numbers(&reference[key]["scoring"]));

        // How rows were encoded in training shows where they are kept: among the rows of nearest neighbours.
        let model = train(&spec(task, target, &features, "k_nearest_neighbours"), &table, &Silent).unwrap().model;
        let stored = serde_json::to_value(model.predictor()).unwrap();
        let rows = stored["neighbours"]["rows"].as_object().unwrap().values().next().unwrap();
        let training = numbers(&rows["knn_algorithm"]["LinearSearch"]["data"]);
        check(key, &training, &numbers(&reference[key]["training"]));
    }
}

#[test]
fn parts_of_times_agree_with_pandas() {
    let reference = reference();
    let times = texts(&reference["times"]);
    let table = Table::new(vec![
        Column::texts("at", times.clone()),
        Column::numbers("target", (0..times.len()).map(|row| row as f64).collect()),
    ])
    .unwrap();
    let parts = texts(&reference["date_parts"]["parts"]).join(", ");
    let features = format!("[{{columns: [at], steps: [{{date_parts: {{parts: [{parts}]}}}}]}}]");
    let (found, _) = fitted(&table, "regression", "target", &features);
    check("date_parts", &found, &numbers(&reference["date_parts"]["values"]));
}

#[test]
fn windows_agree_with_pandas() {
    let reference = reference();
    let table = Table::new(vec![
        Column::texts("entity", texts(&reference["entity"])),
        Column::texts("at", texts(&reference["instants"])),
        Column::numbers("filled", numbers(&reference["filled"])),
        Column::numbers("measured", numbers(&reference["measured"])),
        Column::numbers("target", vec![0.0; 60]),
    ])
    .unwrap();
    let windowed = |op: &str, of: &str, window: &str| {
        let mut spec = spec("regression", "target", "[{columns: [filled]}]", "mean");
        let yaml = format!("[{{column: w, op: rolling_{op}, of: {of}, {window}, by: entity, order: at}}]");
        spec.derive = serde_yaml_ng::from_str(&yaml).unwrap();
        derive(&spec, &table).unwrap().get("w").unwrap().as_numbers().unwrap().into_owned()
    };
    for (op, expected) in reference["rolling_rows"].as_object().unwrap() {
        check(op, &windowed(op, "filled", "window: 3"), &numbers(expected));
    }
    for (op, expected) in reference["rolling_time"].as_object().unwrap() {
        check(op, &windowed(op, "measured", "within: 3d"), &numbers(expected));
    }
    check("count", &windowed("count", "measured", "within: 72h"), &numbers(&reference["rolling_time_count"]));
}

#[test]
fn a_window_of_time_ends_at_its_row_and_may_leave_it_out() {
    let at = ["2026-01-01", "2026-01-02", "2026-01-02", "2026-01-05", "2026-01-06"];
    let table = Table::new(vec![
        Column::texts("at", at),
        Column::numbers("x", vec![1.0, 2.0, 4.0, 8.0, 16.0]),
        Column { name: "empty".to_owned(), values: ColumnValues::Number(vec![f64::NAN; 5]) },
    ])
    .unwrap();
    let windowed = |settings: &str| {
        let mut spec = spec("regression", "y", "[{columns: [x]}]", "mean");
        spec.derive = serde_yaml_ng::from_str(&format!("[{{column: w, order: at, within: 2d, {settings}}}]")).unwrap();
        derive(&spec, &table).unwrap().get("w").unwrap().as_numbers().unwrap().into_owned()
    };
    check("with the row", &windowed("op: rolling_sum, of: x"), &[1.0, 3.0, 7.0, 8.0, 24.0]);
    let without = windowed("op: rolling_sum, of: x, exclude_current: true");
    check("without the row", &without, &[f64::NAN, 1.0, 3.0, f64::NAN, 8.0]);
    check("no value", &windowed("op: rolling_max, of: empty"), &[f64::NAN; 5]);
    check("no value", &windowed("op: rolling_count, of: empty"), &[0.0; 5]);
}
