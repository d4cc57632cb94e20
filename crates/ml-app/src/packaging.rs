//! The package of a trained version: the model with its golden rows, the profile of its inputs and its card; and reading them back.

use anyhow::Context as _;

use ml_core::dataset::DatasetVersion;
use ml_core::model::ModelVersion;
use ml_core::table::Table;
use ml_monitor::profile::{ReferenceProfile, ValueProfile};
use ml_train::card::{CardContent, CardData, CardInput};
use ml_train::evaluate::Comparison;
use ml_train::model::TrainedModel;
use ml_train::package::{GoldenRows, Package, Papers};
use ml_train::train::TrainingSummary;

use crate::compose::App;
use crate::training::APP_VERSION;

/// How many categories a card names.
const N_CATEGORIES_SHOWN: usize = 5;

/// What is known of a training, from which the papers of its model are made.
pub(crate) struct TrainingFacts<'a> {
    /// All rows.
    pub(crate) table: &'a Table,
    /// The rows that were fitted on.
    pub(crate) train_rows: &'a [usize],
    /// What the inputs, the target and the predictions are like.
    pub(crate) profile: &'a ReferenceProfile,
    /// What the training met.
    pub(crate) summary: &'a TrainingSummary,
    /// How good the model is.
    pub(crate) comparison: &'a Comparison,
    /// Where the rows come from.
    pub(crate) data: &'a CardData,
}

/// Packs `model` with its papers; the same training gives the same bytes.
pub(crate) fn pack(model: TrainedModel, facts: &TrainingFacts<'_>) -> anyhow::Result<(TrainedModel, Vec<u8>)> {
    let golden = GoldenRows::record(&model, facts.table, facts.train_rows)?;
    let card = CardContent {
        model: &model,
        summary: Some(facts.summary),
        comparison: Some(facts.comparison),
        data: Some(facts.data),
        inputs: &card_inputs(facts.profile),
        made_by: &format!("ml-app {APP_VERSION}"),
    };
    let card = card.to_markdown();
    let reference_profile = Some(String::from_utf8(facts.profile.to_json()).context("a profile is not text")?);
    let package = Package { model, papers: Papers { golden, reference_profile, card: Some(card) } };
    let bytes = package.to_bytes()?;
    Ok((package.model, bytes))
}

/// Returns what a card says of the rows of `dataset`.
pub(crate) fn card_data(dataset: &DatasetVersion, scored_on: &str) -> CardData {
    CardData {
        dataset: dataset.reference(),
        content_hash: dataset.content.content_hash.to_string(),
        scored_on: scored_on.to_owned(),
    }
}

fn card_inputs(profile: &ReferenceProfile) -> Vec<CardInput> {
    let input = |column: &ml_monitor::profile::ColumnProfile| CardInput {
        name: column.name.clone(),
        missing_share: column.values.missing_share(),
        values: in_words(&column.values),
    };
    profile.columns.iter().map(input).collect()
}

fn in_words(values: &ValueProfile) -> String {
    match values {
        ValueProfile::Numeric(profile) => match (profile.summary.min, profile.summary.max, profile.summary.mean) {
            (Some(min), Some(max), Some(mean)) => format!("{min:.4} to {max:.4}, mean {mean:.4}"),
            _ => "no number".to_owned(),
        },
        ValueProfile::Categorical(profile) => {
            let named = profile.top.iter().take(N_CATEGORIES_SHOWN).map(|category| format!("`{}`", category.value));
            let more = if profile.n_distinct as usize > N_CATEGORIES_SHOWN { ", …" } else { "" };
            format!("{} categories: {}{more}", profile.n_distinct, named.collect::<Vec<_>>().join(", "))
        }
        ValueProfile::Text(profile) => match (profile.words.summary.mean, profile.words.summary.max) {
            (Some(mean), Some(max)) => format!("text of {mean:.0} words in the mean, {max:.0} at most"),
            _ => "no text".to_owned(),
        },
        ValueProfile::Time(profile) => match (profile.earliest, profile.latest) {
            (Some(earliest), Some(latest)) => format!("{} to {}", earliest.format("%F"), latest.format("%F")),
            _ => "no instant".to_owned(),
        },
    }
}

/// Loads what the package of `version` holds beside the model.
pub(crate) async fn load_papers(app: &App, version: &ModelVersion) -> anyhow::Result<Papers> {
    let bytes = app.registry.load_artifact(version).await?;
    let shown = version.reference();
    let decode = move || Papers::from_bytes(&bytes).with_context(|| format!("the package of `{shown}` does not load"));
    tokio::task::spawn_blocking(decode).await.context("decoding the package panicked")?
}

/// Loads the profile of the rows that `version` was fitted on: of its package, or stored beside models that older releases wrote.
pub(crate) async fn load_reference(app: &App, version: &ModelVersion) -> anyhow::Result<Option<ReferenceProfile>> {
    let bytes = match app.registry.load_reference_profile(version).await? {
        Some(bytes) => Some(bytes),
        None => load_papers(app, version).await?.reference_profile.map(String::into_bytes),
    };
    Ok(bytes.map(|bytes| ReferenceProfile::from_json(&bytes)).transpose()?)
}

/// Loads the card of `version`.
pub(crate) async fn load_card(app: &App, version: &ModelVersion) -> anyhow::Result<String> {
    let card = load_papers(app, version).await?.card;
    card.with_context(|| {
        format!(
            "`{}` has no card: it comes from a release that wrote none; train it again for one",
            version.reference()
        )
    })
}
