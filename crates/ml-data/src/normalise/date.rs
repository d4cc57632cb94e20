//! The step that turns dates and times into RFC 3339.

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::field::{FieldList, Fields, is_blank};
use crate::instant::{InstantFormat, parse_instant_in, print_instant};
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
    /// The time zone of what is written without an offset, such as `Europe/Oslo`; without one, UTC.
    #[serde(default, deserialize_with = "read_zone", serialize_with = "write_zone")]
    pub time_zone: Option<Tz>,
}

impl ParseDate {
    pub(super) fn apply(&self, fields: &mut Fields, reasons: &mut Reasons) {
        for name in &self.fields {
            let mut fault = None;
            name.each_mut(fields, &mut |value| {
                if is_blank(value) {
                    return;
                }
                match parse_instant_in(value, &self.formats, self.time_zone) {
                    Ok(instant) => *value = Value::String(print_instant(instant)),
                    Err(error) => drop(fault.get_or_insert_with(|| error.to_string())),
                }
            });
            if let Some(message) = fault {
                reasons.add(name, "parse_date", message);
            }
        }
    }
}

fn read_formats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<InstantFormat>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| InstantFormat::parse(text).map_err(serde::de::Error::custom)).collect()
}

fn read_zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tz>, D::Error> {
    let Some(name) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let fault = || serde::de::Error::custom(format!("`{name}` is not a time zone such as Europe/Oslo or UTC"));
    name.parse().map(Some).map_err(|_| fault())
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde gives the field as it is")]
fn write_zone<S: Serializer>(zone: &Option<Tz>, serializer: S) -> Result<S::Ok, S::Error> {
    zone.map(Tz::name).serialize(serializer)
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
