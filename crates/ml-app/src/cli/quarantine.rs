//! `ml-app quarantine`: records that broke a rule.

use anyhow::bail;
use clap::Subcommand;
use serde::Serialize;

use ml_core::id::RecordId;
use ml_core::page::PageRequest;
use ml_core::quarantine::{QuarantineQuery, QuarantineReason, QuarantinedRecord, ReasonCount};
use ml_core::record::{Collection, DataType, SourceApp};
use ml_data::sync::{ReplayReport, ReplaySelection};

use crate::cli::Context;
use crate::output::{self, Report};
use crate::syncing;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Counts by reason, and the records themselves
    #[command(
        after_help = "Examples:\n  ml-app quarantine list\n  ml-app quarantine list --rule range --limit 100 --output json"
    )]
    List(ListArgs),
    /// Shows one record with every reason
    #[command(after_help = "Examples:\n  ml-app quarantine show demo-news:news-0066")]
    Show {
        /// The id of the raw record, as `list` prints it
        id: RecordId,
    },
    /// Judges records again by the present rules; those that pass become rows
    #[command(after_help = "Examples:\n  ml-app quarantine replay --dry-run\n  ml-app quarantine replay --rule range")]
    Replay(ReplayArgs),
}

/// Which records are meant.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Filter {
    /// Only of this collection, such as text_corpus
    #[arg(long, value_name = "NAME", value_parser = collection)]
    collection: Option<Collection>,
    /// Only of this data type
    #[arg(long, value_name = "TYPE")]
    data_type: Option<DataType>,
    /// Only from this application
    #[arg(long, value_name = "APP")]
    source_app: Option<SourceApp>,
    /// Only records that broke a rule of this kind, such as range
    #[arg(long, value_name = "KIND")]
    rule: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: Filter,
    /// Show at most this many records
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    filter: Filter,
    /// Only say how many would pass
    #[arg(long)]
    dry_run: bool,
}

/// Reads the name of a collection.
pub(crate) fn collection(name: &str) -> Result<Collection, String> {
    Collection::find_by_name(name).ok_or_else(|| {
        let names = Collection::ALL.map(Collection::name).join(", ");
        format!("the collections are {names}")
    })
}

impl From<Filter> for QuarantineQuery {
    fn from(filter: Filter) -> QuarantineQuery {
        QuarantineQuery {
            collection: filter.collection,
            data_type: filter.data_type,
            source_app: filter.source_app,
            rule: filter.rule,
        }
    }
}

#[derive(Debug, Serialize)]
struct Listing {
    total: u64,
    /// Whether they match or not.
    #[serde(skip)]
    n_there: u64,
    by_reason: Vec<ReasonCount>,
    records: Vec<QuarantinedRecord>,
}

impl Report for Listing {
    fn text(&self) -> String {
        if self.total == 0 {
            return none_matches(self.n_there);
        }
        let records = self.records.iter().map(|record| {
            let reasons: Vec<_> = record.reasons.iter().map(named).collect();
            vec![record.record.id.to_string(), record.attempts.to_string(), reasons.join("; ")]
        });
        let shown = self.records.len();
        format!(
            "{}\n{}\n{shown} of {} records; `ml-app quarantine show ID` has the whole record",
            reason_counts(&self.by_reason),
            output::table(&["id", "attempts", "reasons"], records, &[1]),
            output::count(self.total),
        )
    }
}

/// Lays out how many records break which rule.
pub(crate) fn reason_counts(counts: &[ReasonCount]) -> String {
    let rows = counts.iter().map(|reason| {
        let field = reason.field.clone().unwrap_or_else(|| "(record)".to_owned());
        vec![reason.collection.to_string(), field, reason.rule.clone(), output::count(reason.n_records)]
    });
    output::table(&["collection", "field", "rule", "records"], rows, &[3])
}

/// Returns the message of a reason with the field it is about.
pub(crate) fn named(reason: &QuarantineReason) -> String {
    match &reason.field {
        Some(field) => format!("{field}: {}", reason.message),
        None => reason.message.clone(),
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Shown(Vec<QuarantinedRecord>);

impl Report for Shown {
    fn text(&self) -> String {
        let parts = self.0.iter().map(|record| {
            let reasons = record.reasons.iter().fold(String::new(), |text, reason| {
                let field = reason.field.as_deref().unwrap_or("(record)");
                format!("{text}\n  - {field}, {}: {}", reason.rule, reason.message)
            });
            let content = serde_json::to_string_pretty(&record.record.raw_content).unwrap_or_default();
            let heading = output::pairs([
                ("record", record.record.id.to_string()),
                ("collection", record.collection.to_string()),
                ("data type", record.record.data_type.to_string()),
                ("source app", record.record.source_app.to_string()),
                ("first seen", record.first_seen_at.to_rfc3339()),
                ("last judged", format!("{}, attempt {}", record.last_seen_at.to_rfc3339(), record.attempts)),
            ]);
            format!("{heading}\nreasons{reasons}\ncontent\n{content}")
        });
        parts.collect::<Vec<_>>().join("\n\n")
    }
}

#[derive(Debug, Serialize)]
struct Replayed {
    #[serde(flatten)]
    report: ReplayReport,
    /// How many records were in quarantine, whether they match or not.
    #[serde(skip)]
    n_there: u64,
}

impl Report for Replayed {
    fn text(&self) -> String {
        if self.report.judged == 0 && !self.report.cancelled {
            return none_matches(self.n_there);
        }
        text_of(&self.report)
    }
}

/// Says that no record was found among those that are there.
fn none_matches(n_there: u64) -> String {
    match n_there {
        0 => "nothing is in quarantine".to_owned(),
        1 => "nothing in quarantine matches (1 record is there)".to_owned(),
        n_there => format!("nothing in quarantine matches ({} records are there)", output::count(n_there)),
    }
}

fn text_of(report: &ReplayReport) -> String {
    let (now, rest) =
        if report.dry_run { ("would now pass", "would stay") } else { ("passed and are now rows", "stay") };
    let mut text = format!("{} of {} records {now}", output::count(report.passed), output::count(report.judged));
    if report.displaced > 0 {
        let displaced = output::count(report.displaced);
        text = format!("{text}; {displaced} rows give way to better duplicates, and their records go to quarantine");
    }
    if report.failed > 0 {
        let counts = reason_counts(&report.by_reason);
        text = format!("{text}; {} {rest}, for these reasons:\n{counts}", output::count(report.failed));
    }
    text
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List(args) => list(context, args).await,
        Command::Show { id } => show(context, &id).await,
        Command::Replay(args) => {
            let replayer = syncing::replayer(&context.app)?;
            let selection = ReplaySelection::Matching(args.filter.into());
            let n_there = context.app.sql.quarantine.count(&QuarantineQuery::default()).await?;
            let report = if args.dry_run {
                replayer.dry_run(&selection, &context.stop).await?
            } else {
                replayer.replay(&selection, &context.stop).await?
            };
            context.output.print(&Replayed { report, n_there })
        }
    }
}

async fn list(context: &Context, args: ListArgs) -> anyhow::Result<()> {
    let quarantine = &context.app.sql.quarantine;
    let query = args.filter.into();
    let records = match args.limit {
        0 => Vec::new(),
        limit => quarantine.list(&query, PageRequest::first(limit)).await?.items,
    };
    let listing = Listing {
        total: quarantine.count(&query).await?,
        n_there: quarantine.count(&QuarantineQuery::default()).await?,
        by_reason: quarantine.count_by_reason().await?,
        records,
    };
    context.output.print(&listing)
}

async fn show(context: &Context, id: &RecordId) -> anyhow::Result<()> {
    let records = context.app.sql.quarantine.find_by_raw_id(id).await?;
    if records.is_empty() {
        bail!("no record `{id}` in quarantine: `ml-app quarantine list` shows what is there");
    }
    context.output.print(&Shown(records))
}
