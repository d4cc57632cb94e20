//! Decision trees: how they are stored and score, and the estimators that grow them.

mod best;
mod decision;
mod extra;
mod forest;
mod growth;
mod isolation;
mod predictor;
mod ranked;
mod sides;

use serde::{Deserialize, Serialize};

use crate::packed;

pub use decision::DecisionTree;
pub use extra::ExtraTrees;
pub use forest::RandomForest;
pub use isolation::{Contamination, FoundContamination, IsolationForest, IsolationPredictor};
pub use predictor::TreesPredictor;

/// Some trees, each in depth-first order; every leaf has a value per output.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredTrees {
    n_outputs: usize,
    /// The greatest number that goes left; for a leaf which one it is, counted over all trees.
    #[serde(with = "packed::f64s")]
    thresholds: Vec<f64>,
    /// Where the right child is, counted from the root; 0 for a leaf. The left one is next.
    #[serde(with = "packed::u32s")]
    rights: Vec<u32>,
    #[serde(with = "packed::u32s")]
    features: Vec<u32>,
    /// Where each tree ends.
    #[serde(with = "packed::u32s")]
    ends: Vec<u32>,
    /// Leaf by leaf, one value per output.
    #[serde(with = "packed::f64s")]
    values: Vec<f64>,
}

/// A tree that was just grown, in depth-first order.
#[derive(Debug, Default)]
pub(super) struct GrownTree {
    nodes: Vec<GrownNode>,
    values: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
enum GrownNode {
    Split { feature: u32, threshold: f64, right: u32 },
    Leaf,
}

impl GrownTree {
    /// Adds a split, whose left child is added next, and returns its place.
    fn split(&mut self, feature: usize, threshold: f64) -> usize {
        self.nodes.push(GrownNode::Split { feature: feature as u32, threshold, right: 0 });
        self.nodes.len() - 1
    }

    /// Says that what is added next is the right child of the split at `place`.
    fn begin_right(&mut self, place: usize) {
        let next = self.nodes.len() as u32;
        if let GrownNode::Split { right, .. } = &mut self.nodes[place] {
            *right = next;
        }
    }

    fn leaf(&mut self, values: impl IntoIterator<Item = f64>) {
        self.nodes.push(GrownNode::Leaf);
        self.values.extend(values);
    }
}

impl StoredTrees {
    pub(super) fn new(n_outputs: usize, grown: &[GrownTree]) -> StoredTrees {
        let mut trees = StoredTrees { n_outputs, ..StoredTrees::default() };
        let mut n_leaves = 0;
        for tree in grown {
            for node in &tree.nodes {
                let (threshold, right, feature) = match *node {
                    GrownNode::Split { feature, threshold, right } => (threshold, right, feature),
                    GrownNode::Leaf => {
                        n_leaves += 1;
                        (f64::from(n_leaves - 1), 0, 0)
                    }
                };
                trees.thresholds.push(threshold);
                trees.rights.push(right);
                trees.features.push(feature);
            }
            trees.values.extend_from_slice(&tree.values);
            trees.ends.push(trees.thresholds.len() as u32);
        }
        trees
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds the values of the leaves where a row ends, one per output.
    pub(super) fn add_to_row(&self, cells: &[f64], sums: &mut [f64]) {
        let mut begin = 0;
        for &end in &self.ends {
            let mut index = begin;
            while self.rights[index] != 0 {
                let is_left = cells[self.features[index] as usize] <= self.thresholds[index];
                index = if is_left { index + 1 } else { begin + self.rights[index] as usize };
            }
            let leaf = self.thresholds[index] as usize * self.n_outputs;
            let values = &self.values[leaf..leaf + self.n_outputs];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            begin = end as usize;
        }
    }

    /// Returns why the stored parts do not fit each other, `n_features` or `n_outputs`, if so. What this accepts, scores any
    /// row of that width and comes to an end.
    pub(super) fn inconsistency(&self, n_features: usize, n_outputs: usize) -> Option<String> {
        let n_nodes = self.thresholds.len();
        if self.rights.len() != n_nodes
            || self.features.len() != n_nodes
            || self.n_outputs != n_outputs
            || n_outputs == 0
        {
            return Some("the blocks of the nodes of trees differ in length".to_owned());
        }
        let n_leaves = self.values.len() / n_outputs;
        let mut begin = 0;
        for &end in &self.ends {
            let end = end as usize;
            if end <= begin || end > n_nodes {
                return Some("a tree ends before it begins".to_owned());
            }
            if !(begin..end).all(|index| self.fits(index, begin, end, n_features, n_leaves)) {
                return Some("a node of a tree points nowhere".to_owned());
            }
            begin = end;
        }
        let is_whole = begin == n_nodes && !self.ends.is_empty() && self.values.iter().all(|value| value.is_finite());
        (!is_whole).then(|| "some nodes belong to no tree, or a leaf has no value".to_owned())
    }

    fn fits(&self, index: usize, begin: usize, end: usize, n_features: usize, n_leaves: usize) -> bool {
        let right = self.rights[index] as usize;
        if right == 0 {
            return (0.0..n_leaves as f64).contains(&self.thresholds[index]);
        }
        let place = begin + right;
        place > index + 1
            && place < end
            && (self.features[index] as usize) < n_features
            && !self.thresholds[index].is_nan()
    }
}
