//! Thresholds by which classes are told apart: stated or found, used by every prediction, kept in the package.

use ml_core::table::{Column, Table};
use ml_train::evaluate::bootstrap::BootstrapOptions;
use ml_train::evaluate::evaluate;
use ml_train::evaluate::outcome::Outcome;
use ml_train::evaluate::threshold::{Costs, choose_threshold};
use ml_train::model::TrainedModel;
use ml_train::package::{GoldenRows, Package, Papers};
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train;

/// 300 rows of two classes, a third of them `spam`, that `x` tells apart by and large.
fn messages() -> Table {
    let noise = |row: usize| (row * 7919 % 1009) as f64 / 1009.0 - 0.5;
    let is_spam = |row: usize| row.is_multiple_of(3);
    Table::new(vec![
        Column::texts("class", (0..300).map(|row| if is_spam(row) { "spam" } else { "ham" })),
        Column::numbers("x", (0..300).map(|row| f64::from(u8::from(is_spam(row))) + 1.6 * noise(row)).collect()),
    ])
    .unwrap()
}

fn spec(estimator: &str, decision: &str) -> PipelineSpec {
    let yaml = format!(
        "{{version: 1, name: m, task: classification, target: class, seed: 1, features: [{{columns: [x]}}], estimator: \
         {estimator}, {decision}}}"
    );
    PipelineSpec::from_yaml(&yaml).unwrap()
}

fn fit(estimator: &str, decision: &str) -> TrainedModel {
    train(&spec(estimator, decision), &messages(), &Silent).unwrap().model
}

fn labels(model: &TrainedModel) -> Vec<String> {
    let predictions = model.predict(&messages()).unwrap();
    (0..300).map(|row| predictions.label(row).unwrap().to_owned()).collect()
}

const COSTS: &str = "decision: {false_positive_cost: 1, false_negative_cost: 10}";

#[test]
fn a_threshold_that_no_probability_reaches_is_refused() {
    let fit = |estimator: &str, threshold: f64| {
        let spec = PipelineSpec::from_yaml(&format!(
            "{{version: 1, name: m, task: classification, target: y, features: [{{columns: [x]}}], estimator: {estimator}, \
             decision: {{threshold: {threshold}}}}}"
        ));
        let labels = (0..20).map(|row| if row % 3 == 0 { "a" } else { "b" });
        let x = (0..20).map(f64::from).collect();
        let table = Table::new(vec![Column::numbers("x", x), Column::texts("y", labels)]).unwrap();
        train(&spec.unwrap(), &table, &Silent).map(drop).map_err(|err| err.to_string())
    };
    let refused = fit("logistic_regression", 1.5).unwrap_err();
    assert!(
        refused.starts_with("`decision.threshold` is 1.5, and `logistic_regression` gives probabilities"),
        "{refused}"
    );
    assert!(fit("logistic_regression", -0.1).is_err());
    for (estimator, threshold) in [("logistic_regression", 0.0), ("logistic_regression", 1.0), ("linear_svm", 1.5)] {
        fit(estimator, threshold).unwrap();
    }
}

#[test]
fn a_stated_threshold_is_what_every_prediction_goes_by() {
    let table = messages();
    let (usual, bold) = (fit("logistic_regression", ""), fit("logistic_regression", "decision: {threshold: 0.1}"));
    let probabilities = usual.predict(&table).unwrap().probabilities.unwrap();
    assert_eq!(bold.predict(&table).unwrap().probabilities.as_ref(), Some(&probabilities), "the scores stay");
    let expected: Vec<&str> =
        (0..300).map(|row| if probabilities.row(row)[1] >= 0.1 { "spam" } else { "ham" }).collect();
    assert_eq!(labels(&bold), expected);
    assert_ne!(labels(&usual), expected);

    let evaluation = evaluate(&bold, &table).unwrap();
    let n_spam = expected.iter().filter(|label| **label == "spam").count() as u64;
    assert_eq!(evaluation.confusion_matrix[0][1] + evaluation.confusion_matrix[1][1], n_spam);

    let of_ham = fit("logistic_regression", "decision: {positive: ham, threshold: 0.9}");
    let expected: Vec<&str> =
        (0..300).map(|row| if probabilities.row(row)[0] >= 0.9 { "ham" } else { "spam" }).collect();
    assert_eq!(labels(&of_ham), expected);
}

#[test]
fn a_threshold_is_for_decision_scores_too() {
    let never = fit("linear_svm", "decision: {threshold: 100}");
    assert!(labels(&never).iter().all(|label| label == "ham"));
    let always = fit("linear_svm", "decision: {threshold: -100}");
    assert!(labels(&always).iter().all(|label| label == "spam"));
}

#[test]
fn costs_find_a_threshold_that_lowers_them() {
    let table = messages();
    let costs = Costs { positive: None, false_positive: 1.0, false_negative: 10.0 };
    for estimator in ["logistic_regression", "linear_svm", "gaussian_naive_bayes"] {
        let model = fit(estimator, COSTS);
        let found = model.decision().unwrap();
        let outcome = Outcome::of(&model, &table, &(0..300).collect::<Vec<_>>()).unwrap();
        let choice = choose_threshold(None, &outcome, &costs, model.decision(), &BootstrapOptions::default()).unwrap();
        assert_eq!(choice.usual.threshold, found.threshold, "{estimator}");
        let undecided = choose_threshold(None, &outcome, &costs, None, &BootstrapOptions::default()).unwrap();
        assert!(choice.usual.cost_per_row <= undecided.usual.cost_per_row, "{estimator}");
        assert!(found.threshold < undecided.usual.threshold, "{estimator}: {found:?}");
        let matrix = evaluate(&model, &table).unwrap().confusion_matrix;
        assert_eq!((matrix[0][1], matrix[1][0]), (choice.usual.false_positives, choice.usual.false_negatives));
    }
}

#[test]
fn the_package_keeps_the_decision_and_the_same_training_finds_the_same() {
    let table = messages();
    let model = fit("logistic_regression", COSTS);
    assert!(model.to_bytes().unwrap() == fit("logistic_regression", COSTS).to_bytes().unwrap());
    let (decision, before) = (model.decision(), labels(&model));
    let golden = GoldenRows::record(&model, &table, &[0, 1, 2, 3, 4]).unwrap();
    let package = Package { model, papers: Papers { golden, ..Papers::default() } };
    let loaded = Package::from_bytes(&package.to_bytes().unwrap()).unwrap().model;
    assert_eq!((loaded.decision(), labels(&loaded)), (decision, before));
}

#[track_caller]
fn check_fault(decision: &str, expected: &str) {
    let yaml = format!(
        "{{version: 1, name: m, task: classification, target: class, features: [{{columns: [x]}}], estimator: linear_svm, \
         decision: {decision}}}"
    );
    let message = PipelineSpec::from_yaml(&yaml).unwrap_err().to_string();
    assert!(message.contains(expected), "`{message}` does not hold `{expected}`");
}

#[test]
fn what_is_no_decision_is_an_error_with_the_way_out() {
    let needs = "`decision`: needs a `threshold`, or `false_positive_cost` and `false_negative_cost`";
    check_fault("{}", needs);
    check_fault("{false_positive_cost: 1}", needs);
    check_fault("{threshold: 0.5, false_positive_cost: 1, false_negative_cost: 1}", needs);
    check_fault("{threshold: .nan}", "`decision.threshold`: must be a number");
    check_fault("{false_positive_cost: -1, false_negative_cost: 1}", "a cost is a number of at least 0");
    check_fault("{treshold: 0.5}", "unknown field `treshold`");

    let table = messages();
    let error = |estimator: &str, decision: &str, table: &Table| {
        train(&spec(estimator, decision), table, &Silent).map(|trained| trained.summary).unwrap_err().to_string()
    };
    let err = error("linear_svm", "decision: {positive: eggs, threshold: 0.5}", &table);
    assert_eq!(err, "`decision.positive` is `eggs`, which is no class: name `ham` or `spam`");
    let err = error("linear_svm", COSTS, &table.take(&[0, 1, 2, 4]));
    assert!(err.contains("class `spam` has one row, which is too few"), "{err}");
    let three = Table::new(vec![Column::texts("class", ["a", "b", "c"]), Column::numbers("x", vec![1.0, 2.0, 3.0])]);
    let err = error("linear_svm", "decision: {threshold: 0.5}", &three.unwrap());
    assert_eq!(err, "`decision` is for two classes, and there are 3: leave it out");
}

#[test]
fn a_model_that_says_a_class_and_no_more_takes_no_decision() {
    let guesses = ["ham", "spam", "ham", "spam", "spam", "ham"];
    let classes = ["ham", "spam", "spam", "spam", "ham", "ham"];
    let table = Table::new(vec![Column::texts("class", classes), Column::texts("guess", guesses)]).unwrap();
    for decision in ["decision: {threshold: 0.5}", COSTS] {
        let yaml = format!(
            "{{version: 1, name: m, task: classification, target: class, features: [{{columns: [guess], steps: [ordinal]}}], \
             estimator: {{kind: column, column: guess}}, {decision}}}"
        );
        let err = train(&PipelineSpec::from_yaml(&yaml).unwrap(), &table, &Silent).unwrap_err().to_string();
        assert!(err.contains("the model gives classes without scores: use an estimator with probabilities"), "{err}");
    }
}
