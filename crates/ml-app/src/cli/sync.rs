//! `ml-app sync`: records between the stores.

use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;

use ml_core::record::Collection;
use ml_data::sync::SyncReport;

use crate::cli::Context;
use crate::cli::publish;
use crate::cli::quarantine::collection;
use crate::output::{self, Report};
use crate::syncing;

/// Moves new and changed records between the stores.
///
/// To SQL, each record is normalised and judged by the rules of pipeline.yaml: it becomes a row, or waits in quarantine with
/// every reason. Rows, quarantine and position are one transaction, so that a sync can be killed at any instant and started
/// again. To documents, it delivers what waits in the outbox, as `publish` does.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ml-app sync
  ml-app sync --collection text_corpus --output json
  ml-app sync --follow --interval 5
  ml-app sync --to documents")]
pub(crate) struct Args {
    /// Which way records go
    #[arg(long, value_enum, default_value_t)]
    to: Direction,
    /// Only this collection, such as text_corpus
    #[arg(long, value_name = "NAME", value_parser = collection)]
    collection: Option<Collection>,
    /// Go on until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// Seconds between two looks with --follow
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
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
            let counts = [counts.read, counts.written, counts.unchanged, counts.quarantined].map(output::count);
            [vec![collection.to_string()], counts.to_vec()].concat()
        });
        output::table(&["collection", "read", "written", "unchanged", "quarantined"], rows, &[1, 2, 3, 4])
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    if args.to == Direction::Documents {
        return publish::deliver(context).await;
    }
    let (app, stop) = (&context.app, &context.stop);
    let follow = args.follow.then(|| Duration::from_secs(args.interval));
    let report = syncing::sync(app, args.collection, follow, stop).await?;
    context.output.print(&report)?;
    // Ctrl-C is how following is meant to end.
    if report.cancelled && !args.follow {
        bail!("stopped before the end; what was committed stays, and the next sync goes on from there");
    }
    Ok(())
}
