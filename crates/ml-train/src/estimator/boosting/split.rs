//! The best split of a node: which feature, and which of its bins go left.

use rayon::prelude::*;

use super::bins::{BinnedRows, FeatureBins, MAX_BINS_WITH_MISSING};
use super::histogram::{Histogram, Scale, Sums};

/// The least sum of hessians of a child, as in scikit-learn; below it leaf values are noise.
const MIN_HESSIAN: f64 = 1e-3;

/// Keeps the sum of hessians of a leaf from 0.
const TINY_HESSIAN: f64 = 1e-15;

/// A gain below this share of what the node explains already is a rounding error.
const MIN_RELATIVE_GAIN: f64 = 1e-12;

/// Categories with the weight of fewer rows are not told apart, and means of gradients are drawn towards 0 as if by so
/// many rows. Source: Ke et al., *LightGBM* (2017), parameter `cat_smooth`.
const CATEGORY_SUPPORT: f64 = 10.0;

/// From this many features on, they are shared between threads.
const MIN_PARALLEL_FEATURES: usize = 64;

/// Some of the bins of a feature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct BinSet(pub(super) [u64; MAX_BINS_WITH_MISSING / 64]);

impl BinSet {
    pub(super) fn insert(&mut self, bin: usize) {
        self.0[bin / 64] |= 1 << (bin % 64);
    }

    pub(super) fn contains(&self, bin: u8) -> bool {
        self.0[usize::from(bin) / 64] >> (bin % 64) & 1 == 1
    }
}

/// A split, and the sums of its children.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) feature: usize,
    /// How much the loss falls, to second order.
    pub(super) gain: f64,
    /// For a feature of numbers the greatest bin that goes left; `None` for categories.
    pub(super) last_left_bin: Option<u8>,
    /// The bins that go left, with that of missing values if it does.
    pub(super) left_bins: BinSet,
    pub(super) left: Sums,
    pub(super) right: Sums,
}

/// What splits must keep to.
#[derive(Debug, Clone, Copy)]
pub(super) struct SplitLimits {
    pub(super) min_samples_leaf: usize,
    pub(super) l2: f64,
}

/// Looks for splits under one scale.
pub(super) struct SplitSearch<'a> {
    pub(super) binned: &'a BinnedRows,
    pub(super) limits: SplitLimits,
    pub(super) scale: Scale,
}

impl SplitSearch<'_> {
    /// Returns the split of greatest gain over `features`, the first of equals; `None` if none gains anything.
    pub(super) fn best(&self, histogram: &Histogram, features: &[usize], node: Sums) -> Option<Split> {
        let best_of = |&feature: &usize| self.best_of_feature(histogram, feature, node);
        let splits: Vec<Option<Split>> = if features.len() < MIN_PARALLEL_FEATURES {
            features.iter().map(best_of).collect()
        } else {
            features.par_iter().map(best_of).collect()
        };
        splits.into_iter().flatten().reduce(|best, split| if split.gain > best.gain { split } else { best })
    }

    /// Returns the value of a leaf, the step of Newton's method: `−G / (H + l2)`.
    pub(super) fn leaf_value(&self, node: Sums) -> f64 {
        let gradient = Scale::gradient_units(node) * self.scale.gradient_unit();
        let hessian = self.scale.hessian_units(node) * self.scale.hessian_unit();
        -gradient / (hessian + self.limits.l2 + TINY_HESSIAN)
    }

    fn best_of_feature(&self, histogram: &Histogram, feature: usize, node: Sums) -> Option<Split> {
        let bins = self.binned.feature(feature);
        let sums = &histogram.feature(feature)[..=bins.n_bins()];
        let mut search = FeatureSearch::new(self, node);
        match bins {
            FeatureBins::Numbers(_) => search.numbers(feature, sums),
            FeatureBins::Categories(_) => search.categories(feature, sums),
        }
    }
}

/// The search over one feature of one node. Sums are in units of the scale, which saves two multiplications a candidate.
struct FeatureSearch<'a> {
    scale: Scale,
    limits: &'a SplitLimits,
    node: Sums,
    gradient: f64,
    hessian: f64,
    count: usize,
    l2: f64,
    min_hessian: f64,
    /// The score of the node as a leaf.
    node_score: f64,
    best_score: f64,
}

/// Whether a candidate is allowed, and whether later ones, with more on the left, may be.
#[derive(PartialEq)]
enum Candidate {
    Better,
    NotBetter,
    TooSmallRight,
}

impl<'a> FeatureSearch<'a> {
    fn new(search: &'a SplitSearch<'_>, node: Sums) -> FeatureSearch<'a> {
        let scale = search.scale;
        let (gradient, hessian) = (Scale::gradient_units(node), scale.hessian_units(node));
        let l2 = (search.limits.l2 + TINY_HESSIAN) / scale.hessian_unit();
        let node_score = gradient * gradient / (hessian + l2);
        FeatureSearch {
            scale,
            limits: &search.limits,
            node,
            gradient,
            hessian,
            count: scale.count(node),
            l2,
            min_hessian: MIN_HESSIAN / scale.hessian_unit(),
            node_score,
            best_score: node_score * (1.0 + MIN_RELATIVE_GAIN),
        }
    }

    /// Judges the split with the sums `left` on the left, and remembers its score if it is the best.
    fn judge(&mut self, left: Sums) -> Candidate {
        let n_left = self.scale.count(left);
        let (left_gradient, left_hessian) = (Scale::gradient_units(left), self.scale.hessian_units(left));
        let (right_gradient, right_hessian) = (self.gradient - left_gradient, self.hessian - left_hessian);
        if n_left < self.limits.min_samples_leaf || left_hessian < self.min_hessian {
            return Candidate::NotBetter;
        }
        if self.count - n_left < self.limits.min_samples_leaf || right_hessian < self.min_hessian {
            return Candidate::TooSmallRight;
        }
        // Chen and Guestrin, XGBoost: A Scalable Tree Boosting System (2016), equation 7, but for what is constant.
        let score = left_gradient * left_gradient / (left_hessian + self.l2)
            + right_gradient * right_gradient / (right_hessian + self.l2);
        if score <= self.best_score {
            return Candidate::NotBetter;
        }
        self.best_score = score;
        Candidate::Better
    }

    fn split(&self, feature: usize, last_left_bin: Option<u8>, left_bins: BinSet, left: Sums) -> Split {
        let unit = self.scale.gradient_unit() / self.scale.hessian_unit() * self.scale.gradient_unit();
        let gain = (self.best_score - self.node_score) * unit;
        Split { feature, gain, last_left_bin, left_bins, left, right: self.node.minus(left) }
    }

    /// Tries every threshold, with missing values on the right and, where there are any, on the left.
    fn numbers(&mut self, feature: usize, sums: &[Sums]) -> Option<Split> {
        let (missing, values) = sums.split_last()?;
        let has_missing = *missing != Sums::default();
        let mut best = self.thresholds(values, Sums::default()).map(|found| (found, false));
        if has_missing {
            best = self.thresholds(values, *missing).map(|found| (found, true)).or(best);
        }
        let ((last_left, left), missing_left) = best?;
        let mut left_bins = BinSet::default();
        (0..=last_left).for_each(|bin| left_bins.insert(bin));
        let split = self.split(feature, Some(last_left as u8), left_bins, left);
        Some(self.with_missing(split, values.len(), if has_missing { Some(missing_left) } else { None }))
    }

    /// Returns the best threshold, if one is better than what was found before, and the sums on its left, which begin with
    /// `left`.
    fn thresholds(&mut self, values: &[Sums], mut left: Sums) -> Option<(usize, Sums)> {
        let mut best = None;
        for (bin, &sums) in values.iter().enumerate() {
            // A threshold after an empty bin is no other split than the one before.
            if sums == Sums::default() {
                continue;
            }
            left.add(sums);
            match self.judge(left) {
                Candidate::Better => best = Some((bin, left)),
                Candidate::NotBetter => {}
                Candidate::TooSmallRight => break,
            }
        }
        best
    }

    /// Puts categories in the order of their mean gradients and tries every cut, from both ends to the middle; the best
    /// two groups are found so. Missing values are a category. What is too rare to be told apart stays on the right.
    ///
    /// Source: Fisher, *On grouping for maximum homogeneity* (1958).
    fn categories(&mut self, feature: usize, sums: &[Sums]) -> Option<Split> {
        let rows_per_hessian = self.count as f64 / self.hessian;
        let smoothing = CATEGORY_SUPPORT / self.scale.hessian_unit();
        let mut order: Vec<(f64, usize)> = Vec::with_capacity(sums.len());
        for (bin, &sums) in sums.iter().enumerate() {
            let hessian = self.scale.hessian_units(sums);
            if sums != Sums::default() && hessian * rows_per_hessian >= CATEGORY_SUPPORT {
                order.push((Scale::gradient_units(sums) / (hessian + smoothing), bin));
            }
        }
        if order.len() < 2 {
            return None;
        }
        order.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        let bins: Vec<usize> = order.into_iter().map(|(_, bin)| bin).collect();
        let backwards: Vec<usize> = bins.iter().rev().copied().collect();
        let middle = bins.len().div_ceil(2);
        let upwards = self.cuts(&bins[..middle], sums);
        let downwards = self.cuts(&backwards[..middle - 1], sums);
        let (chosen, left) = downwards.or(upwards)?;
        let mut left_bins = BinSet::default();
        for &bin in chosen {
            left_bins.insert(bin);
        }
        let split = self.split(feature, None, left_bins, left);

        let missing = sums.len() - 1;
        let has_missing = sums[missing] != Sums::default();
        let missing_left = left_bins.contains(missing as u8);
        let mut split = self.with_missing(split, missing, if has_missing { Some(missing_left) } else { None });
        // A category that no row of the node has goes where one that no training row has would go.
        if split.left_bins.contains(missing as u8) && !has_missing {
            (0..missing).filter(|&bin| sums[bin] == Sums::default()).for_each(|bin| split.left_bins.insert(bin));
        }
        Some(split)
    }

    /// Returns the best beginning of `bins` to go left, if one is better than what was found before, and its sums.
    fn cuts<'b>(&mut self, bins: &'b [usize], sums: &[Sums]) -> Option<(&'b [usize], Sums)> {
        let mut best = None;
        let mut left = Sums::default();
        for (position, &bin) in bins.iter().enumerate() {
            left.add(sums[bin]);
            match self.judge(left) {
                Candidate::Better => best = Some((&bins[..=position], left)),
                Candidate::NotBetter => {}
                Candidate::TooSmallRight => break,
            }
        }
        best
    }

    /// Sends missing values left or right as was learnt, or with the greater child if the node has none.
    fn with_missing(&self, mut split: Split, missing_bin: usize, learnt: Option<bool>) -> Split {
        let most_left = || self.scale.count(split.left) > self.scale.count(split.right);
        if learnt.unwrap_or_else(most_left) {
            split.left_bins.insert(missing_bin);
        }
        split
    }
}
