//! `ml-app evaluate`: a registered model on a dataset version.

use std::io::Write as _;
use std::path::PathBuf;

use clap::ValueHint;

use ml_core::dataset::Split;
use ml_core::model::ModelRef;
use ml_train::evaluate::threshold::Costs;

use crate::cli::Context;
use crate::cli::dataset::split;
use crate::dataset_ref::DatasetRef;
use crate::evaluation::{self, EvaluateRequest, html};
use crate::file;

/// Scores a registered model on one split of a dataset version, and keeps the figures.
///
/// Every figure comes with the number of its rows and the interval it lies in. What makes figures doubtful, such as rows that
/// are in the train split too, is warned of.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ml-app evaluate --model news-topic@champion --dataset news
  ml-app evaluate --model news-topic@1 --dataset news@3 --split validation --output json
  ml-app evaluate --model news-topic --dataset news --slice-by source --report news-topic.html
  ml-app evaluate --model news-topic --against news-topic@champion --dataset news --metric f1_macro
  ml-app evaluate --model spam --dataset sms --false-positive-cost 5 --false-negative-cost 1 --positive spam")]
pub(crate) struct Args {
    /// NAME, NAME@VERSION or NAME@ALIAS
    #[arg(long, value_name = "MODEL")]
    model: ModelRef,
    /// NAME for the newest version, or NAME@VERSION
    #[arg(long, value_name = "DATASET")]
    dataset: DatasetRef,
    /// train, validation or test
    #[arg(long, value_parser = split, default_value = "test")]
    split: Split,
    /// A champion on the same rows: is the model better, worse, or is there no significant difference?
    #[arg(long, value_name = "MODEL")]
    against: Option<ModelRef>,
    /// The figure that slices, importance and comparisons are by [default: accuracy, or rmse]
    #[arg(long, value_name = "FIGURE")]
    metric: Option<String>,
    /// Figures by the values of this column, numbers by their quarters; may be given several times
    #[arg(long, value_name = "COLUMN")]
    slice_by: Vec<String>,
    /// What it costs to take a row for the positive class that is not; chooses the threshold of least cost
    #[arg(long, value_name = "COST", requires = "false_negative_cost")]
    false_positive_cost: Option<f64>,
    /// What it costs to miss a row of the positive class
    #[arg(long, value_name = "COST", requires = "false_positive_cost")]
    false_negative_cost: Option<f64>,
    /// The positive class [default: the second one]
    #[arg(long, value_name = "CLASS", requires = "false_positive_cost")]
    positive: Option<String>,
    /// How much worse the model is without each column
    #[arg(long)]
    importance: bool,
    /// Fit the pipeline on growing shares of the train split, to see whether more rows would help
    #[arg(long)]
    learning_curve: bool,
    /// Write all of it as a page with charts, in one file; includes --importance where there is a target
    #[arg(long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
    /// How often the rows are drawn anew for intervals; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// How sure intervals are
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = confidence)]
    confidence: f64,
    /// Where randomness comes from [default: the seed of the pipeline]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

fn confidence(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.5..1.0).contains(&share) => Ok(share),
        _ => Err("a confidence is at least 0.5 and below 1, such as 0.95".to_owned()),
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let against = match &args.against {
        Some(against) => Some(context.app.registry.resolve(against).await?),
        None => None,
    };
    let costs = args.false_positive_cost.zip(args.false_negative_cost);
    let request = EvaluateRequest {
        version: context.app.registry.resolve(&args.model).await?,
        against,
        dataset: args.dataset.resolve(&context.app).await?,
        split: args.split,
        metric: args.metric.clone(),
        slice_by: args.slice_by.clone(),
        costs: costs.map(|(false_positive, false_negative)| Costs {
            positive: args.positive.clone(),
            false_positive,
            false_negative,
        }),
        importance: args.importance,
        importance_if_possible: args.report.is_some(),
        learning_curve: args.learning_curve,
        resamples: args.resamples,
        confidence: args.confidence,
        seed: args.seed,
    };
    let report = evaluation::evaluate(&context.app, request, &context.stop).await?;
    if let Some(path) = &args.report {
        let page = html::page(&report);
        file::replace(path, |file| Ok(file.write_all(page.as_bytes())?))?;
    }
    context.output.print(&report)
}
