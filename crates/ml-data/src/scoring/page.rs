//! One page of documents: which of them need a new prediction, and what it is.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use ml_core::document::{Change, RecordHash};
use ml_core::error::StoreError;
use ml_core::id::{RecordId, ResultId};
use ml_core::record::RawRecord;
use ml_core::result::Prediction;

use super::rows::scores;
use super::stored::ScoredDocument;
use super::{DocumentScorer, DocumentScoring, Score, ScoringCounts, ScoringOptions};
use crate::dataset::EVENT_TIME_COLUMN;
use crate::dataset::blocking::blocking;
use crate::field::Fields;
use crate::instant::parse_instant;
use crate::target::row_id;

/// What a page of documents is scored with.
pub(super) struct Page<'s> {
    pub(super) scoring: &'s DocumentScoring,
    pub(super) scorer: &'s Arc<dyn DocumentScorer>,
    pub(super) options: &'s ScoringOptions,
}

/// A document that needs a prediction.
struct Due {
    document: ScoredDocument,
    record_id: RecordId,
    inputs: Fields,
    event_time: Option<DateTime<Utc>>,
}

impl Page<'_> {
    pub(super) async fn score(&self, hashes: &[RecordHash]) -> Result<ScoringCounts, StoreError> {
        let former = self.former(hashes).await?;
        let mut counts = ScoringCounts::default();
        let mut ids = Vec::new();
        for hash in hashes {
            match former.get(&hash.id) {
                Some((document, prediction))
                    if !self.options.again && hash.content_hash == Some(document.content_hash) =>
                {
                    count_unchanged(prediction, &mut counts);
                }
                _ => ids.push(hash.id.clone()),
            }
        }
        if ids.is_empty() {
            return Ok(counts);
        }

        let mut due = Vec::new();
        let mut predictions = Vec::new();
        for change in self.scoring.feed.current(self.options.collection, &ids).await? {
            match change {
                Change::Upserted(record) if self.options.wants(&record) => {
                    let candidate = self.due(record);
                    match former.get(&candidate.document.id) {
                        Some((document, prediction))
                            if !self.options.again && document.input_hash == candidate.document.input_hash =>
                        {
                            count_unchanged(prediction, &mut counts);
                            predictions.push(self.of_new_version(prediction, &candidate.document));
                        }
                        _ => due.push(candidate),
                    }
                }
                Change::Upserted(_) => counts.passed_over += 1,
                Change::Undecodable { .. } => counts.unreadable += 1,
                // It went while the page was read.
                Change::Deleted(_) => {}
            }
        }
        for prediction in self.predict(due).await {
            if prediction.value.is_null() {
                counts.without_prediction += 1;
            } else {
                counts.scored += 1;
            }
            predictions.push(prediction);
        }
        self.scoring.predictions.upsert(&predictions).await?;
        Ok(counts)
    }

    /// Returns the predictions that this scorer made of these documents before, by the id of the document.
    async fn former(
        &self,
        hashes: &[RecordHash],
    ) -> Result<HashMap<RecordId, (ScoredDocument, Prediction)>, StoreError> {
        let ids: Vec<ResultId> =
            hashes.iter().map(|hash| self.result_id(&row_id(self.options.collection, hash.id.as_str()))).collect();
        let found = self.scoring.predictions.find_by_ids(&ids).await?;
        let of_documents = found.into_iter().filter_map(|prediction| {
            let document = ScoredDocument::of_prediction(&prediction)?;
            Some((document.id.clone(), (document, prediction)))
        });
        Ok(of_documents.collect())
    }

    fn result_id(&self, record_id: &RecordId) -> ResultId {
        Prediction::id_of(self.scorer.model_name(), self.scorer.model_version(), record_id)
    }

    /// Reads of `record` what the scorer needs, in the form that sync gives to such records.
    fn due(&self, record: RawRecord) -> Due {
        let form = self.scoring.pipeline.row_form(&record.data_type, Some(&record.source_app));
        let mut fields = match &record.raw_content {
            Value::Object(fields) => form.as_ref().map_or_else(|| fields.clone(), |form| form.apply(fields.clone())),
            _ => Fields::new(),
        };
        let event_time = fields.get(EVENT_TIME_COLUMN).and_then(|value| parse_instant(value, &[]).ok());
        let mut inputs = Fields::new();
        for input in self.scorer.inputs() {
            if let Some(value) = fields.remove(&input.name) {
                inputs.insert(input.name.clone(), value);
            }
        }
        Due {
            record_id: row_id(self.options.collection, record.id.as_str()),
            document: ScoredDocument::of(self.options.collection, &record, &inputs),
            event_time: event_time.or(record.scraped_at),
            inputs,
        }
    }

    /// Returns a prediction that still holds for a new version of its document.
    fn of_new_version(&self, prediction: &Prediction, document: &ScoredDocument) -> Prediction {
        let mut prediction = prediction.clone();
        document.note(&self.scorer.description(), &mut prediction.details);
        prediction
    }

    async fn predict(&self, due: Vec<Due>) -> Vec<Prediction> {
        let (scorer, inputs) = (self.scorer.clone(), due.iter().map(|due| due.inputs.clone()).collect::<Vec<_>>());
        let scores = blocking(move || scores(&*scorer, inputs)).await;
        let predicted_at = self.scoring.clock.now();
        let prediction = |(due, mut score): (Due, Score)| {
            due.document.note(&self.scorer.description(), &mut score.details);
            Prediction {
                id: self.result_id(&due.record_id),
                model_name: self.scorer.model_name().clone(),
                model_version: self.scorer.model_version(),
                record_id: due.record_id,
                target: self.scorer.target().to_owned(),
                value: score.value,
                probability: score.probability,
                details: score.details,
                event_time: due.event_time,
                predicted_at,
            }
        };
        due.into_iter().zip(scores).map(prediction).collect()
    }
}

fn count_unchanged(prediction: &Prediction, counts: &mut ScoringCounts) {
    if prediction.value.is_null() {
        counts.without_prediction += 1;
    } else {
        counts.unchanged += 1;
    }
}
