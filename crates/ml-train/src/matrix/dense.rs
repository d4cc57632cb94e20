//! Rows of numbers, every cell stored.

use super::csr::CsrMatrix;
use super::is_same;

/// Row-major cells.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseMatrix {
    n_rows: usize,
    n_columns: usize,
    cells: Vec<f64>,
}

impl DenseMatrix {
    /// Makes a matrix of row-major `cells`; their number is `n_rows · n_columns`.
    ///
    /// # Panics
    /// If it is not.
    pub fn new(n_rows: usize, n_columns: usize, cells: Vec<f64>) -> DenseMatrix {
        assert_eq!(cells.len(), n_rows * n_columns, "cells fill the rows");
        DenseMatrix { n_rows, n_columns, cells }
    }

    /// Makes a matrix of columns, each with `n_rows` values.
    ///
    /// # Panics
    /// If a column is shorter.
    pub fn from_columns(n_rows: usize, columns: &[&[f64]]) -> DenseMatrix {
        let mut cells = Vec::with_capacity(n_rows * columns.len());
        for row in 0..n_rows {
            cells.extend(columns.iter().map(|column| column[row]));
        }
        DenseMatrix { n_rows, n_columns: columns.len(), cells }
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns the number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Returns the cells of `row`.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.n_columns..(row + 1) * self.n_columns]
    }

    /// Returns all cells, row by row.
    pub fn cells(&self) -> &[f64] {
        &self.cells
    }

    /// Returns for each column whether all of its cells hold the same, or nothing.
    pub(super) fn constant_columns(&self) -> Vec<bool> {
        let is_constant =
            |column: usize| (1..self.n_rows).all(|row| is_same(self.row(row)[column], self.row(0)[column]));
        (0..self.n_columns).map(is_constant).collect()
    }

    /// Returns the rows at `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> DenseMatrix {
        let cells = rows.iter().flat_map(|&row| self.row(row).iter().copied()).collect();
        DenseMatrix { n_rows: rows.len(), n_columns: self.n_columns, cells }
    }
}

impl From<&CsrMatrix> for DenseMatrix {
    fn from(sparse: &CsrMatrix) -> DenseMatrix {
        let (n_rows, n_columns) = (sparse.n_rows(), sparse.n_columns());
        let mut cells = vec![0.0; n_rows * n_columns];
        for row in 0..n_rows {
            let (columns, values) = sparse.row(row);
            for (&column, &value) in columns.iter().zip(values) {
                cells[row * n_columns + column as usize] = value;
            }
        }
        DenseMatrix { n_rows, n_columns, cells }
    }
}
