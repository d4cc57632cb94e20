//! Child rows: the items of an array, each a row of its own.

use std::borrow::Cow;
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
    /// The field of an item that tells it from the others; absent: its place, from 0. The id of a row ends with `#` and this;
    /// `#` in the id of the record is written `%23` before it.
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
        let raw_id = escaped(origin.record.id.as_str());
        let row = |raw_id| Origin { raw_id, event_time_field: origin.event_time_field.clone(), ..*origin };
        if items.is_empty() {
            return target.map(&row(raw_id), fields, reasons).map(|row| vec![row]);
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
            let child = row(Cow::Owned(format!("{raw_id}#{key}")));
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

/// Returns the id of a record without `#`, so that the first `#` in the id of a row always stands before the item: `#` is written
/// `%23`, and `%23` and `%25` are written `%2523` and `%2525`, so that no two ids become one.
fn escaped(raw_id: &str) -> Cow<'_, str> {
    if !raw_id.contains(['#', '%']) {
        return Cow::Borrowed(raw_id);
    }
    let mut id = String::with_capacity(raw_id.len() + 2);
    for (place, character) in raw_id.char_indices() {
        let rest = &raw_id[place..];
        match character {
            '#' => id.push_str("%23"),
            '%' if rest.starts_with("%23") || rest.starts_with("%25") => id.push_str("%25"),
            other => id.push(other),
        }
    }
    Cow::Owned(id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::escaped;

    #[test]
    fn an_id_is_written_without_the_sign_that_ends_it() {
        for (raw_id, expected) in [
            ("a:1", "a:1"),
            ("1#0", "1%230"),
            ("1%230", "1%25230"),
            ("1%25", "1%2525"),
            ("100% x%2", "100% x%2"),
            ("ø%#", "ø%%23"),
        ] {
            assert_eq!(escaped(raw_id), expected);
        }
    }

    /// Every text of up to six of the characters that matter.
    #[test]
    fn no_two_ids_become_one() {
        let mut texts = vec![String::new()];
        let mut known: HashMap<String, String> = HashMap::new();
        for _ in 0..6 {
            texts = texts.iter().flat_map(|text| "#%235x".chars().map(move |next| format!("{text}{next}"))).collect();
            for text in &texts {
                let id = escaped(text).into_owned();
                assert!(!id.contains('#'), "{id}");
                if let Some(other) = known.insert(id.clone(), text.clone()) {
                    panic!("`{text}` and `{other}` are both `{id}`");
                }
            }
        }
    }
}
