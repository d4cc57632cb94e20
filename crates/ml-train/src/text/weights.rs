//! What the counts of terms weigh in a document.

use std::sync::LazyLock;

use super::counts::{LEFT_OUT, Rows};
use super::tally::Tally;
use crate::ahead;
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
        let mut tally = Tally::default();
        tally.reserve(self.n_terms);
        for counts in rows.iter() {
            let by_column = counts.iter().map(|&(number, count)| (column_of(number), count));
            self.push_row(tally.add_up(by_column.filter(|&(column, _)| column != LEFT_OUT)), &mut builder);
        }
        builder.finish()
    }

    /// Returns the weights of counts that have their columns already, in ascending order.
    pub(super) fn weigh_in_order(&self, rows: &Rows) -> CsrMatrix {
        let mut builder = CsrBuilder::new(self.n_terms);
        builder.reserve(rows.n_rows(), rows.n_counts());
        for counts in rows.iter() {
            self.push_row(counts, &mut builder);
        }
        builder.finish()
    }

    /// Adds the row of a document with the given counts, by ascending column.
    pub(super) fn push_row(&self, counts: &[(u32, i32)], builder: &mut CsrBuilder) {
        let factors = self.inverse_document_frequencies;
        ahead::touch(counts.iter().filter_map(|&(column, _)| Some(factors.get(column as usize)?.to_bits())));
        let weights: Vec<f64> = counts.iter().map(|&(column, count)| self.weight(column, count)).collect();
        let length = self.spec.norm.length(&weights);
        builder.reserve(1, counts.len());
        for (&(column, _), weight) in counts.iter().zip(&weights) {
            builder.push(column as usize, weight / length);
        }
        builder.end_row();
    }

    #[inline]
    fn weight(&self, column: u32, count: i32) -> f64 {
        let frequency = match count {
            // Most terms are there once, and the logarithm of 1 need not be asked for.
            1 => 1.0,
            _ if self.spec.binary => 1.0,
            _ if self.spec.sublinear_tf => sublinear(count),
            _ => f64::from(count),
        };
        match self.inverse_document_frequencies.get(column as usize) {
            Some(weight) => frequency * weight,
            None => frequency,
        }
    }
}

/// How much a term weighs that is there so many times.
fn sublinear(count: i32) -> f64 {
    match SUBLINEAR.get(count as usize) {
        Some(weight) => *weight,
        None => 1.0 + f64::from(count).ln(),
    }
}

/// That of the counts that are usual.
static SUBLINEAR: LazyLock<[f64; 64]> = LazyLock::new(|| std::array::from_fn(|count| 1.0 + (count as f64).ln()));

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
