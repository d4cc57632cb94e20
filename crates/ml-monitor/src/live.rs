//! Scores of a served model, where the truth of what it predicted has become known.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ml_core::error::StoreError;
use ml_core::ground_truth::{GroundTruth, GroundTruthStore};
use ml_core::id::RecordId;
use ml_core::metrics::MetricError;
use ml_core::page::PageRequest;
use ml_core::result::{Prediction, PredictionQuery, PredictionStore};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::numbers::share;

mod pairs;

use pairs::Pairs;
pub use pairs::ScoreKind;

/// How many predictions are read at a time.
const PAGE_SIZE: usize = 1000;

/// Why live scores cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A figure could not be computed.
    #[error("live scores cannot be computed")]
    Metric(#[from] MetricError),
}

/// Scores of a model on the predictions whose truth is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveScores {
    /// The target column that was predicted.
    pub target: String,
    /// How the predictions were scored.
    pub kind: ScoreKind,
    /// How many predictions there are.
    pub n_predictions: u64,
    /// How many of them have no value, because the record could not be scored.
    pub n_without_value: u64,
    /// How many have a known truth, and are what the figures are of.
    pub n_scored: u64,
    /// How many have a truth that cannot be compared with them, such as a label for a predicted number.
    pub n_not_comparable: u64,
    /// The share of predictions with a value whose truth is not known yet, in `0..=1`.
    pub pending_share: f64,
    /// Figures by name, named as in evaluations; empty when no truth is known.
    pub metrics: BTreeMap<String, f64>,
    /// Of classifiers: the labels and the confusion matrix, by true and then by predicted label.
    pub details: Value,
}

/// Joins predictions with truths, part by part, and scores what has met.
#[derive(Debug)]
pub struct LiveScoring {
    target: String,
    pairs: Pairs,
    n_predictions: u64,
    n_without_value: u64,
    n_pending: u64,
    n_not_comparable: u64,
}

impl LiveScoring {
    /// Starts with no predictions.
    pub fn new(target: &str, kind: ScoreKind) -> LiveScoring {
        LiveScoring {
            target: target.to_owned(),
            pairs: Pairs::new(kind),
            n_predictions: 0,
            n_without_value: 0,
            n_pending: 0,
            n_not_comparable: 0,
        }
    }

    /// Adds predictions and what is known about their records. Predictions of other targets are left out, and so are truths of
    /// other targets; of two truths of a record the later observed one counts.
    pub fn add(&mut self, predictions: &[Prediction], truths: &[GroundTruth]) {
        let mut truth_of: HashMap<&RecordId, &GroundTruth> = HashMap::new();
        for truth in truths.iter().filter(|truth| truth.target == self.target) {
            let known = truth_of.entry(&truth.record_id).or_insert(truth);
            if truth.observed_at > known.observed_at {
                *known = truth;
            }
        }
        for prediction in predictions.iter().filter(|prediction| prediction.target == self.target) {
            self.n_predictions += 1;
            if prediction.value.is_null() {
                self.n_without_value += 1;
            } else if let Some(truth) = truth_of.get(&prediction.record_id) {
                self.n_not_comparable += u64::from(!self.pairs.add(&truth.value, &prediction.value));
            } else {
                self.n_pending += 1;
            }
        }
    }

    /// Scores what has met.
    ///
    /// # Errors
    /// [`MetricError`] only for figures that every sample should have; those that are undefined are left out.
    pub fn finish(self) -> Result<LiveScores, MetricError> {
        let (metrics, details) = self.pairs.figures()?;
        Ok(LiveScores {
            target: self.target,
            kind: self.pairs.kind(),
            n_predictions: self.n_predictions,
            n_without_value: self.n_without_value,
            n_scored: self.pairs.len() as u64,
            n_not_comparable: self.n_not_comparable,
            pending_share: share(self.n_pending, self.n_predictions - self.n_without_value),
            metrics,
            details,
        })
    }
}

/// Reads predictions and truths from their stores, and scores them.
#[derive(Clone)]
pub struct LiveScorer {
    predictions: Arc<dyn PredictionStore>,
    truths: Arc<dyn GroundTruthStore>,
}

impl LiveScorer {
    /// Makes a scorer over these stores.
    pub fn new(predictions: Arc<dyn PredictionStore>, truths: Arc<dyn GroundTruthStore>) -> LiveScorer {
        LiveScorer { predictions, truths }
    }

    /// Scores the predictions of `target` that match `query`, page by page.
    pub async fn score(&self, query: &PredictionQuery, target: &str, kind: ScoreKind) -> Result<LiveScores, LiveError> {
        let mut scoring = LiveScoring::new(target, kind);
        let mut request = PageRequest::first(PAGE_SIZE);
        loop {
            let page = self.predictions.list(query, request).await?;
            let records: Vec<RecordId> = page.items.iter().map(|prediction| prediction.record_id.clone()).collect();
            let truths = self.truths.find_by_records(target, &records).await?;
            scoring.add(&page.items, &truths);
            match page.next_cursor {
                Some(cursor) => request = PageRequest::first(PAGE_SIZE).after(cursor),
                None => return Ok(scoring.finish()?),
            }
        }
    }
}
