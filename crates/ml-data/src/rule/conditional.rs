//! Rules that hold under a condition.

use serde::{Deserialize, Serialize};

use super::{Rule, Subject};
use crate::field::{FieldPath, Fields};
use crate::reason::Reasons;

/// Arguments of [`crate::rule::Rule::Conditional`].
///
/// The condition is met when the record breaks none of `when`, and the fields that they name hold something where the rule would pass
/// over a field that does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditional {
    /// The condition.
    pub when: Vec<Rule>,
    /// What must be met where the condition is.
    #[serde(default)]
    pub then: Vec<Rule>,
    /// What must be met where it is not.
    #[serde(default)]
    pub otherwise: Vec<Rule>,
}

impl Conditional {
    pub(super) fn fault(&self) -> Option<String> {
        if self.when.is_empty() {
            return Some("when is empty: without a condition the rules can stand alone".to_owned());
        }
        if self.then.is_empty() && self.otherwise.is_empty() {
            return Some("nothing follows from the condition: use then or otherwise".to_owned());
        }
        self.when.iter().chain(&self.then).chain(&self.otherwise).find_map(super::fault_of_inner)
    }

    pub(super) fn check(&self, subject: Subject<'_>, reasons: &mut Reasons) {
        let is_met = self.when.iter().all(|rule| is_met(rule, subject));
        let rules = if is_met { &self.then } else { &self.otherwise };
        for rule in rules {
            rule.check(subject, reasons);
        }
    }
}

fn is_met(rule: &Rule, subject: Subject<'_>) -> bool {
    if !rule.is_on_presence() && !rule.fields().all(|name| holds_something(name, subject.fields)) {
        return false;
    }
    let mut broken = Reasons::default();
    rule.check(subject, &mut broken);
    broken.is_empty()
}

/// Returns whether one of the values that `name` leads to holds something.
fn holds_something(name: &FieldPath, fields: &Fields) -> bool {
    let mut holds = false;
    name.each_filled(fields, &mut |_| holds = true);
    holds
}
