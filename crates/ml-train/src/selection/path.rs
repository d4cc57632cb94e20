//! Places in a pipeline, such as `features[0].steps[1].tfidf.ngrams`.

use std::fmt;

use serde_yaml_ng::{Mapping, Value};

/// A place in a pipeline: keys, and positions in lists from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamPath {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Key(String),
    Index(usize),
}

impl ParamPath {
    /// Reads a path, or says what is wrong with it. Positions may be written with points too, as in `features.0.columns`, for
    /// YAML reads brackets inside braces in another way.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<ParamPath, String> {
        let mut parts = Vec::new();
        for section in text.split('.') {
            let (key, indices) = section.split_once('[').map_or((section, None), |(key, rest)| (key, Some(rest)));
            if key.is_empty() {
                return Err("a path is keys with points between them, such as `estimator.c`".to_owned());
            }
            match key.parse() {
                Ok(index) if !parts.is_empty() => parts.push(Part::Index(index)),
                _ => parts.push(Part::Key(key.to_owned())),
            }
            let Some(indices) = indices else { continue };
            let Some(indices) = indices.strip_suffix(']') else {
                return Err("a position in a list is written `[0]`".to_owned());
            };
            for index in indices.split("][") {
                let index = index.parse().map_err(|_| format!("`{index}` is not a position in a list: write `[0]`"))?;
                parts.push(Part::Index(index));
            }
        }
        Ok(ParamPath { parts })
    }

    /// Returns the value there.
    pub(super) fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.parts.iter().try_fold(document, |value, part| match part {
            Part::Key(key) => value.as_mapping()?.get(key.as_str()),
            Part::Index(index) => value.as_sequence()?.get(*index),
        })
    }

    /// Puts `value` there, and returns whether there is such a place: the key of a mapping, new or not, or a position that
    /// the list has. An estimator or a step that is a bare name on the way there is written out.
    pub(super) fn set(&self, document: &mut Value, value: Value) -> bool {
        let mut at = document;
        for (depth, part) in self.parts.iter().enumerate() {
            write_out(at, &self.parts[..depth], part);
            let place = match (at, part) {
                (Value::Mapping(mapping), Part::Key(key)) if depth + 1 == self.parts.len() => {
                    mapping.insert(Value::from(key.as_str()), value);
                    return true;
                }
                (Value::Mapping(mapping), Part::Key(key)) => mapping.get_mut(key.as_str()),
                (Value::Sequence(values), Part::Index(index)) => values.get_mut(*index),
                _ => None,
            };
            match place {
                Some(place) => at = place,
                None => return false,
            }
        }
        *at = value;
        true
    }

    /// Returns whether this is a place within `other`, and not `other` itself.
    pub(super) fn is_below(&self, other: &ParamPath) -> bool {
        self.parts.len() > other.parts.len() && self.parts.starts_with(&other.parts)
    }

    /// Returns the place that this one is in; `None` for a key of the pipeline itself.
    pub(super) fn parent(&self) -> Option<ParamPath> {
        let (_, parents) = self.parts.split_last()?;
        (!parents.is_empty()).then(|| ParamPath { parts: parents.to_vec() })
    }

    /// Returns the place called `key` in this one.
    pub(super) fn child(&self, key: &str) -> ParamPath {
        let mut parts = self.parts.clone();
        parts.push(Part::Key(key.to_owned()));
        ParamPath { parts }
    }

    /// Returns how deep the place is: what is less deep is set first.
    pub(super) fn depth(&self) -> usize {
        self.parts.len()
    }

    /// Returns the key of the pipeline that this is, or is in.
    pub(super) fn first_key(&self) -> &str {
        match self.parts.first() {
            Some(Part::Key(key)) => key,
            _ => "",
        }
    }

    /// Returns the last key, if the path ends with one.
    pub(super) fn last_key(&self) -> Option<&str> {
        match self.parts.last() {
            Some(Part::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// Lists every place of `document`.
    pub(super) fn all(document: &Mapping) -> Vec<ParamPath> {
        let mut paths = Vec::new();
        add_keys(document, &ParamPath { parts: Vec::new() }, &mut paths);
        paths
    }
}

/// Makes a mapping of a bare name if `next` is in what the name stands for.
fn write_out(value: &mut Value, at: &[Part], next: &Part) {
    let (Value::String(name), Part::Key(key)) = (&*value, next) else { return };
    let is_estimator = matches!(at, [Part::Key(first)] if first == "estimator");
    if is_estimator {
        *value = Value::Mapping(Mapping::from_iter([(Value::from("kind"), Value::from(name.as_str()))]));
    } else if name == key {
        *value = Value::Mapping(Mapping::from_iter([(Value::from(name.as_str()), Value::Mapping(Mapping::new()))]));
    }
}

fn add_keys(mapping: &Mapping, at: &ParamPath, paths: &mut Vec<ParamPath>) {
    for (key, value) in mapping {
        if let Some(key) = key.as_str() {
            add(value, at.child(key), paths);
        }
    }
}

fn add(value: &Value, path: ParamPath, paths: &mut Vec<ParamPath>) {
    paths.push(path.clone());
    match value {
        Value::Mapping(mapping) => add_keys(mapping, &path, paths),
        Value::Sequence(values) => {
            for (index, value) in values.iter().enumerate() {
                let mut parts = path.parts.clone();
                parts.push(Part::Index(index));
                add(value, ParamPath { parts }, paths);
            }
        }
        _ => {}
    }
}

impl fmt::Display for ParamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, part) in self.parts.iter().enumerate() {
            match part {
                Part::Key(key) if position == 0 => f.write_str(key)?,
                Part::Key(key) => write!(f, ".{key}")?,
                Part::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_written_alike() {
        for text in ["estimator", "estimator.c", "features[0].steps[1].tfidf.ngrams", "a[1][2].b"] {
            assert_eq!(ParamPath::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(ParamPath::parse("features.0.steps.1.tfidf").unwrap().to_string(), "features[0].steps[1].tfidf");
        for text in ["", ".", "a..b", "a[", "a[x]", "[0]", "a[0]b"] {
            assert!(ParamPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_found_and_set() {
        let mut document: Value = serde_yaml_ng::from_str("a: [{ b: 1 }, 2]\nc: { d: e }").unwrap();
        let path = |text| ParamPath::parse(text).unwrap();
        assert_eq!(path("a[0].b").find(&document), Some(&Value::from(1)));
        assert_eq!(path("a[2]").find(&document), None);
        assert!(path("a[0].b").set(&mut document, Value::from(3)));
        assert!(path("c.new").set(&mut document, Value::from(4)));
        assert!(!path("a[2]").set(&mut document, Value::from(5)));
        assert!(!path("c.d.f").set(&mut document, Value::from(6)));
        let expected: Value = serde_yaml_ng::from_str("a: [{ b: 3 }, 2]\nc: { d: e, new: 4 }").unwrap();
        assert_eq!(document, expected);
    }

    #[test]
    fn bare_names_are_written_out() {
        let mut document: Value = serde_yaml_ng::from_str("estimator: ridge\nsteps: [tfidf, log1p]").unwrap();
        let path = |text| ParamPath::parse(text).unwrap();
        assert!(path("estimator.alpha").set(&mut document, Value::from(2)));
        assert!(path("steps[0].tfidf.min_df").set(&mut document, Value::from(3)));
        assert!(!path("steps[1].tfidf.min_df").set(&mut document, Value::from(3)));
        let expected = "estimator: { kind: ridge, alpha: 2 }\nsteps: [{ tfidf: { min_df: 3 } }, log1p]";
        assert_eq!(document, serde_yaml_ng::from_str::<Value>(expected).unwrap());
    }
}
