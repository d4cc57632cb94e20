//! What the demo did, for people and as JSON.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use ml_core::quarantine::ReasonCount;
use ml_data::ingest::IngestReport;
use ml_data::sync::SyncReport;
use ml_monitor::report::MonitorReport;

use crate::invocation::Invocation;
use crate::output::{self, Report};
use crate::scoring::ScoreReport;
use crate::training::TrainReport;

/// Figures of which less is better.
const ERRORS: [&str; 4] = ["rmse", "mae", "mape", "log_loss"];

/// The report of a finished demo.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DemoReport {
    /// Whether it was made by an earlier run.
    pub(crate) already_there: bool,
    /// Everything that was done.
    details: Value,
    /// The same for people; JSON output leaves it out.
    #[serde(skip)]
    text: String,
    /// Where everything is and what to type next, for people. It is not kept: the folder may be moved, or the program started
    /// from another place.
    #[serde(skip)]
    way_on: String,
}

/// The report as it is kept in the data folder.
#[derive(Serialize, Deserialize)]
struct Kept {
    details: Value,
    text: String,
}

/// Records that came in from one file.
#[derive(Debug, Serialize)]
pub(super) struct Ingested {
    /// The file.
    pub(super) file: PathBuf,
    /// What kind of records they are.
    pub(super) data_type: String,
    /// What became of them.
    pub(super) report: IngestReport,
}

/// One model, from training to monitoring.
#[derive(Debug, Serialize)]
pub(super) struct ModelOutcome {
    /// What it predicts.
    pub(super) title: String,
    /// The figure to tell.
    pub(super) headline: String,
    /// The training.
    pub(super) trained: TrainReport,
    /// The scoring of the held-out rows.
    pub(super) scored: ScoreReport,
    /// Predictions that reached the document store.
    pub(super) n_published: u64,
    /// How it does.
    pub(super) monitored: MonitorReport,
}

/// Everything the demo did.
#[derive(Debug, Serialize)]
pub(super) struct Details {
    /// Where everything is.
    pub(super) data_dir: PathBuf,
    /// Records in.
    pub(super) ingested: Vec<Ingested>,
    /// Records validated.
    pub(super) synced: SyncReport,
    /// Why records were held back.
    pub(super) quarantine: Vec<ReasonCount>,
    /// The models.
    pub(super) models: Vec<ModelOutcome>,
}

/// Where the user goes from here.
#[derive(Debug)]
pub(super) struct WayOn<'a> {
    /// Where everything is.
    pub(super) data_dir: &'a Path,
    /// How the program was started.
    pub(super) invocation: &'a Invocation,
}

impl DemoReport {
    /// Makes the report of what was just done.
    pub(super) fn of(details: &Details, way_on: &WayOn<'_>) -> anyhow::Result<DemoReport> {
        let text = details.text();
        Ok(DemoReport { already_there: false, details: serde_json::to_value(details)?, text, way_on: way_on.text() })
    }

    /// Reads the report of an earlier run, if one got to its end.
    pub(super) fn read(file: &Path, way_on: &WayOn<'_>) -> anyhow::Result<Option<DemoReport>> {
        if !file.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let Kept { details, text } = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is no report: delete it to run the demo again", file.display()))?;
        Ok(Some(DemoReport { already_there: true, details, text, way_on: way_on.text() }))
    }

    /// Keeps the report; from then on the demo is finished.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let kept = Kept { details: self.details.clone(), text: self.text.clone() };
        let bytes = serde_json::to_vec_pretty(&kept)?;
        crate::file::replace(file, |out| Ok(std::io::Write::write_all(out, &bytes)?))
    }
}

impl Report for DemoReport {
    fn text(&self) -> String {
        let DemoReport { text, way_on, .. } = self;
        if !self.already_there {
            return format!("{text}\n\n{way_on}");
        }
        format!(
            "The demo is all there already: nothing was done. This is the report of the run that made it.\n\n{text}\n\n{way_on}"
        )
    }
}

impl Details {
    fn text(&self) -> String {
        let mut text = String::new();
        section(&mut text, "1. Records in", &self.ingested_text());
        section(&mut text, "2. Validated into SQL", &self.synced.text());
        section(&mut text, "3. Held back, and why", &self.quarantine_text());
        section(&mut text, "4. Models, on rows they were not fitted on", &self.models_text());
        section(&mut text, "5. Scored, published, watched", &self.watched_text());
        text.truncate(text.trim_end().len());
        text
    }

    fn ingested_text(&self) -> String {
        let rows = self.ingested.iter().map(|ingested| {
            let report = &ingested.report;
            let counts = [report.inserted, report.unchanged, report.changed, report.rejected].map(output::count);
            [vec![ingested.file.display().to_string(), ingested.data_type.clone()], counts.to_vec()].concat()
        });
        let heads = ["file", "data type", "inserted", "unchanged", "changed", "rejected"];
        let mut text = output::table(&heads, rows, &[2, 3, 4, 5]);
        for rejection in self.ingested.iter().flat_map(|ingested| &ingested.report.rejections) {
            let _ = write!(text, "\n  {rejection}");
        }
        text
    }

    fn quarantine_text(&self) -> String {
        let rows = self.quarantine.iter().map(|reason| {
            let field = reason.field.clone().unwrap_or_else(|| "(record)".to_owned());
            vec![reason.collection.to_string(), field, reason.rule.clone(), output::count(reason.n_records)]
        });
        output::table(&["collection", "field", "rule", "records"], rows, &[3])
    }

    fn models_text(&self) -> String {
        let rows = self.models.iter().flat_map(|model| {
            let name = &model.headline;
            let own = model.trained.metrics.get(name).copied().unwrap_or(f64::NAN);
            model.trained.baselines.iter().map(move |baseline| {
                let other = baseline.metrics.get(name).copied().unwrap_or(f64::NAN);
                let is_better = if ERRORS.contains(&name.as_str()) { own < other } else { own > other };
                vec![
                    model.title.clone(),
                    model.trained.model.clone().unwrap_or_default(),
                    output::count(model.trained.n_scored),
                    name.clone(),
                    output::figure(own),
                    output::figure(other),
                    baseline.name.clone(),
                    if is_better { "yes" } else { "no" }.to_owned(),
                ]
            })
        });
        let heads = ["predicts", "model", "rows", "figure", "model's", "baseline's", "baseline", "beaten"];
        output::table(&heads, rows, &[2, 4, 5])
    }

    fn watched_text(&self) -> String {
        let rows = self.models.iter().map(|model| {
            let live = model.monitored.live.as_ref();
            let figure = live.and_then(|live| live.metrics.get(&model.headline));
            let drift = if model.monitored.is_drifted() { "drifted" } else { "none" };
            vec![
                model.scored.model.clone(),
                output::count(model.scored.n_scored),
                output::count(model.scored.n_missing),
                output::count(model.n_published),
                output::count(live.map_or(0, |live| live.n_scored)),
                figure.map_or_else(String::new, |value| format!("{} {}", model.headline, output::figure(*value))),
                drift.to_owned(),
            ]
        });
        let heads = ["model", "scored", "not scorable", "published", "truth known", "live figure", "drift"];
        output::table(&heads, rows, &[1, 2, 3, 4])
    }
}

impl WayOn<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        section(&mut text, "Where it is", &self.places_text());
        section(&mut text, "What to type next", &self.next_text());
        text.truncate(text.trim_end().len());
        text
    }

    fn places_text(&self) -> String {
        let place = |name: &str| self.data_dir.join(name).display().to_string();
        output::pairs([
            ("raw records, predictions", place("documents.sqlite")),
            ("rows, runs, registry", place("ml.sqlite")),
            ("models, datasets", place("artifacts")),
            ("bundled files, this report", place("demo")),
        ])
    }

    fn next_text(&self) -> String {
        let command = |rest: &str| self.invocation.command(self.data_dir, rest);
        output::pairs([
            ("what was held back", command("quarantine list")),
            ("one model, whole", command("models show news-topic@champion")),
            ("how it is doing", command("monitor report --model news-topic@champion")),
            (
                "score a text",
                format!(
                    "echo '{{\"headline\": \"Rates rise\", \"text\": \"The central bank raised its rate.\"}}' | {}",
                    command("predict --model news-topic@champion --input -")
                ),
            ),
            ("your own records", command("help ingest")),
        ])
    }
}

fn section(text: &mut String, title: &str, body: &str) {
    let _ = write!(text, "{title}\n{body}\n\n");
}
