//! `ml-app evaluate`: a registered model on a dataset version.

use ml_core::dataset::Split;
use ml_core::model::ModelRef;

use crate::cli::Context;
use crate::cli::dataset::split;
use crate::cli::train::figures_table;
use crate::dataset_ref::DatasetRef;
use crate::output::{self, Report};
use crate::training::{self, EvaluateReport};

/// Scores a registered model on one split of a dataset version, and keeps the figures.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ml-app evaluate --model news-topic@champion --dataset news\n  ml-app evaluate --model news-topic@1 --dataset news@3 --split validation --output json"
)]
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
}

impl Report for EvaluateReport {
    fn text(&self) -> String {
        let heading = output::pairs([
            ("model", self.model.clone()),
            ("scored on", format!("{} rows of {}, split {}", output::count(self.n_samples), self.dataset, self.split)),
        ]);
        format!("{heading}\n{}", figures_table("value", &self.metrics, &[]))
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let version = context.app.registry.resolve(&args.model).await?;
    let dataset = args.dataset.resolve(&context.app).await?;
    let report = training::evaluate(&context.app, &version, &dataset, args.split).await?;
    context.output.print(&report)
}
