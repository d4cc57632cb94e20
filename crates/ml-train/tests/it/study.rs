//! What a study finds out about a model: leaks, what matters, thresholds, and that it is the same on any number of threads.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use ml_core::table::{Column, ColumnValues, Table};
use ml_train::error::EvaluateError;
use ml_train::evaluate::bootstrap::BootstrapOptions;
use ml_train::evaluate::importance::ImportanceOptions;
use ml_train::evaluate::leaks::{LeakKind, TimeOrder};
use ml_train::evaluate::study::{Study, StudyOptions, StudyRows, study};
use ml_train::evaluate::threshold::Costs;
use ml_train::evaluate::versus::Verdict;
use ml_train::model::TrainedModel;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train_rows;

const N_ROWS: usize = 600;

/// A number from 0 to 1 that looks like chance, for a row and what it is for.
fn chance(row: usize, what: u64) -> f64 {
    let mut bits = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ what.wrapping_mul(0xd134_2543_de82_ef95);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Rows whose class follows from `signal`, with some noise, and not from `noise`; `group` f has the classes turned round.
fn table() -> Table {
    let signal: Vec<f64> = (0..N_ROWS).map(|row| chance(row, 1)).collect();
    let groups: Vec<&str> = (0..N_ROWS).map(|row| if chance(row, 2) < 0.1 { "f" } else { "e" }).collect();
    let label = |row: usize| {
        let is_high = signal[row] + 0.3 * (chance(row, 3) - 0.5) > 0.6;
        if is_high == (groups[row] == "e") { "yes" } else { "no" }
    };
    let labels: Vec<&str> = (0..N_ROWS).map(label).collect();
    let noise: Vec<f64> = (0..N_ROWS).map(|row| chance(row, 4)).collect();
    Table::new(vec![
        Column::numbers("signal", signal),
        Column::numbers("noise", noise),
        Column::texts("group", groups),
        Column::texts("label", labels),
    ])
    .unwrap()
}

fn spec(columns: &str, estimator: &str) -> PipelineSpec {
    let text = format!(
        "version: 1\nname: m\ntask: classification\ntarget: label\nseed: 5\nfeatures:\n  - {{ columns: [{columns}], steps: [standardise] }}\nestimator: {estimator}\n"
    );
    PipelineSpec::from_yaml(&text).unwrap()
}

/// Two thirds of the rows to fit on, and the rest in two halves to choose and to judge by.
fn divided(n_rows: usize) -> [Vec<usize>; 3] {
    let part = |parts: &[usize]| (0..n_rows).filter(|row| parts.contains(&(row % 6))).collect();
    [part(&[0, 1, 2, 3]), part(&[4]), part(&[5])]
}

fn trained(table: &Table, columns: &str) -> TrainedModel {
    let [train, ..] = divided(table.n_rows());
    train_rows(&spec(columns, "{ kind: logistic_regression }"), table, &train, &Silent).unwrap().model
}

fn studied(model: &TrainedModel, table: &Table, options: &StudyOptions<'_>) -> Result<Study, EvaluateError> {
    let [train, validation, scored] = divided(table.n_rows());
    let rows = StudyRows {
        table,
        train: &train,
        validation: &validation,
        scored: &scored,
        time_order: TimeOrder::NotExpected,
    };
    study(model, rows, options, &Silent)
}

fn everything(champion: &TrainedModel) -> StudyOptions<'_> {
    StudyOptions {
        bootstrap: BootstrapOptions { resamples: 200, ..BootstrapOptions::default() },
        slice_by: vec!["group".to_owned()],
        costs: Some(Costs { positive: Some("yes".to_owned()), false_positive: 1.0, false_negative: 5.0 }),
        importance: Some(ImportanceOptions::default()),
        learning_curve: true,
        champion: Some(champion),
        ..StudyOptions::default()
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let table = table();
    let (model, champion) = (trained(&table, "signal, noise"), trained(&table, "noise"));
    let with_threads = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        serde_json::to_string(&pool.install(|| studied(&model, &table, &everything(&champion)).unwrap())).unwrap()
    };
    assert_eq!(with_threads(1), with_threads(3));
}

#[test]
fn a_study_comes_back_from_json() {
    let table = table();
    let model = trained(&table, "signal");
    let found = studied(&model, &table, &everything(&model)).unwrap();
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Study>(&text).unwrap(), found);
}

#[test]
fn figures_have_rows_and_intervals() {
    let table = table();
    let found = studied(&trained(&table, "signal"), &table, &StudyOptions::default()).unwrap();
    // Resampling makes probabilities look worse calibrated than they are.
    for (name, value) in found.evaluation.metrics.iter().filter(|(name, _)| *name != "expected_calibration_error") {
        let measured = found.measured.figures[name];
        assert_eq!((measured.value, measured.n_samples), (*value, 100), "{name}");
        let interval = measured.interval.unwrap_or_else(|| panic!("{name} has no interval"));
        assert!(
            interval.low <= *value && *value <= interval.high && interval.low < interval.high,
            "{name}: {measured:?}"
        );
    }
}

#[test]
fn the_column_that_matters_is_told_from_the_one_that_does_not() {
    let table = table();
    let model = trained(&table, "noise, signal");
    let found = studied(&model, &table, &everything(&model)).unwrap().importance.unwrap();
    assert_eq!(found.columns[0].column, "signal");
    assert_eq!(found.columns[0].repeats.len(), 5);
    assert!(found.columns[0].mean > 0.15 && found.columns[1].mean.abs() < 0.05, "{found:?}");
}

#[test]
fn the_group_that_is_judged_wrongly_is_found() {
    let table = table();
    let model = trained(&table, "signal");
    let found = studied(&model, &table, &everything(&model)).unwrap();
    let slices = &found.slices[0].slices;
    let accuracy = |label: &str| slices.iter().find(|slice| slice.label == label).unwrap().metrics["accuracy"];
    assert!(accuracy("e") > 0.8 && accuracy("f") < 0.3, "{slices:?}");

    // As `f` has too few of the hundred rows to be looked at by itself, all rows are judged.
    let rows: Vec<usize> = (0..N_ROWS).collect();
    let rows =
        StudyRows { table: &table, train: &[], validation: &[], scored: &rows, time_order: TimeOrder::NotExpected };
    let worst = study(&model, rows, &StudyOptions::default(), &Silent).unwrap().worst_slices;
    assert!(worst.slices[0].conditions.contains(&("group".to_owned(), "f".to_owned())), "{worst:?}");
    assert!(worst.slices[0].low > 0.3, "{worst:?}");
}

#[test]
fn a_threshold_is_chosen_on_validation_rows() {
    let table = table();
    let model = trained(&table, "signal");
    let choice = studied(&model, &table, &everything(&model)).unwrap().threshold.unwrap();
    assert_eq!((choice.n_chosen_on, choice.n_samples, choice.is_judged_elsewhere), (100, 100, true));
    assert!(choice.chosen.threshold < 0.5 && choice.chosen.false_negatives <= choice.usual.false_negatives);
    assert!((choice.theoretical.unwrap() - 1.0 / 6.0).abs() < 1e-12);
}

#[test]
fn a_model_that_knows_something_beats_one_that_does_not() {
    let table = table();
    let (knowing, guessing) = (trained(&table, "signal"), trained(&table, "noise"));
    let verdict = |model, champion| studied(model, &table, &everything(champion)).unwrap().versus.unwrap().verdict;
    assert_eq!(verdict(&knowing, &guessing), Verdict::ChallengerBetter);
    assert_eq!(verdict(&guessing, &knowing), Verdict::ChampionBetter);
    assert_eq!(verdict(&knowing, &knowing), Verdict::NoSignificantDifference);
}

#[test]
fn more_rows_are_fitted_on_from_point_to_point() {
    let table = table();
    let model = trained(&table, "signal");
    let curve = studied(&model, &table, &everything(&model)).unwrap().learning_curve.unwrap();
    let sizes: Vec<usize> = curve.points.iter().map(|point| point.n_train).collect();
    assert_eq!(sizes, [20, 40, 80, 160, 280, 400]);
    let last = curve.points.last().unwrap().on_scored.unwrap();
    assert_eq!(
        last,
        studied(&model, &table, &StudyOptions { bootstrap: everything(&model).bootstrap, ..StudyOptions::default() })
            .unwrap()
            .measured
            .figures["accuracy"]
    );
}

/// One instant per row, each a second after the one before.
fn instants(n_rows: usize) -> ColumnValues {
    let at = |row: usize| Some((SystemTime::UNIX_EPOCH + Duration::from_secs(row as u64)).into());
    ColumnValues::Time((0..n_rows).map(at).collect())
}

fn leaks_of(table: &Table, columns: &str, estimator: &str, steps: &str) -> Vec<LeakKind> {
    let text = format!(
        "version: 1\nname: m\ntask: classification\ntarget: label\nfeatures:\n  - {{ columns: [{columns}], steps: [{steps}] }}\nestimator: {{ kind: {estimator} }}\n"
    );
    let [train, ..] = divided(table.n_rows());
    let model = train_rows(&PipelineSpec::from_yaml(&text).unwrap(), table, &train, &Silent).unwrap().model;
    let found = studied(&model, table, &StudyOptions::default()).unwrap();
    found.leaks.into_iter().map(|leak| leak.kind).collect()
}

#[test]
fn honest_rows_have_no_leak() {
    assert_eq!(leaks_of(&table(), "signal, noise", "logistic_regression", "standardise"), []);
}

#[test]
fn a_column_that_is_the_target_is_a_leak() {
    let mut table = table();
    let labels = table.get("label").unwrap().as_texts();
    let telling = labels.iter().map(|label| if label.as_deref() == Some("yes") { 7.5 } else { 2.0 }).collect();
    table.push(Column::numbers("outcome_code", telling)).unwrap();
    assert_eq!(
        leaks_of(&table, "signal, outcome_code", "logistic_regression", "standardise"),
        [LeakKind::TellingColumn]
    );
}

#[test]
fn rows_that_were_fitted_on_are_a_leak() {
    let table = table();
    // Each judged row is one that was fitted on.
    let rows: Vec<usize> = (0..N_ROWS).map(|row| if row % 6 == 5 { row - 5 } else { row }).collect();
    assert_eq!(
        leaks_of(&table.take(&rows), "signal, noise", "logistic_regression", "standardise"),
        [LeakKind::DuplicateRows]
    );
}

#[test]
fn texts_that_are_nearly_those_that_were_fitted_on_are_a_leak() {
    const WORDS: [&str; 12] = [
        "grain", "vessel", "harbour", "price", "winter", "signal", "garden", "number", "river", "market", "stone",
        "letter",
    ];
    let text = |row: usize| -> String {
        let words = (0..40).map(|place| WORDS[(chance(row, 100 + place) * 12.0) as usize]);
        words.collect::<Vec<_>>().join(" ")
    };
    let texts = |near: bool| {
        (0..N_ROWS).map(move |row| match row % 6 {
            // A judged text is one that was fitted on, with another word at its end and other punctuation.
            5 if near => text(row - 5).replace(' ', ", ").to_uppercase() + " again",
            _ => text(row),
        })
    };
    let labels = (0..N_ROWS).map(|row| if chance(row, 9) < 0.5 { "a" } else { "b" });
    let table =
        |near| Table::new(vec![Column::texts("body", texts(near)), Column::texts("label", labels.clone())]).unwrap();
    assert_eq!(leaks_of(&table(true), "body", "logistic_regression", "tfidf: {}"), [LeakKind::NearDuplicateTexts]);
    assert_eq!(leaks_of(&table(false), "body", "logistic_regression", "tfidf: {}"), []);
}

#[test]
fn later_rows_in_training_are_a_leak_where_time_divides() {
    let mut table = table();
    table.push(Column { name: "event_time".to_owned(), values: instants(N_ROWS) }).unwrap();
    let model = trained(&table, "signal");
    let [train, _, scored] = divided(N_ROWS);
    let leaks = |time_order| {
        let rows = StudyRows { table: &table, train: &train, validation: &[], scored: &scored, time_order };
        let found = study(&model, rows, &StudyOptions::default(), &Silent).unwrap().leaks;
        found.into_iter().map(|leak| leak.kind).collect::<Vec<_>>()
    };
    assert_eq!(leaks(TimeOrder::Expected), [LeakKind::LaterTraining]);
    assert_eq!(leaks(TimeOrder::NotExpected), []);
}

#[test]
fn a_target_that_is_only_lagged_is_no_leak_and_what_tells_it_still_is() {
    let mut table = table();
    let code = |label: Option<&str>| if label == Some("yes") { 7.5 } else { 2.0 };
    let codes = table.get("label").unwrap().as_texts().iter().map(|label| code(label.as_deref())).collect();
    table.push(Column::numbers("seq", (0..N_ROWS).map(|row| row as f64).collect())).unwrap();
    table.push(Column::numbers("code", codes)).unwrap();
    let leaks = |columns: &str| {
        let pipeline = PipelineSpec::from_yaml(&format!(
            "{{version: 1, name: m, task: classification, target: label, derive: [{{column: before, op: lag, of: label, \
             order: seq}}, {{column: code_before, op: rolling_mean, of: code, window: 2, exclude_current: true, order: seq}}, \
             {{column: code_log, op: log, of: code}}], features: [{{columns: [before], steps: [one_hot]}}, {{columns: \
             [{columns}]}}], estimator: logistic_regression}}"
        ));
        let [train, ..] = divided(N_ROWS);
        let model = train_rows(&pipeline.unwrap(), &table, &train, &Silent).unwrap().model;
        let found = studied(&model, &table, &StudyOptions::default()).unwrap().leaks;
        found.into_iter().map(|leak| (leak.kind, leak.column.unwrap_or_default())).collect::<Vec<_>>()
    };
    assert_eq!(leaks("signal"), []);
    assert_eq!(leaks("code_before"), []);
    assert_eq!(leaks("code_log"), [(LeakKind::TellingColumn, "code".to_owned())]);
}

#[test]
fn times_after_the_event_are_a_leak_whether_they_are_times_or_texts() {
    let seconds =
        |shift: u64| (0..N_ROWS).map(move |row| UNIX_EPOCH + Duration::from_secs(86_400 * row as u64 + shift));
    let times = |shift| -> Vec<DateTime<Utc>> { seconds(shift).map(Into::into).collect() };
    let texts = |shift| times(shift).into_iter().map(|time| time.format("%Y-%m-%d %H:%M").to_string());
    let with = |closed: Column| {
        let mut table = table();
        let events = ColumnValues::Time(times(36_000).into_iter().map(Some).collect());
        table.push(Column { name: "event_time".to_owned(), values: events }).unwrap();
        table.push(closed).unwrap();
        table
    };
    let found = |closed: Column, steps: &str| leaks_of(&with(closed), "closed", "logistic_regression", steps);
    let date_parts = "date_parts: { parts: [hour, weekday] }";
    let hours = |hours: u64| 3600 * hours;

    let later = ColumnValues::Time(times(hours(12)).into_iter().map(Some).collect());
    assert_eq!(found(Column { name: "closed".to_owned(), values: later }, date_parts), [LeakKind::LaterColumn]);
    assert_eq!(found(Column::texts("closed", texts(hours(12))), date_parts), [LeakKind::LaterColumn]);
    assert_eq!(
        found(Column::texts("closed", texts(hours(12))), "hash_encode: { n_features: 8 }"),
        [LeakKind::LaterColumn]
    );
    assert_eq!(found(Column::texts("closed", texts(hours(9))), date_parts), []);
    let mixed = texts(hours(12)).enumerate().map(|(row, text)| if row % 7 == 0 { format!("open {row}") } else { text });
    assert_eq!(found(Column::texts("closed", mixed), "hash_encode: { n_features: 8 }"), []);
}

#[test]
fn what_cannot_be_studied_is_said() {
    let table = table();
    let model = trained(&table, "signal");
    let message = |options: StudyOptions<'_>| studied(&model, &table, &options).unwrap_err().to_string();
    let of_figure = |figure: &str| StudyOptions { figure: Some(figure.to_owned()), ..everything(&model) };
    assert!(message(of_figure("acuracy")).contains("the figures are accuracy"));
    assert!(message(of_figure("rmse")).contains("rmse"));
    let unknown = StudyOptions { slice_by: vec!["country".to_owned()], ..StudyOptions::default() };
    assert!(message(unknown).contains("no column `country`"));
}

#[test]
fn few_rows_have_figures_and_few_intervals() {
    let table = table();
    let model = trained(&table, "signal");
    for n_rows in 1..=3 {
        let scored: Vec<usize> = (0..n_rows).collect();
        let rows = StudyRows {
            table: &table,
            train: &[9, 10],
            validation: &[],
            scored: &scored,
            time_order: TimeOrder::Expected,
        };
        let options = StudyOptions { learning_curve: true, ..everything(&model) };
        let found = study(&model, rows, &options, &Silent).unwrap();
        assert_eq!(found.measured.n_samples, n_rows);
        assert!(found.measured.figures.values().all(|figure| figure.value.is_finite()));
    }
    let rows = StudyRows { table: &table, train: &[], validation: &[], scored: &[], time_order: TimeOrder::Expected };
    let err = study(&model, rows, &StudyOptions::default(), &Silent).unwrap_err().to_string();
    assert!(err.contains("there are no rows to score"), "{err}");
}
