//! The workspace's own commands: `cargo xtask ci`, and each of its steps alone.
//!
//! It depends on no other crate of the workspace, so that it builds and can judge them when they do not.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks on the standard streams")]

mod bench;
mod cargo;
mod checks;
mod ci;
mod licences;
mod new_model;
mod report;
mod services;
mod test_run;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::bench::BenchCommand;
use crate::checks::FmtMode;
use crate::report::Report;
use crate::services::ServicesCommand;
use crate::test_run::TestArgs;

/// Checks, tests and measures the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every check and every test, as continuous integration does; all steps run even when one fails.
    Ci,
    /// Run all tests and end with their totals: `N passed, N failed, N skipped`.
    #[command(after_help = "Example: cargo xtask test -p ml-core digest")]
    Test(TestArgs),
    /// Check the house rules: layers, manifests, and what a source file may contain.
    Tidy,
    /// Format all sources.
    Fmt {
        /// Only say what is not formatted.
        #[arg(long)]
        check: bool,
    },
    /// Run clippy on everything; a warning is an error.
    Lint,
    /// Build the documentation of the workspace; a warning is an error.
    Doc,
    /// Find dependencies that are declared and not used.
    UnusedDeps,
    /// Check the licences of all dependencies against the list in deny.toml.
    Licences,
    /// Start and stop database servers for work at the desk; `test` and `ci` start servers of their own.
    #[command(subcommand)]
    Services(ServicesCommand),
    /// Make a new estimator of ml-train: settings, predictor, tests and documentation that pass at once.
    #[command(after_help = "Example: cargo xtask new-model nearest_mean")]
    NewModel {
        /// The name in pipeline files, such as `nearest_mean`.
        name: String,
    },
    /// Measure.
    #[command(subcommand)]
    Bench(BenchCommand),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; `false` when it found something wrong and has said so.
fn run(command: Command) -> Result<bool> {
    match command {
        Command::Ci => return Ok(ci::run()),
        Command::Test(args) => return test_run::run_and_print(&args),
        Command::Services(command) => return services::run(command),
        Command::Bench(command) => bench::run(command)?,
        Command::NewModel { name } => new_model::run_and_print(&name)?,
        Command::Tidy => return Ok(one_step("tidy", tidy::check)),
        Command::Fmt { check: true } => return Ok(one_step("fmt", || checks::fmt(FmtMode::Check))),
        Command::Fmt { check: false } => return Ok(one_step("fmt", || checks::fmt(FmtMode::Write))),
        Command::Lint => return Ok(one_step("lint", checks::lint)),
        Command::Doc => return Ok(one_step("doc", checks::doc)),
        Command::UnusedDeps => return Ok(one_step("unused-deps", tidy::check_unused_dependencies)),
        Command::Licences => return Ok(one_step("licences", licences::check)),
    }
    Ok(true)
}

fn one_step(name: &'static str, work: impl FnOnce() -> Result<()>) -> bool {
    let mut report = Report::default();
    report.step(name, work);
    report.passed()
}
