//! Whether a window of data is still like the reference it is compared with.
//!
//! Each test gives a statistic, which says how large a change is, and a p-value, which says how likely chance alone makes one as
//! large. [`report::drift_report`] calls a column drifted only when the change is both large and unlikely to be chance, so that
//! neither a huge window nor a small one raises false alarms.

mod chi_square;
mod kolmogorov;
mod ks;
mod psi;
pub mod report;

pub use chi_square::{ChiSquareTest, chi_square, total_variation};
pub use ks::{KsTest, ks_two_sample};
pub use psi::{EMPTY_BIN_FLOOR, psi, psi_p_value};

/// Why two samples cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriftError {
    /// The samples were binned differently.
    #[error("the reference has {reference} bins, the current window has {current}")]
    BinMismatch {
        /// Bins of the reference.
        reference: usize,
        /// Bins of the current window.
        current: usize,
    },
    /// One of the samples has no values.
    #[error("there are no values to compare in the {0}")]
    EmptyWindow(Side),
}

/// One of the two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What drift is measured against.
    Reference,
    /// What is judged.
    Current,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Side::Reference => "reference",
            Side::Current => "current window",
        })
    }
}

/// Returns the sums of two samples that are binned alike.
fn binned_totals(reference: &[u64], current: &[u64]) -> Result<(u64, u64), DriftError> {
    if reference.len() != current.len() {
        return Err(DriftError::BinMismatch { reference: reference.len(), current: current.len() });
    }
    match (reference.iter().sum(), current.iter().sum()) {
        (0, _) => Err(DriftError::EmptyWindow(Side::Reference)),
        (_, 0) => Err(DriftError::EmptyWindow(Side::Current)),
        totals => Ok(totals),
    }
}
