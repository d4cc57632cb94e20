//! `ml-app publish`: waiting predictions to the document store.

use serde::Serialize;

use ml_core::outbox::OutboxCounts;
use ml_data::publish::PublishReport;

use crate::cli::Context;
use crate::output::{self, Report};
use crate::scoring;

/// Delivers what waits in the outbox to the document store.
///
/// A delivery has the same id every time, so publishing twice changes nothing, also after a crash half-way.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ml-app predict --model news-topic@champion --dataset news --split test\n  ml-app publish"
)]
pub(crate) struct Args {}

#[derive(Debug, Serialize)]
struct Published {
    #[serde(flatten)]
    report: PublishReport,
    outbox: OutboxCounts,
}

impl Report for Published {
    fn text(&self) -> String {
        format!(
            "{} delivered, {} still waiting, {} delivered in all",
            output::count(self.report.n_delivered()),
            output::count(self.outbox.pending),
            output::count(self.outbox.delivered),
        )
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, _args: &Args) -> anyhow::Result<()> {
    deliver(context).await
}

/// Delivers what waits, and says what was done.
pub(crate) async fn deliver(context: &Context) -> anyhow::Result<()> {
    let report = scoring::publisher(&context.app).publish(&context.stop).await?;
    let outbox = context.app.sql.outbox.counts().await?;
    let n_undecodable = report.undecodable.len();
    context.output.print(&Published { report, outbox })?;
    if n_undecodable > 0 {
        anyhow::bail!(
            "{n_undecodable} waiting entries cannot be read and stay where they are; --output json names them"
        );
    }
    Ok(())
}
