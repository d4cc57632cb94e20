//! Compares settings of an estimator on the train split of a CSV file alone, by five folds drawn by the seed of the
//! pipeline: `cross_validate PIPELINE.yaml DATA.csv.gz FIGURE '{learning_rate: 0.05}' '{l2: 1}' …`.
//!
//! It prints the mean of the figure over the folds, its standard error, and the time of the fits, one line per settings.
//! The settings of the bundled pipelines for tables were chosen by it.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for the desk prints, and fails loudly")]

use std::path::Path;
use std::time::Instant;

use ml_core::table::Table;
use ml_train::evaluate::evaluate_rows;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train_rows;
use serde_yaml_ng::Value;

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod support;

const N_FOLDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pipeline, data, figure, settings @ ..] = arguments.as_slice() else {
        panic!("PIPELINE.yaml DATA.csv.gz FIGURE SETTINGS…")
    };
    let pipeline: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(pipeline).unwrap()).unwrap();
    let table = support::read_csv(Path::new(data));
    let (train, _) = support::splits(&table);
    for settings in settings {
        let spec = with_settings(&pipeline, settings);
        let start = Instant::now();
        let figures: Vec<f64> = (0..N_FOLDS).map(|fold| figure_of_fold(&spec, &table, &train, fold, figure)).collect();
        let mean = figures.iter().sum::<f64>() / N_FOLDS as f64;
        let variance = figures.iter().map(|figure| (figure - mean).powi(2)).sum::<f64>() / (N_FOLDS - 1) as f64;
        let error = (variance / N_FOLDS as f64).sqrt();
        println!("{mean:.5} ± {error:.5}  {:>6.2} s  {settings}", start.elapsed().as_secs_f64());
    }
}

fn with_settings(pipeline: &Value, settings: &str) -> PipelineSpec {
    let mut pipeline = pipeline.clone();
    let Value::Mapping(settings) = serde_yaml_ng::from_str(settings).unwrap() else { panic!("settings are a mapping") };
    for (name, value) in settings {
        pipeline["estimator"][name] = value;
    }
    PipelineSpec::from_yaml(&serde_yaml_ng::to_string(&pipeline).unwrap()).unwrap()
}

/// Fits on the rows that are not of the fold, and returns the figure on those that are.
fn figure_of_fold(spec: &PipelineSpec, table: &Table, rows: &[usize], fold: usize, figure: &str) -> f64 {
    // A row's fold follows from its place by a multiplicative hash, which the seed shifts.
    let fold_of = |row: usize| ((row as u64 ^ spec.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize % N_FOLDS;
    let (outside, inside): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&row| fold_of(row) != fold);
    let model = train_rows(spec, table, &outside, &Silent).unwrap().model;
    evaluate_rows(&model, table, &inside).unwrap().metrics[figure]
}
