//! `ml-app dataset`: immutable snapshots of rows.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueHint};
use serde::Serialize;

use ml_core::dataset::{DatasetName, DatasetVersion, JoinCounts, Split};
use ml_core::record::{DataType, SourceApp};
use ml_core::table::Table;
use ml_data::dataset::builder::DatasetProgress;
use ml_data::dataset::export::{ExportFormat, export};
use ml_data::dataset::join::FeatureSource;
use ml_data::dataset::spec::DatasetSpec;
use ml_data::dataset::split::SplitRule;

use crate::cli::Context;
use crate::cli::range::instant;
use crate::dataset_ref::DatasetRef;
use crate::output::{self, Report};
use crate::progress::Progress;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Takes a snapshot and gives it the next version number
    #[command(after_help = "Examples:
  ml-app dataset create news --data-type text --source-app newsroom --split stratified:topic:80/20
  ml-app dataset create prices --data-type raw_market --split time:80/20
  ml-app dataset create houses --data-type tabular --split column:split --as-of 2025-06-01
  ml-app dataset create moves --data-type text --join joins.yaml --split time:80/20

Rules for --split:
  none                      every row is for training
  column:NAME               the column says train, validation or test
  random:80/20              shares of train and test; 80/10/10 puts validation between them
  stratified:NAME:80/20     the same shares of every value of a column
  time:80/20                by event time, the oldest rows first
  time:2024-01-01           test from that instant on
  entity:NAME:80/20         all rows of an entity on one side

A file for --join lists feature sources, in SQL or in the documents. Each row gets the latest
value of its entity at or before its own event time, within the ttl, and nothing first known
after --as-of:
  - name: price                          # columns are price.close and price.volume
    table: market_metrics                # or user_interactions, or global_ml_data with a data_type
    on: { left: ticker, right: symbol }  # or a list of them
    columns: [close, volume]             # all there are where absent
    ttl: 7d                              # s, m, h, d, w; however old where absent
  - name: mood
    collection: social_content           # as sync forms records; as sent with `form: raw`
    data_type: social
    on: { left: ticker, right: symbol }
    columns: [sentiment]")]
    Create(CreateArgs),
    /// Lists datasets and their versions
    #[command(after_help = "Examples:\n  ml-app dataset list\n  ml-app dataset list news --output json")]
    List {
        /// Only this dataset
        name: Option<DatasetName>,
    },
    /// Shows one version: columns, counts, hashes
    #[command(after_help = "Examples:\n  ml-app dataset show news\n  ml-app dataset show news@2")]
    Show {
        /// NAME for the newest version, or NAME@VERSION
        dataset: DatasetRef,
    },
    /// Writes one version to a file
    #[command(
        after_help = "Examples:\n  ml-app dataset export news --out news.parquet\n  ml-app dataset export news@2 --split test --out news.csv"
    )]
    Export(ExportArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    /// The dataset; a name that is there gets a further version
    name: DatasetName,
    /// The data type of its rows
    #[arg(long, value_name = "TYPE")]
    data_type: DataType,
    /// Only rows from this application
    #[arg(long, value_name = "APP")]
    source_app: Option<SourceApp>,
    /// Only events at or after this instant
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    from: Option<DateTime<Utc>>,
    /// Only events before this instant
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    to: Option<DateTime<Utc>>,
    /// Rows as they were known at this instant [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    as_of: Option<DateTime<Utc>>,
    /// Only these columns, beside id, event_time and split
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Join the feature sources in this file, point in time correct, see below
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    join: Option<PathBuf>,
    /// How rows are split, see below
    #[arg(long, value_name = "RULE", default_value = "none")]
    split: String,
    /// Seed of the rules that draw
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// NAME for the newest version, or NAME@VERSION
    dataset: DatasetRef,
    /// The file to write; replaced only when all of it is written
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: PathBuf,
    /// csv or parquet [default: by the name of the file]
    #[arg(long, value_parser = format)]
    format: Option<ExportFormat>,
    /// Only this split
    #[arg(long, value_parser = split)]
    split: Option<Split>,
}

fn format(name: &str) -> Result<ExportFormat, String> {
    ExportFormat::find_by_name(name).ok_or_else(|| "the formats are csv and parquet".to_owned())
}

/// Reads the name of a split.
pub(crate) fn split(name: &str) -> Result<Split, String> {
    Split::find_by_name(name).ok_or_else(|| "the splits are train, validation and test".to_owned())
}

#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    version: DatasetVersion,
}

impl Report for Shown {
    fn text(&self) -> String {
        let content = &self.version.content;
        let counts = content.counts;
        let heading = output::pairs([
            ("dataset", self.version.reference()),
            ("rows", output::count(counts.total())),
            ("train", output::count(counts.train)),
            ("validation", output::count(counts.validation)),
            ("test", output::count(counts.test)),
            ("as of", content.as_of.to_rfc3339()),
            ("content hash", content.content_hash.to_string()),
            ("file", format!("{} ({} bytes)", content.file.digest, output::count(content.file.size_bytes))),
            ("made from", content.spec.to_string()),
        ]);
        let rows = content.schema.iter().map(|column| {
            let missing = if column.nullable { "some missing" } else { "" };
            vec![column.name.clone(), column.kind.name().to_owned(), missing.to_owned()]
        });
        let columns = output::table(&["column", "kind", ""], rows, &[]);
        if content.joins.is_empty() {
            return format!("{heading}\n{columns}");
        }
        format!("{heading}\n{columns}\n{}", joins_text(&content.joins))
    }
}

/// Tells what became of each feature source.
fn joins_text(joins: &[JoinCounts]) -> String {
    let heading = ["joined", "rows found", "too old", "missing", "values read", "unfit", "known later"];
    let rows = joins.iter().map(|counts| {
        let numbers = [counts.n_found, counts.n_too_old, counts.n_missing, counts.n_read, counts.n_unfit];
        let numbers = numbers.into_iter().chain([counts.n_known_later]).map(output::count);
        std::iter::once(counts.source.clone()).chain(numbers).collect::<Vec<_>>()
    });
    output::table(&heading, rows, &[1, 2, 3, 4, 5, 6])
}

#[derive(Debug, Serialize)]
struct Listing {
    datasets: Vec<DatasetVersion>,
}

impl Report for Listing {
    fn text(&self) -> String {
        if self.datasets.is_empty() {
            return "no datasets yet: `ml-app dataset create` takes a snapshot".to_owned();
        }
        let rows = self.datasets.iter().map(|version| {
            let counts = version.content.counts;
            vec![
                version.reference(),
                output::count(counts.train),
                output::count(counts.validation),
                output::count(counts.test),
                version.content.content_hash.short(),
                version.content.created_at.format("%F %T").to_string(),
            ]
        });
        output::table(&["dataset", "train", "validation", "test", "content", "created (UTC)"], rows, &[1, 2, 3])
    }
}

#[derive(Debug, Serialize)]
struct Exported {
    dataset: String,
    file: PathBuf,
    n_rows: usize,
    format: &'static str,
}

impl Report for Exported {
    fn text(&self) -> String {
        let rows = output::count(self.n_rows as u64);
        format!("wrote {rows} rows of {} to {} as {}", self.dataset, self.file.display(), self.format)
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(args) => create(context, args).await,
        Command::List { name } => {
            let datasets = context.app.sql.datasets.list(name.as_ref()).await?;
            if let (Some(name), true) = (&name, datasets.is_empty()) {
                return Err(DatasetRef::latest(name.clone()).unknown(&context.app).await);
            }
            context.output.print(&Listing { datasets })
        }
        Command::Show { dataset } => {
            let version = dataset.resolve(&context.app).await?;
            context.output.print(&Shown { version })
        }
        Command::Export(args) => export_to_file(context, args).await,
    }
}

async fn create(context: &Context, args: CreateArgs) -> anyhow::Result<()> {
    let app = &context.app;
    let spec = DatasetSpec {
        source: app.dataset_source(&args.data_type)?,
        source_app: args.source_app,
        event_from: args.from,
        event_before: args.to,
        columns: args.columns,
        join: args.join.as_deref().map(read_sources).transpose()?.unwrap_or_default(),
        split: SplitRule::parse(&args.split, args.seed)?,
    };
    let progress = Progress::counts(args.name.as_str(), Some(0));
    let observer = |done: DatasetProgress| match done {
        DatasetProgress::Reading { n_rows, n_total } => progress.set_of(n_rows, Some(n_total)),
        DatasetProgress::Joining { number, n_sources } => {
            progress.message(format!("joining feature source {number} of {n_sources}"));
        }
        DatasetProgress::Packing { .. } => progress.message("splitting and writing".to_owned()),
    };
    let version = app.datasets.create_observed(&args.name, &spec, args.as_of, &observer).await?;
    drop(progress);
    context.output.print(&Shown { version })
}

fn read_sources(file: &Path) -> anyhow::Result<Vec<FeatureSource>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let sources: Option<Vec<FeatureSource>> =
        serde_yaml_ng::from_str(&text).with_context(|| format!("{} does not list feature sources", file.display()))?;
    match sources {
        Some(sources) if !sources.is_empty() => Ok(sources),
        _ => bail!("{} names no feature source: docs/joins.md shows what it lists", file.display()),
    }
}

async fn export_to_file(context: &Context, args: ExportArgs) -> anyhow::Result<()> {
    let format = args.format.map_or_else(|| format_of(&args.out), Ok)?;
    let version = args.dataset.resolve(&context.app).await?;
    let table = match args.split {
        Some(split) => context.app.datasets.load_split(&version, split).await?,
        None => context.app.datasets.load(&version).await?,
    };
    let n_rows = table.n_rows();
    let out = args.out.clone();
    tokio::task::spawn_blocking(move || write_file(&table, format, &out)).await.context("the export panicked")??;
    let dataset = version.reference();
    context.output.print(&Exported { dataset, file: args.out, n_rows, format: format.name() })
}

fn format_of(out: &Path) -> anyhow::Result<ExportFormat> {
    let extension = out.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ExportFormat::find_by_name(extension)
        .with_context(|| format!("the name of {} says no format: add --format csv or --format parquet", out.display()))
}

fn write_file(table: &Table, format: ExportFormat, out: &Path) -> anyhow::Result<()> {
    crate::file::replace(out, |file| Ok(export(table, format, file)?))
}
