//! Folds against scikit-learn's, and searches: what they find, what they survive, and that nothing but their input decides.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ml_core::table::{Column, Table};
use ml_train::error::TrainError;
use ml_train::evaluate::evaluate_rows;
use ml_train::progress::Silent;
use ml_train::selection::outcome::{FoldScore, SearchOutcome, Trial, mean_and_std};
use ml_train::selection::search::{SearchError, SearchProgress, search};
use ml_train::selection::spec::SearchSpec;
use ml_train::selection::split::{Fold, SplitSpec};
use ml_train::spec::PipelineSpec;
use ml_train::train::train_rows;
use serde_json::Value;

fn texts(values: &Value) -> Vec<String> {
    values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn rows(values: &Value) -> Vec<usize> {
    values.as_array().unwrap().iter().map(|value| value.as_u64().unwrap() as usize).collect()
}

/// A classification of `class` by `x`.
fn pipeline(estimator: &str) -> PipelineSpec {
    PipelineSpec::from_yaml(&format!(
        "version: 1\nname: m\ntask: classification\ntarget: class\nseed: 5\n\
         features: [{{ columns: [x], steps: [standardise] }}]\nestimator: {estimator}\n"
    ))
    .unwrap()
}

#[test]
fn a_search_over_what_another_program_fits_is_refused_at_once() {
    let search = "{version: 1, method: grid, vary: {estimator.settings.trees: [1, 2]}, split: {by: k_fold, folds: 3}}";
    let pipeline = PipelineSpec::from_yaml(
        "{version: 1, name: m, task: classification, target: class, features: [{columns: [x]}], estimator: {kind: external, \
         command: [sh, fit.sh]}}",
    );
    let err = SearchSpec::from_yaml(search, &pipeline.unwrap()).unwrap_err().to_string();
    assert!(err.contains("the pipeline has `estimator: external`, which a program of its own fits"), "{err}");
    assert!(err.contains("have the program choose"), "{err}");
}

#[test]
fn folds_are_those_of_scikit_learn() {
    let reference: Value = serde_json::from_str(include_str!("../golden/splits.json")).unwrap();
    let table = Table::new(vec![
        Column::texts("class", texts(&reference["classes"])),
        Column::numbers("group", numbers(&reference["groups"])),
        Column::numbers("time", numbers(&reference["times"])),
    ])
    .unwrap();
    let spec = pipeline("linear_svm");
    let all_rows: Vec<usize> = (0..table.n_rows()).collect();
    let cases = reference["cases"].as_object().unwrap();
    assert_eq!(cases.len(), 11);
    for (split, expected) in cases {
        let split_spec: SplitSpec = serde_yaml_ng::from_str(split).unwrap();
        let folds = split_spec.folds(&spec, &table, &all_rows, 0).unwrap();
        let expected: Vec<Fold> = expected
            .as_array()
            .unwrap()
            .iter()
            .map(|fold| Fold { training: rows(&fold[0]), validation: rows(&fold[1]) })
            .collect();
        assert_eq!(folds, expected, "{split}");
    }
}

/// 200 rows of two classes that `x` tells apart by and large, in 20 groups and a different order in time.
fn blobs() -> Table {
    let n_rows = 200_usize;
    let noise = |row: usize| (row * 7919 % 1009) as f64 / 1009.0 - 0.5;
    let class = |row: usize| if row.is_multiple_of(4) { "rare" } else { "often" };
    let x = (0..n_rows).map(|row| f64::from(u8::from(row.is_multiple_of(4))) + 1.6 * noise(row)).collect();
    Table::new(vec![
        Column::texts("class", (0..n_rows).map(class)),
        Column::numbers("x", x),
        Column::texts("group", (0..n_rows).map(|row| format!("g{}", row / 10))),
        Column::texts("kind", (0..n_rows).map(|row| if row == 3 { "odd" } else { "even" })),
        Column::numbers("time", (0..n_rows).map(|row| (n_rows - row) as f64).collect()),
    ])
    .unwrap()
}

fn folds(split: &str, seed: u64) -> Result<Vec<Fold>, TrainError> {
    let split: SplitSpec = serde_yaml_ng::from_str(split).unwrap();
    let rows: Vec<usize> = (0..160).collect();
    split.folds(&pipeline("linear_svm"), &blobs(), &rows, seed)
}

#[test]
fn each_row_is_scored_once_and_never_fitted_on_then() {
    for split in [
        "{ by: k_fold, folds: 3 }",
        "{ by: stratified, folds: 7 }",
        "{ by: group, column: group, folds: 3 }",
        "{ by: group, column: group, folds: 3, shuffle: true }",
        "{ by: stratified_group, column: group, folds: 3, shuffle: true }",
    ] {
        let found = folds(split, 1).unwrap();
        let mut scored: Vec<usize> = found.iter().flat_map(|fold| fold.validation.clone()).collect();
        scored.sort_unstable();
        assert_eq!(scored, (0..160).collect::<Vec<_>>(), "{split}");
        for fold in &found {
            assert!(fold.training.iter().all(|row| !fold.validation.contains(row)), "{split}");
            assert_eq!(fold.training.len() + fold.validation.len(), 160, "{split}");
            assert!(fold.training.is_sorted() && fold.validation.is_sorted(), "{split}");
        }
        assert_eq!(found, folds(split, 1).unwrap(), "{split}");
        if split.contains("shuffle: true") || split.contains("k_fold") || split.contains("by: stratified,") {
            assert_ne!(found, folds(split, 2).unwrap(), "{split}");
        }
    }
}

#[test]
fn shares_of_classes_and_whole_groups_are_kept() {
    for fold in folds("{ by: stratified, folds: 4 }", 3).unwrap() {
        let n_rare = fold.validation.iter().filter(|row| row.is_multiple_of(4)).count();
        assert_eq!((n_rare, fold.validation.len()), (10, 40));
    }
    for fold in folds("{ by: group, column: group, folds: 3, shuffle: true }", 3).unwrap() {
        let groups = |rows: &[usize]| rows.iter().map(|row| row / 10).collect::<std::collections::BTreeSet<_>>();
        assert!(groups(&fold.training).is_disjoint(&groups(&fold.validation)));
    }
}

#[test]
fn folds_by_time_score_what_is_later() {
    for fold in folds("{ by: time, column: time, folds: 3 }", 0).unwrap() {
        // The later the row, the earlier its time.
        assert!(fold.training.iter().min() > fold.validation.iter().max());
    }
}

#[test]
fn rows_that_cannot_be_divided_say_why() {
    for (split, expected) in [
        ("{ by: k_fold, folds: 161 }", "160 rows cannot be divided into 161 folds"),
        ("{ by: stratified, folds: 121 }", "the largest has 120"),
        ("{ by: group, column: group, folds: 17 }", "16 groups of `group` cannot be divided into 17 folds"),
        ("{ by: group, column: grup, folds: 2 }", "did you mean `group`?"),
        (
            "{ by: time, column: time, folds: 5, validation: 40 }",
            "160 instants of `time` are too few for 5 folds of 40",
        ),
    ] {
        let error = folds(split, 0).unwrap_err().to_string();
        assert!(error.contains(expected), "{split}: {error}");
    }
}

/// Follows a search: counts, keeps what is told, and stops after so many fits.
#[derive(Default)]
struct Witness {
    n_planned: AtomicU64,
    n_fitted: AtomicU64,
    trials: Mutex<Vec<Trial>>,
    known: BTreeMap<String, Vec<FoldScore>>,
    stops_after: Option<u64>,
}

impl SearchProgress for Witness {
    fn planned(&self, n_fits: u64) {
        self.n_planned.fetch_add(n_fits, Ordering::Relaxed);
    }

    fn fitted(&self) {
        self.n_fitted.fetch_add(1, Ordering::Relaxed);
    }

    fn finished(&self, trial: &Trial) {
        self.trials.lock().unwrap().push(trial.clone());
    }

    fn find_finished(&self, key: &str) -> Option<Vec<FoldScore>> {
        self.known.get(key).cloned()
    }

    fn is_cancelled(&self) -> bool {
        self.stops_after.is_some_and(|limit| self.n_fitted.load(Ordering::Relaxed) >= limit)
    }
}

fn run(pipeline: &PipelineSpec, text: &str, witness: &Witness) -> Result<SearchOutcome, SearchError> {
    let spec = SearchSpec::from_yaml(&format!("version: 1\n{text}"), pipeline).unwrap();
    let rows: Vec<usize> = (0..160).collect();
    search(pipeline, &spec, &blobs(), &rows, witness)
}

/// Returns the trials without what a clock says.
fn timeless(outcome: &SearchOutcome) -> Vec<Trial> {
    let mut trials = outcome.trials.clone();
    for scores in trials.iter_mut().filter_map(|trial| trial.result.as_mut().ok()) {
        scores.folds.iter_mut().for_each(|fold| fold.fit_seconds = 0.0);
    }
    trials
}

const GRID: &str = "method: grid\nscore: f1_macro\nvary:\n  - { estimator.c: [0.001, 1, 100] }\n  \
                    - { estimator: [gaussian_naive_bayes, { kind: decision_tree, max_depth: 3 }] }\n";

#[test]
fn a_trial_has_the_scores_of_training_and_evaluating_on_its_folds() {
    let (pipeline, witness) = (pipeline("linear_svm"), Witness::default());
    let outcome = run(&pipeline, GRID, &witness).unwrap();
    assert_eq!(outcome.trials.len(), 5);
    assert_eq!((witness.n_planned.into_inner(), witness.n_fitted.into_inner()), (25, 25));
    assert_eq!(witness.trials.lock().unwrap().len(), 5);

    let table = blobs();
    let folds = folds("{ by: stratified }", pipeline.seed).unwrap();
    for trial in &outcome.trials {
        let scores = trial.result.as_ref().unwrap();
        let mut spec = pipeline.clone();
        if let Some(c) = trial.params.get("estimator.c") {
            let estimator = format!("{{ kind: linear_svm, c: {} }}", c.as_f64().unwrap());
            spec = self::pipeline(&estimator);
        } else {
            let kind = &trial.params["estimator"];
            spec.estimator = serde_yaml_ng::from_value(match kind.as_str() {
                Some(kind) => serde_yaml_ng::from_str(&format!("{{ kind: {kind} }}")).unwrap(),
                None => kind.clone(),
            })
            .unwrap();
        }
        let mut values = Vec::new();
        for (fold, found) in folds.iter().zip(&scores.folds) {
            let model = train_rows(&spec, &table, &fold.training, &Silent).unwrap().model;
            let evaluation = evaluate_rows(&model, &table, &fold.validation).unwrap();
            assert_eq!(found.metrics, evaluation.metrics, "{}", trial.label());
            assert_eq!((found.n_training, found.n_scored), (128, 32));
            values.push(evaluation.metrics["f1_macro"]);
        }
        assert_eq!((scores.mean, scores.std), mean_and_std(&values));
    }
    let ranking = outcome.ranking();
    assert!(ranking.windows(2).all(|pair| pair[0].mean() >= pair[1].mean()));
    assert_eq!(outcome.best_trial(), ranking[0]);
    let best_c = outcome.best_trial().params.contains_key("estimator.c");
    assert_eq!(outcome.best_spec.estimator.kind() == "linear_svm", best_c);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let text = "method: random\ntrials: 12\nvary: { estimator.c: { log_uniform: [0.001, 1000] }, \
                estimator.tolerance: [0.1, 0.01], features.0.steps: [[standardise], [min_max]] }\n";
    let pipeline = pipeline("logistic_regression");
    let with_threads = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| run(&pipeline, text, &Witness::default()).unwrap())
    };
    let (one, four) = (with_threads(1), with_threads(4));
    assert_eq!(timeless(&one), timeless(&four));
    assert_eq!(one.best_spec, four.best_spec);
}

#[test]
fn a_score_that_is_better_when_less_ranks_so() {
    let outcome = run(
        &pipeline("logistic_regression"),
        "method: grid\nscore: log_loss\nvary: { estimator.c: [1e-6, 10] }",
        &Witness::default(),
    )
    .unwrap();
    assert_eq!(outcome.best_trial().label(), "estimator.c=10");
}

#[test]
fn a_trial_that_fails_is_told_and_stops_nothing() {
    let pipeline = PipelineSpec::from_yaml(
        "version: 1\nname: m\ntask: classification\ntarget: class\nfeatures:\n  - { columns: [x] }\n  \
         - { columns: [kind], steps: [{ one_hot: { unknown: ignore } }] }\nestimator: gaussian_naive_bayes\n",
    )
    .unwrap();
    let vary = "vary: { features.1.steps.0.one_hot.unknown: [error, ignore] }\n";
    let outcome =
        run(&pipeline, &format!("method: grid\nsplit: {{ by: k_fold, shuffle: false }}\n{vary}"), &Witness::default())
            .unwrap();
    let reason = outcome.trials[0].result.as_ref().unwrap_err();
    assert!(reason.starts_with("fold 1: ") && reason.contains("category `odd`"), "{reason}");
    assert_eq!(outcome.best, 1);

    let only_error = "vary: { features.1.steps.0.one_hot.unknown: [error] }\n";
    let error = run(
        &pipeline,
        &format!("method: grid\nsplit: {{ by: k_fold, shuffle: false }}\n{only_error}"),
        &Witness::default(),
    );
    assert!(error.unwrap_err().to_string().starts_with("all 1 trials failed, the first because fold 1: "));
}

#[test]
fn columns_that_are_not_there_are_told_before_anything_is_fitted() {
    let witness = Witness::default();
    let error =
        run(&pipeline("linear_svm"), "method: grid\nvary: { features.0.columns: [[x], [y], [kind]] }", &witness)
            .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("no column `y`") && text.contains("column `kind` holds text values"), "{text}");
    assert_eq!(witness.n_planned.into_inner(), 0);
}

#[test]
fn halving_gives_more_to_fewer() {
    let rounds = |outcome: &SearchOutcome| {
        let mut rounds: Vec<(usize, usize, Option<u64>)> = Vec::new();
        for trial in &outcome.trials {
            match rounds.last_mut() {
                Some((round, count, _)) if *round == trial.round => *count += 1,
                _ => rounds.push((trial.round, 1, trial.resource)),
            }
        }
        rounds
    };
    let range = "vary: { estimator.c: { log_uniform: [0.0001, 1000] } }";
    let by_rows = format!("method: halving\ntrials: 9\nhalving: {{ rounds: 3 }}\n{range}");
    let outcome = run(&pipeline("linear_svm"), &by_rows, &Witness::default()).unwrap();
    assert_eq!(rounds(&outcome), [(1, 9, Some(15)), (2, 3, Some(43)), (3, 1, Some(128))]);
    assert_eq!(outcome.best_trial().round, 3);

    let by_iterations = "method: halving\nhalving: { factor: 2, resource: estimator.max_iterations }\n\
                         vary: { estimator.max_leaf_nodes: [2, 3, 4, 5], estimator.min_samples_leaf: [5] }";
    let pipeline = pipeline("{ kind: gradient_boosting, max_iterations: 20 }");
    let witness = Witness::default();
    let outcome = run(&pipeline, by_iterations, &witness).unwrap();
    assert_eq!(rounds(&outcome), [(1, 4, Some(5)), (2, 2, Some(10)), (3, 1, Some(20))]);
    assert_eq!(witness.n_planned.into_inner(), witness.n_fitted.into_inner());
    // What is chosen has all of the resource.
    assert!(outcome.best_spec.to_yaml().unwrap().contains("max_iterations: 20"));
}

#[test]
fn nested_scores_are_on_rows_that_the_choice_did_not_see() {
    let (pipeline, witness) = (pipeline("linear_svm"), Witness::default());
    let outcome = run(&pipeline, &format!("{GRID}nested: {{ folds: 4 }}\n"), &witness).unwrap();
    let nested = outcome.nested.unwrap();
    assert_eq!(nested.folds.len(), 4);
    assert_eq!(nested.folds.iter().map(|fold| fold.score.n_scored).sum::<u64>(), 160);
    assert!(nested.folds.iter().all(|fold| fold.score.n_training == 120));
    let values: Vec<f64> = nested.folds.iter().map(|fold| fold.score.metrics["f1_macro"]).collect();
    assert_eq!((nested.mean, nested.std), mean_and_std(&values));
    assert_eq!(witness.trials.lock().unwrap().len(), 5, "trials on part of the rows are not told");
    assert_eq!(witness.n_planned.into_inner(), witness.n_fitted.into_inner());
}

#[test]
fn what_was_stopped_goes_on_where_it_was() {
    let pipeline = pipeline("linear_svm");
    let grid = "method: grid\nvary: { estimator.c: [0.001, 0.01, 0.1, 1, 2, 5, 10, 100] }\n";
    let whole = run(&pipeline, grid, &Witness::default()).unwrap();

    let stopped = Witness { stops_after: Some(21), ..Witness::default() };
    assert!(matches!(run(&pipeline, grid, &stopped), Err(SearchError::Cancelled)));
    let done = stopped.trials.into_inner().unwrap();
    assert!(!done.is_empty() && done.len() < 8, "{} trials were done", done.len());

    let known = done.iter().map(|trial| (trial.key.clone(), trial.result.clone().unwrap().folds)).collect();
    let resumed = Witness { known, ..Witness::default() };
    let outcome = run(&pipeline, grid, &resumed).unwrap();
    assert_eq!(resumed.trials.lock().unwrap().len(), 8 - done.len());
    assert_eq!(outcome.trials.iter().filter(|trial| trial.is_reused).count(), done.len());
    let mut trials = timeless(&outcome);
    for trial in &mut trials {
        trial.is_reused = false;
    }
    assert_eq!(trials, timeless(&whole));
}

#[test]
fn the_bundled_searches_fit_the_pipelines_of_their_names() {
    for name in ["adult-income.yaml", "news-topic.yaml"] {
        let path = crate::support::workspace().join("config/searches").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        SearchSpec::from_yaml(&text, &crate::support::bundled_pipeline(name)).unwrap();
    }
}

#[test]
fn any_figure_that_has_a_better_way_can_be_searched_for() {
    for score in ["mcc", "cohen_kappa", "balanced_accuracy", "average_precision", "brier"] {
        let text = format!("method: grid\nscore: {score}\nvary: {{ estimator.c: [1e-6, 10] }}");
        let outcome = run(&pipeline("logistic_regression"), &text, &Witness::default()).unwrap();
        let mean_of = |trial: &Trial| {
            let folds = &trial.result.as_ref().unwrap().folds;
            mean_and_std(&folds.iter().map(|fold| fold.metrics[score]).collect::<Vec<_>>()).0
        };
        let best = mean_of(outcome.best_trial());
        for trial in &outcome.trials {
            assert_eq!(trial.mean(), Some(mean_of(trial)), "{score}");
            assert!(!outcome.score.is_better(mean_of(trial), best), "{score}");
        }
    }
    let err = SearchSpec::from_yaml(
        "version: 1\nmethod: grid\nscore: rmse\nvary: { estimator.c: [1] }",
        &pipeline("linear_svm"),
    );
    let err = err.unwrap_err().to_string();
    assert!(err.contains("no figure `rmse` of a classification; ") && err.contains("`mcc`, "), "{err}");
}
