//! Growing one tree, leaf by leaf: the leaf whose split gains most is split next.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use rayon::prelude::*;

use super::bins::{BinnedRows, GROUP_WIDTH, MAX_BINS_WITH_MISSING};
use super::histogram::{DrawnFeatures, Histogram, Scale, Sums};
use super::split::{Split, SplitLimits, SplitSearch};

/// How many rows a thread sorts into left and right at a time.
const ROWS_PER_PART: usize = 1 << 14;

/// When a tree stops growing.
#[derive(Debug, Clone, Copy)]
pub(super) struct GrowthLimits {
    pub(super) max_leaf_nodes: usize,
    pub(super) max_depth: Option<u16>,
    pub(super) splits: SplitLimits,
}

/// A tree over bins, with the rows that it was grown on.
#[derive(Debug)]
pub(super) struct GrownTree {
    /// The root is first.
    pub(super) nodes: Vec<GrownNode>,
    /// The rows; those of a node lie side by side.
    rows: Vec<u32>,
}

/// A node of a tree over bins.
#[derive(Debug)]
pub(super) struct GrownNode {
    /// What the tree adds to the rows that end here.
    pub(super) value: f64,
    /// The split and the indices of both children; `None` for a leaf.
    pub(super) split: Option<(Split, [usize; 2])>,
    rows: Range<usize>,
}

/// Grows trees on the same rows; keeps the memory that it needs from one tree to the next.
pub(super) struct Grower<'a> {
    binned: &'a BinnedRows,
    limits: GrowthLimits,
    spare_histograms: Vec<Histogram>,
    right_rows: Vec<u32>,
    node_derivatives: Vec<Sums>,
}

/// A leaf that can be split.
struct OpenLeaf {
    node: usize,
    depth: u16,
    histogram: Histogram,
    split: Split,
}

impl PartialEq for OpenLeaf {
    fn eq(&self, other: &OpenLeaf) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for OpenLeaf {}

impl PartialOrd for OpenLeaf {
    fn partial_cmp(&self, other: &OpenLeaf) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OpenLeaf {
    /// By gain; of equals the elder is the greater.
    fn cmp(&self, other: &OpenLeaf) -> Ordering {
        self.split.gain.total_cmp(&other.split.gain).then(other.node.cmp(&self.node))
    }
}

impl<'a> Grower<'a> {
    pub(super) fn new(binned: &'a BinnedRows, limits: GrowthLimits) -> Grower<'a> {
        Grower {
            binned,
            limits,
            spare_histograms: Vec::new(),
            right_rows: vec![0; binned.n_rows()],
            node_derivatives: Vec::with_capacity(binned.n_rows()),
        }
    }

    /// Grows a tree on `rows`, splitting by `features`. `derivatives` has those of every row there is, under `scale`.
    pub(super) fn grow(&mut self, rows: &[u32], derivatives: &[Sums], scale: Scale, features: Vec<usize>) -> GrownTree {
        let drawn = DrawnFeatures::new(self.binned, features);
        let search = SplitSearch { binned: self.binned, limits: self.limits.splits, scale };
        let mut sums = Sums::default();
        for &row in rows {
            sums.add(derivatives[row as usize]);
        }
        let mut tree = GrownTree { nodes: Vec::with_capacity(2 * self.limits.max_leaf_nodes), rows: rows.to_vec() };
        tree.nodes.push(GrownNode { value: search.leaf_value(sums), split: None, rows: 0..rows.len() });

        let mut open = BinaryHeap::new();
        if self.may_split(scale.count(sums), 0) {
            let mut histogram = self.spare_histogram();
            self.fill(&mut histogram, &drawn, rows, derivatives);
            self.open(&search, &drawn.features, &mut open, (0, 0), sums, histogram);
        }
        let mut n_leaves = 1;
        while n_leaves < self.limits.max_leaf_nodes
            && let Some(leaf) = open.pop()
        {
            n_leaves += 1;
            let children = self.split(&mut tree, &search, leaf.node, leaf.split);
            if n_leaves == self.limits.max_leaf_nodes {
                self.spare_histograms.push(leaf.histogram);
                break;
            }
            let depth = leaf.depth + 1;
            let child_sums = [leaf.split.left, leaf.split.right];
            let may_split = child_sums.map(|sums| self.may_split(scale.count(sums), depth));
            if may_split == [false, false] {
                self.spare_histograms.push(leaf.histogram);
                continue;
            }
            let histograms = self.child_histograms(&tree, &drawn, children, leaf.histogram, derivatives);
            for (child, histogram) in histograms.into_iter().enumerate() {
                if may_split[child] {
                    let place = (children[child], depth);
                    self.open(&search, &drawn.features, &mut open, place, child_sums[child], histogram);
                } else {
                    self.spare_histograms.push(histogram);
                }
            }
        }
        self.spare_histograms.extend(open.into_iter().map(|leaf| leaf.histogram));
        tree
    }

    fn may_split(&self, n_rows: usize, depth: u16) -> bool {
        n_rows >= 2 * self.limits.splits.min_samples_leaf && self.limits.max_depth.is_none_or(|most| depth < most)
    }

    fn spare_histogram(&mut self) -> Histogram {
        self.spare_histograms.pop().unwrap_or_else(|| Histogram::new(self.binned))
    }

    fn fill(&mut self, histogram: &mut Histogram, drawn: &DrawnFeatures, rows: &[u32], derivatives: &[Sums]) {
        let of_row = |&row: &u32| derivatives[row as usize];
        if rows.len() < ROWS_PER_PART {
            self.node_derivatives.clear();
            self.node_derivatives.extend(rows.iter().map(of_row));
        } else {
            rows.par_iter().with_min_len(1024).map(of_row).collect_into_vec(&mut self.node_derivatives);
        }
        histogram.fill(self.binned, drawn, rows, &self.node_derivatives);
    }

    /// Adds a leaf to those that can be split, unless no split gains anything.
    fn open(
        &mut self,
        search: &SplitSearch<'_>,
        features: &[usize],
        open: &mut BinaryHeap<OpenLeaf>,
        (node, depth): (usize, u16),
        sums: Sums,
        histogram: Histogram,
    ) {
        match search.best(&histogram, features, sums) {
            Some(split) => open.push(OpenLeaf { node, depth, histogram, split }),
            None => self.spare_histograms.push(histogram),
        }
    }

    /// Makes two children of a leaf, and returns their indices.
    fn split(&mut self, tree: &mut GrownTree, search: &SplitSearch<'_>, node: usize, split: Split) -> [usize; 2] {
        let range = tree.nodes[node].rows.clone();
        let n_left = self.partition(&mut tree.rows[range.clone()], &split);
        let middle = range.start + n_left;
        let children = [tree.nodes.len(), tree.nodes.len() + 1];
        for (sums, rows) in [(split.left, range.start..middle), (split.right, middle..range.end)] {
            tree.nodes.push(GrownNode { value: search.leaf_value(sums), split: None, rows });
        }
        tree.nodes[node].split = Some((split, children));
        children
    }

    /// Puts the rows that go left before those that go right, each in the order that they had, and returns how many go left.
    fn partition(&mut self, rows: &mut [u32], split: &Split) -> usize {
        let goes_left: [bool; MAX_BINS_WITH_MISSING] = std::array::from_fn(|bin| split.left_bins.contains(bin as u8));
        let bins = &self.binned.groups()[split.feature / GROUP_WIDTH];
        let place = split.feature % GROUP_WIDTH;
        let part = |(rows, right): (&mut [u32], &mut [u32])| {
            let (mut n_left, mut n_right) = (0, 0);
            for position in 0..rows.len() {
                let row = rows[position];
                let is_left = goes_left[usize::from(bins[row as usize][place])];
                // Both are written, because a branch would often be guessed wrong.
                rows[n_left] = row;
                right[n_right] = row;
                n_left += usize::from(is_left);
                n_right += usize::from(!is_left);
            }
            n_left
        };
        if rows.len() <= ROWS_PER_PART {
            let n_left = part((&mut *rows, &mut self.right_rows));
            let n_right = rows.len() - n_left;
            rows[n_left..].copy_from_slice(&self.right_rows[..n_right]);
            return n_left;
        }
        let parts = rows.par_chunks_mut(ROWS_PER_PART).zip(self.right_rows.par_chunks_mut(ROWS_PER_PART));
        let left_counts: Vec<usize> = parts.map(part).collect();
        let mut n_left = 0;
        for (index, &count) in left_counts.iter().enumerate() {
            let begin = index * ROWS_PER_PART;
            rows.copy_within(begin..begin + count, n_left);
            n_left += count;
        }
        let mut end = n_left;
        for (index, &count) in left_counts.iter().enumerate() {
            let begin = index * ROWS_PER_PART;
            let n_right = ROWS_PER_PART.min(rows.len() - begin) - count;
            rows[end..end + n_right].copy_from_slice(&self.right_rows[begin..begin + n_right]);
            end += n_right;
        }
        n_left
    }

    /// Returns the histograms of both children: that of the smaller one is filled, the other is what is left of the parent.
    fn child_histograms(
        &mut self,
        tree: &GrownTree,
        drawn: &DrawnFeatures,
        [left, right]: [usize; 2],
        mut parent: Histogram,
        derivatives: &[Sums],
    ) -> [Histogram; 2] {
        let is_left_smaller = tree.nodes[left].rows.len() < tree.nodes[right].rows.len();
        let smaller = if is_left_smaller { left } else { right };
        let mut histogram = self.spare_histogram();
        self.fill(&mut histogram, drawn, &tree.rows[tree.nodes[smaller].rows.clone()], derivatives);
        parent.subtract(self.binned, drawn, &histogram);
        if is_left_smaller { [histogram, parent] } else { [parent, histogram] }
    }
}

impl GrownTree {
    /// Returns the leaves with the rows that end there.
    pub(super) fn leaves_mut(&mut self) -> impl Iterator<Item = (&mut GrownNode, &[u32])> {
        let rows = &self.rows;
        self.nodes.iter_mut().filter(|node| node.split.is_none()).map(|node| {
            let range = node.rows.clone();
            (node, &rows[range])
        })
    }

    /// Returns the rows that the tree was grown on, in no order.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Returns the value of the leaf where a row ends that the tree was not grown on.
    pub(super) fn value_of(&self, binned: &BinnedRows, row: u32) -> f64 {
        let mut node = &self.nodes[0];
        while let Some((split, [left, right])) = &node.split {
            let is_left = split.left_bins.contains(binned.bin(row, split.feature));
            node = &self.nodes[if is_left { *left } else { *right }];
        }
        node.value
    }
}
