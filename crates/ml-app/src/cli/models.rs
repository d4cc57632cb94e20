//! `ml-app models`: the registry.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Subcommand, ValueHint};
use serde::Serialize;

use ml_core::evaluation::ModelPerformance;
use ml_core::model::{AliasMove, ModelAlias, ModelName, ModelRef, ModelVersion, RegisteredModel, Stage};
use ml_registry::compare::{Difference, compare};
use ml_registry::gate::Gate;
use ml_train::spec::Task;

use crate::cli::Context;
use crate::importing::{self, ImportRequest};
use crate::output::{self, Report};
use crate::packaging;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists registered models, or the versions of one
    #[command(after_help = "Examples:\n  ml-app models list\n  ml-app models list news-topic --output json")]
    List {
        /// Only the versions of this model
        name: Option<ModelName>,
    },
    /// Shows one version: artifact, signature, lineage, figures; or its model card
    #[command(
        after_help = "Examples:\n  ml-app models show news-topic@champion\n  ml-app models show news-topic@3 --card > news-topic.md"
    )]
    Show {
        /// NAME, NAME@VERSION or NAME@ALIAS
        model: ModelRef,
        /// Print the model card, in Markdown: what the model is, is for and is worth
        #[arg(long)]
        card: bool,
    },
    /// Moves a version to another stage, if its gates are open
    #[command(
        after_help = "Examples:\n  ml-app models promote news-topic@3 staging\n  ml-app models promote news-topic@champion production"
    )]
    Promote {
        /// NAME, NAME@VERSION or NAME@ALIAS
        model: ModelRef,
        /// development, staging, production or archived
        #[arg(value_parser = stage)]
        stage: Stage,
    },
    /// Makes an alias name a version, or removes it
    #[command(
        after_help = "Examples:\n  ml-app models alias news-topic@3 champion\n  ml-app models alias news-topic champion --remove"
    )]
    Alias {
        /// NAME, NAME@VERSION or NAME@ALIAS
        model: ModelRef,
        /// The alias
        alias: ModelAlias,
        /// Remove the alias from the model
        #[arg(long)]
        remove: bool,
    },
    /// Shows in what two versions differ, figures included
    #[command(after_help = "Examples:\n  ml-app models compare news-topic@1 news-topic@2")]
    Compare {
        /// One version
        left: ModelRef,
        /// The other version
        right: ModelRef,
    },
    /// Writes one version, with everything stored beside it, to a file
    #[command(after_help = "Examples:\n  ml-app models export news-topic@champion --out news-topic.mlm")]
    Export {
        /// NAME, NAME@VERSION or NAME@ALIAS
        model: ModelRef,
        /// The file to write
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
    /// Registers the model in a file: what `export` wrote, a package, or an ONNX model; twice is a no-op
    ///
    /// An ONNX model is tried before it is registered. What it reads and which classes it has are taken from its graph as far
    /// as that says them.
    #[command(
        after_help = "Examples:\n  ml-app models import news-topic.mlm\n  ml-app models import news-topic.mlm --name news-topic-copy\n  ml-app models import flowers.onnx --name flowers --target species --columns length,width"
    )]
    Import {
        /// The file to read
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Register it under this name
        #[arg(long)]
        name: Option<ModelName>,
        /// What an ONNX model predicts
        #[arg(long, value_name = "COLUMN")]
        target: Option<String>,
        /// The columns that an ONNX model reads, in the order of its inputs [default: the names of the inputs]
        #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
        columns: Vec<String>,
        /// The classes of an ONNX model, in the order of its scores [default: as the graph names them]
        #[arg(long, value_name = "CLASSES", value_delimiter = ',')]
        classes: Vec<String>,
        /// classification or regression [default: what the outputs of an ONNX model look like]
        #[arg(long, value_name = "TASK", value_parser = task)]
        task: Option<Task>,
    },
}

fn stage(name: &str) -> Result<Stage, String> {
    Stage::find_by_name(name).ok_or_else(|| "the stages are development, staging, production and archived".to_owned())
}

fn task(name: &str) -> Result<Task, String> {
    let tasks = [Task::Classification, Task::Regression];
    let found = tasks.into_iter().find(|task| task.name() == name);
    found.ok_or_else(|| "the tasks are classification and regression".to_owned())
}

#[derive(Debug, Serialize)]
struct ModelList {
    models: Vec<ListedModel>,
}

#[derive(Debug, Serialize)]
struct ListedModel {
    #[serde(flatten)]
    model: RegisteredModel,
    latest_version: Option<u32>,
}

impl Report for ModelList {
    fn text(&self) -> String {
        if self.models.is_empty() {
            return "no models yet: `ml-app train` registers one".to_owned();
        }
        let rows = self.models.iter().map(|listed| {
            let aliases = listed.model.aliases.iter().map(|(alias, version)| format!("{alias} → {version}"));
            vec![
                listed.model.name.to_string(),
                listed.latest_version.map_or_else(String::new, |version| version.to_string()),
                aliases.collect::<Vec<_>>().join(", "),
                listed.model.updated_at.format("%F %T").to_string(),
            ]
        });
        output::table(&["model", "latest", "aliases", "updated (UTC)"], rows, &[1])
    }
}

#[derive(Debug, Serialize)]
struct VersionList {
    name: ModelName,
    versions: Vec<ModelVersion>,
}

impl Report for VersionList {
    fn text(&self) -> String {
        let rows = self.versions.iter().map(|version| {
            vec![
                version.version.to_string(),
                version.stage.to_string(),
                aliases(version),
                version.content.lineage.dataset.clone().unwrap_or_default(),
                version.content.artifact.map_or_else(String::new, |artifact| artifact.digest.short()),
                version.content.created_at.format("%F %T").to_string(),
            ]
        });
        let heads = ["version", "stage", "aliases", "dataset", "artifact", "created (UTC)"];
        format!("{}\n{}", self.name, output::table(&heads, rows, &[0]))
    }
}

#[derive(Debug, Serialize)]
struct ShownVersion {
    #[serde(flatten)]
    version: ModelVersion,
    performance: Vec<ModelPerformance>,
    alias_moves: Vec<AliasMove>,
}

impl Report for ShownVersion {
    fn text(&self) -> String {
        let content = &self.version.content;
        let lineage = &content.lineage;
        let columns = |columns: &[ml_core::model::SignatureColumn]| {
            let shown = columns.iter().map(|column| {
                let optional = if column.required { "" } else { "?" };
                format!("{}{optional}: {}", column.name, column.kind.name())
            });
            shown.collect::<Vec<_>>().join(", ")
        };
        let optional = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let heading = output::pairs([
            ("model", self.version.reference()),
            ("stage", self.version.stage.to_string()),
            ("aliases", aliases(&self.version)),
            ("inputs", columns(&content.signature.inputs)),
            ("outputs", columns(&content.signature.outputs)),
            (
                "artifact",
                optional(
                    content
                        .artifact
                        .map(|artifact| format!("{} ({} bytes)", artifact.digest, output::count(artifact.size_bytes))),
                ),
            ),
            ("run", optional(lineage.run_id.as_ref().map(ToString::to_string))),
            ("dataset", optional(lineage.dataset.clone())),
            ("dataset hash", optional(lineage.dataset_hash.map(|hash| hash.to_string()))),
            ("pipeline", optional(lineage.pipeline.map(|pipeline| pipeline.digest.to_string()))),
            ("made by", format!("ml-app {}, {}", lineage.app_version, lineage.framework)),
            ("registered", format!("{} by {}", content.created_at.to_rfc3339(), content.user_id)),
        ]);
        let rows = newest(&self.performance).into_iter().flat_map(|(scored_on, performance)| {
            performance.metrics.iter().map(move |(name, value)| {
                let n_samples = output::count(performance.n_samples);
                vec![scored_on.clone(), n_samples, name.clone(), output::figure(*value)]
            })
        });
        format!("{heading}\n{}", output::table(&["scored on", "rows", "figure", "value"], rows, &[1, 3]))
    }
}

#[derive(Debug, Serialize)]
struct ShownCard {
    model: String,
    card: String,
}

impl Report for ShownCard {
    fn text(&self) -> String {
        self.card.trim_end().to_owned()
    }
}

fn aliases(version: &ModelVersion) -> String {
    version.aliases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[derive(Debug, Serialize)]
struct Comparison {
    left: String,
    right: String,
    differences: Vec<Difference>,
    figures: Vec<FigurePair>,
}

#[derive(Debug, Serialize)]
struct FigurePair {
    scored_on: String,
    figure: String,
    left: Option<f64>,
    right: Option<f64>,
}

impl Report for Comparison {
    fn text(&self) -> String {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let fields = self
            .differences
            .iter()
            .map(|difference| vec![difference.field.clone(), value(&difference.left), value(&difference.right)]);
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), output::figure);
        let figures = self
            .figures
            .iter()
            .map(|pair| vec![pair.scored_on.clone(), pair.figure.clone(), figure(pair.left), figure(pair.right)]);
        format!(
            "{}\n{}",
            output::table(&["field", &self.left, &self.right], fields, &[]),
            output::table(&["scored on", "figure", &self.left, &self.right], figures, &[2, 3]),
        )
    }
}

/// What a change of the registry led to.
#[derive(Debug, Serialize)]
struct Changed {
    #[serde(skip)]
    message: String,
    #[serde(flatten)]
    version: Option<ModelVersion>,
}

impl Report for Changed {
    fn text(&self) -> String {
        self.message.clone()
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    let registry = &context.app.registry;
    match command {
        Command::List { name: Some(name) } => {
            let versions = registry.list_versions(&name).await?;
            context.output.print(&VersionList { name, versions })
        }
        Command::List { name: None } => list(context).await,
        Command::Show { model, card: false } => show(context, &model).await,
        Command::Show { model, card: true } => show_card(context, &model).await,
        Command::Promote { model, stage } => promote(context, &model, stage).await,
        Command::Alias { model, alias, remove } => set_alias(context, &model, &alias, remove).await,
        Command::Compare { left, right } => compare_versions(context, &left, &right).await,
        Command::Export { model, out } => {
            let version = registry.resolve(&model).await?;
            registry.export_to_file(&model, &out).await?;
            let message = format!("wrote {} to {}", version.reference(), out.display());
            context.output.print(&Changed { message, version: Some(version) })
        }
        Command::Import { file, name, target, columns, classes, task } => {
            let request = ImportRequest { file, name, target, columns, classes, task };
            let imported = importing::import(&context.app, request).await?;
            let version = imported.version;
            let verb = if imported.is_new { "registered" } else { "was there already:" };
            let message = format!("{verb} {}", version.reference());
            context.output.print(&Changed { message, version: Some(version) })
        }
    }
}

async fn list(context: &Context) -> anyhow::Result<()> {
    let registry = &context.app.registry;
    let mut models = Vec::new();
    for model in registry.list_models().await? {
        let versions = registry.list_versions(&model.name).await?;
        let latest_version = versions.first().map(|version| version.version);
        models.push(ListedModel { model, latest_version });
    }
    context.output.print(&ModelList { models })
}

async fn show(context: &Context, model: &ModelRef) -> anyhow::Result<()> {
    let registry = &context.app.registry;
    let version = registry.resolve(model).await?;
    let performance = performance_of(context, &version).await?;
    let alias_moves = registry.list_alias_moves(&version.content.name).await?;
    context.output.print(&ShownVersion { version, performance, alias_moves })
}

async fn show_card(context: &Context, model: &ModelRef) -> anyhow::Result<()> {
    let version = context.app.registry.resolve(model).await?;
    let card = packaging::load_card(&context.app, &version).await?;
    context.output.print(&ShownCard { model: version.reference(), card })
}

async fn promote(context: &Context, model: &ModelRef, stage: Stage) -> anyhow::Result<()> {
    let evaluations = context.app.sql.evaluations.list_performance(Some(&model.name)).await?;
    let version = context.app.registry.promote(model, stage, Gate::before(stage), &evaluations).await?;
    let message = format!("{} is in {}", version.reference(), version.stage);
    context.output.print(&Changed { message, version: Some(version) })
}

async fn set_alias(context: &Context, model: &ModelRef, alias: &ModelAlias, remove: bool) -> anyhow::Result<()> {
    let user = &context.app.config.settings.user;
    let registry = &context.app.registry;
    if remove {
        registry.delete_alias(&model.name, alias, user).await?;
        let message = format!("{} has no alias {alias} any more", model.name);
        return context.output.print(&Changed { message, version: None });
    }
    let version = registry.set_alias(model, alias, user).await?;
    let message = format!("{}@{alias} is version {}", version.content.name, version.version);
    context.output.print(&Changed { message, version: Some(version) })
}

async fn compare_versions(context: &Context, left: &ModelRef, right: &ModelRef) -> anyhow::Result<()> {
    let left = context.app.registry.resolve(left).await?;
    let right = context.app.registry.resolve(right).await?;
    let left_figures = figures(&performance_of(context, &left).await?);
    let right_figures = figures(&performance_of(context, &right).await?);
    let mut keys: Vec<_> = left_figures.keys().chain(right_figures.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    let figures = keys.into_iter().map(|key| FigurePair {
        left: left_figures.get(&key).copied(),
        right: right_figures.get(&key).copied(),
        scored_on: key.0,
        figure: key.1,
    });
    context.output.print(&Comparison {
        left: left.reference(),
        right: right.reference(),
        differences: compare(&left, &right),
        figures: figures.collect(),
    })
}

/// Returns the newest figures of a version by what they were scored on; a training and an evaluation may both have scored it.
fn newest(performance: &[ModelPerformance]) -> BTreeMap<String, &ModelPerformance> {
    let mut newest: BTreeMap<String, &ModelPerformance> = BTreeMap::new();
    for performance in performance {
        let scored_on = format!("{} {}", performance.dataset, performance.split);
        let known = newest.entry(scored_on).or_insert(performance);
        if performance.evaluated_at > known.evaluated_at {
            *known = performance;
        }
    }
    newest
}

/// Returns the newest figures of a version by what they were scored on and their name.
fn figures(performance: &[ModelPerformance]) -> BTreeMap<(String, String), f64> {
    let mut figures = BTreeMap::new();
    for (scored_on, performance) in newest(performance) {
        let named = performance.metrics.iter();
        figures.extend(named.map(|(name, value)| ((scored_on.clone(), name.clone()), *value)));
    }
    figures
}

async fn performance_of(context: &Context, version: &ModelVersion) -> anyhow::Result<Vec<ModelPerformance>> {
    let name = &version.content.name;
    let mut performance = context.app.sql.evaluations.list_performance(Some(name)).await?;
    performance.retain(|performance| performance.model_version == Some(version.version));
    Ok(performance)
}
