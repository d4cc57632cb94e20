//! What the sender said about its fields at ingest, kept in the metadata of each record.

use serde_json::{Map, Value};

use crate::field::{FieldPath, Fields};

/// The key of the metadata under which the hints are.
const KEY: &str = "fields";

/// Which field of the content is what. Absent where the sender said nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldHints {
    /// The main text; becomes the field `text`.
    pub(crate) text: Option<FieldPath>,
    /// What is to be learned; becomes the field `label`.
    pub(crate) label: Option<FieldPath>,
    /// When it happened.
    pub(crate) event_time: Option<FieldPath>,
}

impl FieldHints {
    /// Reads the hints of a record.
    pub(crate) fn of(metadata: &Map<String, Value>) -> FieldHints {
        let Some(hints) = metadata.get(KEY) else { return FieldHints::default() };
        let hint = |name: &str| hints.get(name)?.as_str().and_then(|path| FieldPath::parse(path).ok());
        FieldHints { text: hint("text"), label: hint("label"), event_time: hint("event_time") }
    }

    /// Returns the metadata that keeps the hints; empty where there are none.
    pub(crate) fn to_metadata(&self) -> Map<String, Value> {
        let named = [("text", &self.text), ("label", &self.label), ("event_time", &self.event_time)];
        let hints: Map<String, Value> = named
            .into_iter()
            .filter_map(|(name, path)| path.as_ref().map(|path| (name.to_owned(), Value::from(path.as_str()))))
            .collect();
        let mut metadata = Map::new();
        if !hints.is_empty() {
            metadata.insert(KEY.to_owned(), Value::Object(hints));
        }
        metadata
    }

    /// Gives the named fields the names by which the pipeline knows them. What had such a name before is overwritten: the
    /// sender said that it is not it.
    pub(crate) fn apply(&self, fields: &mut Fields) {
        for (from, to) in [(&self.text, "text"), (&self.label, "label")] {
            let Some(from) = from.as_ref().filter(|from| from.as_str() != to) else { continue };
            match from.remove(fields) {
                Some(value) => fields.insert(to.to_owned(), value),
                None => fields.remove(to),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hints_survive_the_metadata() {
        let path = |text| Some(FieldPath::parse(text).unwrap());
        let hints = FieldHints { text: path("body"), label: None, event_time: path("at.utc") };
        assert_eq!(FieldHints::of(&hints.to_metadata()), hints);
        assert_eq!(FieldHints::default().to_metadata(), Map::new());
    }

    #[test]
    fn the_named_field_takes_the_place_of_the_usual_one() {
        let hints = FieldHints { text: FieldPath::parse("body").ok(), ..FieldHints::default() };
        let Value::Object(mut fields) = json!({"text": "teaser", "body": "whole"}) else { unreachable!() };
        hints.apply(&mut fields);
        assert_eq!(Value::Object(fields), json!({"text": "whole"}));
    }
}
