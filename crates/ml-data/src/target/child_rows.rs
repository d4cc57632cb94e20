//! Child rows: the items of an array, each a row of its own.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use ml_core::sync::ValidatedRow;

use super::{Origin, Target};
use crate::field::{FieldPath, Fields};
use crate::reason::Reasons;
use crate::shown::{shown, shown_text};

/// Which array becomes rows. In each row the item stands in the place of the array, so that `items.price` is its price; the other
/// fields are there in all of them. A record whose array is absent or empty is one row without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildRows {
    /// The array.
    pub each: FieldPath,
    /// The field of an item that tells it from the others; absent: its place, from 0. The id of a row ends with `#` and this.
    #[serde(default)]
    pub key: Option<FieldPath>,
}

impl ChildRows {
    pub(crate) fn fault(&self) -> Option<String> {
        (!self.each.is_made_of_names())
            .then(|| format!("rows.each: `{}` has brackets, and names are needed", self.each))
    }

    /// Returns a row for each item, or nothing with at least one reason.
    pub(crate) fn map(
        &self,
        target: &Target,
        origin: &Origin<'_>,
        mut fields: Fields,
        reasons: &mut Reasons,
    ) -> Option<Vec<ValidatedRow>> {
        let items = match self.each.remove(&mut fields) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                reasons.add(&self.each, "rows", format!("{} is not an array", shown(&other)));
                return None;
            }
        };
        if items.is_empty() {
            return target.map(origin, fields, reasons).map(|row| vec![row]);
        }
        let keys = self.keys(&items, reasons)?;
        let mut rows = Vec::with_capacity(items.len());
        for (item, key) in items.into_iter().zip(keys) {
            let mut fields = fields.clone();
            if let Err(no_place) = self.each.set(&mut fields, item) {
                reasons.add(&self.each, "rows", no_place.to_string());
                return None;
            }
            let n_before = reasons.len();
            let child = Origin { item: Some(key), event_time_field: origin.event_time_field.clone(), ..*origin };
            rows.extend(target.map(&child, fields, reasons));
            if reasons.len() > n_before {
                return None;
            }
        }
        reasons.is_empty().then_some(rows)
    }

    fn keys(&self, items: &[Value], reasons: &mut Reasons) -> Option<Vec<String>> {
        let Some(name) = &self.key else { return Some((0..items.len()).map(|place| place.to_string()).collect()) };
        let mut seen = HashSet::with_capacity(items.len());
        let mut keys = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            let key = match item.as_object().and_then(|item| name.get_filled(item)) {
                Some(Value::String(text)) => text.clone(),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
                _ => {
                    reasons.add(
                        &self.each,
                        "rows",
                        format!("item {place} has no `{name}`, which tells it from the others"),
                    );
                    return None;
                }
            };
            if !seen.insert(key.clone()) {
                reasons.add(&self.each, "rows", format!("two items have the `{name}` {}", shown_text(&key)));
                return None;
            }
            keys.push(key);
        }
        Some(keys)
    }
}
