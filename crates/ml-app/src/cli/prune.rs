//! `ml-app prune`: deletes records for their age.

use anyhow::bail;
use serde::Serialize;

use ml_core::record::Collection;
use ml_data::retention::{PruneMode, PrunedCollection, Pruner};

use crate::cli::Context;
use crate::cli::quarantine::collection;
use crate::output::{self, Report};

/// Deletes the records of the document store that are older than `retention` in database.yaml keeps them.
///
/// The rows that sync made of them stay in SQL. A collection of which sync has not read every old record is left as it is, for
/// what nobody read would be lost. Run it once a day or so.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ml-app prune --dry-run                     say what would go, delete nothing\n  ml-app sync && ml-app prune\n  ml-app prune --collection social_content"
)]
pub(crate) struct Args {
    /// Only say how many records would go
    #[arg(long)]
    dry_run: bool,
    /// Only this collection, such as text_corpus
    #[arg(long, value_name = "NAME", value_parser = collection)]
    collection: Option<Collection>,
    /// Delete old records that sync has not read, too
    #[arg(long, conflicts_with = "dry_run")]
    unsynced: bool,
}

#[derive(Debug, Serialize)]
struct Pruned {
    dry_run: bool,
    collections: Vec<PrunedCollection>,
}

impl Report for Pruned {
    fn text(&self) -> String {
        if self.collections.is_empty() {
            return "every record is kept for ever: `retention` in config/database.yaml says how long".to_owned();
        }
        let rows = self.collections.iter().map(|pruned| {
            let before = pruned.ingested_before.format("%F %T").to_string();
            let note = if pruned.is_unsynced { "not all synced" } else { "" };
            let [n_old, n_deleted] = [pruned.n_old, pruned.n_deleted].map(output::count);
            vec![pruned.collection.to_string(), before, n_old, n_deleted, note.to_owned()]
        });
        output::table(&["collection", "ingested before", "old", "deleted", ""], rows, &[2, 3])
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let app = &context.app;
    let pruner = Pruner {
        documents: app.documents.records.clone(),
        feed: app.documents.feed.clone(),
        store: app.sql.sync.clone(),
        clock: app.clock.clone(),
    };
    let mut retention = app.config.database.retention();
    retention.retain(|collection, _| args.collection.is_none_or(|only| only == *collection));
    let mode = match (args.dry_run, args.unsynced) {
        (true, _) => PruneMode::DryRun,
        (false, true) => PruneMode::Everything,
        (false, false) => PruneMode::Synced,
    };
    let collections = pruner.prune(&retention, mode, &context.stop).await?;
    let held_back = |pruned: &&PrunedCollection| mode == PruneMode::Synced && pruned.is_unsynced;
    let held_back: Vec<String> = collections.iter().filter(held_back).map(|of| of.collection.to_string()).collect();
    context.output.print(&Pruned { dry_run: args.dry_run, collections })?;
    if !held_back.is_empty() {
        let names = held_back.join(", ");
        bail!(
            "{names} has old records that sync has not read: run `ml-app sync` first, or give them up with --unsynced"
        );
    }
    Ok(())
}
