//! The environment as a source of configuration: `ML__SECTION__KEY`.
//!
//! Values are read as numbers, truth values and lists where they look like it, for a variable has no type. What is a text by
//! its key stays one: a password of digits alone is no number.

use figment::providers::Env;
use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

/// Keys whose values are texts, whatever they look like.
const TEXT_KEYS: [&str; 12] = [
    "app_name",
    "application_name",
    "auth_source",
    "ca_file",
    "client_certificate_file",
    "data_dir",
    "database",
    "host",
    "password",
    "path",
    "schema",
    "user",
];

/// The variables that begin with `ML__`.
pub(super) struct Environment(Env);

impl Environment {
    /// Takes the variables as they are when the configuration is read.
    pub(super) fn new() -> Environment {
        Environment(Env::prefixed("ML__").split("__").lowercase(true))
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        self.0.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut data = self.0.data()?;
        for (key, text) in self.0.iter() {
            for values in data.values_mut() {
                keep_text(values, key.as_str(), &text);
            }
        }
        Ok(data)
    }
}

/// Puts `text` back in the place of what it was taken for, where `key` names a text.
fn keep_text(values: &mut Dict, key: &str, text: &str) {
    match key.split_once('.') {
        Some((section, rest)) => {
            if let Some(Value::Dict(_, inner)) = values.get_mut(section) {
                keep_text(inner, rest, text);
            }
        }
        None => {
            if let Some(value) = values.get_mut(key)
                && TEXT_KEYS.contains(&key)
                && value.as_str().is_none()
            {
                *value = Value::from(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, text: &str, expected: impl Into<Value>) {
        let mut values = Dict::from([(key.to_owned(), text.parse().expect("every text is a value"))]);
        keep_text(&mut values, key, text);
        assert_eq!(values[key], expected.into(), "{key}={text}");
    }

    #[test]
    fn texts_stay_texts_and_the_rest_is_read() {
        for password in ["123456", "007", "1e5", "true", "[a]", "p4ss", "-1"] {
            check("password", password, password);
        }
        // Quotes, which were needed before, still do no harm.
        check("password", "\"123\"", "123");
        check("user", "1001", "1001");
        check("max_pool_size", "12", 12_u8);
        check("change_streams", "false", false);
    }

    #[test]
    fn keys_lie_in_sections() {
        let inner = Dict::from([("password".to_owned(), Value::from(7_u8))]);
        let mut values = Dict::from([("documents".to_owned(), Value::from(inner))]);
        keep_text(&mut values, "documents.password", "007");
        let inner = values["documents"].as_dict().expect("it is a section");
        assert_eq!(inner["password"].as_str(), Some("007"));
    }
}
