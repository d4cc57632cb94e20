//! Pipelines and rows that are wrong: each a clear error, or a stated result.

use ml_core::table::{Column, ColumnValues, Table};
use ml_train::evaluate::{compare, evaluate};
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::{Trained, train, train_rows};

const NAN: f64 = f64::NAN;

fn spec(yaml: &str) -> PipelineSpec {
    PipelineSpec::from_yaml(yaml).unwrap()
}

/// A pipeline on the numbers `x`.
fn on_x(task: &str, steps: &str, estimator: &str) -> PipelineSpec {
    spec(&format!(
        "{{version: 1, name: m, task: {task}, target: y, features: [{{columns: [x], steps: {steps}}}], estimator: {{kind: {estimator}}}}}"
    ))
}

fn rows(x: &[f64], y: &[&str]) -> Table {
    Table::new(vec![Column::numbers("x", x.to_vec()), Column::texts("y", y.iter().copied())]).unwrap()
}

fn number_rows(x: &[f64], y: &[f64]) -> Table {
    Table::new(vec![Column::numbers("x", x.to_vec()), Column::numbers("y", y.to_vec())]).unwrap()
}

#[track_caller]
fn check_faults(yaml: &str, expected: &[&str]) {
    let err = PipelineSpec::from_yaml(yaml).unwrap_err();
    let faults: Vec<String> = err.faults.iter().map(ToString::to_string).collect();
    let all_match =
        faults.len() == expected.len() && faults.iter().zip(expected).all(|(fault, part)| fault.contains(part));
    assert!(all_match, "{faults:#?}\nare not\n{expected:#?}");
}

#[track_caller]
fn check_error(result: Result<Trained, ml_train::error::TrainError>, expected: &str) {
    let err = result.map(|trained| trained.summary).unwrap_err();
    let chain = match std::error::Error::source(&err) {
        Some(source) => format!("{err}: {source}"),
        None => err.to_string(),
    };
    assert!(chain.contains(expected), "`{chain}` does not hold `{expected}`");
}

#[test]
fn every_fault_of_a_pipeline_is_listed_with_its_key_and_the_way_out() {
    check_faults(
        "
version: 2
name: ''
tusk: classification
target: y
seed: minus one
derive:
  - { column: r, op: pct_chnge, of: close }
  - { column: s, op: rolling_mean, of: close, windw: 5 }
features:
  - { columns: [x], steps: [standardize, {impute: middle}, {clip: {lo: 1}}, 7] }
  - { column: [x] }
estimator: { kind: linear_svn }
",
        &[
            "`tusk`: unknown key; did you mean `task`?",
            "`version`: this release reads pipelines of version 1 only",
            "`task`: missing: `classification`, `regression`, `clustering` or `anomaly`",
            "`seed`: ",
            "`derive[0].op`: unknown operation `pct_chnge`; did you mean `pct_change`?",
            "`derive[1]`: unknown field `windw`",
            "`features[0].steps[0]`: unknown step `standardize`; did you mean `standardise`?",
            "`features[0].steps[1]`: unknown variant `middle`",
            "`features[0].steps[2]`: unknown field `lo`",
            "`features[0].steps[3]`: a step is a name",
            "`features[1]`: unknown field `column`",
            "`estimator.kind`: unknown estimator `linear_svn`; did you mean `linear_svm`?",
        ],
    );
}

#[test]
fn what_reads_well_may_still_be_wrong() {
    check_faults(
        "
version: 1
name: m
task: classification
target: next
target_transform: log
derive:
  - { column: change, op: diff, of: later, by: s }
  - { column: later, op: lag, of: close, order: t, window: 3, periods: 0 }
  - { column: next, op: lead, of: close, order: t }
  - { column: peek, op: diff, of: next, order: t }
  - { column: share, op: ratio, of: close }
features:
  - { columns: [next, peek, close, close] }
  - { columns: [x], steps: [one_hot, standardise] }
  - { columns: [x], steps: [log1p, one_hot] }
  - { columns: [x], steps: [{impute: {constant: none}}] }
  - { columns: [x], steps: [{tfidf: {ngrams: [2, 1], min_df: 1.5}}, {clip: {min: 2, max: 1}}] }
  - { columns: [] }
estimator: { kind: ridge, alpha: 0 }
baselines: [{ kind: column, column: next }]
",
        &[
            "`target_transform`: is for `task: regression` only",
            "`derive[0]`: reads `later`, which is derived here or later",
            "`derive[0].order`: `diff` needs the column that puts rows in order",
            "`derive[1].periods`: must be at least 1",
            "`derive[1].window`: `lag` has no window",
            "`derive[4].over`: `ratio` needs the column to divide by",
            "`features[0].columns[0]`: `next` is the target",
            "`features[0].columns[1]`: `peek` is derived with `lead` and looks ahead",
            "`features[0].columns[3]`: `close` is listed twice",
            "`features[1].steps[1]`: `standardise` cannot follow `one_hot`",
            "`features[2].steps[1]`: `one_hot` cannot follow `log1p`, which gives numbers",
            "`features[3].steps`: the steps end with categories",
            "`features[4].steps[0].ngrams`: [2, 1] must be",
            "`features[4].steps[0].min_df`: must be a whole number",
            "`features[4].steps[1]`: `min` 2 must not be above `max` 1",
            "`features[4].steps[1]`: `clip` cannot follow `tfidf`",
            "`features[5].columns`: needs at least one column",
            "`estimator.kind`: `ridge` is not for `task: classification`; known are `linear_svm`",
            "`estimator.alpha`: must be a number above 0, not 0",
            "`baselines[0].column`: `next` is or holds the target",
        ],
    );
}

#[test]
fn what_is_derived_from_the_target_of_the_same_row_is_no_feature() {
    let pipeline = |derive: &str| {
        format!(
            "{{version: 1, name: m, task: regression, target: y, derive: [{{column: old, op: lag, of: y, order: t}}, {derive}], \
             features: [{{columns: [z, b]}}], estimator: ridge}}"
        )
    };
    let lag_first = "derive a `lag` of `y` first, and read that";
    for (derive, op, way_out) in [
        ("{column: z, op: minus, of: y, over: b}", "minus", lag_first),
        ("{column: z, op: minus, of: b, over: y}", "minus", lag_first),
        ("{column: z, op: ratio, of: b, over: y}", "ratio", lag_first),
        ("{column: z, op: abs, of: y}", "abs", lag_first),
        ("{column: z, op: diff, of: y, order: t}", "diff", lag_first),
        ("{column: z, op: pct_change, of: y, order: t}", "pct_change", lag_first),
        ("{column: w, op: log, of: y}, {column: z, op: ratio, of: w, over: b}", "log", lag_first),
        (
            "{column: z, op: rolling_sum, of: y, window: 9, order: t}",
            "rolling_sum",
            "leave that row out with `exclude_current: true`",
        ),
        ("{column: z, op: lag, of: b, by: y, order: t}", "lag", "name another column there"),
        ("{column: z, op: rolling_count, of: b, within: 7d, order: y}", "rolling_count", "name another column there"),
    ] {
        let expected = format!(
            "`features[0].columns[0]`: `z` knows the target: `{op}` reads `y` in the very row that is predicted; {way_out}"
        );
        check_faults(&pipeline(derive), &[&expected]);
    }
    for derive in [
        "{column: z, op: minus, of: old, over: b}",
        "{column: z, op: diff, of: old, order: t}",
        "{column: z, op: rolling_mean, of: y, window: 3, exclude_current: true, order: t}",
        "{column: w, op: diff, of: y, order: t}, {column: z, op: lag, of: w, order: t}",
    ] {
        spec(&pipeline(derive));
    }
}

#[test]
fn settings_of_estimators_and_steps_are_checked() {
    let pipeline = |step: &str, estimator: &str| {
        format!(
            "{{version: 1, name: m, task: regression, target: y, features: [{{columns: [x], steps: [{step}]}}], \
             estimator: {estimator}}}"
        )
    };
    check_faults(&pipeline("log1p", "{kind: ridge, alfa: 2}"), &["`estimator`: unknown field `alfa`"]);
    check_faults(&pipeline("log1p", "{kind: mean, alpha: 2}"), &["`estimator`: unknown field `alpha`"]);
    check_faults(&pipeline("log1p", "{kind: ridge, alpha: much}"), &["`estimator`: invalid type: string \"much\""]);
    check_faults(&pipeline("log1p", "{kind: ridge, alpha: .nan}"), &["`estimator.alpha`: must be a number above 0"]);
    check_faults(&pipeline("log1p", "{kind: random_forest, n_trees: 0}"), &["`estimator.n_trees`: must be at least 1"]);
    check_faults(&pipeline("{one_hot: {unknown: drop}}", "ridge"), &["`features[0].steps[0]`: unknown variant `drop`"]);
    check_faults(&pipeline("{one_hot: {unknown: ignor}}", "ridge"), &["or `error`; did you mean `ignore`?"]);
    check_faults(&pipeline("log1p", "{kind: ridge, alhpa: 1}"), &["`alhpa`, expected `alpha`; did you mean `alpha`?"]);
    check_faults(&pipeline("impute", "ridge"), &["`features[0].steps[0]`: "]);
    check_faults(&pipeline("log1p", "{}"), &["`estimator`: needs a `kind`; known are `linear_svm`"]);
    assert_eq!(spec(&pipeline("log1p", "ridge")), spec(&pipeline("log1p", "{kind: ridge, alpha: 1.0}")));
}

#[test]
fn text_that_is_not_a_pipeline_is_an_error() {
    check_faults("a: [", &["not YAML"]);
    check_faults("", &["a pipeline is a mapping"]);
    check_faults("[1, 2]", &["a pipeline is a mapping"]);
    check_faults("{version: 1, version: 1}", &["duplicate entry"]);
}

#[test]
fn columns_that_do_not_fit_are_listed_with_those_there_are() {
    let pipeline = spec(
        "{version: 1, name: m, task: classification, target: lable, features: [{columns: [x, word]}, {columns: [x], \
         steps: [tfidf]}], estimator: {kind: linear_svm}}",
    );
    let table =
        Table::new(vec![Column::numbers("x", vec![1.0]), Column::texts("word", ["a"]), Column::texts("label", ["b"])])
            .unwrap();
    let err = train(&pipeline, &table, &Silent).unwrap_err().to_string();
    assert!(err.starts_with("invalid pipeline, 3 faults"), "{err}");
    assert!(
        err.contains(
            "`features[0].columns[1]`: column `word` holds text values (`a` in row 1), numbers are needed: begin"
        ),
        "{err}"
    );
    assert!(err.contains("`features[1].columns[0]`: column `x` holds number values, text is needed"), "{err}");
    assert!(err.contains("`target`: no column `lable`; did you mean `label`? Known are `x`, `word`, `label`; a field without a value in any row makes no column"), "{err}");
}

#[test]
fn one_class_alone_is_an_error() {
    let table = rows(&[1.0, 2.0, 3.0], &["a", "a", "a"]);
    check_error(
        train(&on_x("classification", "[]", "linear_svm"), &table, &Silent),
        "target `y` is `a` in every row that can be learnt from: give rows of at least two classes",
    );
}

#[test]
fn no_row_and_one_row_are_errors() {
    let pipeline = on_x("regression", "[]", "ridge");
    check_error(
        train(&pipeline, &number_rows(&[], &[]), &Silent),
        "0 of 0 rows can be learnt from: `ridge` needs at least 2",
    );
    check_error(
        train(&pipeline, &number_rows(&[1.0, 2.0], &[1.0, NAN]), &Silent),
        "1 of 2 rows can be learnt from (target `y` is missing in 1): `ridge` needs at least 2",
    );
}

#[test]
fn a_target_that_is_missing_everywhere_is_an_error() {
    let table = number_rows(&[1.0, 2.0], &[NAN, NAN]);
    check_error(train(&on_x("regression", "[]", "ridge"), &table, &Silent), "(target `y` is missing in 2)");
}

#[test]
fn a_feature_without_any_value_is_an_error() {
    let table = number_rows(&[NAN, NAN, NAN], &[1.0, 2.0, 3.0]);
    let no_value = "column `x` has no value in any training row";
    check_error(train(&on_x("regression", "[{impute: median}]", "ridge"), &table, &Silent), no_value);
    check_error(
        train(&on_x("regression", "[]", "ridge"), &table, &Silent),
        "column `x` is missing after its steps in row 1 and 2 more",
    );
}

#[test]
fn missing_and_infinite_features_are_errors_unless_filled() {
    let missing = number_rows(&[1.0, NAN, 3.0], &[1.0, 2.0, 3.0]);
    check_error(
        train(&on_x("regression", "[]", "ridge"), &missing, &Silent),
        "column `x` is missing after its steps in row 2: begin its steps with `{impute: median}`",
    );
    train(&on_x("regression", "[{impute: median}]", "ridge"), &missing, &Silent).unwrap();

    let infinite = number_rows(&[1.0, f64::INFINITY, 3.0], &[1.0, 2.0, 3.0]);
    check_error(train(&on_x("regression", "[standardise]", "ridge"), &infinite, &Silent), "column `x` is not finite");
    train(&on_x("regression", "[{clip: {max: 10}}]", "ridge"), &infinite, &Silent).unwrap();
}

#[test]
fn a_constant_feature_is_a_warning() {
    for estimator in ["ridge", "linear_regression", "random_forest", "k_nearest_neighbours"] {
        let table = number_rows(&[5.0; 6], &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        let trained = train(&on_x("regression", "[standardise]", estimator), &table, &Silent).unwrap();
        assert!(trained.summary.warnings[0].starts_with("feature `x` is the same in every row"), "{estimator}");
        let number = trained.model.predict(&table).unwrap().number(0).unwrap();
        assert!((1.0..=3.0).contains(&number), "{estimator}: {number}");
    }
}

#[test]
fn constant_columns_are_a_warning_among_sparse_features_too() {
    let table = Table::new(vec![
        Column::texts("text", ["tea cup", "cup goal", "goal tea", "tea rates"]),
        Column::texts("kind", ["k"; 4]),
        Column::texts("city", ["x", "y", "x", "y"]),
        Column::numbers("zero", vec![0.0; 4]),
        Column::numbers("five", vec![5.0; 4]),
        Column::numbers("n", vec![0.0, 1.0, 0.0, 0.0]),
        Column::texts("y", ["p", "q", "p", "q"]),
    ]);
    let pipeline = spec(
        "{version: 1, name: m, task: classification, target: y, estimator: logistic_regression, features: [{columns: [text], \
         steps: [tfidf]}, {columns: [city, kind], steps: [one_hot]}, {columns: [kind], steps: [{hash_encode: {n_features: 8}}]}, \
         {columns: [city], steps: [{hash_encode: {n_features: 8}}]}, {columns: [zero, five, n]}]}",
    );
    let warnings = train(&pipeline, &table.unwrap(), &Silent).unwrap().summary.warnings;
    let of = |name: &str| format!("feature `{name}` is the same in every row: it says nothing about the target");
    assert_eq!(warnings, [of("kind"), of("kind"), of("zero"), of("five")]);
}

#[test]
fn text_as_the_target_of_a_regression_is_an_error() {
    let table = rows(&[1.0, 2.0], &["1", "two"]);
    check_error(
        train(&on_x("regression", "[]", "ridge"), &table, &Silent),
        "target `y` holds text values, `task: regression` needs numbers: use `task: classification`",
    );
}

#[test]
fn a_target_without_logarithm_is_an_error() {
    let mut pipeline = on_x("regression", "[]", "ridge");
    pipeline.target_transform = ml_train::spec::TargetTransform::Log;
    check_error(train(&pipeline, &number_rows(&[1.0, 2.0], &[5.0, 0.0]), &Silent), "target `y` has the value 0");
    check_error(
        train(&on_x("regression", "[]", "ridge"), &number_rows(&[1.0, 2.0], &[5.0, f64::INFINITY]), &Silent),
        "target `y` has an infinite value",
    );
}

#[test]
fn numbers_as_classes_are_categories_in_numeric_order() {
    let table = number_rows(&[1.0, 2.0, 3.0, 4.0], &[10.0, 9.0, 10.0, 9.5]);
    let trained = train(&on_x("classification", "[]", "gaussian_naive_bayes"), &table, &Silent).unwrap();
    assert_eq!(trained.model.classes(), ["9", "9.5", "10"]);
    assert_eq!(trained.summary.class_counts["10"], 2);
}

#[test]
fn a_number_taken_for_a_category_is_an_error() {
    let values: Vec<f64> = (0..1500).map(f64::from).collect();
    check_error(
        train(&on_x("classification", "[]", "linear_svm"), &number_rows(&values, &values), &Silent),
        "target `y` has 1500 distinct values, more than 1000: use `task: regression`",
    );
}

#[test]
fn a_class_that_only_the_test_rows_have_counts_as_wrong() {
    let table = rows(&[0.0, 1.0, 0.1, 0.9], &["a", "b", "a", "b"]);
    let model = train(&on_x("classification", "[]", "logistic_regression"), &table, &Silent).unwrap().model;
    let evaluation = evaluate(&model, &rows(&[0.0, 1.0, 0.0, 1.0], &["a", "b", "c", "c"])).unwrap();

    assert_eq!(evaluation.metrics["accuracy"], 0.5);
    assert_eq!(evaluation.confusion_matrix, [[1, 0, 0], [0, 1, 0], [1, 1, 0]]);
    assert_eq!((evaluation.classes[2].label.as_str(), evaluation.classes[2].support), ("c", 2));
    assert!(!evaluation.metrics.contains_key("log_loss"));
    assert!(evaluation.notes[0].starts_with("the model does not know `c`"), "{:?}", evaluation.notes);
}

#[test]
fn test_rows_of_one_class_have_no_ranking() {
    let table = rows(&[0.0, 1.0, 0.1, 0.9], &["a", "b", "a", "b"]);
    let model = train(&on_x("classification", "[]", "logistic_regression"), &table, &Silent).unwrap().model;
    let evaluation = evaluate(&model, &table.take(&[0, 2])).unwrap();
    assert!(evaluation.metrics.contains_key("log_loss"));
    assert!(evaluation.notes[0].starts_with("no `roc_auc`"), "{:?}", evaluation.notes);
}

#[test]
fn rows_without_truth_cannot_be_evaluated() {
    let table = rows(&[0.0, 1.0], &["a", "b"]);
    let model = train(&on_x("classification", "[]", "linear_svm"), &table, &Silent).unwrap().model;
    let unlabelled = Table::new(vec![
        Column::numbers("x", vec![1.0]),
        Column { name: "y".to_owned(), values: ColumnValues::Text(vec![None]) },
    ])
    .unwrap();
    let err = evaluate(&model, &unlabelled).unwrap_err();
    let expected = "none of the 1 rows has both a value of `y` and a prediction: the target is missing in every row";
    assert_eq!(err.to_string(), expected);
}

#[test]
fn scoring_names_the_column_that_is_missing_or_of_the_wrong_kind() {
    let table = rows(&[0.0, 1.0], &["a", "b"]);
    let model = train(&on_x("classification", "[]", "linear_svm"), &table, &Silent).unwrap().model;

    let without_x = Table::new(vec![Column::numbers("z", vec![1.0])]).unwrap();
    let err = model.predict(&without_x).unwrap_err().to_string();
    assert_eq!(err, "the model reads column `x`, which is missing; the columns given are `z`");

    let text_x = Table::new(vec![Column::texts("x", ["1.0"])]).unwrap();
    let err = model.predict(&text_x).unwrap_err().to_string();
    assert_eq!(err, "column `x` holds text values, numeric values are needed");
    let mixed_x = Table::new(vec![Column::texts("x", ["1.0", "NaN"])]).unwrap();
    let err = model.predict(&mixed_x).unwrap_err().to_string();
    assert_eq!(err, "column `x` must hold numbers, but row 2 of it holds `NaN`");

    let integer_x =
        Table::new(vec![Column { name: "x".to_owned(), values: ColumnValues::Integer(vec![Some(1)]) }]).unwrap();
    assert_eq!(model.predict(&integer_x).unwrap().label(0), Some("b"));
}

#[test]
fn a_row_that_cannot_be_scored_has_a_reason() {
    let table = number_rows(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]);
    let model = train(&on_x("regression", "[]", "ridge"), &table, &Silent).unwrap().model;
    let predictions = model.predict(&number_rows(&[1.0, NAN, f64::INFINITY], &[0.0; 3])).unwrap();
    assert!(predictions.number(0).is_some());
    assert_eq!(predictions.missing_reason(1), Some("`x` is missing"));
    assert_eq!(predictions.missing_reason(2), Some("`x` is not a finite number"));

    let no_values = Table::new(vec![Column { name: "x".to_owned(), values: ColumnValues::Text(vec![None]) }]).unwrap();
    assert_eq!(model.predict(&no_values).unwrap().missing_reason(0), Some("`x` is missing"));
}

#[test]
fn unknown_categories_are_counted_or_refused() {
    let colours = |values: &[&str]| {
        let labels = values.iter().map(|value| if *value == "red" { "warm" } else { "cold" });
        Table::new(vec![Column::texts("x", values.iter().copied()), Column::texts("y", labels)]).unwrap()
    };
    let table = colours(&["red", "blue", "red", "blue"]);
    let ignoring = train(&on_x("classification", "[one_hot]", "linear_svm"), &table, &Silent).unwrap().model;
    let predictions = ignoring.predict(&colours(&["green", "red", "pink"])).unwrap();
    assert_eq!(predictions.unknown_categories["x"], 2);
    assert_eq!(predictions.label(1), Some("warm"));

    let refusing = on_x("classification", "[{one_hot: {unknown: error}}]", "linear_svm");
    let refusing = train(&refusing, &table, &Silent).unwrap().model;
    let err = refusing.predict(&colours(&["green"])).unwrap_err().to_string();
    assert!(err.starts_with("column `x` has category `green`, which the training rows do not have"), "{err}");
}

#[test]
fn wide_sparse_features_are_not_made_dense() {
    let words: Vec<String> = (0..3000).map(|row| format!("word{row}")).collect();
    let labels = (0..3000).map(|row| if row % 2 == 0 { "even" } else { "odd" });
    let table = Table::new(vec![Column::texts("x", words), Column::texts("y", labels)]).unwrap();
    check_error(
        train(&on_x("classification", "[tfidf]", "random_forest"), &table, &Silent),
        "3000 rows of 3000 sparse features are too many to be made dense: at most 1024 features",
    );
}

#[test]
fn texts_without_words_are_an_error_in_training_and_not_in_scoring() {
    let table = |texts: [&str; 2]| Table::new(vec![Column::texts("x", texts), Column::texts("y", ["a", "b"])]).unwrap();
    let pipeline = on_x("classification", "[tfidf]", "linear_svm");
    check_error(train(&pipeline, &table(["!", ""]), &Silent), "no term is left of 2 documents with 0 terms");

    let model = train(&pipeline, &table(["good", "bad"]), &Silent).unwrap().model;
    assert!(model.predict(&table(["?", "unseen"])).unwrap().missing.is_empty());
}

#[test]
fn negative_counts_are_an_error_for_multinomial_naive_bayes() {
    let table = rows(&[-1.0, 1.0], &["a", "b"]);
    check_error(
        train(&on_x("classification", "[]", "multinomial_naive_bayes"), &table, &Silent),
        "`multinomial_naive_bayes` reads counts, and a feature has the value -1",
    );
}

fn prices(closes: &[f64]) -> Table {
    let days = (0..closes.len()).map(|day| day as f64).collect();
    Table::new(vec![
        Column::texts("symbol", vec!["A"; closes.len()]),
        Column::numbers("day", days),
        Column::numbers("close", closes.to_vec()),
    ])
    .unwrap()
}

fn next_close() -> PipelineSpec {
    spec(
        "{version: 1, name: m, task: regression, target: next, derive: [{column: change, op: diff, of: close, by: symbol, \
         order: day}, {column: next, op: lead, of: close, by: symbol, order: day}], features: [{columns: [close, change]}], \
         estimator: {kind: ridge}, baselines: [{kind: column, column: close}]}",
    )
}

#[test]
fn rows_at_the_ends_of_a_series_are_dropped_and_counted() {
    let trained = train(&next_close(), &prices(&[1.0, 2.0, 3.0, 5.0, 8.0]), &Silent).unwrap();
    assert_eq!((trained.summary.n_rows, trained.summary.n_rows_used), (5, 3));
    assert_eq!(trained.summary.dropped["target `next` is missing"], 1);
    assert_eq!(trained.summary.dropped["derived feature `change` is missing"], 1);

    let inputs: Vec<&str> = trained.model.signature().inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(inputs, ["close", "symbol", "day"]);
    let predictions = trained.model.predict(&prices(&[8.0, 9.0])).unwrap();
    assert_eq!(predictions.missing_reason(0), Some("`change` needs 1 earlier rows of the same `symbol` with `close`"));
    assert!(predictions.number(1).is_some());
}

#[test]
fn windows_reach_over_the_edge_of_a_split_and_baselines_see_the_same_rows() {
    let table = prices(&[1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0]);
    let (train_part, test_part) = ([0, 1, 2, 3], [4, 5, 6]);
    let trained = train_rows(&next_close(), &table, &train_part, &Silent).unwrap();
    let comparison = compare(&trained.model, &table, &train_part, &test_part).unwrap();
    assert_eq!((comparison.model.n_samples, comparison.model.n_without_target), (2, 1));
    assert_eq!(comparison.model.n_without_prediction, 0);
    assert_eq!(comparison.baselines[0].n_samples, 2);
    assert_eq!(comparison.baselines[0].metrics["mae"], 6.5);
}

#[test]
fn settings_of_text_steps_are_checked() {
    let pipeline = |settings: &str| {
        format!(
            "{{version: 1, name: m, task: classification, target: y, estimator: linear_svm, features: [{{columns: [x], \
             steps: [{{tfidf: {settings}}}]}}]}}"
        )
    };
    check_faults(
        &pipeline("{analyzer: char, stop_words: english, stem: english}"),
        &["steps[0].stop_words`: are for `analyzer: word` only", "steps[0].stem`: is for `analyzer: word` only"],
    );
    check_faults(
        &pipeline("{hash: {features: 0}, min_df: 2, sublinear_tf: true}"),
        &[
            "steps[0].hash.features`: must be from 1 to",
            "steps[0].min_df`: needs a vocabulary",
            "set `hash.signed: false`",
        ],
    );
    check_faults(
        &pipeline("{stop_words: german}"),
        &["unknown stop words `german`, expected `none`, `english` or a list"],
    );
    check_faults(&pipeline("{analyzer: words}"), &["unknown variant `words`"]);
}

#[test]
fn texts_of_many_words_are_learnt_from_and_those_of_none_are_an_error() {
    let on_text = |settings: &str, estimator: &str| {
        spec(&format!(
            "{{version: 1, name: m, task: classification, target: y, estimator: {estimator}, features: [{{columns: [x], \
             steps: [{{tfidf: {settings}}}]}}]}}"
        ))
    };
    let texts = |texts: Vec<String>| {
        let labels = (0..texts.len()).map(|row| ["a", "b", "c"][row % 3]);
        Table::new(vec![Column::texts("x", texts.clone()), Column::texts("y", labels)]).unwrap()
    };
    let text = |row: usize| (0..2000).map(|word| format!("w{}", row * 2000 + word)).collect::<Vec<_>>().join(" ");
    let many = texts((0..60).map(text).collect());
    for estimator in
        ["linear_svm", "nb_svm", "complement_naive_bayes", "{kind: logistic_regression, classes: multinomial}"]
    {
        let trained = train(&on_text("{}", estimator), &many, &Silent).unwrap();
        assert_eq!(trained.summary.n_features, 120_000, "{estimator}");
        assert_eq!(trained.model.predict(&many).unwrap().label(1), Some("b"), "{estimator}");
    }
    let none = texts(vec!["!".to_owned(), "?".to_owned()]);
    check_error(train(&on_text("{}", "linear_svm"), &none, &Silent), "no term is left of 2 documents with 0 terms");
    let model = train(&on_text("{hash: {features: 8}}", "linear_svm"), &none, &Silent).unwrap().model;
    assert!(model.predict(&none).unwrap().label(0).is_some());
    let naive = train(&on_text("{hash: {features: 8}}", "nb_svm"), &many, &Silent);
    check_error(naive, "`nb_svm` reads counts, and a feature has the value -");
}
