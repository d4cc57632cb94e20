//! Rows of `ground_truth`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use ml_core::ground_truth::GroundTruth;
use ml_core::id::RecordId;

use super::Origin;
use super::columns::{event_time, needed, text};
use super::row_hash::RowHash;
use crate::field::{FieldList, Fields};
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`super::Target::GroundTruth`]: the fields that each column may come from. All but `observed_at` are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroundTruthTarget {
    /// The record that was predicted: the `record_id` of its predictions.
    pub record_id: FieldList,
    /// The target column.
    pub target: FieldList,
    /// The true label or number.
    pub value: FieldList,
    /// When it was observed.
    pub observed_at: FieldList,
}

impl GroundTruthTarget {
    pub(super) fn map(&self, origin: &Origin<'_>, fields: &Fields, reasons: &mut Reasons) -> Option<GroundTruth> {
        // Every column is read before the first fault returns, so that all faults are found.
        let record_id = self.record_id(fields, reasons);
        let target = text("target", &self.target, fields, reasons);
        let value = self.value(fields, reasons);
        let observed_at = event_time(origin, &self.observed_at, fields, reasons);
        let (record_id, target, value, observed_at) = (record_id?, target?, value?, observed_at?);
        let content_hash = RowHash::new()
            .text(&target)
            .value(&value)
            .optional_instant(observed_at.is_given.then_some(observed_at.instant))
            .finish();
        Some(GroundTruth {
            record_id,
            target,
            value,
            observed_at: observed_at.instant,
            created_at: origin.record.ingested_at,
            raw_id: origin.record.id.clone(),
            content_hash,
        })
    }

    fn record_id(&self, fields: &Fields, reasons: &mut Reasons) -> Option<RecordId> {
        let id = text("record_id", &self.record_id, fields, reasons)?;
        match RecordId::parse(id) {
            Ok(id) => Some(id),
            Err(error) => {
                reasons.add(self.record_id.first_filled(fields)?.0, "column", error.to_string());
                None
            }
        }
    }

    fn value(&self, fields: &Fields, reasons: &mut Reasons) -> Option<Value> {
        let (name, value) = needed("value", &self.value, fields, reasons)?;
        if value.is_array() || value.is_object() {
            reasons.add(name, "column", format!("{} is neither a label nor a number", shown(value)));
            return None;
        }
        Some(value.clone())
    }
}
