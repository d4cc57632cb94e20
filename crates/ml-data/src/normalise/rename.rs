//! The step that gives a field another name.

use serde::{Deserialize, Serialize};

use crate::field::{FieldList, FieldPath, Fields};
use crate::reason::Reasons;

/// Arguments of [`crate::normalise::Step::Rename`]: the first of `from` that holds something becomes `to`, or where none does the
/// first that is there.
///
/// A record whose `to` holds something already is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "arguments by name, such as { from: [body, message], to: text }")]
pub struct Rename {
    /// The names it may have.
    pub from: FieldList,
    /// The name it gets.
    pub to: FieldPath,
}

impl Rename {
    pub(super) fn fault(&self) -> Option<String> {
        if self.from.is_empty() {
            return Some("from names no field".to_owned());
        }
        if !self.to.is_made_of_names() {
            return Some(format!("`{}` cannot be made: names are needed", self.to));
        }
        if let Some(fault) = self.from.plural_fault() {
            return Some(fault);
        }
        self.from.iter().any(|from| *from == self.to).then(|| format!("`{}` is renamed to itself", self.to))
    }

    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        if self.to.get_filled(fields).is_some() {
            return;
        }
        let is_free = self.to.get(fields).is_none();
        let filled = self.from.iter().find(|from| from.get_filled(fields).is_some());
        let empty = || self.from.iter().find(|from| is_free && from.get(fields).is_some());
        let Some(from) = filled.or_else(empty) else { return };
        if self.to.find_obstacle(fields).is_none() {
            if let Some(value) = from.remove(fields) {
                super::set(&self.to, value, "rename", fields, reasons);
            }
            return;
        }
        // What stands in the way may be what is renamed, as from `price` to `price.amount`.
        let mut renamed = fields.clone();
        let Some(value) = from.remove(&mut renamed) else { return };
        match self.to.set(&mut renamed, value) {
            Ok(()) => *fields = renamed,
            Err(no_place) => reasons.add(&self.to, "rename", no_place.to_string()),
        }
    }
}
