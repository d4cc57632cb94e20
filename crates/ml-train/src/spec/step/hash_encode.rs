//! How the step `hash_encode` makes numbers of categories.

use serde::{Deserialize, Serialize};

use crate::spec::fault::Fault;

/// The most features of a group of columns.
const MAX_FEATURES: usize = 1 << 24;

/// How categories become features by their hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HashEncodeSpec {
    /// How many features the columns of the group share.
    pub n_features: usize,
    /// Whether half of the categories count as −1, so that categories that meet in a feature cancel out on average.
    pub signed: bool,
}

impl Default for HashEncodeSpec {
    fn default() -> HashEncodeSpec {
        HashEncodeSpec { n_features: 256, signed: true }
    }
}

impl HashEncodeSpec {
    pub(super) fn faults(self, key: &str, faults: &mut Vec<Fault>) {
        if !(1..=MAX_FEATURES).contains(&self.n_features) {
            let message = format!("must be from 1 to {MAX_FEATURES}, not {}", self.n_features);
            faults.push(Fault::new(format!("{key}.n_features"), message));
        }
    }
}
