//! Text features and estimators against scikit-learn's results on the same small data.

use ml_core::table::{Column, ColumnValues, Table};
use ml_train::estimator::EstimatorSpec;
use ml_train::matrix::FeatureMatrix;
use ml_train::predict::Predictions;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train;
use ml_train::transform::FittedStep;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

#[track_caller]
fn assert_close(name: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(difference <= tolerance * expected.abs().max(1.0), "{name} at {index}: {found} is not {expected}");
    }
}

fn text_table(documents: &Value) -> Table {
    let texts: Vec<&str> = documents.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let labels = (0..texts.len()).map(|row| if row % 2 == 0 { "even" } else { "odd" });
    Table::new(vec![Column::texts("text", texts.clone()), Column::texts("label", labels)]).unwrap()
}

fn dense(features: &FeatureMatrix) -> Vec<f64> {
    features.to_dense().unwrap().cells().to_vec()
}

#[test]
fn tfidf_agrees_with_scikit_learn() {
    let reference = json(include_str!("../golden/tfidf.json"));
    let table = text_table(&reference["documents"]);
    for case in reference["cases"].as_array().unwrap() {
        let name = case["settings"].to_string();
        let yaml = format!(
            "{{version: 1, name: text, task: classification, target: label, estimator: {{kind: linear_svm}}, \
             features: [{{columns: [text], steps: [{{tfidf: {name}}}]}}]}}"
        );
        let model = train(&PipelineSpec::from_yaml(&yaml).unwrap(), &table, &Silent).unwrap().model;

        let (_, steps) = model.preprocessor().groups().next().unwrap();
        let FittedStep::Tfidf(tfidf) = &steps[0] else { panic!("{steps:?}") };
        let terms: Vec<_> = (0..tfidf.n_terms()).map(|column| tfidf.term(column)).collect();
        if case["settings"]["hash"].is_null() {
            assert_eq!(serde_json::to_value(terms).unwrap(), case["terms"], "{name}");
        }
        assert_close(&name, tfidf.inverse_document_frequencies(), &numbers(&case["idf"]), 1e-14);
        // The same arithmetic on doubles: only the last bits may differ.
        let weights = model.features(&table).unwrap();
        assert_close(&name, &dense(&weights), &numbers(&case["weights"]), 1e-14);
        let new_weights = model.features(&text_table(&reference["new_documents"])).unwrap();
        assert_close(&name, &dense(&new_weights), &numbers(&case["new_weights"]), 1e-14);
    }
}

/// Trains `estimator` on the small data and predicts its own rows.
fn fit(reference: &Value, estimator: &str, target: &str, absolute: bool) -> Predictions {
    let rows = reference["features"].as_array().unwrap();
    let column = |index: usize| {
        let value = |row: &Value| row[index].as_f64().unwrap();
        rows.iter().map(|row| if absolute { value(row).abs() } else { value(row) }).collect::<Vec<f64>>()
    };
    let target_values = numbers(&reference[target]);
    let task = if target == "numbers" { "regression" } else { "classification" };
    let target_column = match task {
        "regression" => ColumnValues::Number(target_values),
        _ => ColumnValues::Integer(target_values.into_iter().map(|class| Some(class as i64)).collect()),
    };
    let mut columns: Vec<Column> = (0..3).map(|index| Column::numbers(format!("x{index}"), column(index))).collect();
    columns.push(Column { name: "y".to_owned(), values: target_column });
    let table = Table::new(columns).unwrap();
    let yaml = format!(
        "{{version: 1, name: small, task: {task}, target: y, features: [{{columns: [x0, x1, x2]}}], estimator: {estimator}}}"
    );
    let spec = PipelineSpec::from_yaml(&yaml).unwrap();
    let trained = train(&spec, &table, &Silent).unwrap();
    assert!(trained.summary.warnings.is_empty(), "{:?}", trained.summary.warnings);
    trained.model.predict(&table).unwrap()
}

#[test]
fn linear_svm_agrees_with_scikit_learn() {
    let reference = json(include_str!("../golden/estimators.json"));
    let scores = |estimator: &str, target: &str| fit(&reference, estimator, target, false).decision_scores.unwrap();

    let all = scores("{kind: linear_svm, tolerance: 1.0e-10, max_iterations: 100000}", "classes");
    assert_close("classes", &all.values, &numbers(&reference["linear_svm"]["scores"]), 1e-8);

    let second = |scores: &[f64]| scores.chunks(2).map(|row| row[1]).collect::<Vec<f64>>();
    let halves = scores("{kind: linear_svm, c: 0.5, tolerance: 1.0e-10, max_iterations: 100000}", "halves");
    assert_close("halves", &second(&halves.values), &numbers(&reference["linear_svm_halves"]["scores"]), 1e-8);

    let balanced =
        scores("{kind: linear_svm, class_weight: balanced, tolerance: 1.0e-10, max_iterations: 100000}", "halves");
    assert_close("balanced", &second(&balanced.values), &numbers(&reference["linear_svm_balanced"]["scores"]), 1e-8);
}

#[test]
fn probabilities_agree_with_scikit_learn() {
    let reference = json(include_str!("../golden/estimators.json"));
    for (estimator, target, key, absolute, tolerance) in [
        (
            "{kind: logistic_regression, tolerance: 1.0e-10, max_iterations: 100000}",
            "halves",
            "logistic_regression_halves",
            false,
            1e-8,
        ),
        // Two optimisers that stop close to the optimum, not at it.
        ("{kind: softmax_regression, alpha: 1.0}", "classes", "softmax_regression", false, 1e-4),
        ("{kind: multinomial_naive_bayes, alpha: 0.5}", "classes", "multinomial_naive_bayes", true, 1e-12),
        ("{kind: complement_naive_bayes, alpha: 0.5}", "classes", "complement_naive_bayes", true, 1e-12),
        (
            "{kind: complement_naive_bayes, alpha: 0.5, norm: true}",
            "classes",
            "complement_naive_bayes_norm",
            true,
            1e-12,
        ),
        ("{kind: gaussian_naive_bayes}", "classes", "gaussian_naive_bayes", false, 1e-12),
    ] {
        let predictions = fit(&reference, estimator, target, absolute);
        let found = predictions.probabilities.unwrap().values;
        assert_close(key, &found, &numbers(&reference[key]["probabilities"]), tolerance);
    }
}

/// Both sides go on until gradients are tiny, which leaves the weights to differ by a little more.
#[test]
fn penalties_and_classes_at_once_agree_with_scikit_learn() {
    let reference = json(include_str!("../golden/estimators.json"));
    let tight = "tolerance: 1.0e-9, max_iterations: 10000";
    for (settings, target, key) in [
        ("classes: multinomial, c: 2.0, class_weight: balanced", "classes", "multinomial_balanced"),
        ("classes: multinomial, c: 2.0", "halves", "multinomial_halves"),
        ("classes: multinomial, penalty: l1", "classes", "multinomial_l1"),
        ("classes: multinomial, penalty: elastic_net", "classes", "multinomial_elastic_net"),
        ("penalty: l1", "halves", "logistic_regression_l1"),
        ("penalty: elastic_net, l1_ratio: 0.3", "classes", "one_vs_rest_elastic_net"),
    ] {
        let estimator = format!("{{kind: logistic_regression, {settings}, {tight}}}");
        let found = fit(&reference, &estimator, target, false).probabilities.unwrap().values;
        assert_close(key, &found, &numbers(&reference[key]["probabilities"]), 1e-6);
    }
    let svm = fit(&reference, &format!("{{kind: linear_svm, penalty: l1, {tight}}}"), "classes", false);
    let expected = numbers(&reference["linear_svm_l1"]["scores"]);
    assert_close("linear_svm_l1", &svm.decision_scores.unwrap().values, &expected, 1e-5);
}

/// scikit-learn's sigmoids come from an optimiser that stops earlier than Newton's steps do.
#[test]
fn calibrated_margins_agree_with_scikit_learn() {
    let reference = json(include_str!("../golden/estimators.json"));
    let estimator = "{kind: linear_svm, probabilities: sigmoid, tolerance: 1.0e-10, max_iterations: 100000}";
    for (target, key) in [("classes", "linear_svm_sigmoid"), ("halves", "linear_svm_sigmoid_halves")] {
        let found = fit(&reference, estimator, target, false).probabilities.unwrap().values;
        assert_close(key, &found, &numbers(&reference[key]["probabilities"]), 1e-4);
    }
}

#[test]
fn regressions_agree_with_scikit_learn() {
    let reference = json(include_str!("../golden/estimators.json"));
    for (estimator, key) in [("{kind: ridge, alpha: 2.0}", "ridge"), ("{kind: linear_regression}", "linear_regression")]
    {
        let predictions = fit(&reference, estimator, "numbers", false);
        let found: Vec<f64> = (0..predictions.n_rows()).map(|row| predictions.number(row).unwrap()).collect();
        assert_close(key, &found, &numbers(&reference[key]["predictions"]), 1e-9);
    }
}

#[test]
fn every_estimator_is_known_by_its_kind() {
    for kind in EstimatorSpec::KINDS {
        let yaml = format!("{{kind: {kind}, column: x}}");
        let settings = if kind == "column" { yaml } else { format!("{{kind: {kind}}}") };
        let spec: EstimatorSpec = serde_yaml_ng::from_str(&settings).unwrap();
        assert_eq!(spec.kind(), kind);
    }
}
