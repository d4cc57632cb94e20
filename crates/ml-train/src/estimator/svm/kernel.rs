//! How alike two rows are.

use serde::{Deserialize, Serialize};

use super::Svm;
use crate::matrix::DenseMatrix;

/// Which measure of likeness.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// `exp(−gamma · d²)` of the Euclidean distance `d`.
    #[default]
    Rbf,
    /// The product of both rows.
    Linear,
    /// `(gamma · product + coef0) ^ degree`.
    Polynomial,
}

/// The factor of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Gamma {
    /// Found from the features.
    Found(FoundGamma),
    /// A given number.
    Value(f64),
}

/// How the factor is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundGamma {
    /// The inverse of the number of features times the variance of all cells.
    Scale,
    /// The inverse of the number of features.
    Auto,
}

/// A kernel with its factor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FittedKernel {
    kernel: Kernel,
    gamma: f64,
    degree: u32,
    coef0: f64,
}

impl FittedKernel {
    pub(super) fn new(settings: &Svm, features: &DenseMatrix) -> FittedKernel {
        let n_columns = features.n_columns() as f64;
        let gamma = match settings.gamma {
            Gamma::Value(gamma) => gamma,
            Gamma::Found(FoundGamma::Auto) => 1.0 / n_columns,
            Gamma::Found(FoundGamma::Scale) => {
                let cells = features.cells();
                let mean = cells.iter().sum::<f64>() / cells.len() as f64;
                let variance = cells.iter().map(|cell| (cell - mean) * (cell - mean)).sum::<f64>() / cells.len() as f64;
                if variance > 0.0 { 1.0 / (n_columns * variance) } else { 1.0 }
            }
        };
        FittedKernel { kernel: settings.kernel, gamma, degree: settings.degree, coef0: settings.coef0 }
    }

    /// Returns how alike two rows are.
    pub(super) fn of(&self, left: &[f64], right: &[f64]) -> f64 {
        let pairs = left.iter().zip(right);
        match self.kernel {
            Kernel::Rbf => {
                let square: f64 = pairs.map(|(left, right)| (left - right) * (left - right)).sum();
                (-self.gamma * square).exp()
            }
            Kernel::Linear => pairs.map(|(left, right)| left * right).sum(),
            Kernel::Polynomial => {
                let product: f64 = pairs.map(|(left, right)| left * right).sum();
                (self.gamma * product + self.coef0).powi(self.degree.min(i32::MAX as u32) as i32)
            }
        }
    }
}
