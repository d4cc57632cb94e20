//! `ml-app sync warnings`: rules that records broke and passed nevertheless.

use serde::Serialize;

use ml_core::page::PageRequest;
use ml_core::quarantine::ReasonCount;
use ml_core::record::Collection;
use ml_core::warning::{RecordWarning, WarningQuery};

use crate::cli::Context;
use crate::cli::quarantine::{collection, named, reason_counts};
use crate::output::{self, Report};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only of this collection, such as text_corpus
    #[arg(long, value_name = "NAME", value_parser = collection)]
    collection: Option<Collection>,
    /// Only by rules of this kind, such as range
    #[arg(long, value_name = "KIND")]
    rule: Option<String>,
    /// Show at most this many warnings
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
}

#[derive(Debug, Serialize)]
struct Listing {
    n_records: u64,
    /// Whether they match or not.
    #[serde(skip)]
    n_there: u64,
    by_reason: Vec<ReasonCount>,
    warnings: Vec<RecordWarning>,
}

impl Report for Listing {
    fn text(&self) -> String {
        if self.n_records == 0 {
            return match self.n_there {
                0 => "no record passed with a warning".to_owned(),
                1 => "no warning matches (1 record has one)".to_owned(),
                n_there => format!("no warning matches ({} records have one)", output::count(n_there)),
            };
        }
        let rows = self
            .warnings
            .iter()
            .map(|warning| vec![warning.raw_id.to_string(), warning.collection.to_string(), named(&warning.reason)]);
        format!(
            "{}\n{}\n{} warnings shown; {} records passed with one or more, and all are in the table record_warnings",
            reason_counts(&self.by_reason),
            output::table(&["id", "collection", "warning"], rows, &[]),
            self.warnings.len(),
            output::count(self.n_records),
        )
    }
}

/// Runs the command.
pub(super) async fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let store = &context.app.sql.warnings;
    let query = WarningQuery { collection: args.collection, rule: args.rule.clone() };
    let listing = Listing {
        n_records: store.count_records(&query).await?,
        n_there: store.count_records(&WarningQuery::default()).await?,
        by_reason: store.count_by_reason().await?,
        warnings: match args.limit {
            0 => Vec::new(),
            limit => store.list(&query, PageRequest::first(limit)).await?.items,
        },
    };
    context.output.print(&listing)
}
