//! Features as bins: each cell one byte, so that a histogram is a table with one row per byte.
//!
//! Groups of four features lie side by side, row by row: one look at a row serves four histograms.

use rayon::prelude::*;

use crate::estimator::cut::cut_between;
use crate::matrix::DenseMatrix;
use crate::random::SplitMix64;

/// How many features lie side by side.
pub(super) const GROUP_WIDTH: usize = 4;

/// The most bins of a feature with the one for missing values: what a byte tells apart.
pub(super) const MAX_BINS_WITH_MISSING: usize = 256;

/// Thresholds are quantiles of at most this many values.
const MAX_SAMPLE: usize = 200_000;

/// Which stream of random numbers draws that sample.
const SAMPLE_STREAM: u64 = 0xb1_5a_3b;

/// How the cells of a feature become bins. The bin after those of values is for missing ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FeatureBins {
    /// Ascending numbers; a value is in the first bin whose threshold it does not exceed, or in the one after the last.
    Numbers(Vec<f64>),
    /// Codes from 0, each a bin.
    Categories(usize),
}

/// All rows in bins.
#[derive(Debug)]
pub(super) struct BinnedRows {
    features: Vec<FeatureBins>,
    groups: Vec<Vec<[u8; GROUP_WIDTH]>>,
    n_rows: usize,
}

impl FeatureBins {
    /// Returns the number of bins of values, which is also the bin of missing ones.
    pub(super) fn n_bins(&self) -> usize {
        match self {
            FeatureBins::Numbers(thresholds) => thresholds.len() + 1,
            FeatureBins::Categories(n_categories) => *n_categories,
        }
    }

    fn bin_of(&self, cell: f64) -> u8 {
        let bin = match self {
            _ if cell.is_nan() => self.n_bins(),
            FeatureBins::Numbers(thresholds) => thresholds.partition_point(|threshold| *threshold < cell),
            FeatureBins::Categories(n_categories) => (cell as usize).min(*n_categories),
        };
        bin as u8
    }
}

impl BinnedRows {
    /// Puts `features` in at most `max_bins` bins each, besides that of missing values. Thresholds are learnt from
    /// `rows` alone. `categories` has the number of categories of features that are codes of such.
    pub(super) fn new(
        features: &DenseMatrix,
        rows: &[u32],
        categories: &[Option<usize>],
        max_bins: usize,
        seed: u64,
    ) -> BinnedRows {
        let n_columns = features.n_columns();
        let sample = sample(rows, seed);
        let column =
            |feature: usize| sample.iter().map(move |&row| features.cells()[row as usize * n_columns + feature]);
        let bins: Vec<FeatureBins> = (0..n_columns)
            .into_par_iter()
            .map(|feature| match categories.get(feature).copied().flatten() {
                Some(n_categories) => FeatureBins::Categories(n_categories),
                None => FeatureBins::Numbers(thresholds(column(feature), max_bins)),
            })
            .collect();
        let groups = bins.par_chunks(GROUP_WIDTH).enumerate().map(|(group, bins)| binned_group(features, group, bins));
        BinnedRows { groups: groups.collect(), features: bins, n_rows: features.n_rows() }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(super) fn n_features(&self) -> usize {
        self.features.len()
    }

    pub(super) fn feature(&self, feature: usize) -> &FeatureBins {
        &self.features[feature]
    }

    /// Returns the bins of each group of features, row by row. What fills up the last group is never looked at.
    pub(super) fn groups(&self) -> &[Vec<[u8; GROUP_WIDTH]>] {
        &self.groups
    }

    /// Returns the bin of a cell.
    pub(super) fn bin(&self, row: u32, feature: usize) -> u8 {
        self.groups[feature / GROUP_WIDTH][row as usize][feature % GROUP_WIDTH]
    }
}

fn sample(rows: &[u32], seed: u64) -> Vec<u32> {
    if rows.len() <= MAX_SAMPLE {
        return rows.to_vec();
    }
    let mut random = SplitMix64::new(seed, SAMPLE_STREAM);
    (0..MAX_SAMPLE).map(|_| rows[random.below(rows.len())]).collect()
}

/// Returns at most `max_bins − 1` numbers that cut the values into bins of about the same size; between any two of them,
/// when there are no more than `max_bins`.
fn thresholds(cells: impl Iterator<Item = f64>, max_bins: usize) -> Vec<f64> {
    let mut values: Vec<f64> = cells.filter(|cell| !cell.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let mut distinct = values.clone();
    distinct.dedup();
    if distinct.len() <= max_bins {
        return distinct.windows(2).map(|pair| cut_between(pair[0], pair[1])).collect();
    }
    let mut cuts: Vec<f64> = (1..max_bins).map(|part| quantile(&values, part, max_bins)).collect();
    cuts.dedup();
    cuts
}

/// The inverse of the empirical distribution at `part / n_parts`, the mean of both values where it steps.
fn quantile(sorted: &[f64], part: usize, n_parts: usize) -> f64 {
    let position = sorted.len() * part / n_parts;
    if (sorted.len() * part).is_multiple_of(n_parts) {
        cut_between(sorted[position - 1], sorted[position])
    } else {
        sorted[position]
    }
}

fn binned_group(features: &DenseMatrix, group: usize, bins: &[FeatureBins]) -> Vec<[u8; GROUP_WIDTH]> {
    let first_feature = group * GROUP_WIDTH;
    let binned_row = |row: usize| {
        let cells = &features.row(row)[first_feature..];
        // What fills up the group varies, because adding to the same bin again and again would be slow.
        let mut binned = [row as u8; GROUP_WIDTH];
        for ((bin, &cell), feature) in binned.iter_mut().zip(cells).zip(bins) {
            *bin = feature.bin_of(cell);
        }
        binned
    };
    (0..features.n_rows()).into_par_iter().with_min_len(1024).map(binned_row).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_values_are_a_bin_each() {
        let cuts = thresholds([3.0, 1.0, f64::NAN, 3.0, 2.0].into_iter(), 255);
        assert_eq!(cuts, [1.5, 2.5]);
        let bins = FeatureBins::Numbers(cuts);
        let binned = [0.0, 1.0, 1.5, 1.6, 2.5, 9.0, f64::INFINITY, f64::NAN].map(|cell| bins.bin_of(cell));
        assert_eq!(binned, [0, 0, 0, 1, 1, 2, 2, 3]);
    }

    #[test]
    fn many_values_are_in_bins_of_about_the_same_size() {
        let cuts = thresholds((0..1000).map(f64::from), 10);
        assert_eq!(cuts, [99.5, 199.5, 299.5, 399.5, 499.5, 599.5, 699.5, 799.5, 899.5]);
    }

    #[test]
    fn where_nothing_can_be_told_apart_there_is_no_cut() {
        assert!(thresholds([f64::NAN, f64::NAN].into_iter(), 255).is_empty());
        assert!(thresholds([0.0, -0.0].into_iter(), 255).is_empty());
    }

    #[test]
    fn categories_are_bins_and_strangers_are_missing() {
        let bins = FeatureBins::Categories(3);
        assert_eq!([0.0, 2.0, 7.0, f64::NAN].map(|cell| bins.bin_of(cell)), [0, 2, 3, 3]);
    }

    proptest! {
        #[test]
        fn bins_keep_the_order_of_values(mut values in prop::collection::vec(-100.0..100.0, 1..500), max_bins in 2_usize..255) {
            let bins = FeatureBins::Numbers(thresholds(values.iter().copied(), max_bins));
            prop_assert!(bins.n_bins() <= max_bins);
            values.sort_unstable_by(f64::total_cmp);
            let binned: Vec<u8> = values.iter().map(|&value| bins.bin_of(value)).collect();
            prop_assert!(binned.is_sorted());
        }
    }
}
