//! `ml-app predict`: rows scored with a registered model.

use std::path::PathBuf;

use clap::ValueHint;
use serde::Serialize;

use ml_core::dataset::Split;
use ml_core::model::ModelRef;
use ml_core::result::Prediction;
use ml_data::ingest::InputFormat;

use crate::cli::Context;
use crate::cli::dataset::split;
use crate::dataset_ref::DatasetRef;
use crate::output::{self, Report};
use crate::scoring::{self, ScoreReport};

/// Scores rows with a registered model: of a file, to standard output; or of a dataset, into the stores.
///
/// Rows of a file are normalised as `sync` normalises records of the data type that the model was trained on, and the
/// predictions are printed as JSON lines, one a row, in the order of the file. Rows of a dataset become predictions that
/// wait in the outbox until `ml-app publish` delivers them; scoring them again changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ml-app predict --model news-topic@champion --input new.jsonl
  echo '{\"headline\": \"Rates rise\", \"text\": \"The bank ...\"}' | ml-app predict --model news-topic@champion --input -
  ml-app predict --model news-topic@champion --dataset news --split test")]
#[command(group = clap::ArgGroup::new("rows").required(true).args(["input", "dataset"]))]
pub(crate) struct Args {
    /// NAME, NAME@VERSION or NAME@ALIAS
    #[arg(long, value_name = "MODEL")]
    model: ModelRef,
    /// A file of rows (JSONL, JSON array, CSV, Parquet, also gzip), or `-` for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    input: Option<PathBuf>,
    /// jsonl, json, csv, tsv or parquet [default: from the name of --input, then from its content]
    #[arg(long, value_name = "FORMAT", requires = "input")]
    format: Option<InputFormat>,
    /// Write the predictions of --input to this file instead of standard output
    #[arg(long, value_name = "FILE", requires = "input", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// A dataset: NAME for the newest version, or NAME@VERSION
    #[arg(long, value_name = "DATASET")]
    dataset: Option<DatasetRef>,
    /// Only this split of the dataset
    #[arg(long, value_parser = split, requires = "dataset")]
    split: Option<Split>,
}

impl Report for ScoreReport {
    fn text(&self) -> String {
        format!(
            "{} rows scored with {}, {} without a prediction; {} predictions wait for `ml-app publish`",
            output::count(self.n_scored),
            self.model,
            output::count(self.n_missing),
            output::count(self.n_enqueued),
        )
    }
}

/// Predictions for the rows of a file.
#[derive(Debug, Serialize)]
struct FilePredictions {
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    n_rows: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    predictions: Vec<Prediction>,
}

impl Report for FilePredictions {
    fn text(&self) -> String {
        match &self.file {
            Some(file) => format!("wrote {} predictions of {} to {}", self.n_rows, self.model, file.display()),
            None => scoring::json_lines(&self.predictions).trim_end().to_owned(),
        }
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let version = context.app.registry.resolve(&args.model).await?;
    if let Some(dataset) = &args.dataset {
        let dataset = dataset.resolve(&context.app).await?;
        let report = scoring::score_dataset(&context.app, &version, &dataset, args.split).await?;
        return context.output.print(&report);
    }
    let input = args.input.expect("clap asks for --input where there is no --dataset");
    let predictions = scoring::score_file(&context.app, &version, &input, args.format).await?;
    let n_rows = predictions.len();
    let model = version.reference();
    if let Some(file) = args.out {
        let lines = scoring::json_lines(&predictions);
        crate::file::replace(&file, |out| Ok(std::io::Write::write_all(out, lines.as_bytes())?))?;
        return context.output.print(&FilePredictions { model, file: Some(file), n_rows, predictions: Vec::new() });
    }
    context.output.print(&FilePredictions { model, file: None, n_rows, predictions })
}
