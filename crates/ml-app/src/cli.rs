//! The command line: one file per command, and the options they share.

mod config;
mod dataset;
mod demo;
mod doctor;
mod evaluate;
mod ingest;
mod migrate;
mod models;
mod monitor;
mod predict;
mod prune;
mod publish;
mod quarantine;
mod range;
mod sync;
mod train;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::compose::App;
use crate::config::{Config, ConfigArgs};
use crate::interrupt;
use crate::invocation::Invocation;
use crate::logging::{self, LogFormat};
use crate::output::OutputFormat;

/// How long is waited for connections that are closing.
const CLOSING_TIME: Duration = Duration::from_millis(200);

/// Carries machine-learning data and models through their whole life over a document store and SQL.
///
/// Records come in with `ingest`, are validated into SQL with `sync`, become an immutable dataset version with `dataset
/// create`, train a registered model with `train`, are scored with `predict` and watched with `monitor`.
#[derive(Debug, Parser)]
#[command(
    name = "ml-app",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Begin with:\n  ml-app demo            the whole loop on bundled data, in seconds\n  ml-app help ingest     how to bring in your own records"
)]
pub(crate) struct Cli {
    /// Folder with settings.yaml, database.yaml and pipeline.yaml [default: ./config where it exists]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    config: Option<PathBuf>,

    /// Subfolder of the configuration whose files come on top
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options")]
    profile: Option<String>,

    /// Folder of the embedded stores and the artifacts [default: ./ml-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    data_dir: Option<PathBuf>,

    /// Form of the result on standard output
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Global options")]
    output: OutputFormat,

    /// Form of the log lines on standard error
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Global options")]
    log_format: LogFormat,

    /// Log more: -v what is done, -vv details, -vvv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    verbose: u8,

    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// Returns the form of the log lines.
    pub(crate) fn log_format(&self) -> LogFormat {
        self.log_format
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the whole loop on bundled data and ends with a report
    Demo(demo::Args),
    /// Makes or upgrades the tables and indexes of the configured stores
    Migrate(migrate::Args),
    /// Brings records in from files or standard input
    Ingest(ingest::Args),
    /// Moves new and changed records between the stores, validating them on the way
    Sync(sync::Args),
    /// Shows, and tries again, the records that broke a rule
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// Makes and exports immutable snapshots of rows
    #[command(subcommand)]
    Dataset(dataset::Command),
    /// Fits a declared pipeline on a dataset version, evaluates and registers it
    Train(train::Args),
    /// Scores a registered model on a dataset version
    Evaluate(evaluate::Args),
    /// Shows and changes the registry
    #[command(subcommand)]
    Models(models::Command),
    /// Scores rows of a file, a dataset or the stores with a registered model
    Predict(predict::Args),
    /// Delivers waiting predictions to the document store
    Publish(publish::Args),
    /// Deletes records that are older than they have to be kept
    Prune(prune::Args),
    /// Says how a model and its data are doing
    #[command(subcommand)]
    Monitor(monitor::Command),
    /// Examines everything that is configured and says what to do
    Doctor(doctor::Args),
    /// Shows or checks the effective configuration
    #[command(subcommand)]
    Config(config::Command),
}

/// What every command is given.
pub(crate) struct Context {
    /// The stores and services.
    pub(crate) app: App,
    /// How the program was started.
    pub(crate) invocation: Invocation,
    /// The form of the result.
    pub(crate) output: OutputFormat,
    /// Cancelled by Ctrl-C.
    pub(crate) stop: CancellationToken,
}

/// Runs the command that was asked for.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    logging::start(cli.verbose, cli.log_format);
    let args = ConfigArgs { folder: cli.config, profile: cli.profile, data_dir: cli.data_dir };
    if let Command::Doctor(command) = &cli.command {
        return run_on_threads(doctor::run(command, &args, cli.output));
    }
    let config = Config::load(&args)?;
    if let Command::Config(command) = &cli.command {
        return config::run(command, &config, cli.output);
    }
    let invocation = Invocation::new(std::env::args_os().next(), args);
    run_on_threads(run_command(cli.command, config, invocation, cli.output))
}

/// Runs a command to its end on threads of its own.
fn run_on_threads(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let outcome = runtime.block_on(command);
    runtime.block_on(let_tasks_end(runtime.handle()));
    outcome
}

/// Waits for what drivers still do for connections that are closing: cut off in the middle, it would panic.
async fn let_tasks_end(runtime: &Handle) {
    let begun = Instant::now();
    while runtime.metrics().num_alive_tasks() > 0 && begun.elapsed() < CLOSING_TIME {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn run_command(
    command: Command,
    config: Config,
    invocation: Invocation,
    output: OutputFormat,
) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    let stop = interrupt::on_ctrl_c(&mut tasks);
    if let Command::Migrate(args) = &command {
        return migrate::run(args, &config, output).await;
    }
    let app = App::open(config).await?;
    let context = Context { app, invocation, output, stop };
    match command {
        Command::Demo(args) => demo::run(&context, &args).await,
        Command::Ingest(args) => ingest::run(&context, args).await,
        Command::Sync(args) => sync::run(&context, &args).await,
        Command::Quarantine(command) => quarantine::run(&context, command).await,
        Command::Dataset(command) => dataset::run(&context, command).await,
        Command::Train(args) => train::run(&context, &args).await,
        Command::Evaluate(args) => evaluate::run(&context, &args).await,
        Command::Models(command) => models::run(&context, command).await,
        Command::Predict(args) => predict::run(&context, args).await,
        Command::Publish(args) => publish::run(&context, &args).await,
        Command::Prune(args) => prune::run(&context, &args).await,
        Command::Monitor(command) => monitor::run(&context, command).await,
        Command::Migrate(_) | Command::Doctor(_) | Command::Config(_) => unreachable!("these run without the stores"),
    }
}
