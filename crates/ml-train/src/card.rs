//! The model card: what a model is, is for and is worth, as Markdown, made of what its training knows.
//!
//! There is nothing in it that differs between two trainings of the same data: no times, no run.

use std::fmt::Write as _;

use crate::decision::Decision;
use crate::evaluate::{Comparison, Evaluation};
use crate::model::TrainedModel;
use crate::spec::{PipelineSpec, Task};
use crate::train::TrainingSummary;

/// What a card tells.
#[derive(Debug, Clone, Copy)]
pub struct CardContent<'a> {
    /// The model.
    pub model: &'a TrainedModel,
    /// What the training met; absent for a model that was not trained here.
    pub summary: Option<&'a TrainingSummary>,
    /// How good it is; absent as long as it was not evaluated.
    pub comparison: Option<&'a Comparison>,
    /// Where its rows come from.
    pub data: Option<&'a CardData>,
    /// What its inputs were like, in the order of the signature.
    pub inputs: &'a [CardInput],
    /// What made it besides the library, such as `ml-app 1.2`.
    pub made_by: &'a str,
}

/// Where the rows of a training come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardData {
    /// The dataset version, as `name@version`.
    pub dataset: String,
    /// The digest of its rows.
    pub content_hash: String,
    /// The split that was scored, such as `test`.
    pub scored_on: String,
}

/// What one input was like in the training rows.
#[derive(Debug, Clone, PartialEq)]
pub struct CardInput {
    /// The column.
    pub name: String,
    /// The share of rows without a value.
    pub missing_share: f64,
    /// Its values in a few words, such as `1 to 9, mean 4.2`.
    pub values: String,
}

impl CardContent<'_> {
    /// Writes the card.
    pub fn to_markdown(&self) -> String {
        let mut card = String::new();
        self.heading(&mut card);
        self.uses(&mut card);
        self.inputs_and_output(&mut card);
        self.training_data(&mut card);
        if let Some(comparison) = self.comparison {
            figures(&mut card, comparison, self.data);
        }
        self.limitations(&mut card);
        self.making(&mut card);
        card
    }

    fn spec(&self) -> &PipelineSpec {
        &self.model.spec
    }

    fn heading(&self, card: &mut String) {
        let spec = self.spec();
        let n_inputs = self.model.signature.inputs.len();
        let inputs = if n_inputs == 1 { "one input".to_owned() } else { format!("{n_inputs} inputs") };
        let what = match spec.task {
            Task::Classification => format!("the category `{}`, one of {}", spec.target, self.model.classes.len()),
            Task::Regression => format!("the number `{}`", spec.target),
            Task::Clustering => format!("the group `{}`, found without a target", spec.target),
            Task::Anomaly => format!("whether a row is an anomaly, as `{}`", spec.target),
        };
        line(card, format_args!("# {}\n", spec.name));
        line(card, format_args!("A `{}` that predicts {what}, from {inputs}.", spec.estimator.kind()));
    }

    fn uses(&self, card: &mut String) {
        let said = &self.spec().card;
        section(card, "Intended use");
        if said.intended_use.is_empty() {
            line(card, format_args!("Not stated: say it under `card: {{ intended_use: … }}` in the pipeline file."));
        } else {
            line(card, format_args!("{}", said.intended_use.trim()));
        }
        if !said.out_of_scope.is_empty() {
            line(card, format_args!("\nNot for: {}", said.out_of_scope.trim()));
        }
        for (name, value) in [("Owner", &said.owner), ("Licence", &said.licence)] {
            if !value.is_empty() {
                line(card, format_args!("\n{name}: {}", value.trim()));
            }
        }
    }

    fn inputs_and_output(&self, card: &mut String) {
        section(card, "Inputs and output");
        let rows = self.model.signature.inputs.iter().map(|column| {
            let known = self.inputs.iter().find(|input| input.name == column.name);
            let missing = known.map_or_else(|| "-".to_owned(), |input| percent(input.missing_share));
            let values = known.map_or_else(|| "-".to_owned(), |input| input.values.clone());
            vec![column.name.clone(), column.kind.name().to_owned(), missing, values]
        });
        table(card, &["input", "kind", "missing", "values in the training rows"], rows);
        for column in &self.model.signature.outputs {
            line(card, format_args!("\nThe output is `{}`, a {}.", column.name, column.kind.name()));
        }
        if let Some(Decision { positive, threshold }) = self.model.decision {
            let class = &self.model.classes[positive];
            line(card, format_args!("\nIt is `{class}` where the score of that class is at least {threshold:.6}."));
        }
    }

    fn training_data(&self, card: &mut String) {
        section(card, "Training data");
        if let Some(data) = self.data {
            line(card, format_args!("Dataset `{}`, content hash `{}`.", data.dataset, data.content_hash));
        } else {
            line(card, format_args!("The rows it was fitted on are not known here."));
        }
        let Some(summary) = self.summary else { return };
        line(
            card,
            format_args!(
                "Fitted on {} of {} rows of the train split, as {} features.",
                summary.n_rows_used, summary.n_rows, summary.n_features
            ),
        );
        for (reason, n_rows) in &summary.dropped {
            line(card, format_args!("Left out: {n_rows} rows, because {reason}."));
        }
        if !summary.class_counts.is_empty() {
            line(card, format_args!(""));
            let n_rows = summary.n_rows_used.max(1) as f64;
            let rows = self.model.classes.iter().filter_map(|class| {
                let count = summary.class_counts.get(class)?;
                Some(vec![class.clone(), count.to_string(), percent(*count as f64 / n_rows)])
            });
            table(card, &["class", "training rows", "share"], rows);
        }
    }

    fn limitations(&self, card: &mut String) {
        let said = self.spec().card.limitations.trim();
        let warnings = self.summary.map_or(&[][..], |summary| &summary.warnings);
        let notes = self.comparison.map_or(&[][..], |comparison| &comparison.model.notes);
        if said.is_empty() && warnings.is_empty() && notes.is_empty() {
            return;
        }
        section(card, "Limitations");
        if !said.is_empty() {
            line(card, format_args!("{said}"));
        }
        if !(warnings.is_empty() && notes.is_empty()) {
            line(card, format_args!(""));
        }
        for note in warnings.iter().chain(notes) {
            line(card, format_args!("- {note}"));
        }
    }

    fn making(&self, card: &mut String) {
        let spec = self.spec();
        section(card, "How it was made");
        line(card, format_args!("By {} with {}, seed {}.", self.made_by, self.model.framework, spec.seed));
        line(card, format_args!("What was learnt of the data was learnt from the train split alone."));
        let declared = serde_yaml_ng::to_string(&MadeOf::of(spec)).unwrap_or_default();
        line(card, format_args!("\n```yaml\n{}\n```", declared.trim_end()));
    }
}

/// The part of a pipeline that decides what is fitted.
#[derive(serde::Serialize)]
struct MadeOf<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    derive: &'a [crate::spec::DeriveSpec],
    #[serde(with = "serde_yaml_ng::with::singleton_map_recursive")]
    features: &'a [crate::spec::FeatureSpec],
    #[serde(with = "serde_yaml_ng::with::singleton_map_recursive")]
    estimator: &'a crate::estimator::EstimatorSpec,
}

impl<'a> MadeOf<'a> {
    fn of(spec: &'a PipelineSpec) -> MadeOf<'a> {
        MadeOf { derive: &spec.derive, features: &spec.features, estimator: &spec.estimator }
    }
}

fn figures(card: &mut String, comparison: &Comparison, data: Option<&CardData>) {
    let model = &comparison.model;
    section(card, "Figures");
    let split = data.map_or_else(String::new, |data| format!(" of the {} split", data.scored_on));
    line(card, format_args!("On {} rows{split}, which it was not fitted on.\n", model.n_samples));
    let mut heads = vec!["figure", "model"];
    heads.extend(comparison.baselines.iter().map(|baseline| baseline.estimator.as_str()));
    let rows = model.metrics.iter().map(|(name, value)| {
        let baseline =
            |baseline: &Evaluation| baseline.metrics.get(name).map_or_else(|| "-".to_owned(), |value| number(*value));
        let mut row = vec![name.clone(), number(*value)];
        row.extend(comparison.baselines.iter().map(baseline));
        row
    });
    table(card, &heads, rows);
    if !model.classes.is_empty() {
        line(card, format_args!(""));
        let rows = model.classes.iter().map(|class| {
            let figures = [class.precision, class.recall, class.f1].map(number);
            [vec![class.label.clone(), class.support.to_string()], figures.to_vec()].concat()
        });
        table(card, &["class", "rows", "precision", "recall", "f1"], rows);
    }
}

fn section(card: &mut String, title: &str) {
    line(card, format_args!("\n## {title}\n"));
}

fn line(card: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(card, "{text}").expect("a string takes any text");
}

fn table(card: &mut String, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let cells =
        |cells: Vec<String>| format!("| {} |", cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(" | "));
    line(card, format_args!("{}", cells(heads.iter().map(|head| (*head).to_owned()).collect())));
    line(card, format_args!("|{}", " --- |".repeat(heads.len())));
    for row in rows {
        line(card, format_args!("{}", cells(row)));
    }
}

/// Returns `text` as it stands in a cell: on one line, and without ending it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn number(value: f64) -> String {
    format!("{value:.4}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
