//! Scoring documents where they are: each gets a prediction beside it in the document store, and a new one only when what the
//! scorer reads of it changed.
//!
//! A prediction says which version of the document it was made of, and the digest of what the scorer read. A document with the
//! same content hash is not even read again; one that changed elsewhere keeps its prediction. Every page of documents is
//! written before the next is read, so that a run that is killed goes on where it was when it is started again.

mod page;
mod rows;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use ml_core::clock::Clock;
use ml_core::document::{ChangeFeed, DocumentStore, RecordQuery};
use ml_core::error::{BoxError, StoreError};
use ml_core::id::RecordId;
use ml_core::model::{ModelName, SignatureColumn};
use ml_core::page::PageRequest;
use ml_core::record::{Collection, DataType, RawRecord, SourceApp};
use ml_core::result::PredictionStore;
use ml_core::table::Table;

use crate::backoff::{Backoff, in_one_line};
use crate::pipeline::Pipeline;

/// How many documents are looked at before what was found is written.
const DOCUMENTS_PER_PAGE: usize = 500;

/// What a scorer says of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The label or number; `null` where there is none, with the reason under `missing` of the details.
    pub value: Value,
    /// The probability of the label, where there is one.
    pub probability: Option<f64>,
    /// What else there is to say.
    pub details: Map<String, Value>,
}

/// A model, or anything else that scores rows of columns.
pub trait DocumentScorer: Send + Sync {
    /// Returns the name that its predictions have.
    fn model_name(&self) -> &ModelName;

    /// Returns the number of its version: another one scores every document anew.
    fn model_version(&self) -> u32;

    /// Returns name and version in words, as predictions say which scorer made them.
    fn description(&self) -> String;

    /// Returns what is predicted.
    fn target(&self) -> &str;

    /// Returns the columns that it reads.
    fn inputs(&self) -> &[SignatureColumn];

    /// Returns the columns that it reads as text. A document with no text in any of them is not scored.
    fn text_columns(&self) -> &[String];

    /// Scores each row of a table with the columns that it reads.
    ///
    /// # Errors
    /// Why the rows cannot be scored; they are then tried one by one.
    fn score(&self, table: &Table) -> Result<Vec<Score>, BoxError>;
}

/// Which documents are scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoringOptions {
    /// Those of this collection.
    pub collection: Collection,
    /// Of this data type only.
    pub data_type: Option<DataType>,
    /// Of this application only.
    pub source_app: Option<SourceApp>,
    /// Whether documents are scored again although nothing that the scorer reads changed.
    pub again: bool,
}

/// What became of the documents; each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ScoringCounts {
    /// Scored now.
    pub scored: u64,
    /// Scored before, and what the scorer reads of them is the same.
    pub unchanged: u64,
    /// Without a prediction, such as for want of text; their predictions say why.
    pub without_prediction: u64,
    /// Of another data type or application than asked for.
    pub passed_over: u64,
    /// No records, so that nothing can be read of them.
    pub unreadable: u64,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScoringReport {
    /// The scorer, with its version.
    pub scorer: String,
    /// The documents.
    pub collection: Collection,
    /// What became of them.
    #[serde(flatten)]
    pub counts: ScoringCounts,
    /// Whether it was stopped before the end.
    pub cancelled: bool,
}

impl ScoringCounts {
    /// Returns how many documents were looked at.
    pub fn total(self) -> u64 {
        self.scored + self.unchanged + self.without_prediction + self.passed_over + self.unreadable
    }
}

impl std::ops::AddAssign for ScoringCounts {
    fn add_assign(&mut self, other: ScoringCounts) {
        self.scored += other.scored;
        self.unchanged += other.unchanged;
        self.without_prediction += other.without_prediction;
        self.passed_over += other.passed_over;
        self.unreadable += other.unreadable;
    }
}

impl ScoringOptions {
    /// Scores all documents of `collection` that need it.
    pub fn new(collection: Collection) -> ScoringOptions {
        ScoringOptions { collection, data_type: None, source_app: None, again: false }
    }

    fn wants(&self, record: &RawRecord) -> bool {
        self.data_type.as_ref().is_none_or(|data_type| *data_type == record.data_type)
            && self.source_app.as_ref().is_none_or(|source_app| *source_app == record.source_app)
    }
}

/// Scores the documents of a collection.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct DocumentScoring {
    /// Has the documents.
    pub documents: Arc<dyn DocumentStore>,
    /// Reads them as they are now, also those that are no records.
    pub feed: Arc<dyn ChangeFeed>,
    /// Takes the predictions.
    pub predictions: Arc<dyn PredictionStore>,
    /// Brings documents into the form of the rows that models are trained on.
    pub pipeline: Arc<Pipeline>,
    /// Tells when something was scored.
    pub clock: Arc<dyn Clock>,
    /// For how long a store that does not answer is waited for.
    pub patience: Duration,
}

impl DocumentScoring {
    /// Scores what needs it, in the order of ids, until all were looked at or `cancel` is set. `observer` is told after each
    /// page what became of the documents so far.
    ///
    /// # Errors
    /// [`StoreError`]; what was written before stays, and the next run goes on from there.
    pub async fn run(
        &self,
        scorer: &Arc<dyn DocumentScorer>,
        options: &ScoringOptions,
        observer: &(dyn Fn(ScoringCounts) + Sync),
        cancel: &CancellationToken,
    ) -> Result<ScoringReport, StoreError> {
        let mut report = ScoringReport {
            scorer: scorer.description(),
            collection: options.collection,
            counts: ScoringCounts::default(),
            cancelled: false,
        };
        let mut backoff = Backoff::new(self.patience);
        let mut after: Option<RecordId> = None;
        while !cancel.is_cancelled() {
            match self.score_page(scorer, options, after.as_ref()).await {
                Ok((counts, next)) => {
                    backoff.reset();
                    report.counts += counts;
                    observer(report.counts);
                    let Some(next) = next else { return Ok(report) };
                    after = Some(next);
                }
                Err(error) => {
                    let Some(pause) = backoff.pause_after(&error) else { return Err(error) };
                    warn!("scoring: {}; trying again in {} ms", in_one_line(&error), pause.as_millis());
                    tokio::select! {
                        () = cancel.cancelled() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                }
            }
        }
        report.cancelled = true;
        Ok(report)
    }

    /// Returns how many documents there are to be looked at.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(&self, options: &ScoringOptions) -> Result<u64, StoreError> {
        self.documents.count(options.collection, &RecordQuery::default()).await
    }

    async fn score_page(
        &self,
        scorer: &Arc<dyn DocumentScorer>,
        options: &ScoringOptions,
        after: Option<&RecordId>,
    ) -> Result<(ScoringCounts, Option<RecordId>), StoreError> {
        let mut request = PageRequest::first(DOCUMENTS_PER_PAGE);
        if let Some(cursor) = after {
            request = request.after(cursor.clone());
        }
        let hashes = self.documents.list_hashes(options.collection, request).await?;
        let page = page::Page { scoring: self, scorer, options };
        Ok((page.score(&hashes.items).await?, hashes.next_cursor))
    }
}
