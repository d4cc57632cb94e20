//! The step that turns dates and times into RFC 3339.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::field::{FieldList, Fields};
use crate::instant::{InstantFormat, parse_instant, print_instant};
use crate::reason::Reasons;

/// Arguments of [`crate::normalise::Step::ParseDate`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParseDate {
    /// The fields to read.
    pub fields: FieldList,
    /// How they may be written, tried in order; without any, the usual forms.
    #[serde(default, deserialize_with = "read_formats", serialize_with = "write_formats")]
    pub formats: Vec<InstantFormat>,
}

impl ParseDate {
    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        for name in &self.fields {
            if name.get_filled(fields).is_none() {
                continue;
            }
            let Some(value) = name.get_mut(fields) else { continue };
            match parse_instant(value, &self.formats) {
                Ok(instant) => *value = Value::String(print_instant(instant)),
                Err(error) => reasons.add(name, "parse_date", error.to_string()),
            }
        }
    }
}

fn read_formats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<InstantFormat>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| InstantFormat::parse(text).map_err(serde::de::Error::custom)).collect()
}

fn write_formats<S: Serializer>(formats: &[InstantFormat], serializer: S) -> Result<S::Ok, S::Error> {
    let name = |format: &InstantFormat| match format {
        InstantFormat::Iso => "iso".to_owned(),
        InstantFormat::UnixSeconds => "unix".to_owned(),
        InstantFormat::UnixMilliseconds => "unix_ms".to_owned(),
        InstantFormat::Pattern(pattern) => pattern.clone(),
    };
    serializer.collect_seq(formats.iter().map(name))
}
