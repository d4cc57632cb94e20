//! The rule that a value is in a column of a SQL table.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use ml_core::reference::ColumnRef;

use super::{Subject, usable};
use crate::field::{FieldList, FieldPath};
use crate::reason::Reasons;
use crate::shown::shown;

/// Arguments of [`crate::rule::Rule::ExistsIn`]. The table is looked into once for each batch, as it is then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExistsIn {
    /// The fields to look at.
    pub fields: FieldList,
    /// The table of the SQL store.
    pub table: String,
    /// The column of the table.
    pub column: String,
}

/// A value that must be in a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reference {
    pub(crate) column: ColumnRef,
    pub(crate) field: FieldPath,
    pub(crate) value: Value,
}

impl ExistsIn {
    pub(super) fn fault(&self) -> Option<String> {
        self.column().err()
    }

    fn column(&self) -> Result<ColumnRef, String> {
        ColumnRef::parse(&self.table, &self.column).map_err(|error| error.to_string())
    }

    /// Shows `add` what is to be looked up; a value that no column can hold is a reason at once.
    pub(crate) fn find(&self, subject: Subject<'_>, reasons: &mut Reasons, mut add: impl FnMut(Reference)) {
        let Ok(column) = self.column() else { return };
        for field in &self.fields {
            let Some(value) = usable(field, subject.fields, reasons) else { continue };
            if value.is_array() || value.is_object() {
                reasons.add(field, "exists_in", format!("{} is not one value", shown(value)));
                continue;
            }
            add(Reference { column: column.clone(), field: field.clone(), value: value.clone() });
        }
    }
}

impl Reference {
    /// Says that the value is not there.
    pub(crate) fn fault(&self) -> String {
        format!("{} is not in `{}` of `{}`", shown(&self.value), self.column.column(), self.column.table())
    }
}
