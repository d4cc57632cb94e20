//! Explanations of linear text models: contributions add up, and terms lead back to the words of the text.

use ml_core::table::{Column, Table};
use ml_train::error::ExplainError;
use ml_train::explain::Explanation;
use ml_train::model::TrainedModel;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train;

fn reviews() -> Table {
    let texts =
        ["A GREAT film, great cast", "an awful film", "great fun", "awful, dull film", "some film", "dull cast"];
    let labels = ["good", "bad", "good", "bad", "mixed", "bad"];
    let stars = vec![5.0, 1.0, 5.0, 1.0, 3.0, 2.0];
    let lengths = vec![5.0, 3.0, 2.0, 3.0, 2.0, 2.0];
    Table::new(vec![
        Column::texts("text", texts),
        Column::texts("label", labels),
        Column::numbers("stars", stars),
        Column::numbers("length", lengths),
    ])
    .unwrap()
}

fn fit(task: &str, target: &str, features: &str, estimator: &str) -> TrainedModel {
    let yaml = format!(
        "{{version: 1, name: reviews, task: {task}, target: {target}, features: [{features}], estimator: {estimator}}}"
    );
    train(&PipelineSpec::from_yaml(&yaml).unwrap(), &reviews(), &Silent).unwrap().model
}

fn explain(model: &TrainedModel, table: &Table, n_terms: usize) -> Vec<Explanation> {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    let predictions = model.predict_rows(table, &rows).unwrap();
    let explained = model.explain_rows(table, &rows, &predictions, n_terms).unwrap();
    explained.into_iter().map(Option::unwrap).collect()
}

const TFIDF: &str = "{columns: [text], steps: [{tfidf: {ngrams: [1, 2]}}]}";

#[test]
fn contributions_add_up_to_the_score_of_the_predicted_class() {
    let table = reviews();
    for estimator in ["linear_svm", "logistic_regression"] {
        let model = fit("classification", "label", TFIDF, estimator);
        let scores =
            model.predictor().as_predictor().decision_scores(&model.features(&table).unwrap()).unwrap().unwrap();
        let classes = scores.best_classes();
        for (row, explanation) in explain(&model, &table, 1_000).iter().enumerate() {
            let terms = explanation.towards.iter().chain(&explanation.against);
            let sum: f64 = terms.map(|term| term.contribution).sum();
            let (sum, expected) = (sum + explanation.intercept, scores.row(row)[classes[row]]);
            assert!((sum - expected).abs() < 1e-12, "{estimator}, row {row}: {sum} is not {expected}");
        }
    }
}

#[test]
fn terms_lead_back_to_the_words_of_the_text() {
    let table = reviews();
    let model = fit("classification", "label", TFIDF, "linear_svm");
    let explanation = &explain(&model, &table, 2)[0];
    let first = &explanation.towards[0];
    assert_eq!((first.term.as_str(), first.as_written.as_deref(), first.count), ("great", Some("GREAT"), 2));
    assert!(
        explanation.towards.len() == 2 && explanation.towards[0].contribution >= explanation.towards[1].contribution
    );
    assert!(explanation.against.iter().all(|term| term.contribution < 0.0), "{explanation:?}");
    let no_bias = explain(&model, &reviews(), 0);
    assert!(no_bias.iter().all(|explanation| explanation.towards.is_empty() && explanation.against.is_empty()));
}

/// Two classes share one sum, which speaks for the second: for the first it is turned round.
#[test]
fn the_same_words_speak_for_one_of_two_classes_and_against_the_other() {
    let table = reviews().take(&[0, 1, 2, 3]);
    let yaml = format!(
        "{{version: 1, name: two, task: classification, target: label, features: [{TFIDF}], estimator: linear_svm}}"
    );
    let model = train(&PipelineSpec::from_yaml(&yaml).unwrap(), &table, &Silent).unwrap().model;
    let explained = explain(&model, &table, 3);
    assert_eq!(explained[0].towards[0].term, "great");
    assert_eq!(explained[1].towards[0].term, "awful");
}

#[test]
fn other_features_count_as_their_columns() {
    let features = format!("{{columns: [length], steps: [standardise]}}, {TFIDF}");
    let model = fit("classification", "label", &features, "logistic_regression");
    let explained = explain(&model, &reviews(), 100);
    let mut terms = explained[0].towards.iter().chain(&explained[0].against);
    let length = terms.find(|term| term.term == "length").expect("the longest text has an outstanding length");
    assert_eq!((length.as_written.as_deref(), length.count), (None, 0));
}

#[test]
fn what_cannot_be_explained_says_so() {
    let narrow = "{columns: [text], steps: [{tfidf: {max_features: 5}}]}";
    let tree = fit("classification", "label", narrow, "decision_tree");
    let err = tree.check_explainable().unwrap_err();
    assert!(matches!(err, ExplainError::NotLinear { kind: "decision_tree" }), "{err}");

    let numbers = fit("regression", "stars", "{columns: [length]}", "ridge");
    let err = numbers.check_explainable().unwrap_err();
    assert!(err.to_string().contains("`ridge` reads no words of texts"), "{err}");
}

#[test]
fn rows_without_a_prediction_have_no_explanation() {
    let features = format!("{{columns: [length]}}, {TFIDF}");
    let model = fit("classification", "label", &features, "linear_svm");
    let table = Table::new(vec![
        Column::texts("text", ["a great film", "a dull film"]),
        Column::numbers("length", vec![f64::NAN, 3.0]),
    ])
    .unwrap();
    let predictions = model.predict(&table).unwrap();
    let explained = model.explain_rows(&table, &[0, 1], &predictions, 5).unwrap();
    assert!(explained[0].is_none() && explained[1].is_some(), "{explained:?}");
}
