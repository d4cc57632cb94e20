//! `ml-app monitor`: how a model and its data are doing.

use clap::Subcommand;
use serde::Serialize;

use ml_core::dataset::Split;
use ml_core::model::{ModelRef, ModelVersion};
use ml_monitor::drift::report::{ColumnDrift, DriftFindings, DriftTest};
use ml_monitor::live::LiveScores;
use ml_monitor::quality::{DataQuality, ValueQuality};
use ml_monitor::report::MonitorReport;

use crate::cli::Context;
use crate::cli::dataset::split;
use crate::dataset_ref::DatasetRef;
use crate::monitoring;
use crate::output::{self, Report};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Data quality, drift and live scores of a model version, together
    #[command(
        after_help = "Examples:\n  ml-app monitor report --model news-topic@champion\n  ml-app monitor report --model news-topic@2 --dataset news@5 --split test --output json"
    )]
    Report(Window),
    /// Drift of the inputs and predictions against the training rows
    #[command(after_help = "Examples:\n  ml-app monitor drift --model news-topic@champion --dataset news-june")]
    Drift(Window),
    /// What the rows are like: missing and odd values, ranges, duplicates
    #[command(
        after_help = "Examples:\n  ml-app monitor quality --model news-topic@champion\n  ml-app monitor quality --model news-topic@champion --dataset news-june"
    )]
    Quality(Window),
}

/// Which model is judged on which rows.
#[derive(Debug, clap::Args)]
pub(crate) struct Window {
    /// NAME, NAME@VERSION or NAME@ALIAS
    #[arg(long, value_name = "MODEL")]
    model: ModelRef,
    /// The rows to judge: NAME or NAME@VERSION [default: the test split of the dataset it was trained on]
    #[arg(long, value_name = "DATASET")]
    dataset: Option<DatasetRef>,
    /// Only this split of the dataset
    #[arg(long, value_parser = split)]
    split: Option<Split>,
}

impl Report for MonitorReport {
    fn text(&self) -> String {
        let verdict = match &self.drift {
            Some(drift) => verdict(drift),
            None => "no reference profile to compare with".to_owned(),
        };
        let heading = output::pairs([
            ("model", format!("{}@{}", self.model_name, self.model_version)),
            ("window", format!("{}, {} rows", self.window, output::count(self.n_rows))),
            ("predictions", output::count(self.n_predictions)),
            ("drift", verdict),
        ]);
        let quality = self.quality.as_ref().map(quality_table);
        let drift = self.drift.as_ref().map(drift_table);
        let live = self.live.as_ref().map(live_text);
        let parts = [Some(heading), quality, drift, live];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }
}

/// One part of a report, on its own.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct DriftPart(DriftFindings);

impl Report for DriftPart {
    fn text(&self) -> String {
        format!("{}\n{}", verdict(&self.0), drift_table(&self.0))
    }
}

/// One part of a report, on its own.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct QualityPart(DataQuality);

impl Report for QualityPart {
    fn text(&self) -> String {
        quality_table(&self.0)
    }
}

fn verdict(drift: &DriftFindings) -> String {
    let drifted = drift.columns.iter().filter(|column| column.tests.iter().any(|test| test.drifted));
    let names: Vec<_> = drifted.map(|column| column.column.as_str()).collect();
    if names.is_empty() { word(&drift.verdict) } else { format!("{}: {}", word(&drift.verdict), names.join(", ")) }
}

fn drift_table(drift: &DriftFindings) -> String {
    let rows = drift.columns.iter().map(|column| {
        let strongest = strongest(column);
        let statistic = |test: &DriftTest| format!("{} of {}", word(&test.method), word(&test.subject));
        vec![
            column.column.clone(),
            column.kind.clone(),
            word(&column.verdict),
            strongest.map_or_else(String::new, statistic),
            strongest.map_or_else(String::new, |test| output::figure(test.statistic)),
            strongest.map_or_else(String::new, |test| output::figure(test.threshold)),
            strongest.map_or_else(String::new, |test| output::figure(test.p_value)),
        ]
    });
    output::table(&["column", "kind", "verdict", "largest change", "value", "limit", "p"], rows, &[4, 5, 6])
}

/// Returns the test that went furthest towards its limit.
fn strongest(column: &ColumnDrift) -> Option<&DriftTest> {
    let share = |test: &DriftTest| test.statistic / test.threshold;
    column.tests.iter().max_by(|one, other| share(one).total_cmp(&share(other)))
}

fn quality_table(quality: &DataQuality) -> String {
    let rows = quality.columns.iter().map(|column| {
        let flags: Vec<_> = column.flags.iter().map(word).collect();
        vec![
            column.name.clone(),
            column.kind.name().to_owned(),
            output::count(column.n_missing),
            output::count(column.n_distinct),
            range(&column.values),
            flags.join(", "),
        ]
    });
    let table = output::table(&["column", "kind", "missing", "distinct", "range", "remarks"], rows, &[2, 3]);
    let (n_rows, n_duplicates) = (output::count(quality.n_rows), output::count(quality.n_duplicate_rows));
    format!("{table}\n{n_rows} rows, {n_duplicates} repeat an earlier one")
}

fn range(values: &ValueQuality) -> String {
    match values {
        ValueQuality::Numeric(numbers) => match (numbers.summary.min, numbers.summary.max) {
            (Some(min), Some(max)) => format!("{} to {}", output::figure(min), output::figure(max)),
            _ => String::new(),
        },
        ValueQuality::Boolean { n_true } => format!("{} true", output::count(*n_true)),
        ValueQuality::Text(texts) => match (texts.words.summary.min, texts.words.summary.max) {
            (Some(min), Some(max)) => format!("{min:.0} to {max:.0} words"),
            _ => String::new(),
        },
        ValueQuality::Time { earliest: Some(earliest), latest: Some(latest) } => {
            format!("{} to {}", earliest.format("%F"), latest.format("%F"))
        }
        ValueQuality::Time { .. } => String::new(),
    }
}

/// Lays out the live figures, or says why there are none.
fn live_text(live: &LiveScores) -> String {
    let all = output::count(live.n_predictions);
    let target = &live.target;
    if live.n_predictions == 0 {
        return "no live figures: no prediction of this version has been published; `ml-app predict --dataset` makes some and \
                `ml-app publish` delivers them"
            .to_owned();
    }
    if live.n_scored > 0 {
        return live_table(live);
    }
    if live.n_without_value == live.n_predictions {
        return format!("no live figures: none of {all} predictions of `{target}` has a value");
    }
    if live.n_not_comparable > 0 {
        let n_unfit = output::count(live.n_not_comparable);
        return format!(
            "no live figures: of {all} predictions of `{target}`, {n_unfit} have a truth that cannot be compared with them, such \
             as a text for a number"
        );
    }
    format!(
        "no live figures: the truth is not known for any of {all} predictions of `{target}`; ingest it as data type \
         `ground_truth` with fields record_id, target and value, then sync"
    )
}

fn live_table(live: &LiveScores) -> String {
    let rows = live.metrics.iter().map(|(name, value)| vec![name.clone(), output::figure(*value)]);
    let table = output::table(&["live figure", "value"], rows, &[1]);
    let (scored, all) = (output::count(live.n_scored), output::count(live.n_predictions));
    format!("{table}\nthe truth is known for {scored} of {all} predictions of `{}`", live.target)
}

/// Returns the name that a value has in JSON, in words.
fn word(value: &impl Serialize) -> String {
    let name = serde_json::to_value(value).ok();
    name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().replace('_', " ")
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    let (Command::Report(window) | Command::Drift(window) | Command::Quality(window)) = &command;
    let app = &context.app;
    let version = app.registry.resolve(&window.model).await?;
    let (dataset, default_split) = match &window.dataset {
        Some(dataset) => (dataset.clone(), None),
        None => (trained_on(&version)?, Some(Split::Test)),
    };
    let dataset = dataset.resolve(app).await?;
    let report = monitoring::report(app, &version, &dataset, window.split.or(default_split)).await?;
    match command {
        Command::Report(_) => context.output.print(&report),
        Command::Drift(_) => match report.drift {
            Some(drift) => context.output.print(&DriftPart(drift)),
            None => anyhow::bail!("`{}` has no reference profile: train it again to get one", window.model),
        },
        Command::Quality(_) => match report.quality {
            Some(quality) => context.output.print(&QualityPart(quality)),
            None => anyhow::bail!("there are no rows to judge"),
        },
    }
}

fn trained_on(version: &ModelVersion) -> anyhow::Result<DatasetRef> {
    let Some(dataset) = &version.content.lineage.dataset else {
        anyhow::bail!("`{}` does not say which dataset it was trained on: add --dataset", version.content.name)
    };
    dataset.parse().map_err(anyhow::Error::msg)
}
