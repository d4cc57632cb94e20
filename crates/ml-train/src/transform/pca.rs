//! Principal components: the directions in which rows differ most.
//!
//! They are the eigenvectors of the covariance, found by rotations. Source: Golub and Van Loan, *Matrix Computations* (2013),
//! section 8.5. Signs are those of scikit-learn: the greatest part of a direction is positive.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Block, TransformContext, Transformer};
use crate::error::{PredictError, TrainError};
use crate::packed;
use crate::spec::PcaSpec;

/// The time for a fit grows by the third power of the number of columns: with more it would take minutes.
const MAX_COLUMNS: usize = 512;

/// The most rounds over all pairs of columns; a handful is enough for most.
const MAX_ROUNDS: usize = 60;

/// Directions, that of the greatest variance first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrincipalComponents {
    #[serde(with = "packed::f64s")]
    means: Vec<f64>,
    /// Direction by direction, one part per column.
    #[serde(with = "packed::f64s")]
    directions: Vec<f64>,
    /// The variance of the training rows along each direction.
    #[serde(with = "packed::f64s")]
    variances: Vec<f64>,
    whiten: bool,
}

impl PrincipalComponents {
    /// Learns the directions from the rows without missing or infinite values.
    pub(super) fn fit(spec: &PcaSpec, columns: &[Cow<'_, [f64]>]) -> Result<PrincipalComponents, TrainError> {
        let n_columns = columns.len();
        if n_columns > MAX_COLUMNS {
            let what = format!("`pca` of {n_columns} columns is more than {MAX_COLUMNS}");
            return Err(TrainError::data(what, "name fewer columns in its group"));
        }
        let n_rows = columns.first().map_or(0, |column| column.len());
        let is_whole = |row: &usize| columns.iter().all(|column| column[*row].is_finite());
        let rows: Vec<usize> = (0..n_rows).filter(is_whole).collect();
        if rows.is_empty() {
            let what = "`pca` needs a row in which no column of its group is missing";
            return Err(TrainError::data(what, "fill the columns first, with `{impute: median}`"));
        }
        let mean = |column: &[f64]| rows.iter().map(|&row| column[row]).sum::<f64>() / rows.len() as f64;
        let means: Vec<f64> = columns.iter().map(|column| mean(column)).collect();
        let centred: Vec<Vec<f64>> = columns
            .iter()
            .zip(&means)
            .map(|(column, mean)| rows.iter().map(|&row| column[row] - mean).collect())
            .collect();
        // One row has no variance, and is no reason to fail.
        let divisor = (rows.len() - 1).max(1) as f64;
        let mut covariance = vec![vec![0.0; n_columns]; n_columns];
        for left in 0..n_columns {
            for right in 0..=left {
                let products = centred[left].iter().zip(&centred[right]).map(|(left, right)| left * right);
                let value = products.sum::<f64>() / divisor;
                covariance[left][right] = value;
                covariance[right][left] = value;
            }
        }
        if covariance.iter().flatten().any(|value| !value.is_finite()) {
            let what = "the variance of the columns of `pca` is not finite";
            return Err(TrainError::data(what, "put `standardise` before it"));
        }
        let vectors = diagonalise(&mut covariance);
        let mut order: Vec<usize> = (0..n_columns).collect();
        order.sort_by(|&left, &right| covariance[right][right].total_cmp(&covariance[left][left]));
        order.truncate(spec.components.min(rows.len()));
        let directions = order.iter().flat_map(|&place| with_sign(vectors.iter().map(|row| row[place]).collect()));
        Ok(PrincipalComponents {
            means,
            directions: directions.collect(),
            variances: order.iter().map(|&place| covariance[place][place].max(0.0)).collect(),
            whiten: spec.whiten,
        })
    }

    /// Returns the variance along each direction.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    pub(super) fn inconsistency(&self, n_inputs: usize) -> Option<String> {
        let fits = self.means.len() == n_inputs
            && n_inputs > 0
            && self.variances.len().checked_mul(n_inputs) == Some(self.directions.len());
        (!fits).then(|| format!("components of {} columns are applied to {n_inputs}", self.means.len()))
    }
}

/// Turns the greatest part of a direction positive.
fn with_sign(direction: Vec<f64>) -> Vec<f64> {
    let greatest =
        direction.iter().fold(0.0_f64, |greatest, part| if part.abs() > greatest.abs() { *part } else { greatest });
    if greatest < 0.0 { direction.into_iter().map(|part| -part).collect() } else { direction }
}

/// Makes a symmetric matrix diagonal by rotations of two rows and columns at a time; returns the eigenvectors as columns.
fn diagonalise(matrix: &mut [Vec<f64>]) -> Vec<Vec<f64>> {
    let n = matrix.len();
    let mut vectors: Vec<Vec<f64>> =
        (0..n).map(|row| (0..n).map(|column| f64::from(u8::from(row == column))).collect()).collect();
    for _ in 0..MAX_ROUNDS {
        let mut is_diagonal = true;
        for left in 0..n {
            for right in left + 1..n {
                let beside = matrix[left][right];
                let (a, b) = (matrix[left][left], matrix[right][right]);
                if beside.abs() <= f64::EPSILON * 0.01 * (a.abs() * b.abs()).sqrt() {
                    continue;
                }
                is_diagonal = false;
                let theta = (b - a) / (2.0 * beside);
                let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                rotate(matrix, &mut vectors, (left, right), cosine, tangent * cosine);
            }
        }
        if is_diagonal {
            break;
        }
    }
    vectors
}

fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], (left, right): (usize, usize), cosine: f64, sine: f64) {
    let turned = |row: &mut Vec<f64>| {
        let (a, b) = (row[left], row[right]);
        row[left] = cosine * a - sine * b;
        row[right] = sine * a + cosine * b;
    };
    matrix.iter_mut().for_each(turned);
    if let Ok([left_row, right_row]) = matrix.get_disjoint_mut([left, right]) {
        for (a, b) in left_row.iter_mut().zip(right_row) {
            (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
        }
    }
    // What the rotation makes 0 is 0, and not what rounding leaves.
    matrix[left][right] = 0.0;
    matrix[right][left] = 0.0;
    vectors.iter_mut().for_each(turned);
}

impl Transformer for PrincipalComponents {
    fn n_outputs(&self, _n_inputs: usize) -> usize {
        self.variances.len()
    }

    fn name_outputs(&self, inputs: Vec<String>) -> Vec<String> {
        let first = inputs.first().cloned().unwrap_or_default();
        (1..=self.variances.len()).map(|number| format!("pca{number} of {first}…")).collect()
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        let columns = block.into_numbers(self.means.len())?;
        let n_rows = columns.first().map_or(0, |column| column.len());
        let outputs =
            self.directions.chunks_exact(self.means.len()).zip(&self.variances).map(|(direction, &variance)| {
                let mut values = vec![0.0; n_rows];
                for ((column, mean), part) in columns.iter().zip(&self.means).zip(direction) {
                    values.iter_mut().zip(column.iter()).for_each(|(value, cell)| *value += (cell - mean) * part);
                }
                if self.whiten && variance > 0.0 {
                    for value in &mut values {
                        *value /= variance.sqrt();
                    }
                }
                Cow::Owned(values)
            });
        Ok(Block::Numbers(outputs.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_one_direction() {
        let columns: [Cow<'_, [f64]>; 2] =
            [Cow::Owned(vec![1.0, 2.0, 3.0, f64::NAN]), Cow::Owned(vec![-2.0, -4.0, -6.0, 1.0])];
        let components = PrincipalComponents::fit(&PcaSpec::default(), &columns).unwrap();
        assert!((components.variances()[0] - 5.0).abs() < 1e-12 && components.variances()[1].abs() < 1e-12);
        let block = components.transform(Block::Numbers(columns.to_vec()), &mut TransformContext::default()).unwrap();
        let first = &block.numbers().unwrap()[0];
        let root = 5.0_f64.sqrt();
        assert!((first[0] - root).abs() < 1e-12 && (first[2] + root).abs() < 1e-12 && first[3].is_nan(), "{first:?}");
    }

    #[test]
    fn constant_columns_and_one_row_are_no_trouble() {
        let constant: [Cow<'_, [f64]>; 2] = [Cow::Owned(vec![7.0; 3]), Cow::Owned(vec![1.0; 3])];
        assert_eq!(PrincipalComponents::fit(&PcaSpec::default(), &constant).unwrap().variances(), [0.0, 0.0]);
        let one: [Cow<'_, [f64]>; 2] = [Cow::Owned(vec![7.0]), Cow::Owned(vec![1.0])];
        assert_eq!(PrincipalComponents::fit(&PcaSpec::default(), &one).unwrap().variances(), [0.0]);
        let none: [Cow<'_, [f64]>; 1] = [Cow::Owned(vec![f64::NAN])];
        assert!(PrincipalComponents::fit(&PcaSpec::default(), &none).is_err());
    }
}
