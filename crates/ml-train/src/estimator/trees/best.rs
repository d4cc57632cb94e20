//! Growing a tree by the best of all cuts.
//!
//! Source: Breiman, Friedman, Olshen and Stone, *Classification and Regression Trees* (1984), with Gini's impurity for classes
//! and the squared error for numbers.

use rayon::prelude::*;

use super::GrownTree;
use super::growth::{Fate, grow, partition};
use super::ranked::{RankedColumn, RankedFeatures};
use super::sides::{ClassSides, Learnt, NumberSides, Sides, Weights};
use crate::error::TrainError;
use crate::estimator::cut::cut_between;
use crate::progress::Progress;
use crate::random::SplitMix64;

/// Rows are counted by value where the values need no more cells than this many times the rows; else they are sorted.
const MAX_CELLS_PER_ROW: usize = 4;

/// From this many cells of a node on, its features are shared between threads.
const MIN_PARALLEL_CELLS: usize = 1 << 15;

/// When a node becomes a leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct GrowthLimits {
    /// The most splits from the root to a leaf.
    pub(super) max_depth: Option<u16>,
    pub(super) min_samples_leaf: usize,
    pub(super) min_samples_split: usize,
}

/// Grows trees on the same rows.
pub(super) struct Grower<'a> {
    pub(super) features: &'a RankedFeatures,
    pub(super) learnt: &'a Learnt<'a>,
    pub(super) limits: GrowthLimits,
    pub(super) choice: Choice,
}

/// Which features each split chooses from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Choice {
    /// All; of cuts that are equally good the first counts.
    All,
    /// So many, tried in random order, which also decides between cuts that are equally good: there are many in small nodes, and
    /// trees should differ.
    Drawn(usize),
}

/// A cut after a value of a feature.
#[derive(Debug, Clone, Copy)]
struct Cut {
    feature: usize,
    likeness: f64,
    /// The ranks of the greatest value on the left and the least on the right.
    ranks: [u32; 2],
}

/// What trying a feature came to.
enum Tried {
    /// All rows have the same value.
    Constant,
    /// No cut leaves enough rows on both sides.
    TooFew,
    Cut(Cut),
}

/// Memory that is used again and again.
struct Scratch<C> {
    cells: Vec<C>,
    keys: Vec<u64>,
}

impl<C> Default for Scratch<C> {
    fn default() -> Scratch<C> {
        Scratch { cells: Vec::new(), keys: Vec::new() }
    }
}

impl Grower<'_> {
    /// Grows a tree on the rows that count; `settled` is told how many rows each leaf has.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`] when `progress` says so.
    pub(super) fn grow(
        &self,
        weights: Weights<'_>,
        random: SplitMix64,
        progress: &dyn Progress,
        settled: impl FnMut(usize),
    ) -> Result<GrownTree, TrainError> {
        let rows: Vec<u32> = (0..self.features.n_rows() as u32).filter(|&row| weights.of(row) > 0).collect();
        match self.learnt {
            Learnt::Classes { indices, n_classes } => {
                let sides = |rows: &[u32]| ClassSides::new(indices, *n_classes, rows, &weights);
                self.grow_on(rows, weights, sides, random, progress, settled)
            }
            Learnt::Numbers { numbers, scaled } => {
                let numbers = scaled.as_deref().unwrap_or(numbers);
                let sides = |rows: &[u32]| NumberSides::new(numbers, rows, &weights);
                self.grow_on(rows, weights, sides, random, progress, settled)
            }
        }
    }

    fn grow_on<S: Sides>(
        &self,
        mut rows: Vec<u32>,
        weights: Weights<'_>,
        sides_of: impl Fn(&[u32]) -> S,
        mut random: SplitMix64,
        progress: &dyn Progress,
        mut settled: impl FnMut(usize),
    ) -> Result<GrownTree, TrainError> {
        let (mut scratch, mut right_rows) = (Scratch::default(), Vec::new());
        grow(&mut rows, |rows, depth| {
            if progress.is_cancelled() {
                return Err(TrainError::Cancelled);
            }
            let sides = sides_of(rows);
            let Some(cut) = self.best_cut(&sides, rows, weights, depth, &mut random, &mut scratch) else {
                settled(rows.len());
                return Ok(Fate::Leaf(self.learnt.leaf_values(rows, &weights)));
            };
            let column = self.features.column(cut.feature);
            let [last_left, first_right] = cut.ranks;
            let threshold = cut_between(column.value(last_left), column.value(first_right));
            let n_left = partition(rows, &mut right_rows, |row| column.rank(row) <= last_left);
            Ok(Fate::Split { feature: cut.feature, threshold, n_left })
        })
    }

    /// Returns the best cut of the features that are drawn, the first of equals; `None` where rows stay together.
    fn best_cut<S: Sides>(
        &self,
        sides: &S,
        rows: &[u32],
        weights: Weights<'_>,
        depth: usize,
        random: &mut SplitMix64,
        scratch: &mut Scratch<S::Cell>,
    ) -> Option<Cut> {
        let is_deep = self.limits.max_depth.is_some_and(|most| depth >= usize::from(most));
        let [_, n_rows] = sides.counts();
        if is_deep || n_rows < self.limits.min_samples_split as u64 || sides.is_pure() {
            return None;
        }
        let n_features = self.features.n_columns();
        let better = |best: Option<Cut>, tried: Tried| match (best, tried) {
            (None, Tried::Cut(cut)) => Some(cut),
            (Some(best), Tried::Cut(cut)) if cut.likeness > best.likeness => Some(cut),
            (best, _) => best,
        };
        if let Choice::Drawn(width) = self.choice {
            return best_drawn_cut(n_features, width, random, better, |feature| {
                self.try_feature(sides, rows, weights, feature, scratch)
            });
        }
        if rows.len() * n_features < MIN_PARALLEL_CELLS {
            let tried = (0..n_features).map(|feature| self.try_feature(sides, rows, weights, feature, scratch));
            return tried.fold(None, better);
        }
        let try_feature =
            |scratch: &mut Scratch<S::Cell>, feature| self.try_feature(sides, rows, weights, feature, scratch);
        let tried = (0..n_features).into_par_iter().map_init(Scratch::default, try_feature);
        tried.collect::<Vec<Tried>>().into_iter().fold(None, better)
    }

    fn try_feature<S: Sides>(
        &self,
        sides: &S,
        rows: &[u32],
        weights: Weights<'_>,
        feature: usize,
        scratch: &mut Scratch<S::Cell>,
    ) -> Tried {
        let column = self.features.column(feature);
        if column.n_values() < 2 {
            return Tried::Constant;
        }
        let mut search =
            Search { sides: sides.clone(), least: self.limits.min_samples_leaf as u64, last: None, best: None };
        let n_cells = sides.n_cells();
        if column.n_values() * n_cells <= MAX_CELLS_PER_ROW * rows.len() {
            search.by_counting(column, rows, weights, &mut scratch.cells);
        } else {
            search.by_sorting(column, rows, weights, &mut scratch.keys);
        }
        match search.best {
            None if search.last.is_none_or(|last| last.is_first) => Tried::Constant,
            None => Tried::TooFew,
            Some((likeness, ranks)) => Tried::Cut(Cut { feature, likeness, ranks }),
        }
    }
}

/// Tries `width` features in random order; those that are the same in all rows do not count.
fn best_drawn_cut(
    n_features: usize,
    width: usize,
    random: &mut SplitMix64,
    better: impl Fn(Option<Cut>, Tried) -> Option<Cut>,
    mut try_feature: impl FnMut(usize) -> Tried,
) -> Option<Cut> {
    let mut features: Vec<usize> = (0..n_features).collect();
    let (mut best, mut n_tried) = (None, 0);
    while n_tried < width && !features.is_empty() {
        let tried = try_feature(features.swap_remove(random.below(features.len())));
        n_tried += usize::from(!matches!(tried, Tried::Constant));
        best = better(best, tried);
    }
    best
}

/// The search over the cuts of one feature.
struct Search<S> {
    sides: S,
    /// The least that counts on each side.
    least: u64,
    last: Option<Last>,
    best: Option<(f64, [u32; 2])>,
}

/// The value that was passed last.
#[derive(Clone, Copy)]
struct Last {
    rank: u32,
    is_first: bool,
}

impl<S: Sides> Search<S> {
    /// Judges the cut before the value of `rank`, which comes next.
    #[inline]
    fn come_to(&mut self, rank: u32) {
        let Some(last) = self.last else {
            self.last = Some(Last { rank, is_first: true });
            return;
        };
        self.last = Some(Last { rank, is_first: false });
        let [left, right] = self.sides.counts();
        if left < self.least || right < self.least {
            return;
        }
        let likeness = self.sides.likeness();
        if self.best.is_none_or(|(best, _)| likeness > best) {
            self.best = Some((likeness, [last.rank, rank]));
        }
    }

    fn by_counting(&mut self, column: &RankedColumn, rows: &[u32], weights: Weights<'_>, cells: &mut Vec<S::Cell>) {
        let n_cells = self.sides.n_cells();
        cells.clear();
        cells.resize(column.n_values() * n_cells, S::Cell::default());
        for &row in rows {
            let begin = column.rank(row) as usize * n_cells;
            self.sides.count(&mut cells[begin..begin + n_cells], row, weights.of(row));
        }
        for (rank, cells) in cells.chunks(n_cells).enumerate().filter(|(_, cells)| !S::is_empty(cells)) {
            self.come_to(rank as u32);
            self.sides.pass_cells(cells);
        }
    }

    fn by_sorting(&mut self, column: &RankedColumn, rows: &[u32], weights: Weights<'_>, keys: &mut Vec<u64>) {
        keys.clear();
        keys.extend(rows.iter().map(|&row| u64::from(column.rank(row)) << 32 | u64::from(row)));
        keys.sort_unstable();
        for &key in keys.iter() {
            let (rank, row) = ((key >> 32) as u32, key as u32);
            if self.last.is_none_or(|last| last.rank != rank) {
                self.come_to(rank);
            }
            self.sides.pass(row, weights.of(row));
        }
    }
}
