//! Measurements of the built programs, on synthetic input or on public data sets.

mod comparison;
mod ingest;
mod memory;
mod python;
mod records;
mod sync;
mod tabular;
mod text;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::bench::comparison::ComparisonArgs;
use crate::bench::records::RecordGenerator;
use crate::bench::sync::SyncArgs;

#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Measure ingest and sync of many records, and the same ingest as a Python script.
    #[command(after_help = "Example: cargo xtask bench ingest --records 100000")]
    Ingest(InputArgs),
    /// Measure MongoDB to PostgreSQL, beside a bare `COPY` and a Python script that does the same, and how late rows are.
    #[command(after_help = "Example: cargo xtask bench sync --records 100000")]
    Sync(SyncArgs),
    /// Measure training and scoring on tables, and the same by scikit-learn on the same rows.
    #[command(after_help = "Example: cargo xtask bench tabular --repeats 5")]
    Tabular(ComparisonArgs),
    /// Measure training and scoring on texts, and the same by scikit-learn on the same rows.
    #[command(after_help = "Example: cargo xtask bench text --set sms-spam")]
    Text(ComparisonArgs),
    /// Write the synthetic records to a file, as JSON lines.
    #[command(after_help = "Example: cargo xtask bench records --records 1000 /tmp/records.jsonl")]
    Records {
        #[command(flatten)]
        input: InputArgs,
        /// The file to write.
        file: PathBuf,
    },
}

/// Which input to make.
#[derive(Args)]
pub(crate) struct InputArgs {
    /// How many records.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Seed of the records; the same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs one measurement, or writes its input.
pub(crate) fn run(command: BenchCommand) -> Result<()> {
    match command {
        BenchCommand::Ingest(input) => ingest::run(&input),
        BenchCommand::Sync(args) => sync::run(&args),
        BenchCommand::Tabular(args) => tabular::run(&args),
        BenchCommand::Text(args) => text::run(&args),
        BenchCommand::Records { input, file } => {
            let size_bytes = write_input(&input, &file)?;
            println!("{} records, {size_bytes} bytes", input.records);
            Ok(())
        }
    }
}

/// Writes the records to `path` and to the disk below, and returns the size.
fn write_input(input: &InputArgs, path: &Path) -> Result<u64> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut out = BufWriter::new(file);
    RecordGenerator::new(input.seed).write(input.records, &mut out)?;
    let file = out.into_inner().context("cannot write the records")?;
    // Pages still waiting to be written would slow down whatever is measured next.
    file.sync_all()?;
    Ok(file.metadata()?.len())
}
