//! What needs the whole batch: values that must be in tables, and rules that some records may break.
//!
//! A rule with `mostly: 0.99` holds back nobody while at least that share of the records that it was asked about meets it: those
//! of the batch whose data type and application it is declared for, records without the field among them, for they break nothing.
//! The same batch is always settled the same way; the same records in other batches may be settled otherwise.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use ml_core::error::{Entity, StoreError};
use ml_core::quarantine::QuarantineReason;
use ml_core::reference::{ColumnRef, ReferenceStore};

use super::judge::{Blocked, Finding};
use super::{Judged, Pipeline, Verdict};
use crate::rule::Severity;

/// How many values are asked for at a time.
const VALUES_PER_QUERY: usize = 5_000;

/// How far a share may be off for having been counted in binary.
const ROUNDING: f64 = 1e-9;

/// What is looked up in a column.
struct Wanted {
    /// One of the rules that ask for it.
    rule: usize,
    /// Each value, and whether it is there.
    values: HashMap<Value, bool>,
}

impl Wanted {
    fn by(rule: usize) -> Wanted {
        Wanted { rule, values: HashMap::new() }
    }
}

/// Why a batch could not be settled.
#[derive(Debug)]
pub(crate) enum SettleError {
    /// A rule looks into a table or column that is not there.
    Reference {
        /// Where the rule stands.
        place: String,
        /// What is not there.
        source: StoreError,
    },
    /// The store failed.
    Store(StoreError),
}

impl Pipeline {
    /// Has the last word, uniqueness aside, on what was judged as one batch.
    pub(crate) async fn settle(
        &self,
        judged: &mut [Judged],
        references: &dyn ReferenceStore,
    ) -> Result<(), SettleError> {
        self.look_up(judged, references).await?;
        let tolerated = self.tolerated(judged);
        for judged in judged.iter_mut().filter(|judged| !judged.findings.is_empty()) {
            self.settle_one(judged, &tolerated);
        }
        Ok(())
    }

    /// Returns for each rule whether those that break it pass, because so many meet it.
    fn tolerated(&self, judged: &[Judged]) -> Vec<bool> {
        let mut tolerated = vec![false; self.rules.len()];
        if self.rules.iter().all(|rule| rule.mostly.is_none()) {
            return tolerated;
        }
        let mut n_asked = vec![0_u64; self.rules.len()];
        let mut n_broken = vec![0_u64; self.rules.len()];
        for judged in judged {
            let Some(plan) = self.find_plan(&judged.record.data_type, &judged.record.source_app) else { continue };
            plan.rules.iter().for_each(|planned| n_asked[planned.id] += 1);
            for (index, finding) in judged.findings.iter().enumerate() {
                // A record that breaks a rule in two fields breaks it once.
                let is_first = judged.findings[..index].iter().all(|former| former.rule != finding.rule);
                n_broken[finding.rule] += u64::from(is_first);
            }
        }
        for (id, rule) in self.rules.iter().enumerate() {
            tolerated[id] =
                rule.mostly.is_some_and(|mostly| is_enough(n_asked[id] - n_broken[id], n_asked[id], mostly));
        }
        tolerated
    }

    fn settle_one(&self, judged: &mut Judged, tolerated: &[bool]) {
        let mut reasons = Vec::new();
        for Finding { rule, reason } in std::mem::take(&mut judged.findings) {
            let info = &self.rules[rule];
            match info.severity {
                _ if tolerated[rule] => judged.warnings.push(reason),
                Severity::Warn => judged.warnings.push(reason),
                Severity::Quarantine => reasons.push(reason),
                Severity::Block => {
                    let blocked = Blocked { place: info.place.clone(), reason: reason.clone() };
                    judged.blocked.get_or_insert(blocked);
                    reasons.push(reason);
                }
            }
        }
        if reasons.is_empty() {
            return;
        }
        match &mut judged.verdict {
            Verdict::Failed(known) => known.append(&mut reasons),
            Verdict::Passed(_) => judged.verdict = Verdict::Failed(reasons),
        }
    }

    /// Finds what the tables do not have, each value of a column once.
    async fn look_up(&self, judged: &mut [Judged], references: &dyn ReferenceStore) -> Result<(), SettleError> {
        let mut wanted: BTreeMap<ColumnRef, Wanted> = BTreeMap::new();
        for (rule, reference) in judged.iter().flat_map(|judged| &judged.references) {
            let wanted = wanted.entry(reference.column.clone()).or_insert_with(|| Wanted::by(*rule));
            wanted.values.entry(reference.value.clone()).or_insert(false);
        }
        for (column, Wanted { rule, values: known }) in &mut wanted {
            let values: Vec<Value> = known.keys().cloned().collect();
            for some in values.chunks(VALUES_PER_QUERY) {
                let are_present = references.are_present(column, some).await.map_err(|source| match source {
                    StoreError::NotFound { entity: Entity::Table | Entity::Column, .. } => {
                        SettleError::Reference { place: self.place_of(*rule).to_owned(), source }
                    }
                    source => SettleError::Store(source),
                })?;
                known.extend(some.iter().cloned().zip(are_present));
            }
        }
        for judged in judged {
            for (rule, reference) in std::mem::take(&mut judged.references) {
                if !wanted[&reference.column].values[&reference.value] {
                    let (field, message) = (reference.field.as_str().to_owned(), reference.fault());
                    let reason = QuarantineReason { field: Some(field), rule: "exists_in".to_owned(), message };
                    judged.findings.push(Finding { rule, reason });
                }
            }
        }
        Ok(())
    }

    /// Returns where a rule stands.
    pub(crate) fn place_of(&self, rule: usize) -> &str {
        &self.rules[rule].place
    }
}

/// Returns whether the share of `n_met` in `n_asked` is at least `mostly`.
fn is_enough(n_met: u64, n_asked: u64, mostly: f64) -> bool {
    n_met as f64 + ROUNDING >= mostly * n_asked as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::is_enough;

    proptest! {
        /// Counted in whole numbers, with a share in hundredths.
        #[test]
        fn shares_are_exact(n_asked in 1_u64..5_000, n_broken in 0_u64..5_000, hundredths in 0_u64..=100) {
            let n_met = n_asked.saturating_sub(n_broken);
            let expected = n_met * 100 >= hundredths * n_asked;
            prop_assert_eq!(is_enough(n_met, n_asked, hundredths as f64 / 100.0), expected);
        }
    }

    #[test]
    fn nobody_is_enough_of_nobody() {
        assert!(is_enough(0, 0, 1.0));
        assert!(!is_enough(0, 1, 0.01));
        assert!(is_enough(99, 100, 0.99) && !is_enough(98, 100, 0.99));
    }
}
