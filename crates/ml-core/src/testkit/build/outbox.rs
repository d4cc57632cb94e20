//! Builds publications.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{outbox_id, second};
use crate::outbox::{OutboxAction, OutboxEntry};
use crate::result::ResultKind;

/// Builds an [`OutboxEntry`].
#[derive(Debug, Clone)]
pub struct OutboxEntryBuilder(OutboxEntry);

/// Starts with the waiting prediction `o1`, put there at [`second`] zero.
pub fn an_outbox_entry() -> OutboxEntryBuilder {
    OutboxEntryBuilder(OutboxEntry {
        id: outbox_id("o1"),
        kind: ResultKind::Predictions,
        action: OutboxAction::Put,
        body: json!({"value": "up"}),
        created_at: second(0),
        delivered_at: None,
    })
}

setters!(OutboxEntryBuilder {
    /// Sets the id.
    id(id: &str) => id = outbox_id(id);
    /// Sets which collection it goes to.
    kind(kind: ResultKind) => kind = kind;
    /// Sets whether the document is written or deleted.
    action(action: OutboxAction) => action = action;
    /// Sets the document.
    body(body: Value) => body = body;
    /// Sets when it was put there.
    created_at(instant: DateTime<Utc>) => created_at = instant;
});

build_as_is!(OutboxEntryBuilder => OutboxEntry);
