//! Judging one record: normalise, ask the rules, map to rows.

use std::borrow::Cow;

use serde_json::Value;

use ml_core::quarantine::QuarantineReason;
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::ValidatedRow;

use super::{OwnedRule, Pipeline, Plan};
use crate::field::Fields;
use crate::hints::FieldHints;
use crate::reason::Reasons;
use crate::rule::{Claim, Reference, Rule, Subject};
use crate::shown::shown;
use crate::target::Origin;

/// A record and what was found.
#[derive(Debug)]
pub struct Judged {
    /// The record as it was sent.
    pub record: RawRecord,
    /// What was found, uniqueness aside.
    pub verdict: Verdict,
    /// The values that it wants to own.
    pub claims: Vec<Claim>,
    /// Rules that it breaks and passes nevertheless.
    pub warnings: Vec<QuarantineReason>,
    /// A rule that it breaks and that lets nothing of the batch pass.
    pub(crate) blocked: Option<Blocked>,
    /// Broken rules of which the rest of the batch decides what they mean.
    pub(super) findings: Vec<Finding>,
    /// Values that must be in tables.
    pub(super) references: Vec<(usize, Reference)>,
}

/// What was found.
#[derive(Debug)]
pub enum Verdict {
    /// It breaks no rule, and became these rows, at least one.
    Passed(Vec<ValidatedRow>),
    /// It breaks these, at least one.
    Failed(Vec<QuarantineReason>),
}

/// A broken rule that lets nothing of the batch pass.
#[derive(Debug, Clone)]
pub(crate) struct Blocked {
    /// Where the rule stands.
    pub(crate) place: String,
    /// What is wrong.
    pub(crate) reason: QuarantineReason,
}

/// A broken rule, by its place among all that are declared.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) rule: usize,
    pub(super) reason: QuarantineReason,
}

/// What is found about a record on the way.
#[derive(Default)]
struct Found {
    reasons: Reasons,
    claims: Vec<Claim>,
    findings: Vec<Finding>,
    references: Vec<(usize, Reference)>,
}

impl Pipeline {
    /// Judges `record` of `collection` by everything but uniqueness, which needs the store, and what needs the whole batch, see
    /// `Pipeline::settle`.
    pub fn judge(&self, collection: Collection, record: RawRecord) -> Judged {
        let mut found = Found::default();
        let rows = self.rows_of(collection, &record, &mut found);
        let Found { reasons, claims, findings, references } = found;
        let verdict = match rows {
            Some(rows) if reasons.is_empty() => Verdict::Passed(rows),
            _ => Verdict::Failed(reasons.into_vec()),
        };
        Judged { record, verdict, claims, warnings: Vec::new(), blocked: None, findings, references }
    }

    /// Returns the rows, or nothing with at least one reason.
    fn rows_of(&self, collection: Collection, record: &RawRecord, found: &mut Found) -> Option<Vec<ValidatedRow>> {
        let Some(plan) = self.find_plan(&record.data_type, &record.source_app) else {
            let known: Vec<String> = self.data_types().map(|known| format!("`{known}`")).collect();
            let data_type = &record.data_type;
            let known = known.join(", ");
            found.reasons.add_whole(
                "data_type",
                format!("no pipeline is declared for data type `{data_type}`, only for {known}"),
            );
            return None;
        };
        let Value::Object(fields) = &record.raw_content else {
            found.reasons.add_whole("object", format!("{} is not an object with fields", shown(&record.raw_content)));
            return None;
        };
        let hints = FieldHints::of(&record.metadata);
        let fields = plan.normalise(fields.clone(), &hints, &mut found.reasons);
        plan.ask_rules(Subject { fields: &fields, known_at: record.ingested_at }, found);
        found.claims.extend(plan.owned.iter().filter_map(|owned| owned.claim(record, &fields)));
        let (event_time_field, version) = (hints.event_time, self.schema_version);
        let raw_id = Cow::Borrowed(record.id.as_str());
        let origin = Origin { collection, record, event_time_field, raw_id, version };
        match &plan.children {
            None => plan.target.map(&origin, fields, &mut found.reasons).map(|row| vec![row]),
            Some(children) => children.map(&plan.target, &origin, fields, &mut found.reasons),
        }
    }
}

impl Plan {
    fn normalise(&self, mut fields: Fields, hints: &FieldHints, reasons: &mut Reasons) -> Fields {
        hints.apply(&mut fields);
        for step in &self.steps {
            step.apply(&mut fields, reasons);
        }
        reasons.end_of_steps();
        fields
    }

    fn ask_rules(&self, subject: Subject<'_>, found: &mut Found) {
        for planned in &self.rules {
            let n_before = found.reasons.len();
            match &planned.rule {
                Rule::ExistsIn(rule) => {
                    rule.find(subject, &mut found.reasons, |reference| found.references.push((planned.id, reference)));
                }
                rule => rule.check(subject, &mut found.reasons),
            }
            if !planned.is_plain && found.reasons.len() > n_before {
                let reasons = found.reasons.split_off(n_before).into_iter();
                found.findings.extend(reasons.map(|reason| Finding { rule: planned.id, reason }));
            }
        }
    }
}

impl OwnedRule {
    /// Returns what a record with these normalised fields wants to own.
    fn claim(&self, record: &RawRecord, fields: &Fields) -> Option<Claim> {
        let mut claim = match &self.dedup {
            None => self.unique.claim(&self.scope, fields)?,
            Some(_) => self.unique.claim(&format!("{}.dedup@{}", self.scope, record.source_app), fields)?,
        };
        claim.rank = self.dedup.as_ref().map(|dedup| dedup.rank(fields, record.ingested_at));
        (claim.rule, claim.severity) = (self.id, self.severity);
        Some(claim)
    }
}
