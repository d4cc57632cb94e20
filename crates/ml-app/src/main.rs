//! The `ml-app` program: reads the command line, runs one command, and turns its outcome into an exit code.
//!
//! Exit codes: 0 done; 1 failed; 2 wrong usage.

mod chart;
mod cli;
mod compose;
mod config;
mod counted;
mod dataset_ref;
mod demo;
mod doctor;
mod evaluation;
mod external;
mod file;
mod importing;
mod ingesting;
mod interrupt;
mod invocation;
mod logging;
mod monitoring;
mod output;
mod packaging;
mod progress;
mod row_form;
mod run_guard;
mod run_record;
mod scorer;
mod scoring;
mod selection;
mod syncing;
mod table_file;
mod training;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::output::eprint_error;

/// Ingest makes and drops a few small strings per record: with the system allocator it takes a fifth to a third longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let log_format = cli.log_format();
    match cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint_error(&error, log_format);
            ExitCode::FAILURE
        }
    }
}
