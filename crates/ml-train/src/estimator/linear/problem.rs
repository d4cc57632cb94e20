//! Sparse rows laid out for coordinate descent.
//!
//! Coordinate descent reads weights for every cell, and waits for memory most of the time. Two things keep the weights
//! close to the processor. Frequent features, which make up most cells, have their weights side by side. Features of one
//! row alone, which in texts are more than half of all, have no weight to read: what such a feature adds to its row's sum
//! follows from the row's own dual variable.

use std::ops::Range;

use rayon::prelude::*;

use crate::matrix::{CsrBuilder, CsrMatrix, FeatureMatrix};

/// The rows of a training.
pub(super) struct Problem {
    /// The cells of features that several rows share, by place.
    shared: CsrMatrix,
    /// Where the weight of each feature comes from.
    pub(super) sources: Vec<Source>,
    lengths: Vec<RowLengths>,
}

/// Where the weight of a feature comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// No row has the feature: its weight is 0.
    Nowhere,
    /// Several rows have it: its weight stands at this place.
    Shared(u32),
    /// This row alone has it, with this value.
    Private { row: u32, value: f64 },
}

/// Squared lengths of a row.
#[derive(Clone, Copy)]
pub(super) struct RowLengths {
    /// Of all its features, with the 1 of the intercept.
    pub(super) whole: f64,
    /// Of the features that no other row has.
    pub(super) private: f64,
}

impl Problem {
    pub(super) fn new(features: &FeatureMatrix) -> Problem {
        let rows = features.to_sparse();
        let counts = rows.cells_per_column();
        let mut sources = vec![Source::Nowhere; counts.len()];
        let n_shared = place_shared(&counts, &mut sources);
        let begins = (0..rows.n_rows()).into_par_iter().step_by(ROWS_PER_PART);
        let lay_out = |begin: usize| LaidOut::new(&rows, begin..rows.n_rows().min(begin + ROWS_PER_PART), &sources);
        let (mut parts, mut lengths) = (Vec::new(), Vec::with_capacity(rows.n_rows()));
        for part in begins.map(lay_out).collect::<Vec<_>>() {
            parts.push(part.shared.finish());
            lengths.extend(part.lengths);
            for (column, source) in part.private {
                sources[column as usize] = source;
            }
        }
        let shared = CsrMatrix::concatenate(n_shared, &parts);
        Problem { shared, sources, lengths }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.shared.n_rows()
    }

    pub(super) fn lengths(&self, row: usize) -> RowLengths {
        self.lengths[row]
    }
}

/// Some successive rows, laid out.
struct LaidOut {
    shared: CsrBuilder,
    lengths: Vec<RowLengths>,
    /// The features that only one of these rows has.
    private: Vec<(u32, Source)>,
}

/// How many rows a thread lays out at a time.
const ROWS_PER_PART: usize = 256;

impl LaidOut {
    /// Lays out `range`; `sources` has the places of the features that several rows share.
    fn new(rows: &CsrMatrix, range: Range<usize>, sources: &[Source]) -> LaidOut {
        let mut shared = CsrBuilder::new(sources.len());
        let (mut lengths, mut private) = (Vec::with_capacity(range.len()), Vec::new());
        for row in range {
            let mut length = RowLengths { whole: 1.0, private: 0.0 };
            let (columns, values) = rows.row(row);
            for (&column, &value) in columns.iter().zip(values) {
                length.whole += value * value;
                if let Source::Shared(place) = sources[column as usize] {
                    shared.push(place as usize, value);
                } else {
                    private.push((column, Source::Private { row: row as u32, value }));
                    length.private += value * value;
                }
            }
            shared.end_row();
            lengths.push(length);
        }
        LaidOut { shared, lengths, private }
    }
}

/// Gives a place to each feature that several rows have, frequent ones first, and returns how many there are.
fn place_shared(counts: &[u32], sources: &mut [Source]) -> usize {
    let mut by_frequency: Vec<u32> = (0..counts.len() as u32).filter(|&feature| counts[feature as usize] > 1).collect();
    by_frequency.sort_by_key(|&feature| std::cmp::Reverse(counts[feature as usize]));
    for (place, &feature) in by_frequency.iter().enumerate() {
        sources[feature as usize] = Source::Shared(place as u32);
    }
    by_frequency.len()
}

/// The weights of `LANES` binary problems by place, and their intercepts, which are the weights of a feature that is 1 in
/// every row.
pub(super) struct Weights<const LANES: usize> {
    storage: Vec<f64>,
    /// Where the weights begin in `storage`, so that those of one place do not straddle two cache lines.
    begin: usize,
    pub(super) intercepts: [f64; LANES],
}

const CACHE_LINE_BYTES: usize = 64;

impl<const LANES: usize> Weights<LANES> {
    pub(super) fn zero(problem: &Problem) -> Weights<LANES> {
        let slack = CACHE_LINE_BYTES / size_of::<f64>();
        let storage = vec![0.0; problem.shared.n_columns() * LANES + slack];
        let begin = storage.as_ptr().align_offset(CACHE_LINE_BYTES).min(slack);
        Weights { storage, begin, intercepts: [0.0; LANES] }
    }

    pub(super) fn at_place(&self, place: u32) -> &[f64; LANES] {
        &self.storage[self.begin..].as_chunks().0[place as usize]
    }

    /// Returns the weighted sums of `row` over its shared features.
    #[inline]
    pub(super) fn dot(&self, problem: &Problem, row: usize) -> [f64; LANES] {
        let weights: &[[f64; LANES]] = self.storage[self.begin..].as_chunks().0;
        let (places, values) = problem.shared.row(row);
        let (place_pairs, last_place) = places.as_chunks::<2>();
        let (value_pairs, last_value) = values.as_chunks::<2>();
        // Two sums at a time: one alone would wait for each addition to finish.
        let (mut even, mut odd) = (self.intercepts, [0.0; LANES]);
        for (places, values) in place_pairs.iter().zip(value_pairs) {
            let (first, second) = (&weights[places[0] as usize], &weights[places[1] as usize]);
            for lane in 0..LANES {
                even[lane] += first[lane] * values[0];
                odd[lane] += second[lane] * values[1];
            }
        }
        for (&place, value) in last_place.iter().zip(last_value) {
            for (sum, weight) in even.iter_mut().zip(&weights[place as usize]) {
                *sum += weight * value;
            }
        }
        for (even, odd) in even.iter_mut().zip(odd) {
            *even += odd;
        }
        even
    }

    /// Adds `steps` times the shared features of `row`.
    #[inline]
    pub(super) fn add(&mut self, problem: &Problem, row: usize, steps: &[f64; LANES]) {
        let weights: &mut [[f64; LANES]] = self.storage[self.begin..].as_chunks_mut().0;
        let (places, values) = problem.shared.row(row);
        for (&place, value) in places.iter().zip(values) {
            for (weight, step) in weights[place as usize].iter_mut().zip(steps) {
                *weight += step * value;
            }
        }
        for (intercept, step) in self.intercepts.iter_mut().zip(steps) {
            *intercept += step;
        }
    }
}
