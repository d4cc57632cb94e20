//! Sparse rows laid out for coordinate descent.

use crate::matrix::{CsrMatrix, FeatureMatrix};

/// The rows of a training, with the most frequent features first.
///
/// Coordinate descent reads a weight per cell. Frequent features make up most cells; with their weights side by side, most
/// reads hit the processor's nearest cache.
pub(super) struct Problem {
    rows: CsrMatrix,
    /// The place of each feature.
    places: Vec<u32>,
    /// Squared length of each row, with the 1 of the intercept.
    pub(super) squared_lengths: Vec<f64>,
}

/// Weights by place, and the intercept, which is the weight of a feature that is 1 in every row.
pub(super) struct Weights {
    by_place: Vec<f64>,
    pub(super) intercept: f64,
}

impl Problem {
    pub(super) fn new(features: &FeatureMatrix) -> Problem {
        let rows = features.to_sparse();
        let counts = rows.cells_per_column();
        let mut by_frequency: Vec<u32> = (0..counts.len() as u32).collect();
        by_frequency.sort_by_key(|&feature| std::cmp::Reverse(counts[feature as usize]));
        let mut places = vec![0; counts.len()];
        for (place, &feature) in by_frequency.iter().enumerate() {
            places[feature as usize] = place as u32;
        }
        let rows = rows.with_columns_renamed(&places);
        let squared_lengths = (0..rows.n_rows())
            .map(|row| 1.0 + rows.row(row).1.iter().map(|value| value * value).sum::<f64>())
            .collect();
        Problem { rows, places, squared_lengths }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    pub(super) fn n_features(&self) -> usize {
        self.places.len()
    }

    /// Returns the place of each feature.
    pub(super) fn places(&self) -> &[u32] {
        &self.places
    }
}

impl Weights {
    pub(super) fn zero(problem: &Problem) -> Weights {
        Weights { by_place: vec![0.0; problem.n_features()], intercept: 0.0 }
    }

    pub(super) fn at_place(&self, place: u32) -> f64 {
        self.by_place[place as usize]
    }

    /// Returns the weighted sum of `row`.
    #[inline]
    pub(super) fn dot(&self, problem: &Problem, row: usize) -> f64 {
        let (places, values) = problem.rows.row(row);
        let (place_quads, last_places) = places.as_chunks::<4>();
        let (value_quads, last_values) = values.as_chunks::<4>();
        // Four sums at a time: one alone would wait for each addition to finish.
        let mut sums = [self.intercept, 0.0, 0.0, 0.0];
        for (places, values) in place_quads.iter().zip(value_quads) {
            for lane in 0..4 {
                sums[lane] += self.by_place[places[lane] as usize] * values[lane];
            }
        }
        for (&place, value) in last_places.iter().zip(last_values) {
            sums[0] += self.by_place[place as usize] * value;
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }

    /// Adds `step` times `row`.
    #[inline]
    pub(super) fn add(&mut self, problem: &Problem, row: usize, step: f64) {
        let (places, values) = problem.rows.row(row);
        for (&place, value) in places.iter().zip(values) {
            self.by_place[place as usize] += step * value;
        }
        self.intercept += step;
    }
}
