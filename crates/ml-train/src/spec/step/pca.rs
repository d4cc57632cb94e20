//! How many principal components the step `pca` keeps.

use serde::{Deserialize, Serialize};

use crate::spec::fault::Fault;

/// Which principal components become features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PcaSpec {
    /// How many, those with the greatest variance; fewer where there are fewer columns or rows.
    pub components: usize,
    /// Whether each is scaled to a variance of 1.
    pub whiten: bool,
}

impl Default for PcaSpec {
    fn default() -> PcaSpec {
        PcaSpec { components: 2, whiten: false }
    }
}

impl PcaSpec {
    pub(super) fn faults(self, key: &str, faults: &mut Vec<Fault>) {
        if self.components == 0 {
            faults.push(Fault::new(format!("{key}.components"), "must be at least 1"));
        }
    }
}
