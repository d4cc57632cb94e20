//! Settings that several estimators share, and what can be wrong with them.

mod forest;

use serde::{Deserialize, Serialize};

use crate::spec::Task;

pub use forest::ForestSettings;

pub(super) const CLASSIFICATION: &[Task] = &[Task::Classification];
pub(super) const REGRESSION: &[Task] = &[Task::Regression];
pub(super) const CLUSTERING: &[Task] = &[Task::Clustering];
pub(super) const ANOMALY: &[Task] = &[Task::Anomaly];
pub(super) const BOTH: &[Task] = &[Task::Classification, Task::Regression];

/// How much a row of a class counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// Every row counts the same.
    #[default]
    None,
    /// Rows of rare classes count more, so that every class counts the same.
    Balanced,
}

impl ClassWeight {
    /// Returns the weight of a row of each class.
    pub(super) fn weights(self, classes: &[usize], n_classes: usize) -> Vec<f64> {
        let mut counts = vec![0_usize; n_classes];
        for &class in classes {
            counts[class] += 1;
        }
        match self {
            ClassWeight::None => vec![1.0; n_classes],
            ClassWeight::Balanced => {
                counts.iter().map(|&count| classes.len() as f64 / (n_classes * count.max(1)) as f64).collect()
            }
        }
    }
}

/// The faults of some settings.
#[derive(Default)]
pub(super) struct Faults(Vec<(&'static str, String)>);

impl Faults {
    pub(super) fn positive(mut self, setting: &'static str, value: f64) -> Faults {
        if !(value.is_finite() && value > 0.0) {
            self.0.push((setting, format!("must be a number above 0, not {value}")));
        }
        self
    }

    pub(super) fn not_negative(mut self, setting: &'static str, value: f64) -> Faults {
        if !(value.is_finite() && value >= 0.0) {
            self.0.push((setting, format!("must be a number of at least 0, not {value}")));
        }
        self
    }

    pub(super) fn share(mut self, setting: &'static str, value: f64) -> Faults {
        if !(value > 0.0 && value <= 1.0) {
            self.0.push((setting, format!("must be a share above 0 and at most 1, not {value}")));
        }
        self
    }

    pub(super) fn at_least(mut self, setting: &'static str, least: usize, value: usize) -> Faults {
        if value < least {
            self.0.push((setting, format!("must be at least {least}, not {value}")));
        }
        self
    }

    pub(super) fn list(self) -> Vec<(&'static str, String)> {
        self.0
    }
}
