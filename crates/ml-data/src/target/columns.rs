//! Values of columns out of fields.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Origin;
use crate::field::{FieldList, FieldPath, Fields};
use crate::instant::parse_instant;
use crate::reason::Reasons;
use crate::shown::shown;

/// The kind of reason that a missing or unfit column gives.
const RULE: &str = "column";

/// When it happened, and how that is known.
pub(super) struct EventTime {
    pub(super) instant: DateTime<Utc>,
    /// The field it was read from.
    pub(super) field: Option<FieldPath>,
    /// Whether the sender said it; else it is the time of ingest, which is no part of the content.
    pub(super) is_given: bool,
}

/// Reads the event time: the field that the sender named, else the first of `names`, else the scrape time, else the time of
/// ingest.
pub(super) fn event_time(
    origin: &Origin<'_>,
    names: &FieldList,
    fields: &Fields,
    reasons: &mut Reasons,
) -> Option<EventTime> {
    let named = origin.event_time_field.iter().chain(names);
    let found = named.into_iter().find_map(|name| name.get_filled(fields).map(|value| (name, value)));
    if let Some((name, value)) = found {
        let instant = unless_named(name, reasons, parse_instant(value, &[]).map_err(|error| error.to_string()))?;
        return Some(EventTime { instant, field: Some(name.clone()), is_given: true });
    }
    let scraped_at = origin.record.scraped_at;
    let instant = scraped_at.unwrap_or(origin.record.ingested_at);
    Some(EventTime { instant, field: None, is_given: scraped_at.is_some() })
}

/// Reads a column of text that the table needs; numbers and truth values as they print.
pub(super) fn text(column: &'static str, names: &FieldList, fields: &Fields, reasons: &mut Reasons) -> Option<String> {
    let (name, value) = needed(column, names, fields, reasons)?;
    let text = match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(format!("{} is not text", shown(value))),
    };
    unless_named(name, reasons, text)
}

/// Reads a column of numbers that the table needs.
pub(super) fn number(column: &'static str, names: &FieldList, fields: &Fields, reasons: &mut Reasons) -> Option<f64> {
    let (name, value) = needed(column, names, fields, reasons)?;
    unless_named(name, reasons, as_number(value))
}

/// Reads a column of numbers that may be missing; `None` means that the value is unfit.
#[expect(clippy::option_option, reason = "missing is a value here, unfit is a fault")]
pub(super) fn optional_number(names: &FieldList, fields: &Fields, reasons: &mut Reasons) -> Option<Option<f64>> {
    match names.first_filled(fields) {
        None => Some(None),
        Some((name, value)) => unless_named(name, reasons, as_number(value)).map(Some),
    }
}

/// Returns the first field of a column that holds something; a reason when none does.
pub(super) fn needed<'a>(
    column: &'static str,
    names: &'a FieldList,
    fields: &'a Fields,
    reasons: &mut Reasons,
) -> Option<(&'a FieldPath, &'a Value)> {
    let found = names.first_filled(fields);
    if found.is_none() && !names.iter().any(|name| reasons.names(name)) {
        let message = format!("none of {} holds anything, and the table needs `{column}`", names.names());
        match names.iter().next() {
            Some(first) => reasons.add(first, RULE, message),
            None => reasons.add_whole(RULE, format!("no field is mapped to `{column}`, and the table needs it")),
        }
    }
    found
}

/// Returns the value, or adds the fault unless something is known to be wrong with the field already.
fn unless_named<T>(name: &FieldPath, reasons: &mut Reasons, value: Result<T, String>) -> Option<T> {
    match value {
        Ok(value) => Some(value),
        Err(message) => {
            if !reasons.names(name) {
                reasons.add(name, RULE, message);
            }
            None
        }
    }
}

fn as_number(value: &Value) -> Result<f64, String> {
    let number = match value {
        Value::String(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    number.filter(|number| number.is_finite()).ok_or_else(|| format!("{} is not a finite number", shown(value)))
}
