//! What every estimator makes of rows that are hard to learn from: an error that says what to do, or a model whose predictions
//! make sense. docs/pipelines.md says which.

use std::collections::BTreeSet;

use ml_core::table::{Column, ColumnValues, Table};
use ml_train::error::TrainError;
use ml_train::evaluate::evaluate;
use ml_train::model::TrainedModel;
use ml_train::predict::{PredictedValues, Predictions};
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train;

use super::{ESTIMATORS, spec, table};

/// Words that tell what to do about an estimator that could not be fitted.
const WAYS_OUT: [&str; 4] = ["standardise", "use ", "lower", "raise"];

/// Returns `table` with other columns in the places of those of the same names.
fn with(table: &Table, columns: Vec<Column>) -> Table {
    let kept = table.columns().iter().filter(|column| columns.iter().all(|other| other.name != column.name));
    Table::new(kept.cloned().chain(columns.iter().cloned()).collect()).unwrap()
}

fn mapped(table: &Table, name: &str, map: impl Fn(f64) -> f64) -> Column {
    let numbers = table.get(name).unwrap().as_numbers().unwrap();
    Column::numbers(name, numbers.iter().map(|number| map(*number)).collect())
}

fn no_texts(name: &str, n_rows: usize) -> Column {
    Column { name: name.to_owned(), values: ColumnValues::Text(vec![None; n_rows]) }
}

/// The pipeline of the suite, on columns that are filled and scaled first.
fn prepared(task: &str, estimator: &str) -> PipelineSpec {
    let plain = spec(task, estimator);
    if estimator.contains("lexicon_sentiment") || estimator.contains("column") {
        return plain;
    }
    // Counts are not negative.
    let scale =
        if estimator.contains("nb_svm") || estimator.contains("naive_bayes") { "min_max" } else { "standardise" };
    let yaml = format!(
        "{{version: 1, name: suite, task: {task}, target: {}, seed: 3, estimator: {estimator}, features: [{{columns: [a, b], \
         steps: [{{impute: median}}, {scale}]}}, {{columns: [colour], steps: [one_hot]}}]}}",
        plain.target
    );
    PipelineSpec::from_yaml(&yaml).unwrap()
}

/// The pipeline of the suite on texts, for the estimators that read other columns than their own.
fn on_text(task: &str, estimator: &str) -> Option<PipelineSpec> {
    let plain = spec(task, estimator);
    if ["lexicon_sentiment", "column", "majority_class", "mean"].contains(&plain.estimator.kind()) {
        return None;
    }
    let norm = if estimator.contains("naive_bayes") || estimator.contains("nb_svm") { "none" } else { "l2" };
    let yaml = format!(
        "{{version: 1, name: suite, task: {task}, target: {}, seed: 3, estimator: {estimator}, features: [{{columns: [words], \
         steps: [{{tfidf: {{max_features: 50, norm: {norm}}}}}]}}]}}",
        plain.target
    );
    Some(PipelineSpec::from_yaml(&yaml).unwrap())
}

/// Returns whether it does not learn from features.
fn is_baseline(spec: &PipelineSpec) -> bool {
    ["majority_class", "mean", "column"].contains(&spec.estimator.kind())
}

/// What the suite finds fault with, so that all of it is told at once.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn demand(&mut self, is_so: bool, fault: impl FnOnce() -> String) {
        if !is_so {
            self.0.push(fault());
        }
    }

    #[track_caller]
    fn end(self) {
        assert!(self.0.is_empty(), "{} faults:\n{}", self.0.len(), self.0.join("\n"));
    }

    /// As [`Faults::check`], and demands a model or, unless `is_enough`, an error.
    fn check_whether(
        &mut self,
        is_enough: bool,
        case: &str,
        spec: &PipelineSpec,
        table: &Table,
    ) -> Option<TrainedModel> {
        let model = self.check(case, spec, table);
        self.demand(model.is_some() == is_enough, || match train(spec, table, &Silent) {
            Ok(_) => format!("{case}, {:?}: it is fitted", spec.estimator),
            Err(err) => format!("{case}, {:?}: {err}: {:?}", spec.estimator, std::error::Error::source(&err)),
        });
        model
    }

    /// Trains, and demands of what comes of it that it is an error with a way out, or a model that makes sense of its own rows.
    fn check(&mut self, case: &str, spec: &PipelineSpec, table: &Table) -> Option<TrainedModel> {
        let case = format!("{case}, {}, {:?}", spec.task.name(), spec.estimator);
        match train(spec, table, &Silent) {
            Ok(trained) => {
                let predictions = match trained.model.predict(table) {
                    Ok(predictions) => predictions,
                    Err(err) => {
                        self.0.push(format!("{case}: {err}"));
                        return Some(trained.model);
                    }
                };
                self.demand(predictions.missing.is_empty(), || {
                    format!("{case}: {:?}", predictions.missing.first_key_value())
                });
                self.check_sense(&case, spec, table, &predictions);
                let loaded = TrainedModel::from_bytes(&trained.model.to_bytes().unwrap());
                let is_same =
                    loaded.as_ref().is_ok_and(|loaded| loaded.predict(table).is_ok_and(|loaded| loaded == predictions));
                self.demand(is_same, || format!("{case}: stored, it is another: {:?}", loaded.err()));
                Some(trained.model)
            }
            // These are made of what is the matter and what to do.
            Err(TrainError::Spec(_) | TrainError::Data { .. } | TrainError::TooWide { .. }) => None,
            Err(err) => {
                let message = err.to_string();
                self.demand(WAYS_OUT.iter().any(|words| message.contains(words)), || format!("{case}: {message}"));
                None
            }
        }
    }

    /// Demands numbers that are not far from those learnt from, and scores that are finite.
    fn check_sense(&mut self, case: &str, spec: &PipelineSpec, table: &Table, predictions: &Predictions) {
        if let PredictedValues::Numbers(numbers) = &predictions.values
            && spec.estimator.kind() != "column"
        {
            let truth = table.get(&spec.target).unwrap().as_numbers().unwrap();
            let least = truth.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = truth.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // Half of it, so that the largest numbers do not make it infinite.
            let slack = (greatest / 2.0 - least / 2.0).max(greatest.abs().max(least.abs()) * 1e-9);
            let is_far = |number: &&f64| !(least - slack..=greatest + slack).contains(*number);
            let far = numbers.iter().flatten().find(is_far);
            self.demand(far.is_none(), || format!("{case}: {far:?} of {least} to {greatest}"));
        }
        if let Some(scores) = predictions.class_scores() {
            let is_finite = scores.values.iter().all(|score| score.is_finite());
            self.demand(is_finite, || format!("{case}: scores {:?}", scores.row(0)));
        }
    }
}

#[test]
fn no_row_and_one_row_are_an_error_unless_that_is_enough() {
    let mut faults = Faults::default();
    let whole = table(90);
    for (task, estimator) in ESTIMATORS {
        let spec = spec(task, estimator);
        faults.check_whether(false, "no row", &spec, &whole.take(&[]));
        faults.check_whether(is_baseline(&spec), "one row", &spec, &whole.take(&[0]));
    }
    faults.end();
}

#[test]
fn two_rows_are_learnt_from() {
    let mut faults = Faults::default();
    // One is `low`, the other `middle`.
    let whole = table(90).take(&[0, 2, 0]);
    for (task, estimator) in ESTIMATORS {
        faults.check_whether(true, "two rows", &spec(task, estimator), &whole.take(&[0, 1]));
        faults.check_whether(true, "two rows, prepared", &prepared(task, estimator), &whole.take(&[0, 1]));
        let needs_two = task == "classification" && !is_baseline(&spec(task, estimator));
        faults.check_whether(!needs_two, "the same row twice", &spec(task, estimator), &whole.take(&[0, 2]));
    }
    faults.end();
}

#[test]
fn one_value_of_the_target_is_an_error_or_what_is_predicted() {
    let mut faults = Faults::default();
    let whole = table(60);
    let one = with(&whole, vec![Column::texts("class", ["low"; 60]), Column::numbers("number", vec![7.0; 60])]);
    for (task, estimator) in ESTIMATORS {
        let spec = spec(task, estimator);
        let needs_two = task == "classification" && !is_baseline(&spec);
        faults.check_whether(!needs_two, "one value", &spec, &one);
        if needs_two {
            let err = train(&spec, &one, &Silent).unwrap_err().to_string();
            assert!(err.contains("give rows of at least two classes"), "{estimator}: {err}");
        }
    }
    faults.end();
}

#[test]
fn constant_columns_are_no_trouble() {
    let mut faults = Faults::default();
    let whole = table(60);
    for (task, estimator) in ESTIMATORS {
        for (value, is_plain) in [(0.0, true), (5.0, true), (1e-300, true), (1e300, false)] {
            let columns = vec![
                Column::numbers("a", vec![value; 60]),
                Column::numbers("b", vec![value; 60]),
                Column::texts("colour", ["red"; 60]),
                Column::texts("words", ["good"; 60]),
            ];
            let constant = with(&whole, columns);
            let case = format!("constant {value:e}");
            let model = faults.check(&case, &spec(task, estimator), &constant);
            faults.demand(model.is_some() || !is_plain, || format!("{case}, {estimator}: not fitted"));
            faults.check_whether(true, &case, &prepared(task, estimator), &constant);
            if let Some(spec) = on_text(task, estimator) {
                faults.check_whether(true, &case, &spec, &constant);
            }
        }
    }
    faults.end();
}

#[test]
fn columns_without_any_value_are_an_error_or_tell_nothing() {
    let mut faults = Faults::default();
    let whole = table(60);
    let columns = vec![
        Column::numbers("a", vec![f64::NAN; 60]),
        Column::numbers("b", vec![f64::NAN; 60]),
        no_texts("colour", 60),
        no_texts("words", 60),
    ];
    let missing = with(&whole, columns);
    let no_target = with(&whole, vec![no_texts("class", 60), Column::numbers("number", vec![f64::NAN; 60])]);
    for (task, estimator) in ESTIMATORS {
        let spec = spec(task, estimator);
        faults.check_whether(spec.estimator.kind() == "gradient_boosting", "no value", &spec, &missing);
        faults.check("no value, prepared", &prepared(task, estimator), &missing);
        if let Some(spec) = on_text(task, estimator) {
            faults.check_whether(false, "no text", &spec, &missing);
        }
        faults.check_whether(!spec.task.has_target(), "no target", &spec, &no_target);
    }
    faults.end();
}

#[test]
fn values_that_are_infinite_are_an_error() {
    let mut faults = Faults::default();
    let whole = table(60);
    for (task, estimator) in ESTIMATORS {
        let spec = spec(task, estimator);
        for infinite in [f64::INFINITY, f64::NEG_INFINITY] {
            let with_infinite = |name| with(&whole, vec![mapped(&whole, name, |a| if a > 1.9 { infinite } else { a })]);
            faults.check_whether(false, "infinite feature", &spec, &with_infinite("a"));
            faults.check_whether(task != "regression", "infinite target", &spec, &with_infinite("number"));
        }
    }
    faults.end();
}

#[test]
fn labels_of_mixed_type_are_classes_by_their_text() {
    let mut faults = Faults::default();
    let whole = table(60);
    let labels = ["1", "a", "true", "2.5", "", " ", "NaN", "a\u{301}\u{1f600}"];
    let mixed = with(&whole, vec![Column::texts("class", (0..60).map(|row| labels[row % 8]))]);
    let mixed = with(&mixed, vec![Column::texts("number", (0..60).map(|row| labels[row % 8]))]);
    for (task, estimator) in ESTIMATORS {
        let spec = spec(task, estimator);
        let is_enough = task != "regression";
        let model = faults.check_whether(is_enough, "mixed labels", &spec, &mixed);
        if let Some(model) = model.filter(|_| task == "classification") {
            assert_eq!(model.classes().len(), 8, "{estimator}");
        }
        if task == "regression" {
            let err = train(&spec, &mixed, &Silent).unwrap_err().to_string();
            assert!(err.contains("holds text values, `task: regression` needs numbers"), "{estimator}: {err}");
        }
    }
    faults.end();
}

#[test]
fn as_many_classes_as_rows_are_learnt_and_classes_that_come_later_count_as_wrong() {
    let mut faults = Faults::default();
    let whole = table(30);
    let many = with(&whole, vec![Column::texts("class", (0..30).map(|row| format!("class {row}")))]);
    let (known, unknown): (Vec<usize>, Vec<usize>) = (0..30).partition(|row| *row < 20);
    for (task, estimator) in ESTIMATORS.into_iter().filter(|(task, _)| *task == "classification") {
        let spec = spec(task, estimator);
        let model = faults.check_whether(true, "as many classes as rows", &spec, &many.take(&known));
        let Some(model) = model else { continue };
        let evaluation = evaluate(&model, &many).unwrap();
        assert_eq!((evaluation.n_samples, evaluation.classes.len()), (30, 30), "{estimator}");
        assert!(evaluation.notes[0].starts_with("the model does not know `class 20`"), "{:?}", evaluation.notes);
        assert!(evaluation.metrics["accuracy"] <= 20.0 / 30.0, "{estimator}");
        let evaluation = evaluate(&model, &many.take(&unknown)).unwrap();
        assert_eq!(evaluation.metrics["accuracy"], 0.0, "{estimator}");
    }
    faults.end();
}

#[test]
fn huge_and_tiny_magnitudes_are_learnt_from_or_an_error() {
    let mut faults = Faults::default();
    let whole = table(60);
    let scaled = |name, by: f64| mapped(&whole, name, |number| number * by);
    let shifted = |name, by: f64| mapped(&whole, name, |number| number + by);
    for (task, estimator) in ESTIMATORS {
        let mut cases = Vec::new();
        for magnitude in [1e308, 1e300, 1e150, 1e20, 1e-20, 1e-150, 1e-300, 1e-320] {
            let (feature, number) = (magnitude / 4.0, magnitude / 8.0);
            let features = || vec![scaled("a", feature), scaled("b", feature)];
            let both_signs = vec![
                mapped(&whole, "a", |a| (a - 1.0) * magnitude),
                mapped(&whole, "number", |target| (target - 1.0) * number),
            ];
            cases.push((format!("features times {magnitude:e}"), features()));
            cases.push((format!("one feature times {magnitude:e}"), vec![scaled("a", feature)]));
            cases.push((format!("target times {magnitude:e}"), vec![scaled("number", number)]));
            cases.push((format!("all times {magnitude:e}"), [features(), vec![scaled("number", number)]].concat()));
            cases.push((format!("both signs of {magnitude:e}"), both_signs));
        }
        for offset in [1e9, 1e15] {
            let columns = vec![shifted("a", offset), shifted("b", offset), shifted("number", offset)];
            cases.push((format!("all plus {offset:e}"), columns));
        }
        for (case, columns) in cases {
            let table = with(&whole, columns);
            faults.check(&case, &spec(task, estimator), &table);
            faults.check(&format!("{case}, prepared"), &prepared(task, estimator), &table);
        }
    }
    faults.end();
}

#[test]
fn a_hundred_thousand_columns_are_learnt_from_or_an_error() {
    let mut faults = Faults::default();
    let name = |column| if column == 0 { "a".to_owned() } else { format!("c{column}") };
    let names: Vec<String> = (0..100_000).map(name).collect();
    let cells = |column: usize| (0..6).map(|row| ((row * 31 + column) % 7) as f64).collect();
    let features = names.iter().enumerate().map(|(column, name)| Column::numbers(name, cells(column)));
    let targets = [
        Column::texts("class", ["x", "y", "x", "y", "x", "y"]),
        Column::numbers("number", vec![1.0, 2.0, 3.0, 1.0, 2.0, 3.0]),
    ];
    let wide = Table::new(features.chain(targets).collect()).unwrap();
    let mut seen = BTreeSet::new();
    for (task, estimator) in ESTIMATORS {
        let mut spec = spec(task, estimator);
        // Other settings of the same estimator take long, and see the same columns.
        if !seen.insert((task, spec.estimator.kind())) {
            continue;
        }
        spec.features.truncate(1);
        spec.features[0].columns.clone_from(&names);
        let is_enough =
            !["ridge", "linear_regression", "lexicon_sentiment", "gradient_boosting"].contains(&spec.estimator.kind());
        faults.check_whether(is_enough, "100,000 columns", &spec, &wide);
    }
    faults.end();
}

#[test]
fn rows_unlike_those_learnt_from_get_a_prediction_or_a_reason() {
    let mut faults = Faults::default();
    let whole = table(60);
    let colours = ["", "pink", "red", "\0", "RED"].map(|text| Some(text.to_owned())).into_iter().chain([None]);
    let columns = vec![
        Column::numbers("a", vec![f64::NAN, f64::INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.0]),
        Column::numbers("b", vec![f64::MAX, f64::MAX, f64::MAX, f64::MAX, f64::MIN, 0.0]),
        Column { name: "colour".to_owned(), values: ColumnValues::Text(colours.collect()) },
        Column::texts("words", ["", "unknown", "\0", "good", "\u{feff}", "bad"]),
    ];
    let strange = with(&whole.take(&[0, 1, 2, 3, 4, 5]), columns);
    for (task, estimator) in ESTIMATORS {
        let specs = [Some(spec(task, estimator)), Some(prepared(task, estimator)), on_text(task, estimator)];
        for spec in specs.into_iter().flatten() {
            let model = train(&spec, &whole, &Silent).unwrap().model;
            let predictions = model.predict(&strange).unwrap();
            for row in 0..6 {
                let number_is_finite = predictions.number(row).is_some_and(f64::is_finite);
                let is_predicted = predictions.label(row).is_some() || number_is_finite;
                let has_reason = predictions.missing_reason(row).is_some();
                faults.demand(is_predicted != has_reason, || {
                    format!("{estimator}, row {row}: {:?}, {:?}", predictions.label(row), predictions.number(row))
                });
                let Some(probabilities) = predictions.probabilities.as_ref().filter(|_| is_predicted) else { continue };
                let shares = probabilities.row(row);
                let is_one = (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9;
                let are_shares = is_one && shares.iter().all(|share| (0.0..=1.0).contains(share));
                faults.demand(are_shares, || format!("{estimator}, row {row}: {shares:?}"));
            }
        }
    }
    faults.end();
}
