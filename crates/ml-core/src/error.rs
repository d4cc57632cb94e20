//! The one error of every store, whatever the backend.

use std::fmt;

/// Any error, boxed to travel as a source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What a store error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entity {
    /// A stored blob, addressed by its digest.
    Artifact,
    /// How far a sync got.
    Checkpoint,
    /// A column of a SQL table.
    Column,
    /// A named collection of dataset versions.
    Dataset,
    /// An immutable snapshot of rows.
    DatasetVersion,
    /// The outcome of comparing a window with its reference.
    DriftReport,
    /// A vector made from a record.
    Embedding,
    /// A named line of work.
    Experiment,
    /// A copy of a row, in the document store.
    Figure,
    /// A validated, normalised row.
    GlobalRecord,
    /// What turned out to be true for a record.
    GroundTruth,
    /// What a pipeline step left for the next.
    IntermediateResult,
    /// One bar of one symbol.
    MarketMetric,
    /// A movable name of a model version.
    ModelAlias,
    /// Evaluation figures of a model.
    ModelPerformance,
    /// An immutable numbered entry under a registered model.
    ModelVersion,
    /// A publication that waits for delivery.
    OutboxEntry,
    /// An output of a model for a record.
    Prediction,
    /// A record that broke a rule.
    QuarantinedRecord,
    /// What an application sent.
    RawRecord,
    /// What became of a raw record.
    RecordLineage,
    /// A name in the registry.
    RegisteredModel,
    /// One execution in an experiment.
    Run,
    /// A table of the SQL store.
    Table,
    /// An event between a user and an item.
    UserInteraction,
    /// The outcome of checks over a dataset.
    ValidationResult,
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Entity::Artifact => "artifact",
            Entity::Checkpoint => "checkpoint",
            Entity::Column => "column",
            Entity::Dataset => "dataset",
            Entity::DatasetVersion => "dataset version",
            Entity::DriftReport => "drift report",
            Entity::Embedding => "embedding",
            Entity::Experiment => "experiment",
            Entity::Figure => "figure",
            Entity::GlobalRecord => "global record",
            Entity::GroundTruth => "ground truth",
            Entity::IntermediateResult => "intermediate result",
            Entity::MarketMetric => "market metric",
            Entity::ModelAlias => "model alias",
            Entity::ModelPerformance => "model performance",
            Entity::ModelVersion => "model version",
            Entity::OutboxEntry => "outbox entry",
            Entity::Prediction => "prediction",
            Entity::QuarantinedRecord => "quarantined record",
            Entity::RawRecord => "raw record",
            Entity::RecordLineage => "record lineage",
            Entity::RegisteredModel => "registered model",
            Entity::Run => "run",
            Entity::Table => "table",
            Entity::UserInteraction => "user interaction",
            Entity::ValidationResult => "validation result",
        })
    }
}

/// What can go wrong in any store, whatever the backend.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such entity.
    #[error("{entity} `{key}` not found")]
    NotFound {
        /// What was looked for.
        entity: Entity,
        /// Its key.
        key: String,
    },
    /// The key is taken.
    #[error("{entity} `{key}` already exists")]
    AlreadyExists {
        /// What was to be created.
        entity: Entity,
        /// The taken key.
        key: String,
    },
    /// Someone else changed the row since it was read; reread and decide again.
    #[error("{entity} `{key}` was changed concurrently")]
    Conflict {
        /// What was to be changed.
        entity: Entity,
        /// Its key.
        key: String,
    },
    /// The store no longer knows what came after this position; compare what is there instead.
    #[error("{entity} `{key}` is too old: the store no longer knows what changed since then")]
    Expired {
        /// What was to be gone on from.
        entity: Entity,
        /// The position.
        key: String,
        /// The backend's own error, if it gave one.
        #[source]
        source: Option<BoxError>,
    },
    /// The bytes in the store do not decode into the entity.
    #[error("stored {entity} `{key}` cannot be read")]
    Corrupt {
        /// What was read.
        entity: Entity,
        /// Its key.
        key: String,
        /// Why it does not decode.
        #[source]
        source: BoxError,
    },
    /// The store has no room left; nothing of the operation was kept. The source says where to make some.
    #[error("no space left while {operation}")]
    Full {
        /// What was being done, such as `writing records`.
        operation: &'static str,
        /// The backend's own error.
        #[source]
        source: BoxError,
    },
    /// The store may be read but not written. The source says what it takes.
    #[error("the store is read-only: {operation} needs write permission")]
    ReadOnly {
        /// What was being done, such as `writing records`.
        operation: &'static str,
        /// The backend's own error.
        #[source]
        source: BoxError,
    },
    /// The store cannot be reached, or is not ready; the same may go well in a while.
    #[error("{operation} failed: the store does not answer")]
    Unavailable {
        /// What was being done, such as `writing records`.
        operation: &'static str,
        /// The backend's own error.
        #[source]
        source: BoxError,
    },
    /// The backend failed.
    #[error("{operation} failed")]
    Backend {
        /// What was being done, such as `writing records`.
        operation: &'static str,
        /// The backend's own error.
        #[source]
        source: BoxError,
    },
}

impl StoreError {
    /// Makes a [`StoreError::NotFound`].
    pub fn not_found(entity: Entity, key: impl fmt::Display) -> StoreError {
        StoreError::NotFound { entity, key: key.to_string() }
    }

    /// Makes a [`StoreError::AlreadyExists`].
    pub fn already_exists(entity: Entity, key: impl fmt::Display) -> StoreError {
        StoreError::AlreadyExists { entity, key: key.to_string() }
    }

    /// Makes a [`StoreError::Conflict`].
    pub fn conflict(entity: Entity, key: impl fmt::Display) -> StoreError {
        StoreError::Conflict { entity, key: key.to_string() }
    }

    /// Makes a [`StoreError::Expired`] without a source.
    pub fn expired(entity: Entity, key: impl fmt::Display) -> StoreError {
        StoreError::Expired { entity, key: key.to_string(), source: None }
    }

    /// Makes a [`StoreError::Corrupt`].
    pub fn corrupt(entity: Entity, key: impl fmt::Display, source: impl Into<BoxError>) -> StoreError {
        StoreError::Corrupt { entity, key: key.to_string(), source: source.into() }
    }
}
