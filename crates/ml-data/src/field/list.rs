//! Lists of fields, as they are written in the configuration.

use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{FieldPath, Fields};

/// Fields in order; written as one name or as a list of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldList(Vec<FieldPath>);

impl FieldList {
    /// Makes a list of `paths`, possibly empty.
    pub fn new(paths: Vec<FieldPath>) -> FieldList {
        FieldList(paths)
    }

    /// Returns the fields in the order given.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldPath> {
        self.0.iter()
    }

    /// Returns whether no field is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the first of the fields that is there and holds something, with its value.
    pub fn first_filled<'a>(&'a self, fields: &'a Fields) -> Option<(&'a FieldPath, &'a Value)> {
        self.iter().find_map(|path| path.get_filled(fields).map(|value| (path, value)))
    }

    /// Returns the first of the fields that is there and is not `null`, with its value; blank text counts.
    pub fn first_present<'a>(&'a self, fields: &'a Fields) -> Option<(&'a FieldPath, &'a Value)> {
        self.iter().find_map(|path| path.get(fields).filter(|value| !value.is_null()).map(|value| (path, value)))
    }

    /// Returns a fault where one of `others` may lead to several values beside one of these.
    pub(crate) fn fault_beside<'a>(&self, others: impl IntoIterator<Item = &'a FieldPath>) -> Option<String> {
        let fault_of = |other: &FieldPath| {
            let field = self.iter().find(|field| !other.goes_along_with(field))?;
            Some(format!(
                "`{other}` may lead to several values, and one is needed for each of `{field}`: use [0], or a field of the same items"
            ))
        };
        others.into_iter().find_map(fault_of)
    }

    /// Returns a fault where a field may lead to several values and one is needed.
    pub(crate) fn plural_fault(&self) -> Option<String> {
        let plural = self.iter().find(|path| path.is_plural())?;
        Some(format!(
            "`{plural}` may lead to several values, and one is needed here: use [0], or a step `collect` before"
        ))
    }

    /// Returns the names as they are listed in messages: `` `a`, `b` ``.
    pub fn names(&self) -> String {
        self.0.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
    }
}

impl<'a> IntoIterator for &'a FieldList {
    type Item = &'a FieldPath;
    type IntoIter = std::slice::Iter<'a, FieldPath>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for FieldList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FieldList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FieldList, D::Error> {
        deserializer.deserialize_any(FieldListVisitor)
    }
}

struct FieldListVisitor;

impl<'de> Visitor<'de> for FieldListVisitor {
    type Value = FieldList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name or a list of field names")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FieldList, E> {
        Ok(FieldList(vec![FieldPath::parse(text).map_err(E::custom)?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<FieldList, A::Error> {
        let mut paths = Vec::new();
        while let Some(path) = seq.next_element::<FieldPath>()? {
            if paths.contains(&path) {
                return Err(A::Error::custom(format!("field `{path}` is listed twice")));
            }
            paths.push(path);
        }
        Ok(FieldList(paths))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blank_fields_are_passed_over() {
        let Value::Object(record) = json!({"a": null, "b": " ", "c": 0}) else { unreachable!() };
        let list: FieldList = serde_json::from_value(json!(["a", "b", "c"])).unwrap();
        assert_eq!(list.first_filled(&record).unwrap().0.as_str(), "c");
        assert_eq!(list.first_present(&record).unwrap().0.as_str(), "b");
    }

    #[test]
    fn a_list_is_one_name_or_several() {
        assert_eq!(serde_json::from_value::<FieldList>(json!("a")).unwrap().names(), "`a`");
        assert_eq!(serde_json::from_value::<FieldList>(json!(["a", "b.c"])).unwrap().names(), "`a`, `b.c`");
        for value in [json!(""), json!("a..b"), json!(["a", "a"]), json!(3)] {
            assert!(serde_json::from_value::<FieldList>(value.clone()).is_err(), "{value}");
        }
    }
}
