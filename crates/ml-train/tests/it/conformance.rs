//! One suite that every estimator passes.

mod hard_input;

use ml_core::table::{Column, Table};
use ml_train::error::{ModelFormatError, PredictError, TrainError};
use ml_train::estimator::{EstimatorSpec, Outputs};
use ml_train::matrix::{DenseMatrix, FeatureMatrix};
use ml_train::model::TrainedModel;
use ml_train::progress::{Losses, Progress, Silent, Stage};
use ml_train::spec::{PipelineSpec, Task};
use ml_train::train::train;

use crate::stored::HEADER_BYTES;

/// Every estimator for each of its tasks, with settings that are quick on little data.
const ESTIMATORS: [(&str, &str); 38] = [
    ("classification", "{kind: linear_svm}"),
    ("classification", "{kind: linear_svm, penalty: l1}"),
    ("classification", "{kind: linear_svm, probabilities: sigmoid}"),
    ("classification", "{kind: linear_svm, penalty: elastic_net, probabilities: sigmoid, class_weight: balanced}"),
    ("classification", "{kind: nb_svm, beta: 1.0}"),
    ("classification", "{kind: logistic_regression, class_weight: balanced}"),
    ("classification", "{kind: logistic_regression, classes: multinomial}"),
    ("classification", "{kind: logistic_regression, classes: multinomial, penalty: elastic_net}"),
    ("classification", "{kind: logistic_regression, penalty: l1}"),
    ("classification", "{kind: softmax_regression}"),
    ("classification", "{kind: multinomial_naive_bayes}"),
    ("classification", "{kind: complement_naive_bayes}"),
    ("classification", "{kind: gaussian_naive_bayes}"),
    ("classification", "{kind: decision_tree}"),
    ("classification", "{kind: random_forest, n_trees: 8}"),
    ("classification", "{kind: gradient_boosting, min_samples_leaf: 3, row_share: 0.8, early_stopping: always}"),
    ("classification", "{kind: k_nearest_neighbours, k: 3}"),
    ("classification", "{kind: lexicon_sentiment}"),
    ("classification", "{kind: extra_trees, n_trees: 8}"),
    ("classification", "{kind: svm, c: 5.0}"),
    ("classification", "{kind: majority_class}"),
    ("classification", "{kind: column, column: a}"),
    ("regression", "{kind: decision_tree, max_depth: 4}"),
    ("regression", "{kind: random_forest, n_trees: 8}"),
    ("regression", "{kind: gradient_boosting, min_samples_leaf: 3, feature_share: 0.6}"),
    ("regression", "{kind: k_nearest_neighbours, weights: distance, search: cover_tree}"),
    ("regression", "{kind: ridge}"),
    ("regression", "{kind: linear_regression}"),
    ("regression", "{kind: lexicon_sentiment}"),
    ("regression", "{kind: lasso, alpha: 0.01}"),
    ("regression", "{kind: elastic_net, alpha: 0.01}"),
    ("regression", "{kind: extra_trees, n_trees: 8}"),
    ("regression", "{kind: svm, kernel: polynomial, coef0: 1.0}"),
    ("regression", "{kind: mean}"),
    ("regression", "{kind: column, column: a}"),
    ("clustering", "{kind: k_means, k: 4}"),
    ("clustering", "{kind: dbscan, eps: 0.4, min_samples: 3}"),
    ("anomaly", "{kind: isolation_forest, n_trees: 20, contamination: 0.1}"),
];

fn spec(task: &str, estimator: &str) -> PipelineSpec {
    let target = match task {
        "regression" => "number",
        "classification" => "class",
        _ => "found",
    };
    let features = if estimator.contains("lexicon_sentiment") {
        "{columns: [a]}, {columns: [words], steps: [{sentiment: vader}]}"
    } else {
        "{columns: [a, b]}, {columns: [colour], steps: [one_hot]}"
    };
    let yaml = format!(
        "{{version: 1, name: suite, task: {task}, target: {target}, seed: 3, estimator: {estimator}, features: [{features}]}}"
    );
    PipelineSpec::from_yaml(&yaml).unwrap()
}

/// Rows whose class and number follow from the features, but for a little noise.
fn table(n_rows: usize) -> Table {
    let wave = |row: usize, step: f64| (row as f64 * step).sin() + 1.0;
    let a: Vec<f64> = (0..n_rows).map(|row| wave(row, 0.7)).collect();
    let b: Vec<f64> = (0..n_rows).map(|row| wave(row, 1.3)).collect();
    let colours: Vec<&str> = (0..n_rows).map(|row| ["red", "green", "blue"][row % 3]).collect();
    let class = |row: usize| if a[row] > 1.4 { "high" } else { ["low", "middle"][usize::from(b[row] > 1.0)] };
    let number = |row: usize| 3.0 * a[row] - b[row] + wave(row, 17.0) / 10.0;
    let words = |row: usize| match class(row) {
        "high" => "what a great day",
        "middle" => "the table in the room",
        _ => "it was awful",
    };
    Table::new(vec![
        Column::texts("words", (0..n_rows).map(words)),
        Column::texts("class", (0..n_rows).map(class)),
        Column::numbers("number", (0..n_rows).map(number).collect()),
        Column::texts("colour", colours),
        Column::numbers("a", a),
        Column::numbers("b", b),
    ])
    .unwrap()
}

fn bytes_with_threads(n_threads: usize, spec: &PipelineSpec, table: &Table) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
    pool.install(|| train(spec, table, &Silent).unwrap().model.to_bytes().unwrap())
}

#[test]
fn the_suite_covers_every_estimator() {
    // What another program fits has tests of its own: nothing is fitted in this crate.
    for kind in EstimatorSpec::KINDS.into_iter().filter(|kind| *kind != "external") {
        let tasks = ESTIMATORS.iter().filter(|(task, estimator)| spec(task, estimator).estimator.kind() == kind);
        let mut covered: Vec<&str> = tasks.map(|(task, _)| *task).collect();
        covered.dedup();
        let (_, estimator) = ESTIMATORS
            [ESTIMATORS.iter().position(|(task, estimator)| spec(task, estimator).estimator.kind() == kind).unwrap()];
        let declared: Vec<&str> =
            spec(covered[0], estimator).estimator.tasks().iter().map(|task| task.name()).collect();
        assert_eq!(covered, declared, "{kind}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_one_thread_and_with_two() {
    let table = table(90);
    for (task, estimator) in ESTIMATORS {
        let spec = spec(task, estimator);
        let one = bytes_with_threads(1, &spec, &table);
        assert!(one == bytes_with_threads(1, &spec, &table), "{estimator}: two trainings differ");
        assert!(one == bytes_with_threads(2, &spec, &table), "{estimator}: one and two threads differ");
    }
}

#[test]
fn many_classes_give_the_same_bytes_with_one_thread_and_with_two() {
    let words = ["red", "green", "blue", "black", "white", "pink", "brown", "grey", "gold"];
    // Enough text for several parts, which threads count and weigh by themselves.
    let filler = "so it was said, and said again ".repeat(60);
    let text = |row: usize| format!("{} {} {} {filler}", words[row % 9], words[row * 7 % 9], words[row * row % 9]);
    let texts = (0..200).map(text);
    let labels = (0..200).map(|row| words[row % 9]);
    let table = Table::new(vec![Column::texts("text", texts), Column::texts("label", labels)]).unwrap();
    let estimators = [
        "linear_svm",
        "{kind: linear_svm, probabilities: sigmoid}",
        "nb_svm",
        "logistic_regression",
        "{kind: logistic_regression, classes: multinomial, penalty: elastic_net}",
    ];
    let terms = ["{ngrams: [1, 2]}", "{analyzer: char_wb, ngrams: [1, 4]}", "{hash: {features: 64, signed: false}}"];
    for (estimator, terms) in estimators.into_iter().flat_map(|estimator| terms.map(|terms| (estimator, terms))) {
        let yaml = format!(
            "{{version: 1, name: many, task: classification, target: label, estimator: {estimator}, features: [{{columns: \
             [text], steps: [{{tfidf: {terms}}}]}}]}}"
        );
        let spec = PipelineSpec::from_yaml(&yaml).unwrap();
        let one = bytes_with_threads(1, &spec, &table);
        assert!(one == bytes_with_threads(2, &spec, &table), "{estimator}: one and two threads differ");
    }
}

#[test]
fn predictions_survive_being_stored() {
    let table = table(90);
    for (task, estimator) in ESTIMATORS {
        let model = train(&spec(task, estimator), &table, &Silent).unwrap().model;
        let bytes = model.to_bytes().unwrap();
        let loaded = TrainedModel::from_bytes(&bytes).unwrap();
        assert_eq!(loaded.predict(&table).unwrap(), model.predict(&table).unwrap(), "{estimator}");
        assert_eq!(loaded.spec(), model.spec(), "{estimator}");
        assert_eq!(loaded.signature(), model.signature(), "{estimator}");
        assert!(loaded.to_bytes().unwrap() == bytes, "{estimator}: stored again it differs");
    }
}

#[test]
fn a_flipped_byte_is_refused_with_the_reason() {
    let table = table(90);
    for (task, estimator) in ESTIMATORS {
        let bytes = train(&spec(task, estimator), &table, &Silent).unwrap().model.to_bytes().unwrap();
        // Every byte of the header, and some thirty of what follows.
        for position in (0..HEADER_BYTES).chain((HEADER_BYTES..bytes.len()).step_by(1 + bytes.len() / 30)) {
            let mut flipped = bytes.clone();
            flipped[position] ^= 0x20;
            let err = TrainedModel::from_bytes(&flipped).unwrap_err();
            let is_right = match position {
                0..8 => matches!(err, ModelFormatError::NotAModel),
                8..10 => matches!(err, ModelFormatError::UnsupportedVersion { .. }),
                10..18 => matches!(err, ModelFormatError::WrongLength { .. }),
                _ => matches!(err, ModelFormatError::Corrupt),
            };
            assert!(is_right, "{estimator}, byte {position}: {err}");
        }
    }
}

#[test]
fn features_of_another_width_are_refused() {
    let table = table(90);
    let wide = FeatureMatrix::Dense(DenseMatrix::new(2, 9, vec![0.5; 18]));
    for (task, estimator) in ESTIMATORS {
        let model = train(&spec(task, estimator), &table, &Silent).unwrap().model;
        let predictor = model.predictor().as_predictor();
        assert_eq!(predictor.n_features(), 5, "{estimator}");
        let errors = [
            predictor.predict(&wide).unwrap_err(),
            predictor.predict_proba(&wide).unwrap_err(),
            predictor.decision_scores(&wide).unwrap_err(),
        ];
        for err in errors {
            assert!(matches!(err, PredictError::WrongWidth { expected: 5, found: 9 }), "{estimator}: {err}");
        }
    }
}

#[test]
fn probabilities_are_shares_and_the_most_likely_class_is_predicted() {
    let table = table(90);
    for (task, estimator) in ESTIMATORS {
        let model = train(&spec(task, estimator), &table, &Silent).unwrap().model;
        let features = model.features(&table).unwrap();
        let predictor = model.predictor().as_predictor();
        let predicted = predictor.predict(&features).unwrap();
        let scores = [predictor.predict_proba(&features).unwrap(), predictor.decision_scores(&features).unwrap()];
        for scores in scores.into_iter().flatten() {
            assert_eq!(predicted, Outputs::Classes(scores.best_classes()), "{estimator}");
        }
        if let Some(probabilities) = predictor.predict_proba(&features).unwrap() {
            for row in 0..90 {
                let sum: f64 = probabilities.row(row).iter().sum();
                assert!((sum - 1.0).abs() < 1e-12, "{estimator}: {sum}");
                assert!(probabilities.row(row).iter().all(|share| (0.0..=1.0).contains(share)), "{estimator}");
            }
        }
    }
}

#[test]
fn rows_are_scored_alone_as_they_are_together() {
    let table = table(90);
    for (task, estimator) in ESTIMATORS {
        let model = train(&spec(task, estimator), &table, &Silent).unwrap().model;
        let together = model.predict(&table).unwrap();
        for row in [0, 41, 89] {
            let alone = model.predict(&table.take(&[row])).unwrap();
            assert_eq!(alone.label(0), together.label(row), "{estimator}");
            assert_eq!(alone.number(0), together.number(row), "{estimator}");
        }
        let none = model.predict(&table.take(&[])).unwrap();
        assert_eq!(none.n_rows(), 0, "{estimator}");
    }
}

#[test]
fn what_can_be_learnt_is_learnt() {
    let table = table(300);
    let rows: Vec<usize> = (0..300).collect();
    for (task, estimator) in ESTIMATORS {
        let spec = spec(task, estimator);
        if ["majority_class", "mean", "column"].contains(&spec.estimator.kind()) || !spec.task.has_target() {
            continue;
        }
        let trained = ml_train::train::train_rows(&spec, &table, &rows[..200], &Silent).unwrap();
        let comparison = ml_train::evaluate::compare(&trained.model, &table, &rows[..200], &rows[200..]).unwrap();
        let figure = if spec.task == Task::Classification { "accuracy" } else { "r2" };
        let (model, baseline) = (comparison.model.metrics[figure], comparison.baselines[0].metrics[figure]);
        assert!(model > baseline + 0.1, "{estimator}: {model} does not beat {baseline}");
    }
}

/// Stops a training when it reaches a stage.
struct StopAt(Stage, std::sync::atomic::AtomicBool);

impl Progress for StopAt {
    fn begin(&self, stage: Stage) {
        self.1.fetch_or(stage == self.0, std::sync::atomic::Ordering::Relaxed);
    }

    fn advance(&self, _total: u64) {}

    fn losses(&self, _losses: &Losses) {}

    fn is_cancelled(&self) -> bool {
        self.1.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[test]
fn a_training_stops_when_asked_to() {
    let table = table(90);
    for (task, estimator) in ESTIMATORS {
        for stage in [Stage::Derive, Stage::Preprocess, Stage::Fit] {
            let progress = StopAt(stage, false.into());
            let err = train(&spec(task, estimator), &table, &progress).unwrap_err();
            assert!(matches!(err, TrainError::Cancelled), "{estimator} at {stage:?}: {err}");
        }
    }
}
