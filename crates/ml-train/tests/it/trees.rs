//! Trees and forests against scikit-learn's, and what they are to a user.

use std::sync::atomic::{AtomicUsize, Ordering};

use ml_core::table::{Column, ColumnValues, Table};
use ml_train::error::TrainError;
use ml_train::evaluate::evaluate;
use ml_train::predict::Predictions;
use ml_train::progress::{Losses, Progress, Silent, Stage};
use ml_train::spec::PipelineSpec;
use ml_train::train::train;
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("../golden/trees.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

/// Returns the rows to learn from, and the others.
fn rows(reference: &Value, task: &str) -> [Table; 2] {
    let features: Vec<Vec<f64>> = reference["features"].as_array().unwrap().iter().map(numbers).collect();
    let mut columns: Vec<Column> = (0..4)
        .map(|feature| Column::numbers(format!("x{feature}"), features.iter().map(|row| row[feature]).collect()))
        .collect();
    let values = match task {
        "regression" => ColumnValues::Number(numbers(&reference["numbers"])),
        _ => {
            let classes = numbers(&reference["classes"]);
            ColumnValues::Integer(classes.into_iter().map(|class| Some(class as i64)).collect())
        }
    };
    columns.push(Column { name: "y".to_owned(), values });
    let table = Table::new(columns).unwrap();
    let n_train = reference["n_train"].as_u64().unwrap() as usize;
    [table.take(&(0..n_train).collect::<Vec<_>>()), table.take(&(n_train..table.n_rows()).collect::<Vec<_>>())]
}

fn pipeline(task: &str, estimator: &str) -> PipelineSpec {
    let features = "[{columns: [x0, x1, x2, x3]}]";
    let yaml =
        format!("{{version: 1, name: t, task: {task}, target: y, features: {features}, estimator: {estimator}}}");
    PipelineSpec::from_yaml(&yaml).unwrap()
}

fn settings_of(case: &Value) -> String {
    let settings = case["settings"].as_object().unwrap().iter();
    let settings: Vec<String> = settings.map(|(name, value)| format!(", {name}: {value}")).collect();
    settings.concat()
}

#[track_caller]
fn check(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-12, "{name} row {row}: {found} is not {expected}");
    }
}

fn numbers_of(predictions: &Predictions) -> Vec<f64> {
    (0..predictions.n_rows()).map(|row| predictions.number(row).unwrap()).collect()
}

#[test]
fn decision_trees_agree_with_scikit_learn() {
    let reference = reference();
    for (task, cases) in [("classification", "class_trees"), ("regression", "number_trees")] {
        let [training, test] = rows(&reference, task);
        for case in reference[cases].as_array().unwrap() {
            let estimator = format!("{{kind: decision_tree{}}}", settings_of(case));
            let model = train(&pipeline(task, &estimator), &training, &Silent).unwrap().model;
            let predictions = model.predict(&test).unwrap();
            let found = match &predictions.probabilities {
                Some(probabilities) => probabilities.values.clone(),
                None => numbers_of(&predictions),
            };
            check(&estimator, &found, &numbers(&case["answers"]));
        }
    }
}

#[test]
fn forests_do_as_well_as_scikit_learns() {
    let reference = reference();
    for (task, figure, key) in [("classification", "accuracy", "forest_accuracy"), ("regression", "r2", "forest_r2")] {
        let [training, test] = rows(&reference, task);
        let model = train(&pipeline(task, "{kind: random_forest}"), &training, &Silent).unwrap().model;
        let found = evaluate(&model, &test).unwrap().metrics[figure];
        let (least, most) = (reference[key]["least"].as_f64().unwrap(), reference[key]["most"].as_f64().unwrap());
        let room = most - least;
        assert!(found >= least - room && found <= most + room, "{found} is not between {least} and {most}");
    }
}

#[test]
fn one_question_is_one_split() {
    let [training, test] = rows(&reference(), "classification");
    for estimator in ["decision_tree, max_depth: 1", "random_forest, max_depth: 1, n_trees: 1"] {
        let model = train(&pipeline("classification", &format!("{{kind: {estimator}}}")), &training, &Silent);
        let probabilities = model.unwrap().model.predict(&test).unwrap().probabilities.unwrap();
        let mut answers: Vec<Vec<f64>> = (0..test.n_rows()).map(|row| probabilities.row(row).to_vec()).collect();
        answers.sort_by(|left, right| left[0].total_cmp(&right[0]));
        answers.dedup();
        assert_eq!(answers.len(), 2, "{estimator}");
    }
}

/// Says stop after having been asked some times, and counts the parts that are done.
struct Listener {
    patience: usize,
    n_questions: AtomicUsize,
    n_parts: AtomicUsize,
}

impl Progress for Listener {
    fn begin(&self, _stage: Stage) {}

    fn advance(&self, total: u64) {
        assert_eq!(total, 100);
        self.n_parts.fetch_add(1, Ordering::Relaxed);
    }

    fn losses(&self, _losses: &Losses) {}

    fn is_cancelled(&self) -> bool {
        self.n_questions.fetch_add(1, Ordering::Relaxed) >= self.patience
    }
}

#[test]
fn a_tree_tells_how_far_it_is_and_stops_at_any_node() {
    let [training, _] = rows(&reference(), "regression");
    let listener = |patience| Listener { patience, n_questions: AtomicUsize::new(0), n_parts: AtomicUsize::new(0) };
    let spec = pipeline("regression", "{kind: decision_tree}");

    let whole = listener(usize::MAX);
    train(&spec, &training, &whole).unwrap();
    assert_eq!(whole.n_parts.into_inner(), 100);

    let half = listener(whole.n_questions.into_inner() / 2);
    assert!(matches!(train(&spec, &training, &half), Err(TrainError::Cancelled)));
    assert!((1..100).contains(&half.n_parts.into_inner()));
}
