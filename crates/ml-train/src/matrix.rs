//! The features that estimators see: rows of numbers, sparse or dense.

mod csr;
mod dense;

use std::borrow::Cow;

pub use csr::{CsrBuilder, CsrMatrix};
pub use dense::DenseMatrix;

/// The widest sparse features that an estimator for dense features accepts.
pub const MAX_DENSE_COLUMNS: usize = 1024;

/// The most cells that sparse features may have once made dense (1 GiB).
pub const MAX_DENSE_CELLS: usize = 1 << 27;

/// Features of some rows.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureMatrix {
    /// Every cell is stored.
    Dense(DenseMatrix),
    /// Only cells other than 0 are stored.
    Sparse(CsrMatrix),
}

/// Sparse features are too large to be made dense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{n_rows} rows of {n_columns} sparse features are too many to be made dense: at most {MAX_DENSE_COLUMNS} features and \
     {MAX_DENSE_CELLS} cells"
)]
pub struct TooWide {
    /// The number of rows.
    pub n_rows: usize,
    /// The number of features.
    pub n_columns: usize,
}

/// Returns whether two cells hold the same, or both nothing.
fn is_same(left: f64, right: f64) -> bool {
    left == right || (left.is_nan() && right.is_nan())
}

impl FeatureMatrix {
    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            FeatureMatrix::Dense(matrix) => matrix.n_rows(),
            FeatureMatrix::Sparse(matrix) => matrix.n_rows(),
        }
    }

    /// Returns the number of features.
    pub fn n_columns(&self) -> usize {
        match self {
            FeatureMatrix::Dense(matrix) => matrix.n_columns(),
            FeatureMatrix::Sparse(matrix) => matrix.n_columns(),
        }
    }

    /// Returns the features with only the cells other than 0.
    pub fn to_sparse(&self) -> Cow<'_, CsrMatrix> {
        match self {
            FeatureMatrix::Dense(matrix) => Cow::Owned(CsrMatrix::from(matrix)),
            FeatureMatrix::Sparse(matrix) => Cow::Borrowed(matrix),
        }
    }

    /// Returns the features with every cell stored.
    ///
    /// # Errors
    /// [`TooWide`] for sparse features beyond [`MAX_DENSE_COLUMNS`] or [`MAX_DENSE_CELLS`].
    pub fn to_dense(&self) -> Result<Cow<'_, DenseMatrix>, TooWide> {
        match self {
            FeatureMatrix::Dense(matrix) => Ok(Cow::Borrowed(matrix)),
            FeatureMatrix::Sparse(matrix) => {
                let (n_rows, n_columns) = (matrix.n_rows(), matrix.n_columns());
                if n_columns > MAX_DENSE_COLUMNS || n_rows.saturating_mul(n_columns) > MAX_DENSE_CELLS {
                    return Err(TooWide { n_rows, n_columns });
                }
                Ok(Cow::Owned(DenseMatrix::from(matrix)))
            }
        }
    }

    /// Returns for each column whether all of its cells hold the same, or nothing.
    pub(crate) fn constant_columns(&self) -> Vec<bool> {
        match self {
            FeatureMatrix::Dense(matrix) => matrix.constant_columns(),
            FeatureMatrix::Sparse(matrix) => matrix.constant_columns(),
        }
    }

    /// Calls `visit` with the column and value of each cell of `row` that is not 0.
    pub fn for_each_in_row(&self, row: usize, mut visit: impl FnMut(usize, f64)) {
        match self {
            FeatureMatrix::Dense(matrix) => {
                for (column, &value) in matrix.row(row).iter().enumerate() {
                    if value != 0.0 {
                        visit(column, value);
                    }
                }
            }
            FeatureMatrix::Sparse(matrix) => {
                let (columns, values) = matrix.row(row);
                for (&column, &value) in columns.iter().zip(values) {
                    visit(column as usize, value);
                }
            }
        }
    }

    /// Returns the rows at `rows`, in that order.
    ///
    /// # Panics
    /// If a row is not below [`FeatureMatrix::n_rows`].
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> FeatureMatrix {
        match self {
            FeatureMatrix::Dense(matrix) => FeatureMatrix::Dense(matrix.take(rows)),
            FeatureMatrix::Sparse(matrix) => FeatureMatrix::Sparse(matrix.take(rows)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_one_value_are_told_in_either_form() {
        let rows = [
            [1.0, 0.0, 2.0, f64::NAN, 0.0, 5.0],
            [1.0, 0.0, 2.0, f64::NAN, 3.0, 5.0],
            [1.0, 0.0, 4.0, f64::NAN, 3.0, 0.0],
        ];
        let dense = DenseMatrix::new(3, 6, rows.concat());
        let expected = [true, true, false, true, false, false];
        assert_eq!(FeatureMatrix::Sparse(CsrMatrix::from(&dense)).constant_columns(), expected);
        assert_eq!(FeatureMatrix::Dense(dense).constant_columns(), expected);
    }
}
