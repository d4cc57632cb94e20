//! `ml-app sync`: records between the stores.

mod infer;
mod status;
mod warnings;

use std::time::Duration;

use anyhow::bail;
use clap::{Subcommand, ValueEnum};

use ml_core::record::Collection;
use ml_data::sync::SyncReport;

use crate::cli::Context;
use crate::cli::publish;
use crate::cli::quarantine;
use crate::cli::quarantine::collection;
use crate::output::{self, Report};
use crate::syncing::{self, SyncRequest};

/// More at a time would only take more memory.
const MAX_BATCH_SIZE: usize = 100_000;

/// Moves new and changed records between the stores.
///
/// To SQL, each record is normalised and judged by the rules of pipeline.yaml: it becomes a row, or waits in quarantine with
/// every reason; what was deleted loses its row. Rows, quarantine and position are one transaction, so that a sync can be
/// killed at any instant and started again. Where the position is too old for the document store, both sides are compared
/// record by record, and only what differs is read again. To documents, it delivers what waits in the outbox, as `publish` does.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  ml-app sync
  ml-app sync status
  ml-app sync infer --data-type tabular --source-app listings
  ml-app sync --collection text_corpus --output json
  ml-app sync --follow
  ml-app sync --reconcile --collection text_corpus
  ml-app sync --to documents"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Which way records go
    #[arg(long, value_enum, default_value_t)]
    to: Direction,
    /// Only this collection, such as text_corpus
    #[arg(long, value_name = "NAME", value_parser = collection)]
    collection: Option<Collection>,
    /// Go on until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// Compare both sides record by record first, though the position may be good
    #[arg(long)]
    reconcile: bool,
    /// Seconds to wait for changes at a time with --follow; what comes meanwhile is taken at once
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
    /// Records to judge and commit at a time: fewer take less memory, more take less time [default: sync.batch_size of settings.yaml]
    #[arg(long, value_name = "N", value_parser = batch_size)]
    batch_size: Option<usize>,
}

fn batch_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size @ 1..=MAX_BATCH_SIZE) => Ok(size),
        _ => Err(format!("not a number from 1 to {MAX_BATCH_SIZE}")),
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says how far the sync of each collection got, and how far behind that is
    #[command(after_help = "Examples:\n  ml-app sync status\n  ml-app sync status --output json")]
    Status,
    /// Looks at records and proposes a mapping and rules, each line with its evidence
    ///
    /// Prints a fragment of pipeline.yaml that `config check` accepts, for a person to read and mend; with --output json, what was
    /// counted at each path.
    #[command(
        after_help = "Examples:\n  ml-app sync infer --data-type tabular\n  ml-app sync infer --data-type tabular --source-app listings --sample 5000"
    )]
    Infer(infer::Args),
    /// Shows the rules that records broke and passed nevertheless
    #[command(after_help = "Examples:\n  ml-app sync warnings\n  ml-app sync warnings --rule range --limit 100")]
    Warnings(warnings::Args),
}

/// Which way records go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Direction {
    /// From the document store to SQL
    #[default]
    Sql,
    /// From the outbox in SQL to the document store
    Documents,
}

impl Report for SyncReport {
    fn text(&self) -> String {
        let rows = self.collections.iter().map(|(collection, counts)| {
            let columns = [counts.read, counts.written, counts.unchanged, counts.quarantined, counts.deleted];
            [vec![collection.to_string()], columns.map(output::count).to_vec()].concat()
        });
        let headers = ["collection", "read", "written", "unchanged", "quarantined", "deleted"];
        let mut text = output::table(&headers, rows, &[1, 2, 3, 4, 5]);
        for (collection, found) in &self.reconciled {
            let [compared, differing, gone] = [found.compared, found.differing, found.gone].map(output::count);
            let line =
                format!("{collection}: compared {compared} documents, {differing} differed and {gone} were gone");
            text = format!("{text}\n{line}");
        }
        if !self.warnings.is_empty() {
            let counts = quarantine::reason_counts(&self.warnings);
            text = format!("{text}\nbroken, and passed nevertheless (`ml-app sync warnings` lists them):\n{counts}");
        }
        text
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Some(Command::Status) => return context.output.print(&syncing::status(&context.app).await?),
        Some(Command::Infer(args)) => return infer::run(context, args).await,
        Some(Command::Warnings(args)) => return warnings::run(context, args).await,
        None => {}
    }
    if args.to == Direction::Documents {
        return publish::deliver(context).await;
    }
    let (app, stop) = (&context.app, &context.stop);
    let follow = args.follow.then(|| Duration::from_secs(args.interval));
    let (collection, reconcile, batch_size) = (args.collection, args.reconcile, args.batch_size);
    let request = SyncRequest { collection, follow, reconcile, batch_size };
    let report = syncing::sync(app, request, stop).await?;
    context.output.print(&report)?;
    // Ctrl-C is how following is meant to end.
    if report.cancelled && !args.follow {
        bail!("stopped before the end; what was committed stays, and the next sync goes on from there");
    }
    Ok(())
}
