//! Predictions, embeddings and intermediate results, in memory.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::paging::page_of;
use super::{MemoryDocuments, lock};
use crate::document::UpsertCounts;
use crate::error::StoreError;
use crate::id::{RecordId, ResultId, RunId};
use crate::page::{Page, PageRequest};
use crate::result::{
    Embedding, EmbeddingStore, Figure, FigureKind, FigureStore, IntermediateResult, IntermediateResultStore,
    Prediction, PredictionQuery, PredictionStore,
};

/// The collections of results.
#[derive(Debug, Default)]
pub(super) struct Results {
    predictions: BTreeMap<ResultId, Prediction>,
    embeddings: BTreeMap<ResultId, Embedding>,
    intermediate: BTreeMap<ResultId, IntermediateResult>,
    figures: BTreeMap<FigureKind, BTreeMap<ResultId, Figure>>,
}

/// A document of a collection of results.
trait ResultDocument: Clone + PartialEq {
    fn id(&self) -> &ResultId;

    /// When it was made, which is no part of what it says.
    fn made_at(&self) -> DateTime<Utc>;

    /// The same, made at another time.
    fn made_as(&self, other: &Self) -> Self;
}

macro_rules! result_document {
    ($document:ident, $made_at:ident) => {
        impl ResultDocument for $document {
            fn id(&self) -> &ResultId {
                &self.id
            }

            fn made_at(&self) -> DateTime<Utc> {
                self.$made_at
            }

            fn made_as(&self, other: &$document) -> $document {
                $document { $made_at: other.$made_at, ..self.clone() }
            }
        }
    };
}

result_document!(Prediction, predicted_at);
result_document!(Embedding, created_at);
result_document!(IntermediateResult, created_at);
result_document!(Figure, recorded_at);

/// Inserts what is new, and replaces what is not the same and not newer.
fn upsert<T: ResultDocument>(stored: &mut BTreeMap<ResultId, T>, items: &[T]) -> UpsertCounts {
    let mut counts = UpsertCounts::default();
    for item in items {
        match stored.get(item.id()) {
            Some(former) if *former == item.made_as(former) || item.made_at() < former.made_at() => {
                counts.unchanged += 1;
                continue;
            }
            Some(_) => counts.changed += 1,
            None => counts.inserted += 1,
        }
        stored.insert(item.id().clone(), item.clone());
    }
    counts
}

fn delete<T>(stored: &mut BTreeMap<ResultId, T>, ids: &[ResultId]) -> u64 {
    ids.iter().filter(|id| stored.remove(id).is_some()).count() as u64
}

#[async_trait]
impl PredictionStore for MemoryDocuments {
    async fn upsert(&self, predictions: &[Prediction]) -> Result<UpsertCounts, StoreError> {
        Ok(upsert(&mut lock(&self.results).predictions, predictions))
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        Ok(delete(&mut lock(&self.results).predictions, ids))
    }

    async fn find_by_ids(&self, ids: &[ResultId]) -> Result<Vec<Prediction>, StoreError> {
        let wanted: HashSet<&ResultId> = ids.iter().collect();
        let results = lock(&self.results);
        Ok(wanted.into_iter().filter_map(|id| results.predictions.get(id)).cloned().collect())
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
        Ok(upsert(&mut lock(&self.results).embeddings, embeddings))
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        Ok(delete(&mut lock(&self.results).embeddings, ids))
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
        Ok(upsert(&mut lock(&self.results).intermediate, results))
    }

    async fn delete(&self, ids: &[ResultId]) -> Result<u64, StoreError> {
        Ok(delete(&mut lock(&self.results).intermediate, ids))
    }

    async fn list_by_run(&self, run_id: &RunId) -> Result<Vec<IntermediateResult>, StoreError> {
        let results = lock(&self.results);
        let of_run = results.intermediate.values().filter(|result| result.run_id == *run_id);
        let mut found: Vec<IntermediateResult> = of_run.cloned().collect();
        found.sort_by(|a, b| (&a.step, &a.id).cmp(&(&b.step, &b.id)));
        Ok(found)
    }
}

#[async_trait]
impl FigureStore for MemoryDocuments {
    async fn upsert(&self, kind: FigureKind, figures: &[Figure]) -> Result<UpsertCounts, StoreError> {
        Ok(upsert(lock(&self.results).figures.entry(kind).or_default(), figures))
    }

    async fn delete(&self, kind: FigureKind, ids: &[ResultId]) -> Result<u64, StoreError> {
        Ok(delete(lock(&self.results).figures.entry(kind).or_default(), ids))
    }

    async fn list(&self, kind: FigureKind, page: PageRequest<ResultId>) -> Result<Page<Figure, ResultId>, StoreError> {
        let results = lock(&self.results);
        let of_kind = results.figures.get(&kind).into_iter().flat_map(BTreeMap::values);
        Ok(page_of(of_kind.cloned(), &page, |figure| figure.id.clone()))
    }
}
