//! How long it takes to score one text in process: `cargo bench -p ml-train --bench latency`.
//!
//! The model is that of `newsgroups.yaml`, fitted on the train split and read back from its bytes. A text is in a table of
//! one row, as an application hands it over. Measured are the text of median length of the test split again and again, and
//! all its texts by turns, of which the longest have hundreds of times as many characters. Each call is timed by itself, so
//! that percentiles can be told beside criterion's means.
#![expect(clippy::unwrap_used, reason = "a measurement that fails says where")]
#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::time::{Duration, Instant};

use criterion::Criterion;
use ml_core::table::{ColumnValues, Table};
use ml_train::model::TrainedModel;
use ml_train::progress::Silent;
use ml_train::train::train_rows;

#[path = "../tests/it/support.rs"]
mod support;

/// How many calls fill the caches before any counts.
const N_WARM_UP: usize = 1000;

fn main() {
    let Some(folder) = support::data_set("newsgroups20") else { return };
    let spec = support::bundled_pipeline("newsgroups.yaml");
    let table = support::read_for(&spec, &folder.join("data.jsonl.gz"));
    let (train, test) = support::splits(&table);
    let fitted = train_rows(&spec, &table, &train, &Silent).unwrap().model;
    let model = TrainedModel::from_bytes(&fitted.to_bytes().unwrap()).unwrap();

    // In the order of the file, as texts of all lengths come.
    let all: Vec<Table> = test.iter().map(|&row| table.take(&[row])).collect();
    let mut by_length: Vec<&Table> = all.iter().collect();
    by_length.sort_by_key(|text| n_characters(text));
    let median = by_length[by_length.len() / 2];

    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, "one text of median length", &model, &[median]);
    measure(&mut criterion, "all texts by turns", &model, &all.iter().collect::<Vec<_>>());
    criterion.final_summary();
}

/// Scores the texts by turns, each call with one, and prints how long the calls take.
fn measure(criterion: &mut Criterion, name: &str, model: &TrainedModel, texts: &[&Table]) {
    let mut durations: Vec<Duration> = Vec::new();
    let mut turns = texts.iter().cycle();
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|n_calls| {
            let begin = durations.len();
            durations.extend((0..n_calls).filter_map(|_| turns.next()).map(|text| time(model, text)));
            durations[begin..].iter().sum()
        });
    });
    if durations.len() > N_WARM_UP {
        print(name, texts, durations.split_off(N_WARM_UP));
    }
}

fn time(model: &TrainedModel, text: &Table) -> Duration {
    let start = Instant::now();
    let predictions = model.predict(text).unwrap();
    let duration = start.elapsed();
    assert_eq!(predictions.n_rows(), 1);
    duration
}

fn print(name: &str, texts: &[&Table], mut durations: Vec<Duration>) {
    durations.sort_unstable();
    let at = |share: f64| durations[((durations.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    let longest = texts.iter().map(|text| n_characters(text)).max().unwrap_or(0);
    println!(
        "{name}: p50 {:.1} µs, p90 {:.1} µs, p99 {:.1} µs, {} calls, at most {longest} characters\n",
        at(0.5),
        at(0.9),
        at(0.99),
        durations.len()
    );
}

fn n_characters(table: &Table) -> usize {
    let texts = table.columns().iter().filter_map(|column| match &column.values {
        ColumnValues::Text(texts) => texts[0].as_deref(),
        _ => None,
    });
    texts.map(str::len).sum()
}
