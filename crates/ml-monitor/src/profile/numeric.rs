//! The profile of a column of quantities.

use serde::{Deserialize, Serialize};

use crate::numbers::{self, NumberSummary};

/// How many bins of about equal counts the values are put in.
const N_BINS: usize = 10;

/// The most values that are kept as they are.
const MAX_SAMPLE: usize = 1000;

/// What a sample of quantities is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumericProfile {
    /// Counts and moments.
    pub summary: NumberSummary,
    /// The upper edges of all bins but the last, ascending: the distinct deciles below the largest value. A value that
    /// equals an edge is in the bin below it.
    pub edges: Vec<f64>,
    /// How many finite values each bin has; one more than there are edges.
    pub counts: Vec<u64>,
    /// Finite values in ascending order: all of up to 1,000, else 1,000 of them at even distances in rank.
    pub sample: Vec<f64>,
}

impl NumericProfile {
    /// Profiles `values`, where `NaN` is missing. Infinite values are only counted.
    pub fn of(values: &[f64]) -> NumericProfile {
        let sorted = numbers::sorted_finite(values);
        let edges = decile_edges(&sorted);
        let counts = bin_counts(&edges, &sorted);
        NumericProfile { summary: NumberSummary::of(values), edges, counts, sample: order_statistics(&sorted) }
    }
}

/// Counts the finite ones of `values` by bin: up to the first edge, up to the second, …, above the last.
pub(crate) fn bin_counts(edges: &[f64], values: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() + 1];
    for &value in values.iter().filter(|value| value.is_finite()) {
        counts[edges.partition_point(|&edge| edge < value)] += 1;
    }
    counts
}

/// Returns the distinct deciles below the largest value, so that no bin of the reference is empty for want of values above it.
fn decile_edges(sorted: &[f64]) -> Vec<f64> {
    let deciles = (1..N_BINS).filter_map(|bin| numbers::quantile(sorted, bin as f64 / N_BINS as f64));
    let mut edges: Vec<f64> = deciles.filter(|edge| sorted.last().is_some_and(|max| edge < max)).collect();
    edges.dedup();
    edges
}

/// Returns all of `sorted`, or [`MAX_SAMPLE`] of its values, each from the middle of a stretch of equal length.
fn order_statistics(sorted: &[f64]) -> Vec<f64> {
    if sorted.len() <= MAX_SAMPLE {
        return sorted.to_vec();
    }
    (0..MAX_SAMPLE).map(|i| sorted[(2 * i + 1) * sorted.len() / (2 * MAX_SAMPLE)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deciles_of_a_continuous_column_hold_a_tenth_each() {
        let values: Vec<f64> = (0..5000).map(|i| f64::from(i).sqrt()).collect();
        let profile = NumericProfile::of(&values);
        assert_eq!(profile.counts, [500; 10]);
        assert_eq!(profile.sample.len(), 1000);
        assert_eq!(profile.sample[500], values[2502]);
    }

    #[test]
    fn repeated_deciles_become_one_edge() {
        let profile = NumericProfile::of(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, f64::NAN]);
        assert_eq!(profile.edges.len() + 1, profile.counts.len());
        assert_eq!(profile.edges[0], 0.0);
        assert_eq!(profile.counts[0], 9);
        assert_eq!(profile.counts.iter().sum::<u64>(), 10);
    }

    #[test]
    fn a_constant_or_empty_column_has_one_bin() {
        assert_eq!(NumericProfile::of(&[3.0; 8]).counts, [8]);
        assert_eq!(NumericProfile::of(&[f64::NAN, f64::INFINITY]).counts, [0]);
    }
}
