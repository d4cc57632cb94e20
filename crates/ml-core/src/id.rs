//! Typed identifiers, and where new ones come from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest identifier accepted, in bytes.
pub const MAX_ID_BYTES: usize = 512;

/// The text cannot be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// No characters, or only white space.
    #[error("{kind} is empty")]
    Empty {
        /// What the identifier is of, such as `record id`.
        kind: &'static str,
    },
    /// Longer than [`MAX_ID_BYTES`].
    #[error("{kind} is {size_bytes} bytes long, at most {MAX_ID_BYTES} are accepted")]
    TooLong {
        /// What the identifier is of.
        kind: &'static str,
        /// Its length.
        size_bytes: usize,
    },
    /// Has a control character in it.
    #[error("{kind} `{text}` has a control character in it")]
    ControlCharacter {
        /// What the identifier is of.
        kind: &'static str,
        /// The text, escaped.
        text: String,
    },
}

fn check(kind: &'static str, text: &str) -> Result<(), InvalidId> {
    if text.trim().is_empty() {
        return Err(InvalidId::Empty { kind });
    }
    if text.len() > MAX_ID_BYTES {
        return Err(InvalidId::TooLong { kind, size_bytes: text.len() });
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidId::ControlCharacter { kind, text: text.escape_debug().to_string() });
    }
    Ok(())
}

/// Declares an identifier: a checked, non-empty text of at most [`MAX_ID_BYTES`] bytes.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Accepts any non-empty text without control characters, up to [`MAX_ID_BYTES`] bytes.
            pub fn parse(text: impl Into<String>) -> Result<$name, InvalidId> {
                let text = text.into();
                check($kind, &text)?;
                Ok($name(text))
            }

            /// Makes the identifier of a fresh universally unique id: 32 hexadecimal digits.
            pub fn from_uuid(uuid: Uuid) -> $name {
                $name(uuid.simple().to_string())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<$name, InvalidId> {
                $name::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<$name, InvalidId> {
                $name::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

id_type!(
    /// Identifies a record within its collection or table.
    RecordId,
    "record id"
);
id_type!(
    /// Identifies an experiment; `0` is the experiment `Default`.
    ExperimentId,
    "experiment id"
);
id_type!(
    /// Identifies a run: 32 hexadecimal digits when made here.
    RunId,
    "run id"
);
id_type!(
    /// Identifies a document that a model or a pipeline step produced.
    ResultId,
    "result id"
);
id_type!(
    /// Identifies a publication; the same publication always has the same id.
    OutboxId,
    "outbox id"
);
id_type!(
    /// Identifies an evaluation, validation or drift report.
    ReportId,
    "report id"
);

/// Where new universally unique ids come from; tests give a predictable one.
pub trait IdSource: Send + Sync {
    /// Returns an id that was never returned before.
    fn new_uuid(&self) -> Uuid;
}

/// Time-ordered random ids (UUID version 7).
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is the source that everyone else is given")]
    fn new_uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "  ", "a\nb", "a\0b", &"x".repeat(MAX_ID_BYTES + 1)] {
            assert!(RecordId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_made_id_is_32_digits() {
        let id = RunId::from_uuid(RandomIds.new_uuid());
        assert_eq!(id.as_str().len(), 32);
        assert_eq!(RunId::parse(id.as_str()).unwrap(), id);
    }

    #[test]
    fn deserialising_checks_the_text() {
        assert!(serde_json::from_str::<RunId>("\"\"").is_err());
    }
}
