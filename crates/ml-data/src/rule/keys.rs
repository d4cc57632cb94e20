//! The rule on which fields an object has.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Subject, usable};
use crate::field::{FieldList, Fields};
use crate::reason::Reasons;
use crate::shown::{shown, shown_text};

/// Arguments of [`crate::rule::Rule::Keys`]; at least one list is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The fields to look at, which are objects; absent: the record itself, after normalisation.
    #[serde(default)]
    pub fields: FieldList,
    /// The names that it may have; absent: any.
    #[serde(default)]
    pub allowed: Option<Vec<String>>,
    /// The names that it must have, whatever they hold.
    #[serde(default)]
    pub required: Vec<String>,
}

impl Keys {
    pub(super) fn fault(&self) -> Option<String> {
        let Some(allowed) = &self.allowed else {
            return self.required.is_empty().then(|| "no name is given: use allowed or required".to_owned());
        };
        let outside = self.required.iter().find(|name| !allowed.contains(name))?;
        Some(format!("`{outside}` is required, and not allowed"))
    }

    pub(super) fn check(&self, subject: Subject<'_>, reasons: &mut Reasons) {
        if self.fields.is_empty() {
            if let Some(message) = self.fault_of(subject.fields) {
                reasons.add_whole("keys", message);
            }
            return;
        }
        for name in &self.fields {
            let message = match usable(name, subject.fields, reasons) {
                Some(Value::Object(fields)) => self.fault_of(fields),
                Some(other) => Some(format!("{} is not an object with fields", shown(other))),
                None => None,
            };
            if let Some(message) = message {
                reasons.add(name, "keys", message);
            }
        }
    }

    fn fault_of(&self, fields: &Fields) -> Option<String> {
        if let Some(missing) = self.required.iter().find(|name| !fields.contains_key(*name)) {
            return Some(format!("has no field {}", shown_text(missing)));
        }
        let allowed = self.allowed.as_ref()?;
        let outside = fields.keys().find(|name| !allowed.contains(name))?;
        Some(format!("has a field {}, which is not among those that are allowed", shown_text(outside)))
    }
}
