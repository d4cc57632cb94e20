//! Fields of a record by name.

mod list;
mod places;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::shown::shown;

pub use self::list::FieldList;

/// The fields of a record by name.
pub type Fields = Map<String, Value>;

/// The name of a field: a top-level name, or a path into nested objects and arrays, such as `user.address.city`,
/// `offers[0].price` or, for every item, `offers[*].price`.
///
/// A top-level field whose own name is the whole text is found first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldPath {
    text: String,
    /// The way in; empty for a plain name.
    parts: Vec<Part>,
}

/// A step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    /// Into the field of an object.
    Name(String),
    /// To an item of an array, from 0.
    Item(usize),
    /// To every item of an array.
    Every,
}

/// The text cannot name a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` does not name a field: a name is needed, or names joined by single dots, each with `[0]` or `[*]` for items"
)]
pub struct InvalidFieldPath(String);

/// A field cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// What is to have the field is no object.
    #[error("`{field}` cannot be made: `{parent}` is {shown} already")]
    Occupied {
        /// What was to be set.
        field: FieldPath,
        /// The path to what stands in the way.
        parent: String,
        /// What stands there.
        shown: String,
    },
    /// It is an item that is not there.
    #[error("`{0}` cannot be made: there is no such item")]
    Item(FieldPath),
}

impl FieldPath {
    /// Accepts a non-empty name, or non-empty names joined by dots; behind a name `[0]` is an item, and `[*]` every item.
    ///
    /// # Errors
    /// [`InvalidFieldPath`], also for what is nearly an item, such as `a[]` and `a[-1]`.
    pub fn parse(text: &str) -> Result<FieldPath, InvalidFieldPath> {
        if text.split('.').any(|part| part.trim().is_empty()) {
            return Err(InvalidFieldPath(text.to_owned()));
        }
        let mut parts = Vec::new();
        for name in text.split('.') {
            add_parts(name, &mut parts).ok_or_else(|| InvalidFieldPath(text.to_owned()))?;
        }
        if parts.len() == 1 {
            parts.clear();
        }
        Ok(FieldPath { text: text.to_owned(), parts })
    }

    /// Returns the path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the path may lead to several values: it has a `[*]`.
    pub fn is_plural(&self) -> bool {
        self.parts.contains(&Part::Every)
    }

    /// Returns whether the path goes through names alone, so that a field can be made there.
    pub fn is_made_of_names(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Name(_)))
    }

    /// Returns the value, if the field is there; `null` is a value. Of several values it is the first.
    pub fn get<'a>(&self, fields: &'a Fields) -> Option<&'a Value> {
        if let Some(value) = fields.get(&self.text) {
            return Some(value);
        }
        let (first, rest) = self.split_first()?;
        rest.iter().try_fold(fields.get(first)?, |value, part| match part {
            Part::Name(name) => value.get(name),
            Part::Item(index) => value.get(index),
            Part::Every => value.get(0),
        })
    }

    /// Returns the value if the field is there and holds something: not `null`, and not blank text.
    pub fn get_filled<'a>(&self, fields: &'a Fields) -> Option<&'a Value> {
        self.get(fields).filter(|value| !is_blank(value))
    }

    /// Shows `see` every value that the path leads to and that holds something.
    pub(crate) fn each_filled<'a>(&self, fields: &'a Fields, see: &mut dyn FnMut(&'a Value)) {
        if !self.is_plural() {
            self.get_filled(fields).into_iter().for_each(see);
            return;
        }
        let mut see_filled = |value: &'a Value| {
            if !is_blank(value) {
                see(value);
            }
        };
        match (fields.get(&self.text), self.split_first()) {
            (Some(value), _) => see_filled(value),
            (None, Some((first, rest))) => {
                fields.get(first).into_iter().for_each(|value| walk(value, rest, &mut see_filled));
            }
            (None, None) => {}
        }
    }

    /// Lets `change` change every value that the path leads to; `null` is one.
    pub(crate) fn each_mut(&self, fields: &mut Fields, change: &mut dyn FnMut(&mut Value)) {
        if !self.is_plural() || fields.contains_key(&self.text) {
            self.get_mut(fields).into_iter().for_each(change);
            return;
        }
        let Some((first, rest)) = self.split_first() else { return };
        fields.get_mut(first).into_iter().for_each(|value| walk_mut(value, rest, change));
    }

    /// Returns the value to be changed, if the field is there. Of several values it is the first.
    pub fn get_mut<'a>(&self, fields: &'a mut Fields) -> Option<&'a mut Value> {
        if fields.contains_key(&self.text) {
            return fields.get_mut(&self.text);
        }
        let (first, rest) = self.split_first()?;
        reach(fields.get_mut(first)?, rest)
    }

    /// Takes the field out and returns its value, if it is there. An item is taken out of its array. Of several values all are
    /// taken out, and the first is returned.
    pub fn remove(&self, fields: &mut Fields) -> Option<Value> {
        if let Some(value) = fields.remove(&self.text) {
            return Some(value);
        }
        let (first, rest) = self.split_first()?;
        let (last, parents) = rest.split_last()?;
        let mut removed = None;
        walk_mut(fields.get_mut(first)?, parents, &mut |parent| {
            let value = match (last, parent) {
                (Part::Name(name), Value::Object(object)) => object.remove(name),
                (Part::Item(index), Value::Array(items)) if *index < items.len() => Some(items.remove(*index)),
                (Part::Every, Value::Array(items)) => Some(Value::Array(std::mem::take(items))),
                _ => None,
            };
            removed = removed.take().or(value);
        });
        removed
    }

    /// Sets the field, making the objects on the way.
    ///
    /// # Errors
    /// [`NoPlace`] where something else stands on the way, which is left as it is, or where an item is not there.
    pub fn set(&self, fields: &mut Fields, value: Value) -> Result<(), NoPlace> {
        if let Some(place) = self.get_mut(fields) {
            *place = value;
            return Ok(());
        }
        if let Some(no_place) = self.find_obstacle(fields) {
            return Err(no_place);
        }
        let Some((first, rest)) = self.split_first() else {
            fields.insert(self.text.clone(), value);
            return Ok(());
        };
        let mut place = fields.entry(first).or_insert(Value::Null);
        for part in rest {
            let Part::Name(name) = part else { return Err(NoPlace::Item(self.clone())) };
            if !place.is_object() {
                *place = Value::Object(Fields::new());
            }
            let object = place.as_object_mut().expect("it was made an object above");
            place = object.entry(name.as_str()).or_insert(Value::Null);
        }
        *place = value;
        Ok(())
    }

    /// Returns why the field cannot be set, if it cannot. A parent that holds nothing may become an object.
    pub(crate) fn find_obstacle(&self, fields: &Fields) -> Option<NoPlace> {
        if self.get(fields).is_some() {
            return None;
        }
        if !self.is_made_of_names() {
            return Some(NoPlace::Item(self.clone()));
        }
        let (first, rest) = self.split_first()?;
        let (mut parent, mut place) = (first.to_owned(), fields.get(first)?);
        for part in rest {
            let Part::Name(name) = part else { return None };
            if is_blank(place) {
                return None;
            }
            let Value::Object(object) = place else {
                return Some(NoPlace::Occupied { field: self.clone(), parent, shown: shown(place) });
            };
            place = object.get(name)?;
            parent = format!("{parent}.{name}");
        }
        None
    }

    fn split_first(&self) -> Option<(&str, &[Part])> {
        match self.parts.split_first()? {
            (Part::Name(first), rest) => Some((first, rest)),
            _ => None,
        }
    }
}

/// Adds `name`, and what stands in brackets behind it. Brackets with anything else in them belong to the name, except for what is
/// nearly an item: then nothing is returned.
fn add_parts(name: &str, parts: &mut Vec<Part>) -> Option<()> {
    let n_before = parts.len();
    let mut rest = name;
    while let Some((before, inside)) = rest.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        if before.is_empty() {
            break;
        }
        let part = match inside {
            "*" => Part::Every,
            digits if is_digits(digits) => Part::Item(digits.parse().ok()?),
            other if is_nearly_an_item(other) => return None,
            _ => break,
        };
        parts.insert(n_before, part);
        rest = before;
    }
    parts.insert(n_before, Part::Name(rest.to_owned()));
    Some(())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether what stands in brackets is meant for an item, and never finds one: nothing, a number below 0, or one with spaces.
fn is_nearly_an_item(inside: &str) -> bool {
    let inside = inside.trim();
    inside.is_empty() || inside == "*" || is_digits(inside.trim_start_matches(['-', '+']))
}

fn reach<'a>(value: &'a mut Value, parts: &[Part]) -> Option<&'a mut Value> {
    parts.iter().try_fold(value, |value, part| match part {
        Part::Name(name) => value.get_mut(name),
        Part::Item(index) => value.get_mut(index),
        Part::Every => value.get_mut(0),
    })
}

fn walk<'a>(value: &'a Value, parts: &[Part], see: &mut dyn FnMut(&'a Value)) {
    let Some((part, rest)) = parts.split_first() else { return see(value) };
    match part {
        Part::Name(name) => value.get(name).into_iter().for_each(|value| walk(value, rest, see)),
        Part::Item(index) => value.get(index).into_iter().for_each(|value| walk(value, rest, see)),
        Part::Every => value.as_array().into_iter().flatten().for_each(|value| walk(value, rest, see)),
    }
}

fn walk_mut(value: &mut Value, parts: &[Part], change: &mut dyn FnMut(&mut Value)) {
    let Some((part, rest)) = parts.split_first() else { return change(value) };
    match part {
        Part::Name(name) => value.get_mut(name).into_iter().for_each(|value| walk_mut(value, rest, change)),
        Part::Item(index) => value.get_mut(index).into_iter().for_each(|value| walk_mut(value, rest, change)),
        Part::Every => value.as_array_mut().into_iter().flatten().for_each(|value| walk_mut(value, rest, change)),
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
        f.write_str(&self.text)
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
        path.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
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
    fn brackets_reach_into_arrays() {
        let mut record = fields(json!({"a": {"b": [{"c": 1}, {"c": null}, {"c": 3}]}, "x[0]": 4, "m": [[1, 2], [3]]}));
        assert_eq!(path("a.b[0].c").get(&record), Some(&json!(1)));
        assert_eq!(path("a.b[7].c").get(&record), None);
        assert_eq!(path("x[0]").get(&record), Some(&json!(4)));
        assert_eq!(path("m[0][1]").get(&record), Some(&json!(2)));
        let seen = |text: &str| {
            let mut seen = Vec::new();
            path(text).each_filled(&record, &mut |value| seen.push(value.clone()));
            Value::Array(seen)
        };
        assert_eq!(seen("a.b[*].c"), json!([1, 3]));
        assert_eq!(seen("m[*][*]"), json!([1, 2, 3]));
        assert_eq!(seen("a[*].c"), json!([]));
        path("a.b[*].c").each_mut(&mut record, &mut |value| *value = json!(0));
        assert_eq!(record["a"], json!({"b": [{"c": 0}, {"c": 0}, {"c": 0}]}));
        assert_eq!(path("a.b[1]").remove(&mut record), Some(json!({"c": 0})));
        assert_eq!(path("a.b[*].c").remove(&mut record), Some(json!(0)));
        assert_eq!(record["a"], json!({"b": [{}, {}]}), "of every item");
        assert!(path("a[*]").is_plural() && !path("a[1]").is_plural() && !path("a[1]").is_made_of_names());
        assert!(path("a[x]").is_made_of_names(), "brackets with anything else belong to the name");
    }

    #[test]
    fn what_is_nearly_an_item_is_refused() {
        for text in ["a[]", "a[-1]", "a[1 ]", "a[ * ]", "a.b[ 0].c", "a[0][]", "a[][0]", "a[99999999999999999999]"] {
            assert_eq!(FieldPath::parse(text), Err(InvalidFieldPath(text.to_owned())));
        }
        for text in ["price [EUR]", "a[x]", "age [18-25]", "[]", "a[0].b[*]", "a[1][2]"] {
            assert!(FieldPath::parse(text).is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_set_is_found_and_removed(text in "[a-c]{1,2}(\\.[a-c]{1,2}){0,3}", other in "[a-c](\\.[a-c]){0,2}") {
            let mut record = Fields::new();
            path(&other).set(&mut record, json!("other")).unwrap();
            let before = record.clone();
            if path(&text).set(&mut record, json!(1)).is_err() {
                prop_assert!(text.starts_with(&format!("{other}.")), "only what stands above is in the way");
                prop_assert_eq!(record, before);
                return Ok(());
            }
            prop_assert_eq!(path(&text).get(&record), Some(&json!(1)));
            prop_assert_eq!(path(&text).remove(&mut record), Some(json!(1)));
            prop_assert_eq!(path(&text).get(&record), None);
        }

        #[test]
        fn no_text_panics_and_every_path_prints_as_it_was(text in "[a-b.*\\[\\]0-9]{0,12}") {
            if let Ok(found) = FieldPath::parse(&text) {
                prop_assert_eq!(found.as_str(), text.as_str());
                let mut record = fields(json!({"a": [{"b": [1, 2]}, [3]], "b": {"a": 1}}));
                found.get(&record);
                found.each_filled(&record, &mut |_| {});
                found.each_mut(&mut record, &mut |_| {});
                let obstacle = found.find_obstacle(&record);
                prop_assert_eq!(found.set(&mut record, json!(1)).err(), obstacle);
                found.remove(&mut record);
            }
        }
    }

    #[test]
    fn setting_makes_the_objects_on_the_way() {
        let mut record = Fields::new();
        path("a.b.c").set(&mut record, json!(1)).unwrap();
        assert_eq!(Value::Object(record), json!({"a": {"b": {"c": 1}}}));
    }

    #[test]
    fn setting_destroys_nothing_that_stands_on_the_way() {
        for parent in [json!(5), json!("x"), json!([{"c": 1}]), json!(false)] {
            let mut record = fields(json!({"a": {"b": parent}}));
            let before = record.clone();
            let message = path("a.b.c.d").set(&mut record, json!(1)).unwrap_err().to_string();
            let shown = shown(&parent);
            assert_eq!(message, format!("`a.b.c.d` cannot be made: `a.b` is {shown} already"));
            assert_eq!(record, before);
        }
        let mut record = fields(json!({"a": null, "b": " "}));
        path("a.x").set(&mut record, json!(1)).unwrap();
        path("b.x").set(&mut record, json!(2)).unwrap();
        assert_eq!(Value::Object(record), json!({"a": {"x": 1}, "b": {"x": 2}}));
    }
}
