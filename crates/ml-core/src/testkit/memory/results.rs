//! Predictions, embeddings and intermediate results, in memory.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;

use super::paging::page_of;
use super::{MemoryDocuments, lock};
use crate::document::UpsertCounts;
use crate::error::StoreError;
use crate::id::{RecordId, ResultId, RunId};
use crate::page::{Page, PageRequest};
use crate::result::{
    Embedding, EmbeddingStore, IntermediateResult, IntermediateResultStore, Prediction, PredictionQuery,
    PredictionStore,
};

/// The collections of results.
#[derive(Debug, Default)]
pub(super) struct Results {
    predictions: BTreeMap<ResultId, Prediction>,
    embeddings: BTreeMap<ResultId, Embedding>,
    intermediate: BTreeMap<ResultId, IntermediateResult>,
}

/// Inserts what is new and replaces what is not the same.
fn upsert<T: Clone>(
    stored: &mut BTreeMap<ResultId, T>,
    items: &[T],
    id: impl Fn(&T) -> &ResultId,
    is_same: impl Fn(&T, &T) -> bool,
) -> UpsertCounts {
    let mut counts = UpsertCounts::default();
    for item in items {
        match stored.get(id(item)) {
            Some(former) if is_same(former, item) => {
                counts.unchanged += 1;
                continue;
            }
            Some(_) => counts.changed += 1,
            None => counts.inserted += 1,
        }
        stored.insert(id(item).clone(), item.clone());
    }
    counts
}

#[async_trait]
impl PredictionStore for MemoryDocuments {
    async fn upsert(&self, predictions: &[Prediction]) -> Result<UpsertCounts, StoreError> {
        let is_same = |former: &Prediction, new: &Prediction| {
            *former == Prediction { predicted_at: former.predicted_at, ..new.clone() }
        };
        Ok(upsert(&mut lock(&self.results).predictions, predictions, |prediction| &prediction.id, is_same))
    }

    async fn list(
        &self,
        query: &PredictionQuery,
        page: PageRequest<ResultId>,
    ) -> Result<Page<Prediction, ResultId>, StoreError> {
        let results = lock(&self.results);
        let matching = results.predictions.values().filter(|prediction| matches(query, prediction));
        Ok(page_of(matching.cloned(), &page, |prediction| prediction.id.clone()))
    }

    async fn count(&self, query: &PredictionQuery) -> Result<u64, StoreError> {
        let results = lock(&self.results);
        Ok(results.predictions.values().filter(|prediction| matches(query, prediction)).count() as u64)
    }
}

fn matches(query: &PredictionQuery, prediction: &Prediction) -> bool {
    query.model_name.as_ref().is_none_or(|name| *name == prediction.model_name)
        && query.model_version.is_none_or(|version| version == prediction.model_version)
        && query.record_id.as_ref().is_none_or(|id| *id == prediction.record_id)
        && query.predicted_from.is_none_or(|from| prediction.predicted_at >= from)
        && query.predicted_before.is_none_or(|before| prediction.predicted_at < before)
}

#[async_trait]
impl EmbeddingStore for MemoryDocuments {
    async fn upsert(&self, embeddings: &[Embedding]) -> Result<UpsertCounts, StoreError> {
        let is_same =
            |former: &Embedding, new: &Embedding| *former == Embedding { created_at: former.created_at, ..new.clone() };
        Ok(upsert(&mut lock(&self.results).embeddings, embeddings, |embedding| &embedding.id, is_same))
    }

    async fn find_by_records(&self, model: &str, records: &[RecordId]) -> Result<Vec<Embedding>, StoreError> {
        let wanted: HashSet<&RecordId> = records.iter().collect();
        let is_wanted = |embedding: &&Embedding| embedding.model == model && wanted.contains(&embedding.record_id);
        Ok(lock(&self.results).embeddings.values().filter(is_wanted).cloned().collect())
    }
}

#[async_trait]
impl IntermediateResultStore for MemoryDocuments {
    async fn upsert(&self, results: &[IntermediateResult]) -> Result<UpsertCounts, StoreError> {
        let is_same = |former: &IntermediateResult, new: &IntermediateResult| {
            *former == IntermediateResult { created_at: former.created_at, ..new.clone() }
        };
        Ok(upsert(&mut lock(&self.results).intermediate, results, |result| &result.id, is_same))
    }

    async fn list_by_run(&self, run_id: &RunId) -> Result<Vec<IntermediateResult>, StoreError> {
        let results = lock(&self.results);
        let of_run = results.intermediate.values().filter(|result| result.run_id == *run_id);
        let mut found: Vec<IntermediateResult> = of_run.cloned().collect();
        found.sort_by(|a, b| (&a.step, &a.id).cmp(&(&b.step, &b.id)));
        Ok(found)
    }
}
