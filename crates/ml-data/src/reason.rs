//! Collects everything that is wrong with one record.

use ml_core::quarantine::QuarantineReason;

use crate::field::FieldPath;

/// The reasons found so far, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    found: Vec<QuarantineReason>,
    /// How many of them come from normalisation; a rule is not asked about a field that could not be normalised.
    n_from_steps: usize,
}

impl Reasons {
    /// Adds what is wrong with `field`.
    pub(crate) fn add(&mut self, field: &FieldPath, rule: &'static str, message: String) {
        self.found.push(QuarantineReason { field: Some(field.as_str().to_owned()), rule: rule.to_owned(), message });
    }

    /// Adds what is wrong with the record as a whole.
    pub(crate) fn add_whole(&mut self, rule: &'static str, message: String) {
        self.found.push(QuarantineReason { field: None, rule: rule.to_owned(), message });
    }

    /// Returns how many were found.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// Takes out what was found after the first `n`.
    pub(crate) fn split_off(&mut self, n: usize) -> Vec<QuarantineReason> {
        self.found.split_off(n)
    }

    /// Says that what follows comes from rules.
    pub(crate) fn end_of_steps(&mut self) {
        self.n_from_steps = self.found.len();
    }

    /// Returns whether a normalisation step failed on `field`.
    pub(crate) fn has_failed_step(&self, field: &FieldPath) -> bool {
        self.found[..self.n_from_steps].iter().any(|reason| reason.field.as_deref() == Some(field.as_str()))
    }

    /// Returns whether anything is known to be wrong with `field`.
    pub(crate) fn names(&self, field: &FieldPath) -> bool {
        self.found.iter().any(|reason| reason.field.as_deref() == Some(field.as_str()))
    }

    /// Returns whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the reasons.
    pub(crate) fn into_vec(self) -> Vec<QuarantineReason> {
        self.found
    }
}
