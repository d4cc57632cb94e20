//! The registry: named models, their immutable versions, and the names that move between versions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactRef;
use crate::digest::Digest;
use crate::error::StoreError;
use crate::id::RunId;
use crate::name::text_conversions;
use crate::page::{Page, PageRequest};
use crate::table::ColumnKind;

/// The longest name of a model or an alias, in characters.
pub const MAX_MODEL_NAME_CHARS: usize = 255;

/// The text names no model, alias or version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidModelRef {
    /// Not a name of a model.
    #[error(
        "`{0}` is not a model name: use 1 to {MAX_MODEL_NAME_CHARS} characters, without `/`, `:`, `@` and control characters"
    )]
    Name(String),
    /// Not an alias.
    #[error(
        "`{0}` is not an alias: use 1 to {MAX_MODEL_NAME_CHARS} letters, digits, `_` and `-`; not `latest`, not `v` and a number, \
         not a number"
    )]
    Alias(String),
    /// Neither `name@version` nor `name@alias`.
    #[error("`{0}` names no model version: write `name@3` or `name@champion`")]
    Reference(String),
}

/// The name of a registered model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(String);

/// A movable name of a version, such as `champion`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelAlias(String);

impl ModelName {
    /// Accepts what stays unambiguous in a reference, a path and a URL.
    pub fn parse(text: &str) -> Result<ModelName, InvalidModelRef> {
        let is_allowed = |c: char| !c.is_control() && !"/:@".contains(c);
        let fits = !text.trim().is_empty() && text.chars().count() <= MAX_MODEL_NAME_CHARS;
        if fits && text.chars().all(is_allowed) {
            return Ok(ModelName(text.to_owned()));
        }
        Err(InvalidModelRef::Name(text.chars().take(80).collect()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ModelAlias {
    /// Accepts letters, digits, `_` and `-` that cannot be mistaken for a version.
    pub fn parse(text: &str) -> Result<ModelAlias, InvalidModelRef> {
        let fits = !text.is_empty() && text.len() <= MAX_MODEL_NAME_CHARS;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let number = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let is_version = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        let is_reserved = text.eq_ignore_ascii_case("latest");
        if fits && text.chars().all(is_allowed) && !is_version && !is_reserved {
            return Ok(ModelAlias(text.to_owned()));
        }
        Err(InvalidModelRef::Alias(text.chars().take(80).collect()))
    }

    /// Returns the alias.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_conversions!(InvalidModelRef: ModelName, ModelAlias);

/// Which version of a model is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionSelector {
    /// This number.
    Number(u32),
    /// The version that has this alias.
    Alias(ModelAlias),
    /// The highest number.
    Latest,
}

/// A model version as people write it: `name@3`, `name@champion`, `name@latest`, or just `name` for the latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRef {
    /// The registered model.
    pub name: ModelName,
    /// Which of its versions.
    pub selector: VersionSelector,
}

impl FromStr for ModelRef {
    type Err = InvalidModelRef;

    fn from_str(text: &str) -> Result<ModelRef, InvalidModelRef> {
        let Some((name, selector)) = text.split_once('@') else {
            return Ok(ModelRef { name: ModelName::parse(text)?, selector: VersionSelector::Latest });
        };
        let name = ModelName::parse(name)?;
        let number = selector.strip_prefix(['v', 'V']).unwrap_or(selector);
        let selector = if selector.eq_ignore_ascii_case("latest") {
            VersionSelector::Latest
        } else if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) {
            let number = number.parse().map_err(|_| InvalidModelRef::Reference(text.to_owned()))?;
            VersionSelector::Number(number)
        } else {
            VersionSelector::Alias(ModelAlias::parse(selector)?)
        };
        Ok(ModelRef { name, selector })
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.selector {
            VersionSelector::Number(number) => write!(f, "{}@{number}", self.name),
            VersionSelector::Alias(alias) => write!(f, "{}@{alias}", self.name),
            VersionSelector::Latest => write!(f, "{}@latest", self.name),
        }
    }
}

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Being worked on; where every version begins.
    Development,
    /// Being tried.
    Staging,
    /// In use.
    Production,
    /// Put away.
    Archived,
}

/// A version cannot go from one of these stages to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version in {} cannot move to {}; from there it may move to {}", .from.name(), .to.name(), names(.from.next_stages()))]
pub struct InvalidStageMove {
    /// The stage it has.
    pub from: Stage,
    /// The stage asked for.
    pub to: Stage,
}

impl Stage {
    /// All stages.
    pub const ALL: [Stage; 4] = [Stage::Development, Stage::Staging, Stage::Production, Stage::Archived];

    /// Returns the name on disk.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Development => "development",
            Stage::Staging => "staging",
            Stage::Production => "production",
            Stage::Archived => "archived",
        }
    }

    /// Returns the stage called `name`.
    pub fn find_by_name(name: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Returns the stages that a version in this one may move to.
    pub fn next_stages(self) -> &'static [Stage] {
        match self {
            Stage::Development | Stage::Production => &[Stage::Staging, Stage::Archived],
            Stage::Staging => &[Stage::Production, Stage::Development, Stage::Archived],
            Stage::Archived => &[Stage::Development],
        }
    }

    /// Returns `to` if a version in this stage may move there.
    pub fn move_to(self, to: Stage) -> Result<Stage, InvalidStageMove> {
        if self.next_stages().contains(&to) { Ok(to) } else { Err(InvalidStageMove { from: self, to }) }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn names(stages: &[Stage]) -> String {
    stages.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(", ")
}

/// An input column or the output that a model version promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureColumn {
    /// The name of the column.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether it must be given.
    pub required: bool,
}

/// The input and output schema that a model version promises.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The columns it reads.
    pub inputs: Vec<SignatureColumn>,
    /// The columns it gives.
    pub outputs: Vec<SignatureColumn>,
}

/// Where a version comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The run that trained it.
    pub run_id: Option<RunId>,
    /// The dataset version it was fitted on, as `name@version`.
    pub dataset: Option<String>,
    /// The content hash of that dataset version.
    pub dataset_hash: Option<Digest>,
    /// The pipeline file, as stored.
    pub pipeline: Option<ArtifactRef>,
    /// The version of this program.
    pub app_version: String,
    /// The library that fitted it, and its version.
    pub framework: String,
}

/// A row of `registered_models`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredModel {
    /// Unique in the registry.
    pub name: ModelName,
    /// What it is for.
    pub description: String,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// Aliases and the versions they name.
    pub aliases: BTreeMap<ModelAlias, u32>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it, its aliases or one of its versions was last changed; a version that is registered counts.
    pub updated_at: DateTime<Utc>,
}

/// What a model version is made of, before it has a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewModelVersion {
    /// The registered model it belongs to.
    pub name: ModelName,
    /// What is special about it.
    pub description: String,
    /// Where its bytes came from, in the terms of whoever logged it.
    pub source: Option<String>,
    /// Who registered it.
    pub user_id: String,
    /// The stored model; absent for one that lives elsewhere.
    pub artifact: Option<ArtifactRef>,
    /// The stored statistics of the rows it was fitted on, against which drift is measured.
    pub reference_profile: Option<ArtifactRef>,
    /// What it reads and gives.
    pub signature: Signature,
    /// Where it comes from.
    pub lineage: Lineage,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// A row of `model_versions`: numbered from 1 within its model; all but stage, tags and description is immutable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The number within the model; never given twice.
    pub version: u32,
    /// Where it is in its life.
    pub stage: Stage,
    /// The aliases that name it, sorted.
    pub aliases: Vec<ModelAlias>,
    /// When its stage, tags or description last changed.
    pub updated_at: DateTime<Utc>,
    /// What it is made of.
    #[serde(flatten)]
    pub content: NewModelVersion,
}

impl ModelVersion {
    /// Returns the version as people write it: `name@3`.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.content.name, self.version)
    }
}

/// One move of an alias, kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasMove {
    /// The registered model.
    pub name: ModelName,
    /// The alias that moved.
    pub alias: ModelAlias,
    /// The version it named before.
    pub from: Option<u32>,
    /// The version it names since; absent when it was removed.
    pub to: Option<u32>,
    /// Who moved it.
    pub user_id: String,
    /// When.
    pub moved_at: DateTime<Utc>,
}

/// Registered models and their versions.
#[async_trait]
pub trait ModelStore: Send + Sync {
    /// Inserts the model without aliases, or [`StoreError::AlreadyExists`].
    async fn create(&self, model: &RegisteredModel) -> Result<(), StoreError>;

    /// Returns the model, or [`StoreError::NotFound`].
    async fn get(&self, name: &ModelName) -> Result<RegisteredModel, StoreError>;

    /// Lists models by name, in the order of its bytes.
    async fn list(&self, page: PageRequest<ModelName>) -> Result<Page<RegisteredModel, ModelName>, StoreError>;

    /// Deletes the model with its versions and aliases, or [`StoreError::NotFound`]; the record of alias moves stays as it
    /// is. The numbers of its versions are never given again, also not to a new model of the same name.
    async fn delete(&self, name: &ModelName) -> Result<(), StoreError>;

    /// Gives the version the next number of its model and inserts it in stage `development`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the model is not registered.
    async fn register_version(&self, version: &NewModelVersion) -> Result<ModelVersion, StoreError>;

    /// Returns the version, or [`StoreError::NotFound`].
    async fn get_version(&self, name: &ModelName, version: u32) -> Result<ModelVersion, StoreError>;

    /// Lists the versions of a model by descending number; an unknown model has none.
    async fn list_versions(&self, name: &ModelName) -> Result<Vec<ModelVersion>, StoreError>;

    /// Moves the version from stage `from` to stage `to`, or [`StoreError::Conflict`] when it is no longer in `from`.
    async fn set_stage(
        &self,
        name: &ModelName,
        version: u32,
        from: Stage,
        to: Stage,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Sets a label of the version, replacing its value.
    async fn set_version_tag(
        &self,
        name: &ModelName,
        version: u32,
        key: &str,
        value: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Makes `alias` name `version`, taking it from any other, and records the move; both or neither.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such version. An alias that names the version already is not a move.
    async fn set_alias(
        &self,
        name: &ModelName,
        alias: &ModelAlias,
        version: u32,
        user_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Removes `alias` and records it, or [`StoreError::NotFound`].
    async fn delete_alias(
        &self,
        name: &ModelName,
        alias: &ModelAlias,
        user_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Lists the moves of a model's aliases, oldest first.
    async fn list_alias_moves(&self, name: &ModelName) -> Result<Vec<AliasMove>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match text.parse::<ModelRef>() {
            Ok(reference) => reference.to_string(),
            Err(_) => "refused".to_owned(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn references_are_read_as_people_write_them() {
        check("news", "news@latest");
        check("news@3", "news@3");
        check("news@v3", "news@3");
        check("news@champion", "news@champion");
        check("news@latest", "news@latest");
        check("@3", "refused");
        check("news@", "refused");
        check("a/b@1", "refused");
        check("news@99999999999", "refused");
    }

    #[test]
    fn an_alias_cannot_look_like_a_version() {
        for text in ["latest", "v1", "V12", "7", "", "a b"] {
            assert!(ModelAlias::parse(text).is_err(), "{text:?}");
        }
        assert!(ModelAlias::parse("v2-candidate").is_ok());
    }

    #[test]
    fn a_refused_stage_move_says_which_are_allowed() {
        let err = Stage::Development.move_to(Stage::Production).unwrap_err();
        assert_eq!(
            err.to_string(),
            "a version in development cannot move to production; from there it may move to staging, archived"
        );
    }
}
