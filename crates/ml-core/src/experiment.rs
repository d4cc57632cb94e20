//! Named lines of work that runs belong to.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::id::ExperimentId;
use crate::page::{Page, PageRequest};

/// Whether something is in use or put away; what is deleted can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleStage {
    /// In use.
    Active,
    /// Put away, and out of default listings.
    Deleted,
}

impl LifecycleStage {
    /// Returns the name on disk.
    pub fn name(self) -> &'static str {
        match self {
            LifecycleStage::Active => "active",
            LifecycleStage::Deleted => "deleted",
        }
    }
}

/// What an experiment is made of, before it has an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewExperiment {
    /// Unique among all experiments, deleted ones included; up to 500 characters.
    pub name: String,
    /// Where its artifacts go; absent for the default place.
    pub artifact_location: Option<String>,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A row of `experiments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// A number in text; `0` is `Default`, which exists from the start.
    pub id: ExperimentId,
    /// Unique among all experiments, deleted ones included.
    pub name: String,
    /// Where its artifacts go; absent for the default place.
    pub artifact_location: Option<String>,
    /// In use or put away.
    pub lifecycle_stage: LifecycleStage,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Experiments. A fresh store has one, `Default`, with id `0`. A change to an experiment that is not there is
/// [`StoreError::NotFound`].
#[async_trait]
pub trait ExperimentStore: Send + Sync {
    /// Takes the next number and inserts, in use, or [`StoreError::AlreadyExists`] for a taken name.
    async fn create(&self, experiment: &NewExperiment) -> Result<Experiment, StoreError>;

    /// Returns the experiment, or [`StoreError::NotFound`].
    async fn get(&self, id: &ExperimentId) -> Result<Experiment, StoreError>;

    /// Returns the experiment called `name`, deleted ones included.
    async fn find_by_name(&self, name: &str) -> Result<Option<Experiment>, StoreError>;

    /// Lists experiments of `stage`, or all, by ascending number.
    async fn list(
        &self,
        stage: Option<LifecycleStage>,
        page: PageRequest<ExperimentId>,
    ) -> Result<Page<Experiment, ExperimentId>, StoreError>;

    /// Gives the experiment another name, or [`StoreError::AlreadyExists`] when another experiment has it.
    async fn rename(&self, id: &ExperimentId, name: &str, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Puts the experiment away or takes it back into use.
    async fn set_lifecycle_stage(
        &self,
        id: &ExperimentId,
        stage: LifecycleStage,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Sets a label, replacing its value.
    async fn set_tag(&self, id: &ExperimentId, key: &str, value: &str, at: DateTime<Utc>) -> Result<(), StoreError>;
}
