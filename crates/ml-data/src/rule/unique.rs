//! The rule that no other record has the same values.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use ml_core::digest::Digest;

use super::declared::Severity;
use super::dedup::Rank;
use crate::field::{FieldList, FieldPath, Fields};
use crate::shown::shown;

/// Keys longer than this are kept as their digest.
const MAX_KEY_BYTES: usize = 64;

/// Arguments of [`crate::rule::Rule::Unique`]: the fields together are unique among the passed records.
///
/// The first record that passes owns the values. A record in which one of the fields holds nothing claims nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unique {
    /// The fields that are unique together.
    pub fields: FieldList,
}

/// Values that a record wants to own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The rule and what it covers, such as `text.headline`.
    pub scope: String,
    /// The values, or their digest when they are long.
    pub key: String,
    /// The first of the fields.
    pub field: FieldPath,
    /// The values as they are shown.
    pub shown: String,
    /// The place of the rule among all that are declared.
    pub(crate) rule: usize,
    /// What happens to a record whose value is taken.
    pub(crate) severity: Severity,
    /// How good the claim is, where the better one takes the place of the other.
    pub(crate) rank: Option<Rank>,
}

impl Unique {
    /// Returns what the rule covers, within what it was declared for: `text.symbol+date`.
    pub(crate) fn scope(&self, declared_for: &str) -> String {
        let names: Vec<&str> = self.fields.iter().map(FieldPath::as_str).collect();
        format!("{declared_for}.{}", names.join("+"))
    }

    /// Returns what a record with these normalised `fields` wants to own.
    pub(crate) fn claim(&self, scope: &str, fields: &Fields) -> Option<Claim> {
        let values: Vec<&Value> = self.fields.iter().map(|name| name.get_filled(fields)).collect::<Option<_>>()?;
        let field = self.fields.iter().next()?.clone();
        let shown: Vec<String> = values.iter().map(|value| shown(value)).collect();
        Some(Claim {
            scope: scope.to_owned(),
            key: key_of(&values),
            field,
            shown: shown.join(", "),
            rule: 0,
            severity: Severity::Quarantine,
            rank: None,
        })
    }
}

fn key_of(values: &[&Value]) -> String {
    if let [Value::String(text)] = values
        && text.len() <= MAX_KEY_BYTES
        && !text.chars().any(char::is_control)
    {
        return text.clone();
    }
    let mut text = String::new();
    for value in values {
        text.push_str(&value.to_string());
        text.push('\n');
    }
    format!("sha256:{}", Digest::of(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(fields: Value, record: Value) -> Option<Claim> {
        let unique: Unique = serde_json::from_value(json!({ "fields": fields })).unwrap();
        unique.claim(&unique.scope("text"), record.as_object().unwrap())
    }

    #[test]
    fn short_texts_are_their_own_key() {
        let found = claim(json!("a"), json!({"a": "x"})).unwrap();
        assert_eq!((found.scope.as_str(), found.key.as_str()), ("text.a", "x"));
        assert!(claim(json!("a"), json!({"a": "x".repeat(65)})).unwrap().key.starts_with("sha256:"));
    }

    #[test]
    fn several_fields_claim_together_and_none_alone() {
        let both = claim(json!(["a", "b"]), json!({"a": "x", "b": 1})).unwrap();
        assert_eq!(both.scope, "text.a+b");
        assert_ne!(both.key, claim(json!(["a", "b"]), json!({"a": "x", "b": "1"})).unwrap().key);
        assert_eq!(claim(json!(["a", "b"]), json!({"a": "x", "b": null})), None);
    }
}
