//! Fields of a record by name, and lists of them as they are written in the configuration.

use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The fields of a record by name.
pub type Fields = Map<String, Value>;

/// The name of a field: a top-level name, or a dotted path into nested objects, such as `user.address.city`.
///
/// A top-level field whose own name has the dots in it is found first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldPath(String);

/// The text cannot name a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name a field: a name, or names joined by single dots, is needed")]
pub struct InvalidFieldPath(String);

impl FieldPath {
    /// Accepts a non-empty name, or non-empty names joined by dots.
    pub fn parse(text: &str) -> Result<FieldPath, InvalidFieldPath> {
        if text.split('.').any(|part| part.trim().is_empty()) {
            return Err(InvalidFieldPath(text.to_owned()));
        }
        Ok(FieldPath(text.to_owned()))
    }

    /// Returns the path as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the value, if the field is there; `null` is a value.
    pub fn get<'a>(&self, fields: &'a Fields) -> Option<&'a Value> {
        if let Some(value) = fields.get(&self.0) {
            return Some(value);
        }
        let (first, rest) = self.0.split_once('.')?;
        rest.split('.').try_fold(fields.get(first)?, |value, name| value.get(name))
    }

    /// Returns the value if the field is there and holds something: not `null`, and not blank text.
    pub fn get_filled<'a>(&self, fields: &'a Fields) -> Option<&'a Value> {
        self.get(fields).filter(|value| !is_blank(value))
    }

    /// Returns the value to be changed, if the field is there.
    pub fn get_mut<'a>(&self, fields: &'a mut Fields) -> Option<&'a mut Value> {
        if fields.contains_key(&self.0) {
            return fields.get_mut(&self.0);
        }
        let (first, rest) = self.0.split_once('.')?;
        rest.split('.').try_fold(fields.get_mut(first)?, |value, name| value.get_mut(name))
    }

    /// Takes the field out and returns its value, if it is there.
    pub fn remove(&self, fields: &mut Fields) -> Option<Value> {
        if let Some(value) = fields.remove(&self.0) {
            return Some(value);
        }
        let (parent, name) = self.0.rsplit_once('.')?;
        FieldPath(parent.to_owned()).get_mut(fields)?.as_object_mut()?.remove(name)
    }

    /// Sets the field, making the objects on the way; a parent that is not an object is replaced by one.
    pub fn set(&self, fields: &mut Fields, value: Value) {
        if let Some(place) = self.get_mut(fields) {
            *place = value;
            return;
        }
        let Some((parents, name)) = self.0.rsplit_once('.') else {
            fields.insert(self.0.clone(), value);
            return;
        };
        let mut object = fields;
        for parent in parents.split('.') {
            let place = object.entry(parent).or_insert_with(|| Value::Object(Fields::new()));
            if !place.is_object() {
                *place = Value::Object(Fields::new());
            }
            object = place.as_object_mut().expect("it was made an object above");
        }
        object.insert(name.to_owned(), value);
    }
}

/// Returns whether `value` holds nothing: `null`, or text of white space alone.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for FieldPath {
    type Err = InvalidFieldPath;

    fn from_str(text: &str) -> Result<FieldPath, InvalidFieldPath> {
        FieldPath::parse(text)
    }
}

impl TryFrom<String> for FieldPath {
    type Error = InvalidFieldPath;

    fn try_from(text: String) -> Result<FieldPath, InvalidFieldPath> {
        FieldPath::parse(&text)
    }
}

impl From<FieldPath> for String {
    fn from(path: FieldPath) -> String {
        path.0
    }
}

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

    fn path(text: &str) -> FieldPath {
        FieldPath::parse(text).unwrap()
    }

    fn fields(value: Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_dotted_path_reaches_into_objects() {
        let mut record = fields(json!({"user": {"city": "Oslo"}, "a.b": 1}));
        assert_eq!(path("user.city").get(&record), Some(&json!("Oslo")));
        assert_eq!(path("a.b").get(&record), Some(&json!(1)));
        assert_eq!(path("user.street").get(&record), None);
        assert_eq!(path("user.city").remove(&mut record), Some(json!("Oslo")));
        assert_eq!(path("user.city").get(&record), None);
    }

    #[test]
    fn setting_makes_the_objects_on_the_way() {
        let mut record = Fields::new();
        path("a.b.c").set(&mut record, json!(1));
        assert_eq!(Value::Object(record), json!({"a": {"b": {"c": 1}}}));
    }

    #[test]
    fn blank_fields_are_passed_over() {
        let record = fields(json!({"a": null, "b": " ", "c": 0}));
        let list: FieldList = serde_json::from_value(json!(["a", "b", "c"])).unwrap();
        assert_eq!(list.first_filled(&record).unwrap().0, &path("c"));
        assert_eq!(list.first_present(&record).unwrap().0, &path("b"));
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
