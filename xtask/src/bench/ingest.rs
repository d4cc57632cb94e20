//! Ingest and sync of many records with the release build, beside a Python script that does the same ingest.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value as Json;

use crate::bench::memory::{Measurement, measure};
use crate::bench::{InputArgs, write_input};
use crate::cargo::{cargo, read, root, run as run_command};

/// What `ml-app ingest` is told about the records.
pub(super) const INGEST_FLAGS: &str =
    "--data-type tabular --source-app bench --id-field id --time-field event_time --source-field source";

/// Makes the input, measures each program once on fresh folders, and prints the figures.
pub(crate) fn run(input: &InputArgs) -> Result<()> {
    let program = build()?;
    let folder = tempfile::Builder::new().prefix("ml-app-bench-").tempdir();
    let folder = folder.context("cannot make a temporary folder")?;
    let folder = folder.path();
    let records = folder.join("records.jsonl");
    let mean_bytes = write_input(input, &records)? / input.records.max(1);
    println!("{} records of {mean_bytes} bytes on average, seed {}", input.records, input.seed);

    let mut command = ml_app(&program, folder);
    let ingest = measure(command.arg("ingest").arg(&records).args(INGEST_FLAGS.split(' ')))?;
    let sync = measure(ml_app(&program, folder).arg("sync"))?;
    let script = root().join("benches/ingest/ingest.py");
    let database = folder.join("python.sqlite");
    let python = measure(Command::new("python3").args([&script, &records, &database]))?;

    print_figures(input.records, &[("ingest", &ingest), ("sync", &sync), ("Python ingest", &python)]);
    let ratio = python.duration.as_secs_f64() / ingest.duration.as_secs_f64();
    println!("\ningest is {ratio:.1} times as fast as the Python script");
    Ok(())
}

/// Builds the program and returns where it is; one that `ML_APP_BIN` names is taken as it is.
pub(super) fn build() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("ML_APP_BIN") {
        return Ok(program.into());
    }
    run_command(&mut cargo(&["build", "--release", "--package", "ml-app"]))?;
    let metadata = read(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Json = serde_json::from_str(&metadata).context("cannot read what `cargo metadata` wrote")?;
    let target = metadata["target_directory"].as_str().context("`cargo metadata` names no target folder")?;
    Ok(Path::new(target).join("release").join(format!("ml-app{}", std::env::consts::EXE_SUFFIX)))
}

/// Returns the program with its data in `folder`, where no configuration file is.
fn ml_app(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).args([OsStr::new("--data-dir"), folder.join("ml-data").as_os_str()]);
    command
}

pub(super) fn print_figures(n_records: u64, measurements: &[(&str, &Measurement)]) {
    let heads = ("records/s", "seconds", "peak MB", "most MB in each quarter of the time");
    println!("\n{:<16} {:>11} {:>9} {:>9}   {}", "", heads.0, heads.1, heads.2, heads.3);
    for (name, measurement) in measurements {
        println!("{}", row(name, n_records, measurement));
    }
}

fn row(name: &str, n_records: u64, measurement: &Measurement) -> String {
    let seconds = measurement.duration.as_secs_f64();
    let trace: Vec<String> = measurement.resident_bytes_by_quarter().map(megabytes).into();
    let per_second = n_records as f64 / seconds;
    let peak = megabytes(measurement.peak_bytes());
    format!("{name:<16} {per_second:>11.0} {seconds:>9.2} {peak:>9}   {}", trace.join(", "))
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1e6))
}
