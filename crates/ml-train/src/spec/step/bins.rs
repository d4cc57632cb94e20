//! How the step `bins` cuts numbers.

use serde::{Deserialize, Serialize};

use crate::spec::fault::Fault;

/// The most bins of a column.
const MAX_BINS: usize = 1000;

/// How numbers become bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinsSpec {
    /// How many bins; fewer where several cuts fall on one value.
    pub n: usize,
    /// Where they are cut.
    pub strategy: BinStrategy,
    /// What comes of them.
    pub encode: BinEncoding,
}

/// Where bins are cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinStrategy {
    /// About the same number of training rows in each.
    #[default]
    Quantile,
    /// The same width for each.
    Uniform,
}

/// What comes of bins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinEncoding {
    /// The position of the bin, from 0; missing values stay missing.
    #[default]
    Ordinal,
    /// One feature per bin; a missing value is in none.
    OneHot,
}

impl Default for BinsSpec {
    fn default() -> BinsSpec {
        BinsSpec { n: 5, strategy: BinStrategy::Quantile, encode: BinEncoding::Ordinal }
    }
}

impl BinsSpec {
    pub(super) fn faults(self, key: &str, faults: &mut Vec<Fault>) {
        if !(2..=MAX_BINS).contains(&self.n) {
            faults.push(Fault::new(format!("{key}.n"), format!("must be from 2 to {MAX_BINS}, not {}", self.n)));
        }
    }
}
