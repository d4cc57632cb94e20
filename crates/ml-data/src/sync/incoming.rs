//! Changes on their way in: taken apart into what is judged, what cannot be read, and what is gone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use chrono::{DateTime, Utc};

use ml_core::digest::Digest;
use ml_core::document::{Change, Unreadable};
use ml_core::error::StoreError;
use ml_core::id::RecordId;
use ml_core::quarantine::{QuarantineReason, QuarantinedRecord};
use ml_core::record::{Collection, DataType, ORIGIN, ORIGIN_FIELD, RawRecord, SourceApp};
use ml_core::reference::ReferenceStore;
use ml_core::sync::{Deletion, SyncOutcome, SyncStore};

use super::SyncError;
use crate::pipeline::{Judged, Pipeline, SettleError, judge_batch};

/// Changes that were taken apart. Each record is there once.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// Records, judged by everything but uniqueness.
    pub(super) judged: Vec<Judged>,
    /// Documents that are no records, or too large, each as a record that stands in for it.
    pub(super) unreadable: Vec<(RawRecord, QuarantineReason)>,
    /// Records that are gone.
    pub(super) deleted: Vec<Deletion>,
    /// Records that were deleted and came back, or may have been.
    pub(super) returned: Vec<RecordId>,
}

impl Incoming {
    /// Tells whether what becomes of it depends on what the store has when the batch before is committed.
    pub(super) fn depends_on_store(&self) -> bool {
        let claims = |judged: &Judged| !judged.claims.is_empty();
        !self.returned.is_empty() || !self.unreadable.is_empty() || self.judged.iter().any(claims)
    }

    /// Gives what stands in for a document the time of the version before it, as far as `store` knows one, since its own cannot
    /// be read: any version that can be read may follow.
    pub(super) async fn date(&mut self, store: &dyn SyncStore, collection: Collection) -> Result<(), StoreError> {
        let undated = self.unreadable.iter().filter(|(record, _)| record.ingested_at == DateTime::UNIX_EPOCH);
        let ids: Vec<RecordId> = undated.map(|(record, _)| record.id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let found = store.find_lineage(collection, &ids).await?;
        let times: HashMap<RecordId, DateTime<Utc>> =
            found.into_iter().map(|lineage| (lineage.raw_id, lineage.version.ingested_at)).collect();
        for (record, _) in &mut self.unreadable {
            record.ingested_at = times.get(&record.id).copied().unwrap_or(record.ingested_at);
        }
        Ok(())
    }

    /// Returns the deletions of records that came back as they were before what `store` knows of them. They are to be carried
    /// first, for otherwise an older version takes no newer one's place.
    pub(super) async fn deletions_before_returns(
        &self,
        store: &dyn SyncStore,
        collection: Collection,
    ) -> Result<Vec<Deletion>, StoreError> {
        if self.returned.is_empty() {
            return Ok(Vec::new());
        }
        let unreadable = self.unreadable.iter().map(|(record, _)| record);
        let records = self.judged.iter().map(|judged| &judged.record).chain(unreadable);
        let times: HashMap<&RecordId, DateTime<Utc>> = records
            .map(|record| (&record.id, record.ingested_at))
            .filter(|(_, at)| *at != DateTime::UNIX_EPOCH)
            .collect();
        let found = store.find_lineage(collection, &self.returned).await?.into_iter();
        let outdated = found.filter(|former| {
            let is_there = former.outcome != SyncOutcome::Deleted;
            is_there && times.get(&former.raw_id).is_some_and(|at| *at < former.version.ingested_at)
        });
        Ok(outdated.map(|former| Deletion { raw_id: former.raw_id, seen: None }).collect())
    }
}

/// Takes changes apart and judges what is a record.
#[derive(Clone, Copy)]
pub(super) struct Intake<'a> {
    pub(super) references: &'a dyn ReferenceStore,
    pub(super) pipeline: &'a Arc<Pipeline>,
    pub(super) max_record_bytes: usize,
}

impl Intake<'_> {
    /// Takes `changes` of `collection` in; of several changes of a record the last counts.
    pub(super) async fn take(self, collection: Collection, changes: Vec<Change>) -> Result<Incoming, SyncError> {
        let mut incoming = Incoming { returned: returned(&changes), ..Incoming::default() };
        let mut records = Vec::with_capacity(changes.len());
        for change in last_of_each(changes) {
            match change {
                Change::Upserted(record) if has_our_origin(&record.metadata) => {}
                Change::Undecodable { content, .. } if is_a_copy_of_ours(&content) => {}
                Change::Upserted(record) if exceeds(&record.raw_content, self.max_record_bytes) => {
                    incoming.unreadable.push(self.too_large(record));
                }
                Change::Upserted(record) => records.push(record),
                Change::Deleted(raw_id) => incoming.deleted.push(Deletion { raw_id, seen: None }),
                Change::Undecodable { id, fault, content, reason } => {
                    incoming.unreadable.push((stand_in(id, content), reason_of(fault, reason)));
                }
            }
        }
        incoming.judged = judge_batch(self.pipeline, collection, records).await;
        let failed = |error| match error {
            SettleError::Reference { place, source } => SyncError::Reference { place, source },
            SettleError::Store(source) => SyncError::Store { collection, source },
        };
        self.pipeline.settle(&mut incoming.judged, self.references).await.map_err(failed)?;
        Ok(incoming)
    }

    fn too_large(self, record: RawRecord) -> (RawRecord, QuarantineReason) {
        let message = format!("the record has more than the {} bytes that are taken", self.max_record_bytes);
        let reason = reason_of(Unreadable::TooLarge, message);
        (RawRecord { raw_content: Value::Null, ..record }, reason)
    }
}

/// Keeps the last change of each record, in order.
fn last_of_each(changes: Vec<Change>) -> Vec<Change> {
    let mut seen = HashSet::with_capacity(changes.len());
    let is_last: Vec<bool> = changes.iter().rev().map(|change| seen.insert(change.id())).collect();
    if seen.len() == changes.len() {
        return changes;
    }
    let last = changes.into_iter().zip(is_last.into_iter().rev());
    last.filter(|(_, is_last)| *is_last).map(|(change, _)| change).collect()
}

/// Returns the records that are there again after a deletion.
fn returned(changes: &[Change]) -> Vec<RecordId> {
    let (mut deleted, mut returned) = (HashSet::new(), Vec::new());
    for change in changes {
        match change {
            Change::Deleted(id) => {
                deleted.insert(id);
            }
            Change::Upserted(_) | Change::Undecodable { .. } => {
                if deleted.remove(change.id()) {
                    returned.push(change.id().clone());
                }
            }
        }
    }
    returned
}

fn has_our_origin(metadata: &Map<String, Value>) -> bool {
    metadata.get(ORIGIN_FIELD).and_then(Value::as_str) == Some(ORIGIN)
}

/// Returns whether a document that is no record is one of our own results that someone copied here.
fn is_a_copy_of_ours(content: &Value) -> bool {
    content.get("metadata").and_then(Value::as_object).is_some_and(has_our_origin)
}

fn reason_of(fault: Unreadable, message: String) -> QuarantineReason {
    let rule = match fault {
        Unreadable::Malformed => "undecodable",
        Unreadable::TooLarge => "too_large",
    };
    QuarantineReason { field: None, rule: rule.to_owned(), message }
}

/// Returns a record that stands in for a document that is none.
fn stand_in(id: RecordId, raw_content: Value) -> RawRecord {
    RawRecord {
        id,
        source_app: SourceApp::parse("unknown").expect("a word is a name"),
        source: None,
        data_type: DataType::parse("unknown").expect("a word is a name"),
        content_hash: stand_in_hash(&raw_content),
        raw_content,
        metadata: Map::new(),
        scraped_at: None,
        ingested_at: DateTime::UNIX_EPOCH,
    }
}

/// Returns the hash of what stands in for a document that is no record, with what could be read of it.
pub(super) fn stand_in_hash(content: &Value) -> Digest {
    Digest::of_json(content)
}

/// Returns whether `value` takes more than `n_bytes`, roughly as JSON, without writing it.
fn exceeds(value: &Value, n_bytes: usize) -> bool {
    spend(value, n_bytes).is_none()
}

fn spend(value: &Value, budget: usize) -> Option<usize> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => budget.checked_sub(4),
        Value::String(text) => budget.checked_sub(text.len() + 2),
        Value::Array(values) => values.iter().try_fold(budget, |budget, value| spend(value, budget)),
        Value::Object(fields) => {
            fields.iter().try_fold(budget, |budget, (name, value)| spend(value, budget.checked_sub(name.len() + 4)?))
        }
    }
}

/// Puts a record that cannot be taken into quarantine.
pub(super) fn quarantined_as_unreadable(
    collection: Collection,
    (record, reason): (RawRecord, QuarantineReason),
    at: DateTime<Utc>,
) -> QuarantinedRecord {
    QuarantinedRecord { collection, record, reasons: vec![reason], first_seen_at: at, last_seen_at: at, attempts: 1 }
}

#[cfg(test)]
mod tests {
    use ml_core::testkit::build::{a_raw_record, record_id};
    use serde_json::json;

    use super::*;

    #[test]
    fn of_several_changes_the_last_counts() {
        let upserted = |id: &str| Change::Upserted(a_raw_record().id(id).build());
        let deleted = |id: &str| Change::Deleted(record_id(id));
        let kept = last_of_each(vec![upserted("a"), upserted("b"), deleted("a"), upserted("c"), deleted("b")]);
        assert_eq!(kept, [deleted("a"), upserted("c"), deleted("b")]);
        assert_eq!(last_of_each(vec![deleted("a"), upserted("a")]), [upserted("a")]);
    }

    #[test]
    fn what_we_wrote_is_told_by_its_origin() {
        assert!(is_a_copy_of_ours(&json!({"_id": "p-1", "value": 1, "metadata": {"origin": "ml-app"}})));
        for other in [json!(null), json!({"metadata": {"origin": "crm"}}), json!({"origin": "ml-app"}), json!([1])] {
            assert!(!is_a_copy_of_ours(&other), "{other}");
        }
    }

    #[test]
    fn sizes_are_told_without_writing() {
        let value = json!({"text": "x".repeat(1000), "list": [1, 2, {"deep": null}]});
        let size = value.to_string().len();
        assert!(exceeds(&value, size - 100) && !exceeds(&value, size + 100));
        assert!(!exceeds(&json!(null), 4) && exceeds(&json!(null), 3));
    }
}
