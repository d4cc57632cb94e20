//! Fields beside one another: which belong to the same items, and the places of each.

use serde_json::Value;

use super::{FieldPath, Fields, Part};

impl FieldPath {
    /// Returns whether one value of this field stands beside each value of `field`: every `[*]` that it has is one of the same
    /// items, as in `items[*].currency` and `items[*].price`.
    pub(crate) fn goes_along_with(&self, field: &FieldPath) -> bool {
        match self.parts.iter().rposition(|part| *part == Part::Every) {
            None => true,
            Some(last) => field.parts.get(..=last) == Some(&self.parts[..=last]),
        }
    }

    /// Returns whether the way to this field goes through `parent`.
    pub(crate) fn is_inside(&self, parent: &FieldPath) -> bool {
        self.text.strip_prefix(parent.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']))
    }

    /// Returns a path to each value, in order, with the number of an item for each `[*]`.
    pub(crate) fn places(&self, fields: &Fields) -> Vec<FieldPath> {
        let Some((first, _)) = self.split_first().filter(|_| self.is_plural() && !fields.contains_key(&self.text))
        else {
            return vec![self.clone()];
        };
        let mut found: Vec<(Vec<Part>, &Value)> =
            fields.get(first).map(|value| (vec![self.parts[0].clone()], value)).into_iter().collect();
        for part in &self.parts[1..] {
            let mut next = Vec::with_capacity(found.len());
            for (way, value) in found {
                let mut go = |part: Part, value| next.push(([way.as_slice(), &[part]].concat(), value));
                match part {
                    Part::Name(name) => value.get(name).into_iter().for_each(|value| go(part.clone(), value)),
                    Part::Item(index) => value.get(index).into_iter().for_each(|value| go(part.clone(), value)),
                    Part::Every => {
                        let items = value.as_array().into_iter().flatten();
                        items.enumerate().for_each(|(index, value)| go(Part::Item(index), value));
                    }
                }
            }
            found = next;
        }
        found.into_iter().map(|(way, _)| FieldPath::of_parts(way)).collect()
    }

    /// Returns the path beside `place`, one of the places of a field that this one goes along with: to the same items.
    pub(crate) fn beside(&self, place: &FieldPath) -> FieldPath {
        let parts = self.parts.iter().enumerate().map(|(at, part)| match (part, place.parts.get(at)) {
            (Part::Every, Some(item)) => item.clone(),
            _ => part.clone(),
        });
        if self.is_plural() { FieldPath::of_parts(parts.collect()) } else { self.clone() }
    }

    fn of_parts(parts: Vec<Part>) -> FieldPath {
        let mut text = String::new();
        for part in &parts {
            match part {
                Part::Name(name) if text.is_empty() => text.push_str(name),
                Part::Name(name) => text.extend([".", name]),
                Part::Item(index) => text.extend(["[", &index.to_string(), "]"]),
                Part::Every => text.push_str("[*]"),
            }
        }
        FieldPath { text, parts }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> FieldPath {
        FieldPath::parse(text).unwrap()
    }

    #[test]
    fn fields_of_the_same_items_go_along() {
        for (field, other, goes) in [
            ("a[*].p", "a[*].c", true),
            ("a[*].p", "c", true),
            ("a[*].p", "a[0].c", true),
            ("a[*].b[*].p", "a[*].c", true),
            ("a[*].b[*].p", "a[*].b[*].c.d", true),
            ("a[*]", "a[*].c", true),
            ("p", "a[*].c", false),
            ("a[*].p", "b[*].c", false),
            ("a[*].p", "a[*].b[*].c", false),
            ("a[0].p", "a[*].c", false),
        ] {
            assert_eq!(path(other).goes_along_with(&path(field)), goes, "{other} with {field}");
        }
        let Value::Object(record) = json!({"a": [{"b": [{"p": 1}, {"q": 2}]}, {}, {"b": [{"p": 3}]}]}) else {
            unreachable!()
        };
        let places = path("a[*].b[*].p").places(&record);
        assert_eq!(places, [path("a[0].b[0].p"), path("a[2].b[0].p")]);
        assert_eq!(path("a[*].c").beside(&places[1]), path("a[2].c"));
        assert_eq!(path("c.d").beside(&places[1]), path("c.d"));
        assert_eq!(path("a.x").places(&record), [path("a.x")]);
    }
}
