//! Rows of `global_ml_data`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use ml_core::global_data::GlobalRecord;

use super::Origin;
use super::columns::{EventTime, event_time};
use super::row_hash::RowHash;
use crate::field::{FieldList, FieldPath, Fields, is_blank};
use crate::reason::Reasons;

/// Arguments of [`super::Target::GlobalMlData`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GlobalTarget {
    /// The first of these that holds something becomes `processed_content`, or where none does the first that is there; the others
    /// that hold nothing become no feature.
    pub content: FieldList,
    /// The first of these that holds something becomes `event_time`.
    pub event_time: FieldList,
    /// The fields that become features; absent: all that are not used above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<FieldList>,
    /// Fields that do not become features, such as the id.
    pub exclude: FieldList,
}

impl GlobalTarget {
    pub(super) fn map(&self, origin: &Origin<'_>, mut fields: Fields, reasons: &mut Reasons) -> Option<GlobalRecord> {
        let event_time = event_time(origin, &self.event_time, &fields, reasons)?;
        if !reasons.is_empty() {
            return None;
        }
        let processed_content = self.take_content(&mut fields);
        let features = self.features(fields, &event_time);
        let record = origin.record;
        let content_hash = RowHash::new()
            .text(record.source_app.as_str())
            .text(record.data_type.as_str())
            .optional_text(processed_content.as_deref())
            .fields(&features)
            .optional_instant(event_time.is_given.then_some(event_time.instant))
            .finish();
        Some(GlobalRecord {
            id: origin.row_id(),
            source_app: record.source_app.clone(),
            data_type: record.data_type.clone(),
            processed_content,
            features,
            event_time: event_time.instant,
            created_at: record.ingested_at,
            raw_id: record.id.clone(),
            content_hash,
            schema_version: origin.version,
        })
    }

    fn take_content(&self, fields: &mut Fields) -> Option<String> {
        let found = self.content.first_filled(fields).or_else(|| self.content.first_present(fields));
        let name = found?.0.clone();
        let content = match name.remove(fields)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        for name in &self.content {
            if name.get(fields).is_some_and(is_blank) {
                name.remove(fields);
            }
        }
        Some(content)
    }

    fn features(&self, mut fields: Fields, event_time: &EventTime) -> Fields {
        let mut features = Fields::new();
        if let Some(names) = &self.features {
            for name in names {
                if let Some(value) = name.remove(&mut fields) {
                    add_feature(name.as_str().to_owned(), value, &mut features);
                }
            }
            return features;
        }
        for name in self.exclude.iter().chain(&event_time.field) {
            FieldPath::remove(name, &mut fields);
        }
        // Most records are flat and without gaps; theirs are features as they are.
        if fields.values().all(|value| value.is_string() || value.is_number() || value.is_boolean()) {
            return fields;
        }
        for (name, value) in fields {
            add_feature(name, value, &mut features);
        }
        features
    }
}

/// Adds what a feature may be: fields of objects under dotted names, lists as JSON text, nothing for `null`.
fn add_feature(name: String, value: Value, features: &mut Fields) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (inner, value) in fields {
                add_feature(format!("{name}.{inner}"), value, features);
            }
        }
        Value::Array(_) => drop(features.insert(name, Value::String(value.to_string()))),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => drop(features.insert(name, value)),
    }
}
