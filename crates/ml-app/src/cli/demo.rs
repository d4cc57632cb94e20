//! `ml-app demo`: the whole loop on bundled data.

use crate::cli::Context;
use crate::demo;

/// Runs the whole loop on bundled data and ends with a report: ingest, sync, dataset, train, evaluate, register, predict,
/// publish, monitor.
///
/// The prices are real figures of twelve shares; the news items were written for the demo, some of them broken on purpose. A
/// second run changes nothing and shows the report again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ml-app demo\n  ml-app demo --data-dir /tmp/try-it --output json")]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) async fn run(context: &Context, _args: &Args) -> anyhow::Result<()> {
    let report = demo::run(&context.app, &context.invocation, &context.stop).await?;
    context.output.print(&report)
}
