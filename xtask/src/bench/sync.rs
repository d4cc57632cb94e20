//! MongoDB to PostgreSQL with the release build: ingest, sync and how late rows are, beside Python scripts that do the same jobs
//! and a bare `COPY` of the rows. Both servers are started for it.

mod latency;
mod site;

use anyhow::{Context, Result};
use clap::Args;
use xtask::servers::Durability;

use self::latency::Load;
use self::site::{Side, Site};
use crate::bench::ingest::{INGEST_FLAGS, print_figures};
use crate::bench::memory::{Measurement, measure};
use crate::bench::{InputArgs, write_input};
use crate::cargo::{read, run as run_command};

/// What to measure.
#[derive(Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Let the servers acknowledge before anything is on disk; it shows what the disk costs.
    #[arg(long)]
    fast: bool,
    /// Records inserted per second while it is measured how late their rows are.
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// For how many seconds; 0 leaves that out.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
}

/// Makes the input, measures each program once on empty stores, and prints the figures.
pub(crate) fn run(args: &SyncArgs) -> Result<()> {
    let durability = if args.fast { Durability::Fast } else { Durability::Durable };
    let site = Site::prepare(durability)?;
    let records = site.path("records.jsonl");
    let mean_bytes = write_input(&args.input, &records)? / args.input.records.max(1);
    let n_records = args.input.records;
    println!("{n_records} records of {mean_bytes} bytes on average, seed {}, {durability} servers", args.input.seed);

    let mut command = site.ml_app(Side::Ours);
    let ingest = measure(command.arg("ingest").arg(&records).args(INGEST_FLAGS.split(' ')))?;
    let mut command = site.script("ingest.py");
    let python_ingest = measure(command.arg(&records).args([site.mongodb_url(), Side::Python.database()]))?;

    site.settle()?;
    let sync = measure(site.ml_app(Side::Ours).arg("sync"))?;
    site.settle()?;
    let mut command = site.script("sync.py");
    command.args([site.mongodb_url(), Side::Python.database(), site.postgres_url(), Side::Python.database()]);
    let python_sync = measure(&mut command)?;
    run_command(site.rows("compare").args([Side::Ours.database(), Side::Python.database()]))?;
    let copy_seconds = copy(&site)?;

    let measured = [("ingest", &ingest), ("sync", &sync), ("Python ingest", &python_ingest)];
    print_figures(n_records, &[&measured[..], &[("Python sync", &python_sync)]].concat());
    let copied = format!("{:.0} records/s, {copy_seconds:.2} seconds", n_records as f64 / copy_seconds);
    println!("bare COPY        {copied}\n");
    println!("ingest is {:.2} times as fast as the Python script (goal: 2)", ratio(&python_ingest, &ingest));
    println!("sync is {:.2} times as fast as the Python script (goal: 3)", ratio(&python_sync, &sync));
    let of_copy = copy_seconds / sync.duration.as_secs_f64();
    println!("sync has {of_copy:.2} of the rate of a bare COPY of its rows (goal: 0.5)");
    if args.seconds > 0 {
        latency::measure(&site, Load { per_second: args.rate, seconds: args.seconds })?;
    }
    Ok(())
}

/// Returns how many seconds a bare `COPY` of the rows takes that the sync made.
fn copy(site: &Site) -> Result<f64> {
    let file = site.path("rows.copy");
    run_command(site.rows("export").arg(Side::Ours.database()).arg(&file))?;
    site.settle()?;
    let seconds = read(site.rows("copy").arg(Side::Copy.database()).arg(&file))?;
    seconds.trim().parse().context("the bare COPY tells no seconds")
}

fn ratio(other: &Measurement, ours: &Measurement) -> f64 {
    other.duration.as_secs_f64() / ours.duration.as_secs_f64()
}
