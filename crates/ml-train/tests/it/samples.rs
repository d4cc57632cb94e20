//! A committed package of every kind of model, and of every way of reading text and columns: each must still load, which means
//! that it predicts its golden rows as it did when it was written.
//!
//! `ML_WRITE_SAMPLES=1 cargo test -p ml-train samples` writes those that are not there. Never overwrite one that a release has.

use std::path::PathBuf;

use ml_core::table::{Column, Table};
use ml_train::estimator::EstimatorSpec;
use ml_train::package::{GoldenRows, Package, Papers};
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train;
use proptest::prelude::*;

use crate::stored::{HEADER_BYTES, sealed, table};

/// A sample: the name of its file, the task, the features and the estimator.
type Sample = (&'static str, &'static str, &'static str, &'static str);

const NUMBERS: &str =
    "[{columns: [length], steps: [{impute: median}, standardise]}, {columns: [day], steps: [min_max]}]";
const SENTIMENT: &str = "[{columns: [text], steps: [{sentiment: vader}]}]";
const CATEGORIES: &str = "[{columns: [length, day]}, {columns: [city], steps: [category]}]";

/// Features that hold what they learnt in each of the forms there are.
const STEPS: &str = "[{columns: [length], steps: [{impute: median}, robust_scale]}, {columns: [day], steps: [{bins: {n: 3}}]}, \
    {columns: [day, length], steps: [{impute: mean}, {polynomial: {degree: 2}}, {pca: {components: 2}}]}, \
    {columns: [at], steps: [{date_parts: {parts: [weekday, hour], cyclical: true}}]}, \
    {columns: [city, source], steps: [target_encode]}, {columns: [city], steps: [{hash_encode: {n_features: 8}}]}]";

const SAMPLES: &[Sample] = &[
    ("linear_svm", "classification", NUMBERS, "{kind: linear_svm, c: 0.5}"),
    ("linear_svm-sigmoid", "classification", NUMBERS, "{kind: linear_svm, penalty: l1, probabilities: sigmoid}"),
    (
        "nb_svm",
        "classification",
        "[{columns: [text], steps: [{tfidf: {binary: true, idf: false, norm: none}}]}]",
        "{kind: nb_svm}",
    ),
    ("logistic_regression", "classification", NUMBERS, "{kind: logistic_regression, c: 5.0}"),
    (
        "logistic_regression-multinomial",
        "classification",
        NUMBERS,
        "{kind: logistic_regression, classes: multinomial, penalty: elastic_net}",
    ),
    ("softmax_regression", "classification", NUMBERS, "{kind: softmax_regression, alpha: 0.5}"),
    ("multinomial_naive_bayes", "classification", "[{columns: [day]}]", "{kind: multinomial_naive_bayes}"),
    ("complement_naive_bayes", "classification", "[{columns: [day]}]", "{kind: complement_naive_bayes, norm: true}"),
    ("gaussian_naive_bayes", "classification", NUMBERS, "{kind: gaussian_naive_bayes}"),
    // Trees as smartcore fitted them once, and below as they are now.
    ("decision_tree", "classification", NUMBERS, "{kind: decision_tree, max_depth: 3}"),
    ("decision_tree-number", "regression", NUMBERS, "{kind: decision_tree, max_depth: 3}"),
    ("random_forest", "classification", NUMBERS, "{kind: random_forest, n_trees: 2, max_depth: 3}"),
    ("random_forest-number", "regression", NUMBERS, "{kind: random_forest, n_trees: 2, max_depth: 3}"),
    ("decision_tree-own", "classification", NUMBERS, "{kind: decision_tree, max_depth: 2}"),
    ("decision_tree-own-number", "regression", NUMBERS, "{kind: decision_tree, max_depth: 2}"),
    ("random_forest-own", "classification", NUMBERS, "{kind: random_forest, n_trees: 2, max_depth: 2}"),
    ("random_forest-own-number", "regression", NUMBERS, "{kind: random_forest, n_trees: 2, max_depth: 2}"),
    (
        "gradient_boosting",
        "classification",
        CATEGORIES,
        "{kind: gradient_boosting, max_iterations: 3, min_samples_leaf: 1}",
    ),
    (
        "gradient_boosting-number",
        "regression",
        CATEGORIES,
        "{kind: gradient_boosting, max_iterations: 3, min_samples_leaf: 1, loss: poisson}",
    ),
    ("k_nearest_neighbours", "classification", NUMBERS, "{kind: k_nearest_neighbours, k: 3}"),
    (
        "k_nearest_neighbours-number",
        "regression",
        NUMBERS,
        "{kind: k_nearest_neighbours, k: 2, weights: distance, search: cover_tree}",
    ),
    ("ridge", "regression", NUMBERS, "{kind: ridge, alpha: 2.0}"),
    ("linear_regression", "regression", NUMBERS, "{kind: linear_regression}"),
    ("lexicon_sentiment", "classification", SENTIMENT, "{kind: lexicon_sentiment}"),
    ("lexicon_sentiment-number", "regression", SENTIMENT, "{kind: lexicon_sentiment}"),
    ("lasso", "regression", NUMBERS, "{kind: lasso, alpha: 0.1}"),
    ("elastic_net", "regression", NUMBERS, "{kind: elastic_net, alpha: 0.1}"),
    ("extra_trees", "classification", NUMBERS, "{kind: extra_trees, n_trees: 2}"),
    ("extra_trees-number", "regression", NUMBERS, "{kind: extra_trees, n_trees: 2}"),
    ("svm", "classification", NUMBERS, "{kind: svm}"),
    ("svm-number", "regression", NUMBERS, "{kind: svm, kernel: polynomial, coef0: 1.0}"),
    ("k_means", "clustering", NUMBERS, "{kind: k_means, k: 2}"),
    ("dbscan", "clustering", "[{columns: [day]}]", "{kind: dbscan, eps: 1.5, min_samples: 2}"),
    ("isolation_forest", "anomaly", NUMBERS, "{kind: isolation_forest, n_trees: 3}"),
    ("majority_class", "classification", "[]", "{kind: majority_class}"),
    ("mean", "regression", "[]", "{kind: mean}"),
    ("column", "classification", "[{columns: [city], steps: [ordinal]}]", "{kind: column, column: city}"),
    ("column-number", "regression", "[{columns: [day]}]", "{kind: column, column: day}"),
    ("steps", "classification", STEPS, "{kind: linear_svm}"),
    (
        "text-words",
        "classification",
        "[{columns: [title, text], steps: [{tfidf: {ngrams: [1, 2], stop_words: english, stem: english, sublinear_tf: true}}]}]",
        "{kind: linear_svm}",
    ),
    (
        "text-listed-stop-words",
        "classification",
        "[{columns: [title], steps: [{tfidf: {stop_words: [the, a], lowercase: false, norm: l1, min_df: 1, max_df: 0.9, max_features: 9}}]}]",
        "{kind: logistic_regression}",
    ),
    (
        "text-characters",
        "classification",
        "[{columns: [title], steps: [{tfidf: {analyzer: char, ngrams: [2, 3], max_features: 40}}]}]",
        "{kind: linear_svm}",
    ),
    (
        "text-characters-in-words",
        "classification",
        "[{columns: [title], steps: [{tfidf: {analyzer: char_wb, ngrams: [2, 2], max_features: 40}}]}]",
        "{kind: linear_svm}",
    ),
    (
        "text-hashed",
        "classification",
        "[{columns: [title], steps: [{tfidf: {hash: {features: 64}}}]}]",
        "{kind: linear_svm}",
    ),
    (
        "text-hashed-unsigned",
        "classification",
        "[{columns: [title], steps: [{tfidf: {hash: {features: 32, signed: false}, binary: true}}]}]",
        "{kind: complement_naive_bayes}",
    ),
];

/// Models of which there is no sample yet: those that another program fits, and those whose stored form may still change.
const WITHOUT_SAMPLE: &[&str] = &[
    // What it is like is up to another program.
    "external",
];

/// Rows with a column of every kind.
fn rows() -> Table {
    let mut table = table();
    let times = ["2026-01-01", "2026-01-02T10:00:00Z", "2026-02-03", "2026-03-04 12:30", "2026-05-06", "2026-08-07"];
    table.push(Column::texts("at", times)).unwrap();
    table.push(Column::numbers("price", vec![1.0, 3.0, 2.0, 5.0, 4.0, 6.5])).unwrap();
    table.push(Column::texts("mood", ["positive", "negative", "positive", "neutral", "positive", "negative"])).unwrap();
    table
}

fn spec((name, task, features, estimator): Sample) -> PipelineSpec {
    let target = match task {
        "classification" if estimator.contains("lexicon") => "target: mood, ",
        "classification" => "target: topic, ",
        "regression" => "target: price, ",
        _ => "",
    };
    let yaml = format!(
        "{{version: 1, name: {name}, task: {task}, {target}seed: 2, features: {features}, estimator: {estimator}}}"
    );
    PipelineSpec::from_yaml(&yaml).unwrap()
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples/kinds").join(format!("{name}.bin"))
}

fn stored(sample: Sample) -> Vec<u8> {
    let path = path(sample.0);
    if std::env::var_os("ML_WRITE_SAMPLES").is_some() && !path.exists() {
        let table = rows();
        let model = train(&spec(sample), &table, &Silent).unwrap().model;
        let golden = GoldenRows::record(&model, &table, &[0, 1, 2, 3, 4, 5]).unwrap();
        let package = Package { model, papers: Papers { golden, ..Papers::default() } };
        std::fs::write(&path, package.to_bytes().unwrap()).unwrap();
    }
    std::fs::read(&path)
        .unwrap_or_else(|err| panic!("{}: {err}; the head of this file says how it is made", path.display()))
}

#[test]
fn every_kind_of_model_has_a_sample() {
    for kind in EstimatorSpec::KINDS.iter().filter(|kind| !WITHOUT_SAMPLE.contains(kind)) {
        assert!(SAMPLES.iter().any(|sample| spec(*sample).estimator.kind() == *kind), "there is no sample of `{kind}`");
    }
}

#[test]
fn every_sample_still_loads_and_predicts_what_it_did() {
    for sample in SAMPLES {
        let name = sample.0;
        let bytes = stored(*sample);
        assert!(bytes.len() < 16_000, "{name} is {} bytes: make it smaller", bytes.len());
        let package = Package::from_bytes(&bytes).unwrap_or_else(|err| panic!("{name}: {err}"));
        let golden = package.papers.golden.as_ref().unwrap().inputs().unwrap();
        // Those that read no column have no rows to keep.
        let n_rows = if package.model.signature().inputs.is_empty() { 0 } else { 6 };
        assert_eq!(golden.n_rows(), n_rows, "{name}");
        assert!(package.model.predict(&golden).unwrap().missing.is_empty(), "{name}");
        assert_eq!(package.model.spec(), &spec(*sample), "{name}");
    }
}

proptest! {
    /// Content that was tampered with under a right digest is refused or predicts; it never panics.
    #[test]
    fn tampered_samples_never_panic(
        sample in 0..SAMPLES.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let mut content = stored(SAMPLES[sample])[HEADER_BYTES..].to_vec();
        for (index, byte) in changes {
            let index = index.index(content.len());
            content[index] = byte;
        }
        if let Ok(package) = Package::from_bytes(&sealed(&content)) {
            let _ = package.model.predict(&rows());
        }
    }
}
