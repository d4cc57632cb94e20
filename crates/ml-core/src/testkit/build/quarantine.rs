//! Builds quarantined records.

use chrono::{DateTime, Utc};

use super::{a_raw_record, record_id, second};
use crate::quarantine::{QuarantineReason, QuarantinedRecord};
use crate::record::{Collection, RawRecord};

/// Builds a [`QuarantinedRecord`].
#[derive(Debug, Clone)]
pub struct QuarantinedRecordBuilder(QuarantinedRecord);

/// Starts with `r1` of the text corpus, which lacks a headline, judged once at [`second`] zero.
pub fn a_quarantined_record() -> QuarantinedRecordBuilder {
    QuarantinedRecordBuilder(QuarantinedRecord {
        collection: Collection::TextCorpus,
        record: a_raw_record().build(),
        reasons: vec![a_reason("required", Some("headline"))],
        first_seen_at: second(0),
        last_seen_at: second(0),
        attempts: 1,
    })
}

/// Makes a reason of kind `rule` on `field`.
pub fn a_reason(rule: &str, field: Option<&str>) -> QuarantineReason {
    let subject = field.unwrap_or("the record");
    QuarantineReason {
        field: field.map(ToOwned::to_owned),
        rule: rule.to_owned(),
        message: format!("{subject} breaks the rule `{rule}`"),
    }
}

setters!(QuarantinedRecordBuilder {
    /// Sets the collection.
    collection(collection: Collection) => collection = collection;
    /// Sets the whole record.
    record(record: RawRecord) => record = record;
    /// Sets the id of the record.
    id(id: &str) => record.id = record_id(id);
    /// Sets the reasons.
    reasons(reasons: Vec<QuarantineReason>) => reasons = reasons;
    /// Sets how often it was judged.
    attempts(attempts: u32) => attempts = attempts;
});

impl QuarantinedRecordBuilder {
    /// Sets when it was judged, for the first and the last time.
    #[must_use]
    pub fn seen_at(mut self, instant: DateTime<Utc>) -> QuarantinedRecordBuilder {
        self.0.first_seen_at = instant;
        self.0.last_seen_at = instant;
        self
    }
}

build_as_is!(QuarantinedRecordBuilder => QuarantinedRecord);
