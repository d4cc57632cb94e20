//! `ml-app predict`: rows and documents scored with a registered model, or with the word list that is in the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{ValueEnum, ValueHint};
use serde::Serialize;

use ml_core::dataset::Split;
use ml_core::model::ModelRef;
use ml_core::record::{Collection, DataType, SourceApp};
use ml_core::result::Prediction;
use ml_data::ingest::InputFormat;
use ml_data::pipeline::RowForm;
use ml_data::scoring::{DocumentScorer as _, ScoringOptions};
use ml_train::text::SentimentScorer;

use crate::cli::Context;
use crate::cli::dataset::split;
use crate::cli::quarantine::collection;
use crate::counted::unknown_text;
use crate::dataset_ref::DatasetRef;
use crate::output::{self, OutputFormat, Report};
use crate::row_form::training_form;
use crate::scorer::Scorer;
use crate::scoring::{self, DocumentsReport, FileScores, ScoreReport};

/// More would be no explanation.
const MAX_WORDS: u64 = 1_000;

/// Scores rows with a registered model: of a file, to standard output; of a dataset, into the stores; or documents where they are.
///
/// Rows of a file are normalised as `sync` normalises records of the data type that the model was trained on, and the
/// predictions are printed as JSON lines, one a row, in the order of the file. Rows of a dataset become predictions that
/// wait in the outbox until `ml-app publish` delivers them; scoring them again changes nothing.
///
/// Documents of a collection get their predictions beside them in the document store at once. Scored again, only those get
/// another one of which the model reads something else than before, and all of them with another version of the model. A run
/// that was stopped goes on where it was.
///
/// `--scorer vader` needs no model: it rates the sentiment of English texts by a word list and rules.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ml-app predict --model news-topic@champion --input new.jsonl
  echo '{\"headline\": \"Rates rise\", \"text\": \"The bank ...\"}' | ml-app predict --model news-topic@champion --input -
  ml-app predict --model news-topic@champion --dataset news --split test
  ml-app predict --model news-topic@champion --collection text_corpus --data-type text
  ml-app predict --model bias@champion --input article.json --explain 10
  ml-app predict --scorer vader --collection social_content
  ml-app predict --scorer vader --text-column headline --text-column text --input new.jsonl --explain 5")]
#[command(group = clap::ArgGroup::new("rows").required(true).args(["input", "dataset", "collection"]))]
#[command(group = clap::ArgGroup::new("by").required(true).args(["model", "scorer"]))]
pub(crate) struct Args {
    /// NAME, NAME@VERSION or NAME@ALIAS
    #[arg(long, value_name = "MODEL")]
    model: Option<ModelRef>,
    /// A scorer that is in the program, instead of a model
    #[arg(long, value_enum, value_name = "NAME")]
    scorer: Option<BuiltIn>,
    /// A column that --scorer reads; several are read as one text [default: text]
    #[arg(long, value_name = "COLUMN", requires = "scorer")]
    text_column: Vec<String>,
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
    /// The documents of this collection, such as text_corpus
    #[arg(long, value_name = "NAME", value_parser = collection)]
    collection: Option<Collection>,
    /// Only documents of this data type
    #[arg(long, value_name = "TYPE", requires = "collection")]
    data_type: Option<DataType>,
    /// Only documents from this application
    #[arg(long, value_name = "APP", requires = "collection")]
    source_app: Option<SourceApp>,
    /// Score every document, also where nothing changed
    #[arg(long, requires = "collection")]
    again: bool,
    /// Tell the N words that spoke most for each prediction, and as many against it; for linear models of text
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_WORDS))]
    explain: Option<u64>,
}

/// A scorer that is in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BuiltIn {
    /// Sentiment of English texts by a word list and rules
    Vader,
}

impl Report for ScoreReport {
    fn text(&self) -> String {
        format!(
            "{} rows scored with {}, {} without a prediction; {} predictions wait for `ml-app publish`",
            output::count(self.n_scored),
            self.model,
            output::count(self.n_missing),
            output::count(self.n_enqueued),
        ) + &unknown_line(&self.unknown_categories)
    }
}

impl Report for DocumentsReport {
    fn text(&self) -> String {
        let report = &self.scoring;
        let counts = report.counts;
        let mut text = format!(
            "{}: {} documents scored with {}, {} unchanged since they were, {} without a prediction",
            report.collection,
            output::count(counts.scored),
            report.scorer,
            output::count(counts.unchanged),
            output::count(counts.without_prediction),
        );
        for (n, what) in
            [(counts.passed_over, "of another data type or application"), (counts.unreadable, "unreadable")]
        {
            if n > 0 {
                text = format!("{text}, {} {what}", output::count(n));
            }
        }
        text + &unknown_line(&self.unknown_categories)
    }
}

/// Says on a line of its own which values training did not see, if there are any.
fn unknown_line(unknown: &BTreeMap<String, u64>) -> String {
    unknown_text(unknown).map_or_else(String::new, |text| format!("\n{text}"))
}

/// Predictions for the rows of a file.
#[derive(Debug, Serialize)]
struct FilePredictions {
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    n_rows: usize,
    n_missing: usize,
    unknown_categories: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    predictions: Vec<Prediction>,
}

impl Report for FilePredictions {
    fn text(&self) -> String {
        match &self.file {
            Some(file) => {
                let wrote = format!("wrote {} predictions of {} to {}", self.n_rows, self.model, file.display());
                wrote + &unknown_line(&self.unknown_categories)
            }
            None => scoring::json_lines(&self.predictions).trim_end().to_owned(),
        }
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: Args) -> anyhow::Result<()> {
    let explain = args.explain.map(|n_words| n_words as usize);
    let (scorer, form) = match &args.model {
        Some(model) => {
            let version = context.app.registry.resolve(model).await?;
            let scorer = Scorer::of_model(&context.app, &version, explain).await?;
            let form = if args.input.is_some() { training_form(&context.app, &version).await? } else { None };
            (scorer, form)
        }
        None => (Scorer::of_lexicon(SentimentScorer::Vader, text_columns(&args), explain), None),
    };
    if let Some(collection) = args.collection {
        let Args { data_type, source_app, again, .. } = args;
        let options = ScoringOptions { collection, data_type, source_app, again };
        return score_documents(context, scorer, &options).await;
    }
    if let Some(dataset) = &args.dataset {
        let dataset = dataset.resolve(&context.app).await?;
        let report = scoring::score_dataset(&context.app, scorer, &dataset, args.split).await?;
        return context.output.print(&report);
    }
    let input = args.input.as_ref().expect("clap asks for --input where there is no other");
    score_file(context, scorer, form, input, &args).await
}

fn text_columns(args: &Args) -> Vec<String> {
    if args.text_column.is_empty() { vec!["text".to_owned()] } else { args.text_column.clone() }
}

async fn score_documents(context: &Context, scorer: Scorer, options: &ScoringOptions) -> anyhow::Result<()> {
    let report = scoring::score_documents(&context.app, scorer, options, &context.stop).await?;
    context.output.print(&report)?;
    if report.scoring.cancelled {
        bail!("stopped before the end; what was scored stays, and the next run goes on from there");
    }
    Ok(())
}

async fn score_file(
    context: &Context,
    scorer: Scorer,
    form: Option<RowForm>,
    input: &Path,
    args: &Args,
) -> anyhow::Result<()> {
    let model = scorer.description();
    let scores = scoring::score_file(&context.app, scorer, form, input, args.format).await?;
    let FileScores { predictions, unknown_categories } = scores;
    let n_rows = predictions.len();
    let n_missing = predictions.iter().filter(|prediction| prediction.value.is_null()).count();
    if let Some(file) = &args.out {
        let lines = scoring::json_lines(&predictions);
        crate::file::replace(file, |out| Ok(std::io::Write::write_all(out, lines.as_bytes())?))?;
        let file = Some(file.clone());
        let predictions = Vec::new();
        let report = FilePredictions { model, file, n_rows, n_missing, unknown_categories, predictions };
        return context.output.print(&report);
    }
    if let (Some(text), OutputFormat::Table) = (unknown_text(&unknown_categories), context.output) {
        // Standard output has the predictions alone, a line each.
        tracing::warn!("{text}");
    }
    let report = FilePredictions { model, file: None, n_rows, n_missing, unknown_categories, predictions };
    context.output.print(&report)
}
