//! The step that looks values up in a table of the configuration.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Conversion;
use crate::field::{FieldList, FieldPath, Fields};
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`crate::normalise::Step::Lookup`]. Numbers and truth values are looked up as they print; case matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The fields to look up.
    pub fields: FieldList,
    /// What stands for what.
    #[serde(default)]
    pub table: HashMap<String, Value>,
    /// A CSV file, whose first two columns are the table, or a YAML file; it is read with the configuration.
    #[serde(default)]
    pub file: Option<String>,
    /// Where the result goes, if not in place.
    #[serde(default)]
    pub into: Option<FieldPath>,
    /// What becomes of a value that is not in the table.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// What becomes of a value that is not in the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// The record is quarantined.
    #[default]
    Quarantine,
    /// It is taken as it is.
    Keep,
    /// The result is `null`.
    Empty,
}

impl Lookup {
    pub(super) fn fault(&self) -> Option<String> {
        if let Some(file) = &self.file {
            return Some(format!("`{file}` was not read: files stand beside pipeline.yaml"));
        }
        if self.table.is_empty() {
            return Some("the table is empty: use table or file".to_owned());
        }
        super::fault_of_into(&self.fields, self.into.as_ref())
    }

    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        let conversion = Conversion { step: "lookup", fields: &self.fields, into: self.into.as_ref(), beside: [] };
        super::convert_each(conversion, fields, reasons, |value, []| {
            let found = match value {
                Value::String(text) => self.table.get(text),
                Value::Number(_) | Value::Bool(_) => self.table.get(&value.to_string()),
                _ => None,
            };
            match (found, self.otherwise) {
                (Some(found), _) => Ok(found.clone()),
                (None, Otherwise::Keep) => Ok(value.clone()),
                (None, Otherwise::Empty) => Ok(Value::Null),
                (None, Otherwise::Quarantine) => Err(format!("{} is not in the table", shown(value))),
            }
        });
    }
}
