//! Ingest and sync of many records with the release build, beside a Python script that does the same ingest.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value as Json;

use crate::bench::memory::{Measurement, measure};
use crate::bench::{InputArgs, write_input};
use crate::cargo::{cargo, read, root, run as run_command};

/// After which shares of the time the memory is shown.
const SHARES: [f64; 4] = [0.25, 0.5, 0.75, 1.0];

/// Makes the input, measures each program once on fresh folders, and prints the figures.
pub(crate) fn run(input: &InputArgs) -> Result<()> {
    let program = build()?;
    let folder =
        tempfile::Builder::new().prefix("ml-app-bench-").tempdir().context("cannot make a temporary folder")?;
    let folder = folder.path();
    let records = folder.join("records.jsonl");
    let size_bytes = write_input(input, &records)?;
    println!(
        "{} records of {} bytes on average, seed {}",
        input.records,
        size_bytes / input.records.max(1),
        input.seed
    );

    let ingest = measure(ml_app(&program, folder).arg("ingest").arg(&records).args([
        "--data-type",
        "tabular",
        "--source-app",
        "bench",
        "--id-field",
        "id",
        "--time-field",
        "event_time",
        "--source-field",
        "source",
    ]))?;
    let sync = measure(ml_app(&program, folder).arg("sync"))?;
    let script = root().join("benches/ingest/ingest.py");
    let database = folder.join("python.sqlite");
    let python = measure(Command::new("python3").args([&script, &records, &database]))?;

    println!(
        "\n{:<14} {:>11} {:>9} {:>9}   MB after 25, 50, 75, 100 % of the time",
        "", "records/s", "seconds", "peak MB"
    );
    for (name, measurement) in [("ingest", &ingest), ("sync", &sync), ("Python ingest", &python)] {
        println!("{}", row(name, input.records, measurement));
    }
    let ratio = python.duration.as_secs_f64() / ingest.duration.as_secs_f64();
    println!("\ningest is {ratio:.1} times as fast as the Python script");
    Ok(())
}

/// Builds the program and returns where it is.
fn build() -> Result<PathBuf> {
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

fn row(name: &str, n_records: u64, measurement: &Measurement) -> String {
    let seconds = measurement.duration.as_secs_f64();
    let trace: Vec<String> = SHARES.map(|share| megabytes(measurement.resident_bytes_at(share))).into();
    let per_second = n_records as f64 / seconds;
    let peak = megabytes(measurement.peak_bytes());
    format!("{name:<14} {per_second:>11.0} {seconds:>9.2} {peak:>9}   {}", trace.join(", "))
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1e6))
}
