//! `ml-app train`: a declared pipeline, fitted, evaluated and registered.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::ValueHint;

use ml_core::model::{ModelAlias, ModelName};
use ml_train::evaluate::measured::Measured;

use crate::cli::Context;
use crate::counted::left_out_text;
use crate::dataset_ref::DatasetRef;
use crate::evaluation::{drawn_text, interval_text};
use crate::output::{self, Report};
use crate::selection;
use crate::training::{self, DecisionReport, TrainReport, TrainRequest};

/// Fits a declared pipeline on the train split of a dataset version, scores it on the test split, and registers it.
///
/// Preprocessing is fitted on the train split alone and stored inside the model. The same dataset version, pipeline and seed
/// give the same bytes. The run is recorded with its params, metrics and inputs, also when it fails or is stopped.
///
/// With `--search`, variants of the pipeline are tried on folds of the train split first, and the best one is fitted on all of
/// it. Each trial is a run of its own; a search that was stopped goes on where it was.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ml-app train --pipeline config/pipelines/news-topic.yaml --dataset news
  ml-app train --pipeline config/pipelines/news-topic.yaml --search config/searches/news-topic.yaml --dataset news
  ml-app train --pipeline news.yaml --dataset news@2 --model news-topic --alias champion")]
pub(crate) struct Args {
    /// The pipeline file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pipeline: PathBuf,
    /// The search file: what to vary, and what to compare by
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    search: Option<PathBuf>,
    /// NAME for the newest version, or NAME@VERSION
    #[arg(long, value_name = "DATASET")]
    dataset: DatasetRef,
    /// Register under this name [default: the name in the pipeline file]
    #[arg(long, value_name = "NAME")]
    model: Option<ModelName>,
    /// Make this alias name the new version
    #[arg(long, value_name = "ALIAS")]
    alias: Option<ModelAlias>,
    /// The experiment the run belongs to; made if it is not there
    #[arg(long, value_name = "NAME", default_value = "Default")]
    experiment: String,
    /// Fit and evaluate, but register nothing
    #[arg(long)]
    no_register: bool,
}

impl Report for TrainReport {
    fn text(&self) -> String {
        let model = match &self.model {
            Some(model) => {
                format!("{model}{}", self.alias.as_ref().map_or_else(String::new, |alias| format!(", {alias}")))
            }
            None => "not registered".to_owned(),
        };
        let mut pairs = vec![
            ("model", model),
            ("artifact", format!("{} ({} bytes)", self.artifact, output::count(self.size_bytes))),
            ("run", self.run_id.to_string()),
            ("dataset", self.dataset.clone()),
            ("fitted on", format!("{} rows in {:.2} s", output::count(self.n_train), self.fit_seconds)),
        ];
        let n_given = self.n_train as usize + self.left_out.values().sum::<usize>();
        pairs.extend(left_out_text(&self.left_out, n_given).map(|text| ("left out", text)));
        pairs.push(("scored on", format!("{} rows of {}", output::count(self.n_scored), self.scored_on)));
        pairs.extend(self.counted.pairs());
        if let Some(DecisionReport { positive, threshold }) = &self.decision {
            pairs.push(("decision", format!("`{positive}` from a score of {} on", output::figure(*threshold))));
        }
        let heading = output::pairs(pairs);
        let figures = figures_table("model", &self.metrics, &self.measured, &self.baselines);
        let mut text = match &self.search {
            Some(search) => format!("{}\n\n{heading}\n{figures}", search.text()),
            None => format!("{heading}\n{figures}"),
        };
        let _ = write!(text, "\n{}", drawn_text(&self.measured));
        for warning in &self.warnings {
            let _ = write!(text, "\nwarning: {warning}");
        }
        text
    }
}

/// Lays out the figures of a model and their intervals beside the figures of its baselines.
fn figures_table(
    label: &str,
    metrics: &BTreeMap<String, f64>,
    measured: &Measured,
    baselines: &[training::BaselineScores],
) -> String {
    let mut heads = vec!["figure", label, "interval"];
    heads.extend(baselines.iter().map(|baseline| baseline.name.as_str()));
    let rows =
        metrics.iter().map(|(name, value)| {
            let interval = measured.figures.get(name).and_then(|figure| figure.interval);
            let mut row = vec![name.clone(), output::figure(*value), interval_text(interval)];
            row.extend(baselines.iter().map(|baseline| {
                baseline.metrics.get(name).map_or_else(|| "-".to_owned(), |value| output::figure(*value))
            }));
            row
        });
    let right: Vec<usize> = (1..heads.len()).collect();
    output::table(&heads, rows, &right)
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let pipeline = training::read_pipeline(&args.pipeline)?;
    let search = args.search.as_deref().map(|path| selection::read_search(path, &pipeline.spec)).transpose()?;
    let request = TrainRequest {
        pipeline,
        search,
        dataset: args.dataset.resolve(&context.app).await?,
        model: args.model.clone(),
        alias: args.alias.clone(),
        experiment: args.experiment.clone(),
        register: !args.no_register,
    };
    let report = training::train(&context.app, request, &context.stop).await?;
    context.output.print(&report)
}
