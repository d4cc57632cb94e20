//! Broken rules that did not hold a record back, counted.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use ml_core::id::RecordId;
use ml_core::record::DataType;

use super::judge::Judged;

/// How many broken rules are told apart; the rest is counted together.
const MAX_KINDS: usize = 1_000;

/// Warnings by data type, rule and field; written as a list, most frequent first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings(BTreeMap<(DataType, String, Option<String>), Kind>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    n_records: u64,
    raw_id: RecordId,
    message: String,
}

/// How many records broke a rule on a field and passed all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarningCount {
    /// The data type of the records.
    pub data_type: DataType,
    /// The kind of rule.
    pub rule: String,
    /// The field; absent when the record as a whole is meant.
    pub field: Option<String>,
    /// How many records.
    pub n_records: u64,
    /// The first of them.
    pub raw_id: RecordId,
    /// What is wrong with that one.
    pub message: String,
}

impl Warnings {
    /// Adds the warnings of records that were judged.
    pub(crate) fn add(&mut self, judged: &[Judged]) {
        for Judged { record, warnings, .. } in judged {
            for warning in warnings {
                let key = (record.data_type.clone(), warning.rule.clone(), warning.field.clone());
                if let Some(kind) = self.0.get_mut(&key) {
                    kind.n_records += 1;
                } else if self.0.len() < MAX_KINDS {
                    let kind = Kind { n_records: 1, raw_id: record.id.clone(), message: warning.message.clone() };
                    self.0.insert(key, kind);
                }
            }
        }
    }

    /// Adds what `other` counted.
    pub fn merge(&mut self, other: Warnings) {
        for (key, kind) in other.0 {
            self.0.entry(key).and_modify(|known| known.n_records += kind.n_records).or_insert(kind);
        }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the counts, most frequent first.
    pub fn counts(&self) -> Vec<WarningCount> {
        let mut counts: Vec<WarningCount> = self.0.iter().map(|(key, kind)| count_of(key, kind)).collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.n_records));
        counts
    }
}

fn count_of((data_type, rule, field): &(DataType, String, Option<String>), kind: &Kind) -> WarningCount {
    WarningCount {
        data_type: data_type.clone(),
        rule: rule.clone(),
        field: field.clone(),
        n_records: kind.n_records,
        raw_id: kind.raw_id.clone(),
        message: kind.message.clone(),
    }
}

impl Serialize for Warnings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.counts().serialize(serializer)
    }
}
