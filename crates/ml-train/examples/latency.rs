//! Scores texts one at a time in process, and prints how long it takes: `latency PIPELINE.yaml DATA.jsonl.gz`.
//!
//! The model is fitted on the train split and read back from its bytes. Measured are all texts of the test split, and the
//! one of median length again and again; a text is in a table of one row, as an application hands it over.
#![expect(clippy::unwrap_used, reason = "a measurement that fails says where")]
#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::path::Path;
use std::time::{Duration, Instant};

use ml_core::table::{ColumnValues, Table};
use ml_train::model::TrainedModel;
use ml_train::progress::Silent;
use ml_train::spec::PipelineSpec;
use ml_train::train::train_rows;

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod support;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pipeline, data] = arguments.as_slice() else { panic!("PIPELINE.yaml DATA.jsonl.gz") };
    let spec = PipelineSpec::from_yaml(&std::fs::read_to_string(pipeline).unwrap()).unwrap();
    let table = support::read_for(&spec, Path::new(data));
    let (train, test) = support::splits(&table);
    let fitted = train_rows(&spec, &table, &train, &Silent).unwrap().model;
    let model = TrainedModel::from_bytes(&fitted.to_bytes().unwrap()).unwrap();

    let mut texts: Vec<Table> = test.iter().map(|&row| table.take(&[row])).collect();
    texts.sort_by_cached_key(n_characters);
    for text in texts.iter().step_by(7) {
        model.predict(text).unwrap();
    }
    // In the order of the file, as texts of all lengths come.
    let all = test.iter().map(|&row| time(&model, &table.take(&[row]))).collect();
    print("all texts of the test split", all);
    let median = &texts[texts.len() / 2];
    let repeated = (0..20_000).map(|_| time(&model, median)).collect();
    print(&format!("the text of median length ({} characters)", n_characters(median)), repeated);
}

fn time(model: &TrainedModel, text: &Table) -> Duration {
    let start = Instant::now();
    let predictions = model.predict(text).unwrap();
    let duration = start.elapsed();
    assert_eq!(predictions.n_rows(), 1);
    duration
}

fn n_characters(table: &Table) -> usize {
    let texts = table.columns().iter().filter_map(|column| match &column.values {
        ColumnValues::Text(texts) => texts[0].as_deref(),
        _ => None,
    });
    texts.map(str::len).sum()
}

fn print(what: &str, mut durations: Vec<Duration>) {
    durations.sort_unstable();
    let at = |share: f64| durations[((durations.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    let (median, tail, longest) = (at(0.5), at(0.99), at(1.0));
    println!("{what}: p50 {median:.1} µs, p99 {tail:.1} µs, longest {longest:.1} µs, {} times", durations.len());
}
