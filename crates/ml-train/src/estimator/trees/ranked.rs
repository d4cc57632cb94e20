//! Features as ranks among their own values, so that whole numbers are sorted and counted in place of others.

use rayon::prelude::*;

use crate::matrix::DenseMatrix;

/// The features of all rows, feature by feature.
pub(super) struct RankedFeatures {
    columns: Vec<RankedColumn>,
    n_rows: usize,
}

/// One feature.
pub(super) struct RankedColumn {
    /// The values that there are, ascending.
    values: Vec<f64>,
    /// Row by row the place of its value among those.
    ranks: Vec<u32>,
}

impl RankedFeatures {
    /// Ranks features of which no cell is missing.
    pub(super) fn new(features: &DenseMatrix) -> RankedFeatures {
        let columns = (0..features.n_columns()).into_par_iter().map(|column| RankedColumn::new(features, column));
        RankedFeatures { columns: columns.collect(), n_rows: features.n_rows() }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(super) fn n_columns(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn column(&self, feature: usize) -> &RankedColumn {
        &self.columns[feature]
    }
}

impl RankedColumn {
    fn new(features: &DenseMatrix, column: usize) -> RankedColumn {
        // A zero with a sign becomes one without: they are the same value.
        let cells = features.cells().iter().skip(column).step_by(features.n_columns()).map(|cell| cell + 0.0);
        let mut order: Vec<(f64, u32)> = cells.zip(0..).collect();
        order.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let (mut values, mut ranks) = (Vec::new(), vec![0; order.len()]);
        for (cell, row) in order {
            if values.last() != Some(&cell) {
                values.push(cell);
            }
            ranks[row as usize] = values.len() as u32 - 1;
        }
        RankedColumn { values, ranks }
    }

    pub(super) fn n_values(&self) -> usize {
        self.values.len()
    }

    pub(super) fn value(&self, rank: u32) -> f64 {
        self.values[rank as usize]
    }

    #[inline]
    pub(super) fn rank(&self, row: u32) -> u32 {
        self.ranks[row as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_rank_and_zeros_are_equal() {
        let cells = vec![2.5, 0.0, -1.0, -0.0, 2.5, 1e-300];
        let ranked = RankedFeatures::new(&DenseMatrix::new(3, 2, cells));
        let ranks = |feature| [0, 1, 2].map(|row| ranked.column(feature).rank(row));
        assert_eq!((ranks(0), ranks(1)), ([1, 0, 1], [0, 0, 1]));
        assert_eq!((ranked.column(0).n_values(), ranked.column(0).value(1)), (2, 2.5));
    }
}
