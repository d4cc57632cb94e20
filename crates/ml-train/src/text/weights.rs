//! What the counts of terms weigh in a document.

use super::counts::{LEFT_OUT, Rows};
use crate::matrix::{CsrBuilder, CsrMatrix};
use crate::spec::{Norm, TfidfSpec};

/// How terms are weighed.
pub(super) struct TermWeights<'m> {
    pub(super) spec: &'m TfidfSpec,
    pub(super) n_terms: usize,
    /// Empty where all terms weigh the same.
    pub(super) inverse_document_frequencies: &'m [f64],
}

impl TermWeights<'_> {
    /// Returns the weights of the counts in `rows`, by the columns that `column_of` gives their terms; [`LEFT_OUT`] leaves
    /// one out.
    pub(super) fn weigh(&self, rows: &Rows, column_of: impl Fn(u32) -> u32) -> CsrMatrix {
        let mut builder = CsrBuilder::new(self.n_terms);
        builder.reserve(rows.n_rows(), rows.n_counts());
        let mut row: Vec<(u32, i32)> = Vec::new();
        let mut weights: Vec<f64> = Vec::new();
        for counts in rows.iter() {
            row.clear();
            row.extend(counts.iter().map(|&(number, count)| (column_of(number), count)));
            row.retain(|&(column, _)| column != LEFT_OUT);
            row.sort_unstable_by_key(|&(column, _)| column);
            weights.clear();
            weights.extend(row.iter().map(|&(column, count)| self.weight(column, count)));
            let length = self.spec.norm.length(&weights);
            for (&(column, _), weight) in row.iter().zip(&weights) {
                builder.push(column as usize, weight / length);
            }
            builder.end_row();
        }
        builder.finish()
    }

    #[inline]
    fn weight(&self, column: u32, count: i32) -> f64 {
        let frequency = match count {
            // Most terms are there once, and the logarithm of 1 need not be asked for.
            1 => 1.0,
            _ if self.spec.binary => 1.0,
            _ if self.spec.sublinear_tf => 1.0 + f64::from(count).ln(),
            _ => f64::from(count),
        };
        match self.inverse_document_frequencies.get(column as usize) {
            Some(weight) => frequency * weight,
            None => frequency,
        }
    }
}

impl Norm {
    /// Returns what the weights of a document are divided by.
    fn length(self, weights: &[f64]) -> f64 {
        let length = match self {
            Norm::L2 => weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt(),
            Norm::L1 => weights.iter().map(|weight| weight.abs()).sum(),
            Norm::None => 1.0,
        };
        if length == 0.0 { 1.0 } else { length }
    }
}
