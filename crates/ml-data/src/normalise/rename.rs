//! The step that gives a field another name.

use serde::{Deserialize, Serialize};

use crate::field::{FieldList, FieldPath, Fields};

/// Arguments of [`crate::normalise::Step::Rename`]: the first of `from` that is there becomes `to`.
///
/// A record that has `to` already is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

    pub(super) fn apply(&self, fields: &mut Fields) {
        if self.to.get(fields).is_some() {
            return;
        }
        if let Some(value) = self.from.iter().find_map(|from| from.remove(fields)) {
            self.to.set(fields, value);
        }
    }
}
