//! Rows of numbers of which most are 0: compressed sparse rows.

use std::ops::Range;

use rayon::prelude::*;

use super::dense::DenseMatrix;
use super::is_same;

/// How many rows a thread makes at a time.
const ROWS_PER_PART: usize = 256;

/// Cells other than 0, row by row, by ascending column within a row.
#[derive(Debug, Clone, PartialEq)]
pub struct CsrMatrix {
    n_columns: usize,
    /// Where each row begins in `columns` and `values`, and where the last one ends.
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

/// Makes a [`CsrMatrix`] row by row.
#[derive(Debug)]
pub struct CsrBuilder {
    matrix: CsrMatrix,
}

impl CsrBuilder {
    /// Begins a matrix of `n_columns`, which fits `u32`.
    pub fn new(n_columns: usize) -> CsrBuilder {
        CsrBuilder { matrix: CsrMatrix { n_columns, offsets: vec![0], columns: Vec::new(), values: Vec::new() } }
    }

    /// Reserves room for `n_rows` rows with `n_cells` cells in all.
    pub fn reserve(&mut self, n_rows: usize, n_cells: usize) {
        self.matrix.offsets.reserve(n_rows);
        self.matrix.columns.reserve(n_cells);
        self.matrix.values.reserve(n_cells);
    }

    /// Adds a cell to the current row. Columns ascend within a row and are below the number of columns.
    pub fn push(&mut self, column: usize, value: f64) {
        debug_assert!(column < self.matrix.n_columns);
        if value != 0.0 {
            self.matrix.columns.push(column as u32);
            self.matrix.values.push(value);
        }
    }

    /// Ends the current row.
    pub fn end_row(&mut self) {
        self.matrix.offsets.push(self.matrix.columns.len());
    }

    /// Returns the matrix of the rows that were ended.
    pub fn finish(self) -> CsrMatrix {
        self.matrix
    }
}

impl CsrMatrix {
    /// Puts the rows of `parts` one below the other. All have `n_columns` columns.
    pub fn concatenate(n_columns: usize, parts: &[CsrMatrix]) -> CsrMatrix {
        let mut offsets = Vec::with_capacity(1 + parts.iter().map(CsrMatrix::n_rows).sum::<usize>());
        offsets.push(0);
        let n_cells = parts.iter().map(CsrMatrix::n_cells).sum();
        let mut matrix = CsrMatrix { n_columns, offsets, columns: vec![0; n_cells], values: vec![0.0; n_cells] };
        let (mut columns, mut values) = (matrix.columns.as_mut_slice(), matrix.values.as_mut_slice());
        let mut rooms = Vec::with_capacity(parts.len());
        let mut begin = 0;
        for part in parts {
            matrix.offsets.extend(part.offsets[1..].iter().map(|offset| begin + offset));
            begin += part.n_cells();
            let (columns_of_part, values_of_part);
            (columns_of_part, columns) = columns.split_at_mut(part.n_cells());
            (values_of_part, values) = values.split_at_mut(part.n_cells());
            rooms.push((columns_of_part, values_of_part));
        }
        parts.par_iter().zip(rooms).for_each(|(part, (columns, values))| {
            columns.copy_from_slice(&part.columns);
            values.copy_from_slice(&part.values);
        });
        matrix
    }

    /// Makes a matrix of `n_rows` rows in parallel; `push_row` pushes the cells of a row, and does not end it.
    pub(crate) fn by_rows(
        n_columns: usize,
        n_rows: usize,
        push_row: impl Fn(usize, &mut CsrBuilder) + Sync,
    ) -> CsrMatrix {
        let part = |rows: Range<usize>| {
            let mut builder = CsrBuilder::new(n_columns);
            for row in rows {
                push_row(row, &mut builder);
                builder.end_row();
            }
            builder.finish()
        };
        if n_rows <= ROWS_PER_PART {
            // Handing over to another thread takes longer than a few rows.
            return part(0..n_rows);
        }
        let begins = (0..n_rows).into_par_iter().step_by(ROWS_PER_PART);
        let parts: Vec<CsrMatrix> = begins.map(|begin| part(begin..n_rows.min(begin + ROWS_PER_PART))).collect();
        CsrMatrix::concatenate(n_columns, &parts)
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Returns the number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Returns the number of cells that are stored.
    pub fn n_cells(&self) -> usize {
        self.columns.len()
    }

    /// Returns the columns and values of the stored cells of `row`.
    pub fn row(&self, row: usize) -> (&[u32], &[f64]) {
        let cells = self.offsets[row]..self.offsets[row + 1];
        (&self.columns[cells.clone()], &self.values[cells])
    }

    /// Returns the smallest stored value and 0, whichever is less.
    pub fn min_value(&self) -> f64 {
        self.values.iter().copied().fold(0.0, f64::min)
    }

    /// Returns the rows at `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> CsrMatrix {
        let mut taken =
            CsrMatrix { n_columns: self.n_columns, offsets: vec![0], columns: Vec::new(), values: Vec::new() };
        for &row in rows {
            let (columns, values) = self.row(row);
            taken.columns.extend_from_slice(columns);
            taken.values.extend_from_slice(values);
            taken.offsets.push(taken.columns.len());
        }
        taken
    }

    /// Returns the same cells by column: rows and columns change places.
    #[must_use]
    pub(crate) fn transposed(&self) -> CsrMatrix {
        let mut offsets = Vec::with_capacity(self.n_columns + 1);
        offsets.push(0);
        let mut n_before = 0;
        for count in self.cells_per_column() {
            n_before += count as usize;
            offsets.push(n_before);
        }
        let mut places = offsets.clone();
        let mut transposed = CsrMatrix {
            n_columns: self.n_rows(),
            offsets,
            columns: vec![0; self.n_cells()],
            values: vec![0.0; self.n_cells()],
        };
        for row in 0..self.n_rows() {
            let (columns, values) = self.row(row);
            for (&column, &value) in columns.iter().zip(values) {
                let place = &mut places[column as usize];
                transposed.columns[*place] = row as u32;
                transposed.values[*place] = value;
                *place += 1;
            }
        }
        transposed
    }

    /// Returns the matrix with each column multiplied by its factor.
    #[must_use]
    pub(crate) fn with_columns_scaled(&self, factors: &[f64]) -> CsrMatrix {
        let scale = |(&column, value): (&u32, &f64)| value * factors[column as usize];
        let values = self.columns.iter().zip(&self.values).map(scale).collect();
        CsrMatrix { values, ..self.clone() }
    }

    /// Returns for each column whether all of its cells, 0 where none is stored, hold the same, or nothing.
    pub(super) fn constant_columns(&self) -> Vec<bool> {
        let mut firsts: Vec<Option<f64>> = vec![None; self.n_columns];
        let mut n_same = vec![0; self.n_columns];
        for (&column, &value) in self.columns.iter().zip(&self.values).filter(|(_, value)| **value != 0.0) {
            let first = *firsts[column as usize].get_or_insert(value);
            n_same[column as usize] += usize::from(is_same(first, value));
        }
        let is_constant = |(first, n_same): (Option<f64>, usize)| first.is_none() || n_same == self.n_rows();
        firsts.into_iter().zip(n_same).map(is_constant).collect()
    }

    /// Returns how many cells each column stores.
    pub(crate) fn cells_per_column(&self) -> Vec<u32> {
        let mut counts = vec![0; self.n_columns];
        for &column in &self.columns {
            counts[column as usize] += 1;
        }
        counts
    }
}

impl From<&DenseMatrix> for CsrMatrix {
    fn from(dense: &DenseMatrix) -> CsrMatrix {
        let mut builder = CsrBuilder::new(dense.n_columns());
        for row in 0..dense.n_rows() {
            for (column, &value) in dense.row(row).iter().enumerate() {
                builder.push(column, value);
            }
            builder.end_row();
        }
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> DenseMatrix {
        DenseMatrix::new(3, 2, vec![0.0, 1.5, 0.0, 0.0, -2.0, 3.0])
    }

    #[test]
    fn sparse_and_dense_hold_the_same_cells() {
        let sparse = CsrMatrix::from(&sample());
        assert_eq!(sparse.n_cells(), 3);
        assert_eq!(sparse.row(2), (&[0, 1][..], &[-2.0, 3.0][..]));
        assert_eq!(DenseMatrix::from(&sparse), sample());
    }

    #[test]
    fn rows_and_columns_change_places() {
        let transposed = CsrMatrix::from(&sample()).transposed();
        assert_eq!(DenseMatrix::from(&transposed), DenseMatrix::new(2, 3, vec![0.0, 0.0, -2.0, 1.5, 0.0, 3.0]));
        assert_eq!(transposed.transposed(), CsrMatrix::from(&sample()));
    }

    #[test]
    fn columns_are_scaled_each_by_its_factor() {
        let scaled = CsrMatrix::from(&sample()).with_columns_scaled(&[2.0, 10.0]);
        assert_eq!(DenseMatrix::from(&scaled), DenseMatrix::new(3, 2, vec![0.0, 15.0, 0.0, 0.0, -4.0, 30.0]));
    }

    #[test]
    fn parts_make_the_whole() {
        let whole = CsrMatrix::from(&sample());
        let parts = [whole.take(&[0]), whole.take(&[1, 2])];
        assert_eq!(CsrMatrix::concatenate(2, &parts), whole);
        assert_eq!(CsrMatrix::concatenate(2, &[]).n_rows(), 0);
    }

    #[test]
    fn rows_made_in_parallel_are_in_their_places() {
        let n_rows = 2 * ROWS_PER_PART + 1;
        let matrix = CsrMatrix::by_rows(3, n_rows, |row, builder| {
            builder.push(row % 3, row as f64);
        });
        assert_eq!((matrix.n_rows(), matrix.n_cells()), (n_rows, n_rows - 1));
        for row in 1..n_rows {
            assert_eq!(matrix.row(row), (&[(row % 3) as u32][..], &[row as f64][..]));
        }
    }
}
