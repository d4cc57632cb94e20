//! Rows as they are read by estimators that look at every cell.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::error::TrainError;
use crate::matrix::{DenseMatrix, FeatureMatrix};

/// How many rows a thread scores at a time.
const ROWS_PER_PART: usize = 256;

/// Returns features with every cell, at least one row and one column of them.
pub(super) fn dense_features<'a>(
    kind: &'static str,
    features: &'a FeatureMatrix,
) -> Result<Cow<'a, DenseMatrix>, TrainError> {
    let dense = features.to_dense().map_err(|source| TrainError::TooWide { kind, source })?;
    if dense.n_rows() == 0 || dense.n_columns() == 0 {
        let what = format!("`{kind}` needs rows and features, there are {} and {}", dense.n_rows(), dense.n_columns());
        return Err(TrainError::data(what, "give rows whose target and features are not missing"));
    }
    Ok(dense)
}

/// Scores each row: `score` gets its cells and `n_outputs` zeros, which it fills.
pub(super) fn score_dense(
    features: &FeatureMatrix,
    n_outputs: usize,
    score: impl Fn(&[f64], &mut [f64]) + Sync,
) -> Vec<f64> {
    let mut outputs = vec![0.0; features.n_rows() * n_outputs];
    outputs.par_chunks_mut(ROWS_PER_PART * n_outputs).enumerate().for_each(|(part, outputs)| {
        let mut spread = vec![0.0; features.n_columns()];
        for (position, outputs) in outputs.chunks_mut(n_outputs).enumerate() {
            let row = part * ROWS_PER_PART + position;
            match features {
                FeatureMatrix::Dense(matrix) => score(matrix.row(row), outputs),
                FeatureMatrix::Sparse(_) => {
                    spread.fill(0.0);
                    features.for_each_in_row(row, |column, value| spread[column] = value);
                    score(&spread, outputs);
                }
            }
        }
    });
    outputs
}
