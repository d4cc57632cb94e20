//! `ml-app migrate`: tables and indexes of the configured stores.

use serde::Serialize;

use crate::compose;
use crate::config::Config;
use crate::output::{OutputFormat, Report};

/// Makes or upgrades the tables and indexes of the configured stores.
///
/// Embedded stores are brought up to date by every command; this one is for looking first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ml-app migrate --check      say what is pending, change nothing\n  ml-app migrate              bring both stores up to date"
)]
pub(crate) struct Args {
    /// Only say what is pending; exit code 1 when something is
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Serialize)]
struct Migrations {
    documents: Vec<String>,
    sql: Vec<String>,
    applied: bool,
}

impl Report for Migrations {
    fn text(&self) -> String {
        if self.documents.is_empty() && self.sql.is_empty() {
            return "both stores are up to date".to_owned();
        }
        let verb = if self.applied { "applied" } else { "pending" };
        let line = |store: &str, names: &[String]| -> Vec<String> {
            names.iter().map(|name| format!("{verb}: {store} {name}")).collect()
        };
        [line("documents", &self.documents), line("sql", &self.sql)].concat().join("\n")
    }
}

/// Runs the command.
pub(crate) async fn run(args: &Args, config: &Config, output: OutputFormat) -> anyhow::Result<()> {
    let (documents, sql) = compose::open_stores(config).await?;
    let migrations = Migrations {
        documents: documents.pending_migrations().await?,
        sql: sql.pending_migrations().await?,
        applied: !args.check,
    };
    if !args.check {
        documents.migrate().await?;
        sql.migrate().await?;
    }
    output.print(&migrations)?;
    let n_pending = migrations.documents.len() + migrations.sql.len();
    if args.check && n_pending > 0 {
        anyhow::bail!("{n_pending} migrations are pending: run `ml-app migrate`");
    }
    Ok(())
}
