//! Support vector machines with kernels, for classes and for numbers.
//!
//! More than two classes are told apart one against the rest. Every row is compared with every other one, so this is for
//! thousands of rows; `linear_svm` is for more, and for text.

mod kernel;
mod solver;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::dense::{dense_features, score_dense};
use super::settings::{BOTH, Faults};
use super::{
    Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, Target, TrainingData, best_class, check_width,
};
use crate::error::{PredictError, TrainError};
use crate::matrix::FeatureMatrix;
use crate::packed;
use crate::progress::Progress;
use crate::spec::Task;

pub use kernel::{FittedKernel, FoundGamma, Gamma, Kernel};
use solver::{Problem, Solution};

/// With more rows a fit takes hours.
const MAX_ROWS: usize = 50_000;

/// The greatest size of a value: sums of squares of such are finite.
const MAX_CELL: f64 = 1e100;

/// Settings of a support vector machine. Features should be standardised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Svm {
    /// How much a row on the wrong side counts.
    pub c: f64,
    /// How alike two rows are.
    pub kernel: Kernel,
    /// How fast likeness falls with distance, for `rbf`, or what products are multiplied by.
    pub gamma: Gamma,
    /// The degree of `polynomial`.
    pub degree: u32,
    /// What is added to products by `polynomial`.
    pub coef0: f64,
    /// By how much numbers may be missed for free.
    pub epsilon: f64,
    /// How near the optimum the fit stops.
    pub tolerance: f64,
    /// The most steps, of two rows each; by default ten million, or a hundred for each row if that is more.
    pub max_iterations: Option<usize>,
}

impl Default for Svm {
    fn default() -> Svm {
        Svm {
            c: 1.0,
            kernel: Kernel::Rbf,
            gamma: Gamma::Found(FoundGamma::Scale),
            degree: 3,
            coef0: 0.0,
            epsilon: 0.1,
            tolerance: 1e-3,
            max_iterations: None,
        }
    }
}

/// The rows that support the margin, with their weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SvmPredictor {
    n_features: usize,
    n_classes: usize,
    kernel: FittedKernel,
    /// One per output.
    #[serde(with = "packed::f64s")]
    intercepts: Vec<f64>,
    /// Row by row.
    #[serde(with = "packed::f64s")]
    cells: Vec<f64>,
    /// Row by row, one per output.
    #[serde(with = "packed::f64s")]
    weights: Vec<f64>,
}

impl Estimator for Svm {
    fn kind(&self) -> &'static str {
        Svm::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Faults::default()
            .positive("c", self.c)
            .not_negative("epsilon", self.epsilon)
            .positive("tolerance", self.tolerance)
            .at_least("degree", 1, self.degree as usize)
            .at_least("max_iterations", 1, self.max_iterations.unwrap_or(1))
            .list();
        if matches!(self.gamma, Gamma::Value(gamma) if !(gamma.is_finite() && gamma > 0.0)) {
            faults.push(("gamma", "must be `scale`, `auto` or a number above 0".to_owned()));
        }
        if !self.coef0.is_finite() {
            faults.push(("coef0", "must be a finite number".to_owned()));
        }
        faults
    }

    fn fit(&self, data: TrainingData<'_>, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let kind = self.kind();
        let features = dense_features(kind, data.features)?;
        let n_rows = features.n_rows();
        if n_rows > MAX_ROWS {
            let what = format!("`{kind}` compares every row with every other, and there are {n_rows}");
            return Err(TrainError::data(what, format!("give a sample of at most {MAX_ROWS}, or use `linear_svm`")));
        }
        if features.cells().iter().any(|cell| cell.abs() > MAX_CELL) {
            let reason = format!(
                "a feature has a value beyond {MAX_CELL:e}, whose square is not finite: standardise the features"
            );
            return Err(TrainError::Fit { kind, reason });
        }
        let kernel = FittedKernel::new(self, &features);
        let problems = self.problems(data.target);
        let n_outputs = problems.len();
        let limit = self.max_iterations.unwrap_or_else(|| 10_000_000.max(100 * n_rows));
        let solutions: Vec<Solution> = problems
            .par_iter()
            .map(|problem| {
                let solution = solver::solve(problem, &features, &kernel, (self.tolerance, limit), progress)?;
                progress.advance(n_outputs as u64);
                Ok(solution)
            })
            .collect::<Result<_, TrainError>>()?;
        if solutions.iter().any(|solution| !solution.intercept.is_finite()) {
            let reason = "its weights are not finite: standardise the features".to_owned();
            return Err(TrainError::Fit { kind, reason });
        }
        let mut warnings = Vec::new();
        if solutions.iter().any(|solution| !solution.converged) {
            warnings.push(format!(
                "`{kind}` did not come within its tolerance in {limit} steps: standardise the features, lower `c`, or raise \
                 `max_iterations`"
            ));
        }
        let supports = |row: &usize| solutions.iter().any(|solution| solution.weights[*row] != 0.0);
        let rows: Vec<usize> = (0..n_rows).filter(supports).collect();
        let n_classes = if let Target::Classes { n_classes, .. } = data.target { *n_classes } else { 0 };
        let predictor = SvmPredictor {
            n_features: features.n_columns(),
            n_classes,
            kernel,
            intercepts: solutions.iter().map(|solution| solution.intercept).collect(),
            cells: rows.iter().flat_map(|&row| features.row(row)).copied().collect(),
            weights: rows.iter().flat_map(|&row| solutions.iter().map(move |of| of.weights[row])).collect(),
        };
        Ok(Fitted { predictor: FittedPredictor::Svm(predictor), warnings })
    }
}

impl Svm {
    /// Returns a problem for each output.
    fn problems(&self, target: &Target) -> Vec<Problem> {
        match target {
            Target::Numbers(numbers) => vec![Problem::regression(numbers, self.c, self.epsilon)],
            Target::Classes { indices, n_classes: 2 } => {
                vec![Problem::classification(indices.iter().map(|&class| class == 1), self.c)]
            }
            Target::Classes { indices, n_classes } => (0..*n_classes)
                .map(|one| Problem::classification(indices.iter().map(|&class| class == one), self.c))
                .collect(),
        }
    }
}

impl SvmPredictor {
    /// Returns the number of rows that support the margin.
    pub fn n_support_vectors(&self) -> usize {
        self.cells.len() / self.n_features
    }

    pub(super) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let n_outputs = self.intercepts.len();
        let expected = if n_classes > 2 { n_classes } else { 1 };
        let fits = self.n_classes == n_classes
            && n_classes != 1
            && n_outputs == expected
            && self.n_features > 0
            && self.cells.len().is_multiple_of(self.n_features)
            && self.n_support_vectors().checked_mul(n_outputs) == Some(self.weights.len());
        (!fits).then(|| format!("support vectors with {n_outputs} outputs serve {n_classes} classes"))
    }

    /// Returns the sums, row by row, one per output.
    fn sums(&self, features: &FeatureMatrix) -> Result<Vec<f64>, PredictError> {
        check_width(self.n_features, features)?;
        let n_outputs = self.intercepts.len();
        Ok(score_dense(features, n_outputs, |cells, sums| {
            sums.copy_from_slice(&self.intercepts);
            let rows = self.cells.chunks_exact(self.n_features).zip(self.weights.chunks_exact(n_outputs));
            for (row, weights) in rows {
                let likeness = self.kernel.of(row, cells);
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * likeness);
            }
        }))
    }
}

impl Predictor for SvmPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        let sums = self.sums(features)?;
        Ok(match self.n_classes {
            0 => Outputs::Numbers(sums),
            2 => Outputs::Classes(sums.iter().map(|&sum| usize::from(sum > 0.0)).collect()),
            n_classes => Outputs::Classes(sums.chunks(n_classes).map(best_class).collect()),
        })
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        let sums = self.sums(features)?;
        Ok(match self.n_classes {
            0 => None,
            2 => Some(Scores { n_classes: 2, values: sums.into_iter().flat_map(|sum| [-sum, sum]).collect() }),
            n_classes => Some(Scores { n_classes, values: sums }),
        })
    }
}
