//! Which products the step `polynomial` adds.

use serde::{Deserialize, Serialize};

use crate::spec::fault::Fault;

/// The highest degree of a product.
const MAX_DEGREE: usize = 8;

/// Which products of the columns of a group become features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolynomialSpec {
    /// How many factors a product has at most.
    pub degree: usize,
    /// Whether each column is in a product once at most: products of different columns, and no powers.
    pub interactions_only: bool,
}

impl Default for PolynomialSpec {
    fn default() -> PolynomialSpec {
        PolynomialSpec { degree: 2, interactions_only: false }
    }
}

impl PolynomialSpec {
    pub(super) fn faults(self, key: &str, faults: &mut Vec<Fault>) {
        if !(2..=MAX_DEGREE).contains(&self.degree) {
            let message = format!("must be from 2 to {MAX_DEGREE}, not {}", self.degree);
            faults.push(Fault::new(format!("{key}.degree"), message));
        }
    }
}
