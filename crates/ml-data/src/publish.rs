//! SQL → documents: delivers what waits in the outbox to the collections of results.
//!
//! Delivery is idempotent: the id of a publication is the `_id` of its document, and a document that is there already, or
//! is newer, is left as it is. An entry is marked only after the store has it, so that a crash in between delivers it a
//! second time and changes nothing. What was replaced while it was delivered is delivered again. A store that does not answer
//! is waited for.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use ml_core::clock::Clock;
use ml_core::error::StoreError;
use ml_core::id::{OutboxId, ResultId};
use ml_core::outbox::{OutboxAction, OutboxEntry, OutboxStore};
use ml_core::result::{
    Embedding, EmbeddingStore, Figure, FigureKind, FigureStore, IntermediateResult, IntermediateResultStore,
    Prediction, PredictionStore, ResultKind,
};

use crate::backoff::{Backoff, in_one_line};

/// How many entries are delivered at a time.
const BATCH_SIZE: usize = 1_000;

/// An entry that cannot become a document. It stays in the outbox, and the others pass it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undecodable {
    /// The entry.
    pub id: OutboxId,
    /// Which collection it is meant for.
    pub kind: ResultKind,
    /// Why it is not one of its documents.
    pub message: String,
}

/// What a publication run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PublishReport {
    /// Entries delivered, by kind.
    pub delivered: BTreeMap<ResultKind, u64>,
    /// How many of them deleted a document.
    pub deletions: u64,
    /// Entries that cannot be delivered as they are.
    pub undecodable: Vec<Undecodable>,
    /// Whether it was stopped before the outbox was empty.
    pub cancelled: bool,
}

impl PublishReport {
    /// Returns how many entries were delivered.
    pub fn n_delivered(&self) -> u64 {
        self.delivered.values().sum()
    }
}

/// Drains the outbox.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "stores are opaque")]
pub struct Publisher {
    /// What waits.
    pub outbox: Arc<dyn OutboxStore>,
    /// Takes predictions.
    pub predictions: Arc<dyn PredictionStore>,
    /// Takes embeddings.
    pub embeddings: Arc<dyn EmbeddingStore>,
    /// Takes intermediate results.
    pub intermediate_results: Arc<dyn IntermediateResultStore>,
    /// Takes copies of figures.
    pub figures: Arc<dyn FigureStore>,
    /// Tells when an entry was delivered.
    pub clock: Arc<dyn Clock>,
    /// For how long a store that does not answer is waited for.
    pub patience: Duration,
}

impl Publisher {
    /// Delivers what waits, oldest first, until nothing deliverable is left or `cancel` is set; a store that does not answer is
    /// waited for. What was delivered before an error stays delivered.
    pub async fn publish(&self, cancel: &CancellationToken) -> Result<PublishReport, StoreError> {
        let mut report = PublishReport::default();
        let mut backoff = Backoff::new(self.patience);
        while !cancel.is_cancelled() {
            match self.publish_batch(&mut report).await {
                Ok(0) => {
                    info!(delivered = report.n_delivered(), "the outbox is drained");
                    return Ok(report);
                }
                Ok(_) => backoff.reset(),
                Err(error) => {
                    let Some(pause) = backoff.pause_after(&error) else { return Err(error) };
                    warn!("publishing: {}; trying again in {} ms", in_one_line(&error), pause.as_millis());
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

    /// Delivers the oldest entries that were not passed over before, and returns how many were looked at.
    async fn publish_batch(&self, report: &mut PublishReport) -> Result<usize, StoreError> {
        // Undecodable entries stay at the head of the queue, so the window is widened by as many.
        let passed_over: HashSet<&OutboxId> = report.undecodable.iter().map(|entry| &entry.id).collect();
        let mut entries = self.outbox.list_pending(BATCH_SIZE + passed_over.len()).await?;
        entries.retain(|entry| !passed_over.contains(&entry.id));
        let n_entries = entries.len();
        let batch = Batch::decode(entries);
        self.deliver(&batch).await?;
        if !batch.entries.is_empty() {
            self.outbox.mark_delivered(&batch.entries, self.clock.now()).await?;
        }
        for entry in &batch.entries {
            *report.delivered.entry(entry.kind).or_default() += 1;
            report.deletions += u64::from(entry.action == OutboxAction::Delete);
        }
        for entry in batch.undecodable {
            warn!(outbox.id = %entry.id, kind = entry.kind.name(), "an outbox entry cannot be published");
            report.undecodable.push(entry);
        }
        Ok(n_entries)
    }

    async fn deliver(&self, batch: &Batch) -> Result<(), StoreError> {
        if !batch.predictions.is_empty() {
            self.predictions.upsert(&batch.predictions).await?;
        }
        if !batch.embeddings.is_empty() {
            self.embeddings.upsert(&batch.embeddings).await?;
        }
        if !batch.intermediate_results.is_empty() {
            self.intermediate_results.upsert(&batch.intermediate_results).await?;
        }
        for (kind, figures) in &batch.figures {
            self.figures.upsert(*kind, figures).await?;
        }
        for (kind, ids) in &batch.deleted {
            self.delete(*kind, ids).await?;
        }
        Ok(())
    }

    async fn delete(&self, kind: ResultKind, ids: &[ResultId]) -> Result<u64, StoreError> {
        match kind {
            ResultKind::Predictions => self.predictions.delete(ids).await,
            ResultKind::Embeddings => self.embeddings.delete(ids).await,
            ResultKind::IntermediateResults => self.intermediate_results.delete(ids).await,
            ResultKind::ModelPerformance => self.figures.delete(FigureKind::ModelPerformance, ids).await,
            ResultKind::ValidationResults => self.figures.delete(FigureKind::ValidationResults, ids).await,
        }
    }
}

/// Entries that were read together, by what they become.
#[derive(Default)]
struct Batch {
    entries: Vec<OutboxEntry>,
    predictions: Vec<Prediction>,
    embeddings: Vec<Embedding>,
    intermediate_results: Vec<IntermediateResult>,
    figures: BTreeMap<FigureKind, Vec<Figure>>,
    deleted: BTreeMap<ResultKind, Vec<ResultId>>,
    undecodable: Vec<Undecodable>,
}

impl Batch {
    fn decode(entries: Vec<OutboxEntry>) -> Batch {
        let mut batch = Batch::default();
        for entry in entries {
            match batch.add(&entry) {
                Ok(()) => batch.entries.push(entry),
                Err(message) => batch.undecodable.push(Undecodable { id: entry.id, kind: entry.kind, message }),
            }
        }
        batch
    }

    fn add(&mut self, entry: &OutboxEntry) -> Result<(), String> {
        if entry.action == OutboxAction::Delete {
            let id = ResultId::parse(entry.id.as_str()).map_err(|error| error.to_string())?;
            self.deleted.entry(entry.kind).or_default().push(id);
            return Ok(());
        }
        match entry.kind {
            ResultKind::Predictions => self.predictions.push(document(entry)?),
            ResultKind::Embeddings => self.embeddings.push(document(entry)?),
            ResultKind::IntermediateResults => self.intermediate_results.push(document(entry)?),
            ResultKind::ModelPerformance => self.add_figure(FigureKind::ModelPerformance, entry)?,
            ResultKind::ValidationResults => self.add_figure(FigureKind::ValidationResults, entry)?,
        }
        Ok(())
    }

    fn add_figure(&mut self, kind: FigureKind, entry: &OutboxEntry) -> Result<(), String> {
        self.figures.entry(kind).or_default().push(document(entry)?);
        Ok(())
    }
}

fn document<T: DeserializeOwned>(entry: &OutboxEntry) -> Result<T, String> {
    let mut body = entry.body.clone();
    if let Value::Object(fields) = &mut body {
        let id = fields.entry("_id").or_insert_with(|| Value::from(entry.id.as_str()));
        if id.as_str() != Some(entry.id.as_str()) {
            return Err(format!("its body has the `_id` {id}, not that of the entry"));
        }
    }
    serde_json::from_value(body).map_err(|error| error.to_string())
}
