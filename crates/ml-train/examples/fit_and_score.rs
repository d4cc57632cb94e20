//! Fits a pipeline on the train split of a CSV or JSONL file, scores the test split, and writes times and figures as JSON:
//! `fit_and_score PIPELINE.yaml DATA FIGURES.json`. `cargo xtask bench tabular` and `… text` run it beside scikit-learn.
#![expect(clippy::unwrap_used, reason = "a measurement that fails says where")]

use std::path::Path;
use std::time::Instant;

use ml_train::evaluate::evaluate_rows;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train_rows;

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod support;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pipeline, data, figures] = arguments.as_slice() else { panic!("PIPELINE.yaml DATA FIGURES.json") };
    let spec = PipelineSpec::from_yaml(&std::fs::read_to_string(pipeline).unwrap()).unwrap();
    let table = support::read_for(&spec, Path::new(data));
    let (train, test) = support::splits(&table);

    let start = Instant::now();
    let trained = train_rows(&spec, &table, &train, &Silent).unwrap();
    let fit_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let predictions = trained.model.predict_rows(&table, &test).unwrap();
    let score_seconds = start.elapsed().as_secs_f64();

    assert_eq!(predictions.n_rows(), test.len());
    let evaluation = evaluate_rows(&trained.model, &table, &test).unwrap();
    let mut scores = evaluation.metrics;
    scores.extend(evaluation.classes.into_iter().map(|class| (format!("f1_{}", class.label), class.f1)));
    let found = serde_json::json!({
        "fit_seconds": fit_seconds,
        "score_seconds": score_seconds,
        "scores": scores,
        "warnings": trained.summary.warnings,
    });
    std::fs::write(figures, found.to_string()).unwrap();
}
