//! A rule as it is declared: with what happens to those that break it, and how many may.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Rule;

/// What happens to a record that breaks a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It passes, and the warning is kept beside its rows.
    Warn,
    /// It waits in quarantine.
    #[default]
    Quarantine,
    /// Nothing of its batch is written, and the sync of the collection stops.
    Block,
}

/// A rule with its severity and share, which stand among its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The condition.
    pub rule: Rule,
    /// What happens to a record that breaks it.
    pub severity: Severity,
    /// The share of the records of a batch that must meet it; while that many do, those that do not pass with a warning.
    pub mostly: Option<f64>,
}

impl Declared {
    /// Returns what is wrong with the arguments, beyond what their types can say.
    pub fn fault(&self) -> Option<String> {
        let Some(mostly) = self.mostly else { return self.rule.fault() };
        if !(0.0..=1.0).contains(&mostly) {
            return Some(format!("mostly is {mostly}: a share from 0 to 1 is needed"));
        }
        if self.rule.needs_owners() {
            return Some(format!(
                "mostly does not go with `{}`, where one record of each value passes",
                self.rule.name()
            ));
        }
        self.rule.fault()
    }
}

impl<'de> Deserialize<'de> for Declared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Declared, D::Error> {
        use serde::de::Error as _;
        let mut value = Value::deserialize(deserializer)?;
        let arguments = value.as_object_mut().and_then(|rule| rule.values_mut().next()).and_then(Value::as_object_mut);
        let (severity, mostly) = match arguments {
            Some(arguments) => (arguments.remove("severity"), arguments.remove("mostly")),
            None => (None, None),
        };
        let severity =
            severity.map_or_else(|| Ok(Severity::default()), Severity::deserialize).map_err(D::Error::custom)?;
        let mostly =
            mostly.map(f64::deserialize).transpose().map_err(|error| D::Error::custom(format!("mostly: {error}")))?;
        let rule = serde_json::from_value(value).map_err(D::Error::custom)?;
        Ok(Declared { rule, severity, mostly })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn declared(value: Value) -> Result<Declared, String> {
        let declared: Declared = serde_json::from_value(value).map_err(|error| error.to_string())?;
        declared.fault().map_or(Ok(declared), Err)
    }

    #[test]
    fn severity_and_share_stand_among_the_arguments() {
        let plain = declared(json!({"range": {"fields": "a", "min": 0}})).unwrap();
        assert_eq!((plain.severity, plain.mostly), (Severity::Quarantine, None));
        let rule = declared(json!({"range": {"fields": "a", "min": 0, "severity": "warn", "mostly": 0.9}})).unwrap();
        assert_eq!((rule.severity, rule.mostly, &rule.rule), (Severity::Warn, Some(0.9), &plain.rule));
        let rule = declared(json!({"required": {"fields": ["a", "b"], "severity": "block"}})).unwrap();
        assert_eq!(
            (rule.severity, &rule.rule),
            (Severity::Block, &declared(json!({"required": ["a", "b"]})).unwrap().rule)
        );
    }

    #[test]
    fn what_is_wrong_with_them_is_told() {
        let fault = |value| declared(value).unwrap_err();
        assert!(
            fault(json!({"required": {"fields": "a", "severity": "fatal"}})).contains("`warn`, `quarantine`, `block`")
        );
        assert!(fault(json!({"required": {"fields": "a", "mostly": 1.5}})).contains("mostly is 1.5"));
        assert!(fault(json!({"required": {"fields": "a", "mostly": "x"}})).starts_with("mostly: "));
        assert!(fault(json!({"required": {"fields": "a", "sevrity": "warn"}})).contains("unknown field `sevrity`"));
        assert!(fault(json!({"unique": {"fields": "a", "mostly": 0.9}})).contains("does not go with `unique`"));
    }
}
