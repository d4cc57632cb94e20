//! `ml-app ingest`: records in, from files or standard input.

use std::fmt::Write as _;

use anyhow::bail;
use clap::ValueHint;

use ml_core::record::{DataType, SourceApp};
use ml_data::field::{FieldList, FieldPath};
use ml_data::ingest::{FieldMapping, IngestReport, InputFormat};

use crate::cli::Context;
use crate::ingesting::{self, IngestRequest};
use crate::output::{self, Report};

/// Brings records in from JSONL, JSON arrays, CSV, TSV or Parquet, plain or gzip.
///
/// The same input twice adds nothing: a record is known by its id and content. A line that cannot be read is reported with
/// its number and never stops the rest; the command then ends with exit code 1, unless --allow-rejected is given. A file that
/// cannot be read at all is named at the end, with exit code 1, and does not stop the others either.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ml-app ingest news.jsonl --data-type text --source-app newsroom --id-field id
  ml-app ingest 'prices/*.csv.gz' --data-type raw_market --source-app quotes --id-field symbol,date
  zcat posts.gz | ml-app ingest - --data-type social --source-app forum")]
pub(crate) struct Args {
    /// Files, quoted globs, or `-` for standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<String>,
    /// What kind of records they are; decides the collection and the rules
    #[arg(long, value_name = "TYPE")]
    data_type: DataType,
    /// The application they come from
    #[arg(long, value_name = "APP")]
    source_app: SourceApp,
    /// jsonl, json, csv, tsv or parquet [default: from the name, then from the content]
    #[arg(long, value_name = "FORMAT")]
    format: Option<InputFormat>,
    /// Fields that identify a record together [default: `id` or `_id`, else the content]
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    id_field: Vec<FieldPath>,
    /// Field that says when it happened
    #[arg(long, value_name = "FIELD")]
    time_field: Option<FieldPath>,
    /// Field that says where the application had it from
    #[arg(long, value_name = "FIELD")]
    source_field: Option<FieldPath>,
    /// Field that is the main text
    #[arg(long, value_name = "FIELD")]
    text_field: Option<FieldPath>,
    /// Field that is to be learned; becomes `label`
    #[arg(long, value_name = "FIELD")]
    label_field: Option<FieldPath>,
    /// End with exit code 0 even when lines were rejected
    #[arg(long)]
    allow_rejected: bool,
}

impl Report for IngestReport {
    fn text(&self) -> String {
        let mut text = output::pairs([
            ("inserted", output::count(self.inserted)),
            ("unchanged", output::count(self.unchanged)),
            ("changed", output::count(self.changed)),
            ("rejected", output::count(self.rejected)),
        ]);
        if self.repeated > 0 {
            let _ = write!(
                text,
                "\nnote: rows that equal an earlier one of the same input, and count once: {}; to keep them, number the rows in \
                 a column and name it with --id-field",
                output::count(self.repeated)
            );
        }
        for rejection in &self.rejections {
            let _ = write!(text, "\n  {rejection}");
        }
        let n_more = self.rejected - self.rejections.len() as u64;
        if n_more > 0 {
            let _ = write!(text, "\n  and {} more", output::count(n_more));
        }
        text
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let mapping = FieldMapping {
        id: FieldList::new(args.id_field),
        text: args.text_field,
        label: args.label_field,
        event_time: args.time_field,
        scraped_at: None,
        source: args.source_field,
    };
    let request = IngestRequest {
        files: args.files,
        data_type: args.data_type,
        source_app: args.source_app,
        format: args.format,
        mapping,
    };
    let mut ingested = ingesting::ingest(&context.app, request, &context.stop).await?;
    let failure = ingested.failure();
    let report = ingested.report;
    if failure.is_none() || ingested.n_complete > 0 {
        context.output.print(&report)?;
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    if report.cancelled {
        bail!("stopped before the end: {} records are kept, and a second ingest adds the rest", report.n_records());
    }
    if report.rejected > 0 && !args.allow_rejected {
        let (rejected, kept) = (output::count(report.rejected), output::count(report.n_records()));
        bail!("{rejected} lines were rejected, the other {kept} are in; --allow-rejected makes that exit code 0");
    }
    Ok(())
}
