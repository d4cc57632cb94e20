//! Trees as they score and as they are stored: nodes of 16 bytes, each tree in depth-first order.

use serde::{Deserialize, Serialize};

use super::bins::{BinnedRows, FeatureBins};
use super::grow::GrownTree;
use super::split::Split;
use crate::packed;

/// Set in [`Node::feature`] where missing values go left.
const MISSING_LEFT: u32 = 1 << 31;

/// Set in [`Node::feature`] where categories are told apart, not numbers.
const CATEGORIES: u32 = 1 << 30;

const FEATURE: u32 = CATEGORIES - 1;

/// How many words of [`Trees::category_sets`] are a set: a bit for each code.
const SET_WORDS: usize = 4;

/// A leaf, or a split whose left child is the next node.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    /// What a leaf adds; the greatest number that goes left; or which set of categories goes left.
    value: f64,
    /// Where the right child is, counted from the root; 0 for a leaf.
    right: u32,
    /// The feature, and how it splits.
    feature: u32,
}

/// Some trees.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredTrees", into = "StoredTrees")]
pub(super) struct Trees {
    nodes: Vec<Node>,
    /// Where each tree ends in `nodes`.
    ends: Vec<u32>,
    category_sets: Vec<u64>,
}

/// Trees as blocks of numbers.
#[derive(Serialize, Deserialize)]
struct StoredTrees {
    #[serde(with = "packed::f64s")]
    values: Vec<f64>,
    #[serde(with = "packed::u32s")]
    rights: Vec<u32>,
    #[serde(with = "packed::u32s")]
    features: Vec<u32>,
    #[serde(with = "packed::u32s")]
    ends: Vec<u32>,
    #[serde(with = "packed::u64s")]
    category_sets: Vec<u64>,
}

impl From<Trees> for StoredTrees {
    fn from(trees: Trees) -> StoredTrees {
        StoredTrees {
            values: trees.nodes.iter().map(|node| node.value).collect(),
            rights: trees.nodes.iter().map(|node| node.right).collect(),
            features: trees.nodes.iter().map(|node| node.feature).collect(),
            ends: trees.ends,
            category_sets: trees.category_sets,
        }
    }
}

impl TryFrom<StoredTrees> for Trees {
    type Error = String;

    fn try_from(stored: StoredTrees) -> Result<Trees, String> {
        let n_nodes = stored.values.len();
        if stored.rights.len() != n_nodes || stored.features.len() != n_nodes {
            return Err("the blocks of the nodes of trees differ in length".to_owned());
        }
        let parts = stored.values.into_iter().zip(stored.rights).zip(stored.features);
        let nodes = parts.map(|((value, right), feature)| Node { value, right, feature }).collect();
        Ok(Trees { nodes, ends: stored.ends, category_sets: stored.category_sets })
    }
}

impl Node {
    fn is_leaf(self) -> bool {
        self.right == 0
    }

    fn feature(self) -> usize {
        (self.feature & FEATURE) as usize
    }
}

impl Trees {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a tree over bins, each of its leaves with `scale` times its value.
    pub(super) fn push(&mut self, grown: &GrownTree, binned: &BinnedRows, scale: f64) {
        let begin = self.nodes.len();
        // Nodes that are still to be added, each right child with the place of its parent.
        let mut pending = vec![(0, None)];
        while let Some((index, parent_of_right)) = pending.pop() {
            let place = self.nodes.len();
            if let Some(parent) = parent_of_right {
                let parent: &mut Node = &mut self.nodes[parent];
                parent.right = (place - begin) as u32;
            }
            let node = &grown.nodes[index];
            match &node.split {
                None => self.nodes.push(Node { value: node.value * scale, right: 0, feature: 0 }),
                Some((split, [left, right])) => {
                    let split = self.split_node(split, binned.feature(split.feature));
                    self.nodes.push(split);
                    pending.extend([(*right, Some(place)), (*left, None)]);
                }
            }
        }
        self.ends.push(self.nodes.len() as u32);
    }

    /// Makes a node of a split, whose right child is still to be found.
    fn split_node(&mut self, split: &Split, bins: &FeatureBins) -> Node {
        let mut feature = split.feature as u32;
        if split.left_bins.contains(bins.n_bins() as u8) {
            feature |= MISSING_LEFT;
        }
        let value = match (bins, split.last_left_bin) {
            // After the last threshold only missing values are left to go right.
            (FeatureBins::Numbers(cuts), Some(bin)) => cuts.get(usize::from(bin)).copied().unwrap_or(f64::INFINITY),
            _ => {
                feature |= CATEGORIES;
                let set = self.category_sets.len() / SET_WORDS;
                self.category_sets.extend_from_slice(&split.left_bins.0);
                set as f64
            }
        };
        Node { value, right: 0, feature }
    }

    fn tree(&self, index: usize) -> &[Node] {
        let begin = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.nodes[begin..self.ends[index] as usize]
    }

    /// Adds what every tree says about a row; the trees take turns with the outputs.
    pub(super) fn add_to_row(&self, cells: &[f64], sums: &mut [f64]) {
        let n_outputs = sums.len();
        for index in 0..self.len() {
            sums[index % n_outputs] += self.leaf_value(self.tree(index), cells);
        }
    }

    /// Adds what every tree says about each of some rows, tree by tree, so that the nodes of a tree stay in the cache. The
    /// sums are those of [`Trees::add_to_row`] to the bit.
    pub(super) fn add_to_rows(&self, cells: &[f64], n_features: usize, sums: &mut [f64], n_outputs: usize) {
        for index in 0..self.len() {
            let tree = self.tree(index);
            let output = index % n_outputs;
            for (cells, sums) in cells.chunks_exact(n_features).zip(sums.chunks_exact_mut(n_outputs)) {
                sums[output] += self.leaf_value(tree, cells);
            }
        }
    }

    fn leaf_value(&self, tree: &[Node], cells: &[f64]) -> f64 {
        let mut index = 0;
        loop {
            let node = tree[index];
            if node.is_leaf() {
                return node.value;
            }
            let is_left = if node.feature & CATEGORIES == 0 {
                let cell = cells[node.feature()];
                if cell.is_nan() { node.feature & MISSING_LEFT != 0 } else { cell <= node.value }
            } else {
                self.is_category_left(node, cells[node.feature()])
            };
            index = if is_left { index + 1 } else { node.right as usize };
        }
    }

    /// A code beyond all sets counts as missing.
    fn is_category_left(&self, node: Node, cell: f64) -> bool {
        if !(0.0..(64 * SET_WORDS) as f64).contains(&cell) {
            return node.feature & MISSING_LEFT != 0;
        }
        let code = cell as usize;
        self.category_sets[node.value as usize * SET_WORDS + code / 64] >> (code % 64) & 1 == 1
    }

    /// Returns why the stored parts do not fit each other or `n_features`, if so. What this accepts, scores any row of that
    /// width and comes to an end.
    pub(super) fn inconsistency(&self, n_features: usize) -> Option<String> {
        let mut begin = 0;
        for &end in &self.ends {
            let Some(tree) = self.nodes.get(begin..end as usize).filter(|tree| !tree.is_empty()) else {
                return Some("a tree ends before it begins".to_owned());
            };
            if !(0..tree.len()).all(|index| self.fits(tree, index, n_features)) {
                return Some("a node of a tree points nowhere".to_owned());
            }
            begin = end as usize;
        }
        (begin != self.nodes.len()).then(|| "some nodes belong to no tree".to_owned())
    }

    fn fits(&self, tree: &[Node], index: usize, n_features: usize) -> bool {
        let node = tree[index];
        if node.is_leaf() {
            return node.value.is_finite();
        }
        let right = node.right as usize;
        let has_children = right > index + 1 && right < tree.len();
        let has_value = if node.feature & CATEGORIES == 0 {
            !node.value.is_nan()
        } else {
            (0.0..(self.category_sets.len() / SET_WORDS) as f64).contains(&node.value)
        };
        has_children && has_value && node.feature() < n_features
    }
}
