//! How the step `robust_scale` scales.

use serde::{Deserialize, Serialize};

use crate::spec::fault::Fault;

/// Which quantiles of a column the unit is the distance of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RobustScaleSpec {
    /// The lower and the upper quantile, as shares.
    pub quantiles: (f64, f64),
}

impl Default for RobustScaleSpec {
    fn default() -> RobustScaleSpec {
        RobustScaleSpec { quantiles: (0.25, 0.75) }
    }
}

impl RobustScaleSpec {
    pub(super) fn faults(self, key: &str, faults: &mut Vec<Fault>) {
        let (low, high) = self.quantiles;
        if !(0.0 <= low && low < high && high <= 1.0) {
            let message =
                format!("[{low}, {high}] must be [lower, upper] shares between 0 and 1, such as [0.25, 0.75]");
            faults.push(Fault::new(format!("{key}.quantiles"), message));
        }
    }
}
