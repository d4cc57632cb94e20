//! Faults of the configuration in words: where, what, and in which file.

use figment::error::Kind;
use figment::{Error, Source};

/// Says what is wrong in `section`.
pub(super) fn shown(section: &str, error: &Error) -> String {
    // The path ends with the name of the section that was asked for.
    let inner = error.path.strip_suffix(&[section.to_owned()]).unwrap_or(&error.path);
    let mut place: Vec<&str> = std::iter::once(section).chain(inner.iter().map(String::as_str)).collect();
    let what = match &error.kind {
        Kind::Message(message) => message.clone(),
        Kind::UnknownField(key, known) => {
            if place.last() == Some(&key.as_str()) {
                place.pop();
            }
            format!("unknown key `{key}`; known are {}", names(known))
        }
        Kind::MissingField(key) => format!("`{key}` is missing"),
        other => other.to_string(),
    };
    let place = place.join(".");
    let source = error.metadata.as_ref().map(|metadata| match &metadata.source {
        Some(Source::File(path)) => format!(" (in {})", path.display()),
        _ => format!(" (in {})", metadata.name),
    });
    format!("{place}: {what}{}", source.unwrap_or_default())
}

fn names(known: &[&str]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigArgs};

    fn check(file: &str, text: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        std::fs::write(&path, text).unwrap();
        let args = ConfigArgs { folder: Some(folder.path().to_owned()), ..ConfigArgs::default() };
        let expected = expected.replace("FILE", &path.display().to_string());
        assert_eq!(Config::load(&args).unwrap_err().to_string(), expected);
    }

    #[test]
    fn an_unknown_key_is_told_with_its_place() {
        check(
            "pipeline.yaml",
            "data_types: { tabular: { normalize: [] } }",
            "the configuration has a fault:\n  - pipeline.data_types.tabular: unknown key `normalize`; known are `normalise`, \
             `rules`, `target`, `source_apps` (in FILE)",
        );
        check(
            "settings.yaml",
            "data_dri: x",
            "the configuration has a fault:\n  - settings: unknown key `data_dri`; known are `data_dir`, `user`, `sync` (in FILE)",
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_told_with_its_place() {
        check(
            "pipeline.yaml",
            "data_types: { tabular: { rules: x } }",
            "the configuration has a fault:\n  - pipeline.data_types.tabular.rules: invalid type: found string \"x\", expected a \
             sequence (in FILE)",
        );
    }

    #[test]
    fn a_file_that_is_not_yaml_is_told_once() {
        let expected = "the configuration has a fault:\n  - FILE: did not find expected ',' or ']' at line 2 column 1, while parsing \
                        a flow sequence at line 1 column 11";
        check("settings.yaml", "data_dir: [unclosed\n", expected);
    }
}
