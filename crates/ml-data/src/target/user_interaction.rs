//! Rows of `user_interactions`.

use serde::{Deserialize, Serialize};

use ml_core::user_interaction::UserInteraction;

use super::Origin;
use super::columns::{event_time, optional_number, text};
use super::row_hash::RowHash;
use crate::field::{FieldList, Fields};
use crate::reason::Reasons;

/// Arguments of [`super::Target::UserInteractions`]: the fields that each column may come from. All but `value` are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InteractionTarget {
    /// Who.
    pub user_id: FieldList,
    /// With what.
    pub item_id: FieldList,
    /// Did what.
    pub action: FieldList,
    /// How much.
    #[serde(default)]
    pub value: FieldList,
    /// When it happened.
    pub event_time: FieldList,
}

impl InteractionTarget {
    pub(super) fn map(&self, origin: &Origin<'_>, fields: &Fields, reasons: &mut Reasons) -> Option<UserInteraction> {
        // Every column is read before the first fault returns, so that all faults are found.
        let user_id = text("user_id", &self.user_id, fields, reasons);
        let item_id = text("item_id", &self.item_id, fields, reasons);
        let action = text("action", &self.action, fields, reasons);
        let value = optional_number(&self.value, fields, reasons);
        let event_time = event_time(origin, &self.event_time, fields, reasons);
        let (user_id, item_id, action, value, event_time) = (user_id?, item_id?, action?, value?, event_time?);
        let record = origin.record;
        let content_hash = RowHash::new()
            .text(record.source_app.as_str())
            .text(&user_id)
            .text(&item_id)
            .text(&action)
            .optional_number(value)
            .optional_instant(event_time.is_given.then_some(event_time.instant))
            .finish();
        Some(UserInteraction {
            id: origin.row_id(),
            source_app: record.source_app.clone(),
            user_id,
            item_id,
            action,
            value,
            event_time: event_time.instant,
            created_at: record.ingested_at,
            raw_id: record.id.clone(),
            content_hash,
        })
    }
}
