//! Which field of the content is what.

use serde::{Deserialize, Serialize};

use crate::field::{FieldList, FieldPath};
use crate::hints::FieldHints;

/// Which field of the content is what; everything may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldMapping {
    /// The fields that identify a record, joined by `:`. Without any, `id` or `_id` where the record has one, else a digest
    /// of its content.
    pub id: FieldList,
    /// The main text; sync knows it as `text`.
    pub text: Option<FieldPath>,
    /// What is to be learned; sync knows it as `label`.
    pub label: Option<FieldPath>,
    /// When it happened.
    pub event_time: Option<FieldPath>,
    /// When the application obtained it; without one, the event time.
    pub scraped_at: Option<FieldPath>,
    /// Where the application had it from; without one, the field `source` where it is text.
    pub source: Option<FieldPath>,
}

impl FieldMapping {
    /// Returns every field that is named.
    pub(super) fn named(&self) -> impl Iterator<Item = &FieldPath> {
        let single = [&self.text, &self.label, &self.event_time, &self.scraped_at, &self.source];
        self.id.iter().chain(single.into_iter().flatten())
    }

    /// Returns what sync must know later.
    pub(super) fn hints(&self) -> FieldHints {
        FieldHints { text: self.text.clone(), label: self.label.clone(), event_time: self.event_time.clone() }
    }
}
