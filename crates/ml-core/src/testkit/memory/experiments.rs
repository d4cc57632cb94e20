//! Experiments, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::paging::page_of;
use super::runs::Runs;
use super::{MemorySql, lock};
use crate::error::{Entity, StoreError};
use crate::experiment::{Experiment, ExperimentStore, LifecycleStage, NewExperiment};
use crate::id::ExperimentId;
use crate::page::{Page, PageRequest};

/// Experiments by number, and the runs in them.
#[derive(Debug)]
pub(super) struct Tracking {
    experiments: BTreeMap<u64, Experiment>,
    pub(super) runs: Runs,
}

impl Default for Tracking {
    fn default() -> Tracking {
        let default = Experiment {
            id: id_of(0),
            name: "Default".to_owned(),
            artifact_location: None,
            lifecycle_stage: LifecycleStage::Active,
            tags: BTreeMap::new(),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        };
        Tracking { experiments: BTreeMap::from([(0, default)]), runs: Runs::default() }
    }
}

impl Tracking {
    pub(super) fn find(&self, id: &ExperimentId) -> Result<&Experiment, StoreError> {
        self.experiments
            .get(&number_of(id))
            .filter(|experiment| experiment.id == *id)
            .ok_or_else(|| StoreError::not_found(Entity::Experiment, id))
    }

    fn find_mut(&mut self, id: &ExperimentId) -> Result<&mut Experiment, StoreError> {
        self.find(id)?;
        self.experiments.get_mut(&number_of(id)).ok_or_else(|| StoreError::not_found(Entity::Experiment, id))
    }

    fn find_by_name(&self, name: &str) -> Option<&Experiment> {
        self.experiments.values().find(|experiment| experiment.name == name)
    }
}

#[async_trait]
impl ExperimentStore for MemorySql {
    async fn create(&self, experiment: &NewExperiment) -> Result<Experiment, StoreError> {
        let mut tracking = lock(&self.tracking);
        if tracking.find_by_name(&experiment.name).is_some() {
            return Err(StoreError::already_exists(Entity::Experiment, &experiment.name));
        }
        let number = tracking.experiments.len() as u64;
        let created = Experiment {
            id: id_of(number),
            name: experiment.name.clone(),
            artifact_location: experiment.artifact_location.clone(),
            lifecycle_stage: LifecycleStage::Active,
            tags: experiment.tags.clone(),
            created_at: experiment.created_at,
            updated_at: experiment.created_at,
        };
        tracking.experiments.insert(number, created.clone());
        Ok(created)
    }

    async fn get(&self, id: &ExperimentId) -> Result<Experiment, StoreError> {
        lock(&self.tracking).find(id).cloned()
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Experiment>, StoreError> {
        Ok(lock(&self.tracking).find_by_name(name).cloned())
    }

    async fn list(
        &self,
        stage: Option<LifecycleStage>,
        page: PageRequest<ExperimentId>,
    ) -> Result<Page<Experiment, ExperimentId>, StoreError> {
        let tracking = lock(&self.tracking);
        let all = tracking.experiments.values().cloned();
        let matching = all.filter(|experiment| stage.is_none_or(|stage| stage == experiment.lifecycle_stage));
        let mut by_number = PageRequest::first(page.limit());
        if let Some(cursor) = page.cursor() {
            by_number = by_number.after(number_of(cursor));
        }
        let found = page_of(matching, &by_number, |experiment| number_of(&experiment.id));
        Ok(Page { items: found.items, next_cursor: found.next_cursor.map(id_of) })
    }

    async fn rename(&self, id: &ExperimentId, name: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tracking = lock(&self.tracking);
        if tracking.find_by_name(name).is_some_and(|other| other.id != *id) {
            return Err(StoreError::already_exists(Entity::Experiment, name));
        }
        let experiment = tracking.find_mut(id)?;
        name.clone_into(&mut experiment.name);
        experiment.updated_at = at;
        Ok(())
    }

    async fn set_lifecycle_stage(
        &self,
        id: &ExperimentId,
        stage: LifecycleStage,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tracking = lock(&self.tracking);
        let experiment = tracking.find_mut(id)?;
        experiment.lifecycle_stage = stage;
        experiment.updated_at = at;
        Ok(())
    }

    async fn set_tag(&self, id: &ExperimentId, key: &str, value: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tracking = lock(&self.tracking);
        let experiment = tracking.find_mut(id)?;
        experiment.tags.insert(key.to_owned(), value.to_owned());
        experiment.updated_at = at;
        Ok(())
    }
}

fn id_of(number: u64) -> ExperimentId {
    ExperimentId::parse(number.to_string()).expect("digits are an id")
}

/// Returns the number, or one that no experiment has.
fn number_of(id: &ExperimentId) -> u64 {
    id.as_str().parse().unwrap_or(u64::MAX)
}
