//! What the registry refuses, and why.

use ml_core::error::StoreError;
use ml_core::model::{InvalidStageMove, ModelAlias, ModelName, Stage};

use crate::bundle::BundleError;
use crate::gate::Gate;
use crate::suggest;

/// What can go wrong in the registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No model has that name.
    #[error("no model `{name}`{}; the models are {}", did_you_mean(.near), suggest::list(.known))]
    UnknownModel {
        /// The name asked for.
        name: ModelName,
        /// Names that are spelt much like it, the nearest first.
        near: Vec<String>,
        /// Every name there is.
        known: Vec<ModelName>,
    },
    /// The model has no such alias.
    #[error("model `{name}` has no alias `{alias}`{}; its aliases are {}", did_you_mean(.near), suggest::list(.known))]
    UnknownAlias {
        /// The model.
        name: ModelName,
        /// The alias asked for.
        alias: ModelAlias,
        /// Aliases that are spelt much like it.
        near: Vec<String>,
        /// The aliases it has.
        known: Vec<ModelAlias>,
    },
    /// The model has no such version.
    #[error("model `{name}` has no version {version}; its versions are {}", suggest::list(.known))]
    UnknownVersion {
        /// The model.
        name: ModelName,
        /// The number asked for.
        version: u32,
        /// The numbers it has, the newest first.
        known: Vec<u32>,
    },
    /// The model is registered, and has no version yet.
    #[error("model `{name}` has no versions yet; `ml-app train` registers one")]
    NoVersions {
        /// The model.
        name: ModelName,
    },
    /// The move between stages is not one there is.
    #[error("`{version}` stays where it is")]
    StageMove {
        /// The version, as `name@number`.
        version: String,
        /// Which moves there are.
        #[source]
        source: InvalidStageMove,
    },
    /// A condition for the move is not met.
    #[error("`{version}` cannot move to {to}: {gate}")]
    GateClosed {
        /// The version, as `name@number`.
        version: String,
        /// The stage asked for.
        to: Stage,
        /// The condition.
        gate: Gate,
        /// What is wrong, if more is known than that the condition is not met.
        #[source]
        source: Option<Box<RegistryError>>,
    },
    /// The version was registered without these bytes.
    #[error("`{version}` has no stored {part}")]
    NotStored {
        /// The version, as `name@number`.
        version: String,
        /// What was asked for, such as `model`.
        part: &'static str,
    },
    /// The bytes are not there any more, or not as they were stored.
    #[error("the {part} of `{version}` cannot be loaded")]
    Unloadable {
        /// The version, as `name@number`.
        version: String,
        /// What was asked for, such as `model`.
        part: &'static str,
        /// What the store says.
        #[source]
        source: StoreError,
    },
    /// The file is not an exported model version, or a damaged one.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!(", did you mean {}", suggest::list(near)) }
}
