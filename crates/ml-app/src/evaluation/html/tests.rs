//! Tests of the page as a whole.

use ml_core::table::{Column, Table};
use ml_train::evaluate::bootstrap::BootstrapOptions;
use ml_train::evaluate::importance::ImportanceOptions;
use ml_train::evaluate::leaks::TimeOrder;
use ml_train::evaluate::study::{StudyOptions, StudyRows, study};
use ml_train::evaluate::threshold::Costs;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train_rows;
use serde_json::Value;

use super::*;

const N_ROWS: usize = 200;

/// The report on a model whose classes and groups are named by `names`, with everything in it.
fn report(task: &str, names: [&str; 2]) -> EvaluateReport {
    let numbers: Vec<f64> = (0..N_ROWS).map(|row| (row * 37 % 101) as f64).collect();
    let is_second = |row: usize| numbers[row] + (row * 13 % 40) as f64 > 70.0;
    let target = match task {
        "regression" => Column::numbers("y", numbers.iter().map(|number| 3.0 * number + number.sin()).collect()),
        _ => Column::texts("y", (0..N_ROWS).map(|row| names[usize::from(is_second(row))])),
    };
    let groups = Column::texts("group", (0..N_ROWS).map(|row| names[row % 2]));
    let table = Table::new(vec![Column::numbers("x", numbers), groups, target]).unwrap();
    let estimator = if task == "regression" { "linear_regression" } else { "logistic_regression" };
    let spec = format!(
        "version: 1\nname: m\ntask: {task}\ntarget: y\nfeatures:\n  - {{ columns: [x], steps: [standardise] }}\nestimator: {{ kind: {estimator} }}\n"
    );
    let spec = PipelineSpec::from_yaml(&spec).unwrap();
    let (train, scored): (Vec<usize>, Vec<usize>) = (0..N_ROWS).partition(|row| row % 3 > 0);
    let model = train_rows(&spec, &table, &train, &Silent).unwrap().model;
    let costs = Costs { positive: Some(names[1].to_owned()), false_positive: 1.0, false_negative: 3.0 };
    let options = StudyOptions {
        bootstrap: BootstrapOptions { resamples: 50, ..BootstrapOptions::default() },
        slice_by: vec!["group".to_owned()],
        costs: (task != "regression").then_some(costs),
        importance: Some(ImportanceOptions::default()),
        learning_curve: true,
        champion: Some(&model),
        ..StudyOptions::default()
    };
    let rows = StudyRows {
        table: &table,
        train: &train,
        validation: &[],
        scored: &scored,
        time_order: TimeOrder::NotExpected,
    };
    let studied = study(&model, rows, &options, &Silent).unwrap();
    EvaluateReport {
        model: "m@2".to_owned(),
        against: Some("m@1".to_owned()),
        dataset: "d@1".to_owned(),
        split: ml_core::dataset::Split::Test,
        evaluated_at: chrono::DateTime::UNIX_EPOCH,
        n_samples: studied.evaluation.n_samples as u64,
        counted: crate::counted::Counted::of(&studied.evaluation),
        metrics: studied.evaluation.metrics.clone(),
        details: Value::Null,
        task: spec.task,
        study: studied,
    }
}

/// Checks that every element that is opened is closed, in order.
fn check_nesting(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') || ["meta", "br"].contains(&name) {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "left open");
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    for task in ["classification", "regression"] {
        let page = page(&report(task, ["ham", "spam"]));
        for foreign in ["<script", "src=", "href=", "http", "url(", "@import"] {
            assert!(!page.contains(foreign), "{task}: {foreign}");
        }
        assert!(page.contains("prefers-color-scheme: dark"));
        check_nesting(&page);
    }
}

#[test]
fn the_page_has_every_part() {
    let classes = page(&report("classification", ["ham", "spam"]));
    for part in ["Against m@1", "no significant difference", "Figures", "Classes", "ROC", "Reliability", "Threshold"] {
        assert!(classes.to_lowercase().contains(&part.to_lowercase()), "{part}");
    }
    let numbers = page(&report("regression", ["a", "b"]));
    for part in ["Predicted over true", "By group", "Where it is worst", "What matters", "Would more rows help?"] {
        assert!(numbers.contains(part), "{part}");
    }
    assert!(!numbers.contains("Threshold of least cost"));
}

#[test]
fn names_keep_their_case_and_are_code() {
    assert_eq!(prose("`a<b` is after `c` in 3 rows"), "<code>a&lt;b</code> is after <code>c</code> in 3 rows");
    assert_eq!(prose("no mark, and one ` alone"), "No mark, and one ` alone");
    let page = page(&report("classification", ["ham", "spam"]));
    assert!(!page.contains('`') && !page.contains("M@1"), "{page}");
    assert!(page.contains("<code>m@1</code>"), "{page}");
}

#[test]
fn of_many_classes_it_is_said_whose_curves_are_drawn() {
    let mut report = report("classification", ["ham", "spam"]);
    let all = |report: &EvaluateReport| page(report).contains("classes are drawn");
    assert!(!all(&report));
    let curve = report.study.curves[0].clone();
    report.study.curves.push(curve);
    let class = report.study.evaluation.classes[0].clone();
    report.study.evaluation.classes.push(class);
    assert!(page(&report).contains("Curves of 2 of 3 classes are drawn, those with most rows."));
}

#[test]
fn names_from_the_data_are_not_markup() {
    let page = page(&report("classification", ["<img src=x onerror=alert(1)>", "\"><b>spam</b>"]));
    assert!(!page.contains("<img") && !page.contains("<b>"));
    check_nesting(&page);
}

#[test]
fn the_same_study_gives_the_same_page() {
    assert_eq!(page(&report("classification", ["a", "b"])), page(&report("classification", ["a", "b"])));
}
