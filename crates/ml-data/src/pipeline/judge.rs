//! Judging one record: normalise, ask the rules, map to a row.

use serde_json::Value;

use ml_core::quarantine::QuarantineReason;
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::ValidatedRow;

use super::{Pipeline, Plan};
use crate::field::Fields;
use crate::hints::FieldHints;
use crate::reason::Reasons;
use crate::rule::Claim;
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
}

/// What was found.
#[derive(Debug)]
pub enum Verdict {
    /// It breaks no rule, and became this row.
    Passed(ValidatedRow),
    /// It breaks these, at least one.
    Failed(Vec<QuarantineReason>),
}

impl Pipeline {
    /// Judges `record` of `collection` by everything but uniqueness, which needs the store.
    pub fn judge(&self, collection: Collection, record: RawRecord) -> Judged {
        let mut reasons = Reasons::default();
        let mut claims = Vec::new();
        let row = self.row_of(collection, &record, &mut reasons, &mut claims);
        let verdict = match row {
            Some(row) if reasons.is_empty() => Verdict::Passed(row),
            _ => Verdict::Failed(reasons.into_vec()),
        };
        Judged { record, verdict, claims }
    }

    /// Returns the row, or nothing with at least one reason.
    fn row_of(
        &self,
        collection: Collection,
        record: &RawRecord,
        reasons: &mut Reasons,
        claims: &mut Vec<Claim>,
    ) -> Option<ValidatedRow> {
        let Some(plan) = self.find_plan(&record.data_type, &record.source_app) else {
            let known: Vec<String> = self.data_types().map(|known| format!("`{known}`")).collect();
            let data_type = &record.data_type;
            let known = known.join(", ");
            reasons.add_whole(
                "data_type",
                format!("no pipeline is declared for data type `{data_type}`, only for {known}"),
            );
            return None;
        };
        let Value::Object(fields) = &record.raw_content else {
            reasons.add_whole("object", format!("{} is not an object with fields", shown(&record.raw_content)));
            return None;
        };
        let hints = FieldHints::of(&record.metadata);
        let fields = plan.normalise(fields.clone(), &hints, reasons);
        plan.ask_rules(&fields, reasons);
        claims.extend(plan.uniques.iter().filter_map(|(scope, unique)| unique.claim(scope, &fields)));
        let origin = Origin { collection, record, event_time_field: hints.event_time, version: self.schema_version };
        plan.target.map(&origin, fields, reasons)
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

    fn ask_rules(&self, fields: &Fields, reasons: &mut Reasons) {
        for rule in &self.rules {
            rule.check(fields, reasons);
        }
    }
}
