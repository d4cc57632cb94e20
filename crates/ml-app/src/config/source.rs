//! YAML text as a source of configuration that remembers which file it came from.

use std::path::Path;

use figment::value::{Dict, Map};
use figment::{Error, Metadata, Profile, Provider, Source};

/// One section, as written in one file.
pub(super) struct YamlText {
    section: String,
    origin: Option<std::path::PathBuf>,
    text: String,
}

impl YamlText {
    /// A section whose text is built in.
    pub(super) fn built_in(section: &str, text: &str) -> YamlText {
        YamlText { section: section.to_owned(), origin: None, text: text.to_owned() }
    }

    /// A section read from a file.
    pub(super) fn file(section: &str, path: &Path, text: String) -> YamlText {
        YamlText { section: section.to_owned(), origin: Some(path.to_owned()), text }
    }

    /// Returns whether the text is part of the program.
    pub(super) fn is_built_in(&self) -> bool {
        self.origin.is_none()
    }
}

impl Provider for YamlText {
    fn metadata(&self) -> Metadata {
        match &self.origin {
            Some(path) => Metadata::from("file", Source::File(path.clone())),
            None => Metadata::named("the built-in defaults"),
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let fault = |error: serde_yaml_ng::Error| match &self.origin {
            Some(path) => Error::from(format!("{}: {error}", path.display())),
            None => Error::from(error.to_string()),
        };
        let value: serde_yaml_ng::Value = serde_yaml_ng::from_str(&self.text).map_err(fault)?;
        let fields = match value {
            serde_yaml_ng::Value::Null => Dict::new(),
            other => serde_yaml_ng::from_value(other).map_err(fault)?,
        };
        let section = Dict::from([(self.section.clone(), fields.into())]);
        Ok(Map::from([(Profile::Default, section)]))
    }
}
