//! Ensembles of decision trees.

use std::collections::BTreeMap;

use super::linear::{PostTransform, best_of, classified};
use super::{Operator, Prepare, input};
use crate::onnx::attributes::Labels;
use crate::onnx::error::OnnxError;
use crate::onnx::proto::Node;
use crate::onnx::tensor::Tensor;

pub(super) fn find(name: &str) -> Option<Prepare> {
    match name {
        "TreeEnsembleClassifier" => Some(classifier),
        "TreeEnsembleRegressor" => Some(regressor),
        _ => None,
    }
}

/// How a node compares a feature with its value.
#[derive(Debug, Clone, Copy)]
enum Mode {
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
    Unequal,
}

#[derive(Debug, Clone)]
enum TreeNode {
    Branch {
        mode: Mode,
        feature: usize,
        value: f64,
        missing_is_true: bool,
        on_true: usize,
        on_false: usize,
    },
    /// Weights by score.
    Leaf(Vec<(usize, f64)>),
}

/// All trees, their nodes in one list.
struct Ensemble {
    nodes: Vec<TreeNode>,
    roots: Vec<usize>,
    n_scores: usize,
    /// The smallest number of features a row must have.
    n_features: usize,
}

fn inconsistent<T>(message: impl Into<String>) -> Result<T, OnnxError> {
    Err(OnnxError::Inconsistent(message.into()))
}

impl Ensemble {
    /// Reads the trees of a node whose leaves are described by attributes that begin with `prefix`.
    fn of(node: &Node, prefix: &str, n_scores: usize) -> Result<Ensemble, OnnxError> {
        let (tree_ids, node_ids) = (node.integers("nodes_treeids"), node.integers("nodes_nodeids"));
        let features = node.indices("nodes_featureids")?;
        let values = node.floats_or_tensor("nodes_values");
        let (on_true, on_false) = (node.integers("nodes_truenodeids"), node.integers("nodes_falsenodeids"));
        let modes = node.texts("nodes_modes");
        let missing = node.integers("nodes_missing_value_tracks_true");
        let n_nodes = tree_ids.len();
        if [node_ids.len(), features.len(), values.len(), on_true.len(), on_false.len(), modes.len()] != [n_nodes; 6] {
            return inconsistent("the nodes of the trees are not described alike");
        }
        let places: BTreeMap<(i64, i64), usize> =
            tree_ids.iter().copied().zip(node_ids.iter().copied()).zip(0..n_nodes).collect();
        let place = |tree: i64, id: i64| match places.get(&(tree, id)) {
            Some(&place) => Ok(place),
            None => inconsistent(format!("tree {tree} has no node {id}")),
        };
        let mut nodes = Vec::with_capacity(n_nodes);
        for (at, mode) in modes.iter().enumerate() {
            let Some(mode) = mode_of(mode)? else {
                nodes.push(TreeNode::Leaf(Vec::new()));
                continue;
            };
            nodes.push(TreeNode::Branch {
                mode,
                feature: features[at],
                value: values[at],
                missing_is_true: missing.get(at).is_some_and(|&tracks| tracks != 0),
                on_true: place(tree_ids[at], on_true[at])?,
                on_false: place(tree_ids[at], on_false[at])?,
            });
        }
        let mut ensemble = Ensemble { nodes, roots: Vec::new(), n_scores, n_features: 0 };
        ensemble.add_leaves(node, prefix, &place)?;
        ensemble.find_roots()?;
        Ok(ensemble)
    }

    fn add_leaves(
        &mut self,
        node: &Node,
        prefix: &str,
        place: &dyn Fn(i64, i64) -> Result<usize, OnnxError>,
    ) -> Result<(), OnnxError> {
        let (tree_ids, node_ids) =
            (node.integers(&format!("{prefix}_treeids")), node.integers(&format!("{prefix}_nodeids")));
        let (scores, weights) =
            (node.indices(&format!("{prefix}_ids"))?, node.floats_or_tensor(&format!("{prefix}_weights")));
        if [node_ids.len(), scores.len(), weights.len()] != [tree_ids.len(); 3] {
            return inconsistent("the leaves of the trees are not described alike");
        }
        for (at, &tree_id) in tree_ids.iter().enumerate() {
            if scores[at] >= self.n_scores {
                return inconsistent(format!("a leaf counts for score {} of {}", scores[at], self.n_scores));
            }
            match &mut self.nodes[place(tree_id, node_ids[at])?] {
                TreeNode::Leaf(leaf) => leaf.push((scores[at], weights[at])),
                TreeNode::Branch { .. } => return inconsistent("a branch is described as a leaf"),
            }
        }
        Ok(())
    }

    /// Each node must be the child of one at most; the ones that are no child are the roots. So no walk goes in a circle.
    fn find_roots(&mut self) -> Result<(), OnnxError> {
        let mut is_child = vec![false; self.nodes.len()];
        for node in &self.nodes {
            let TreeNode::Branch { feature, on_true, on_false, .. } = node else { continue };
            self.n_features = self.n_features.max(feature.saturating_add(1));
            for &child in [on_true, on_false] {
                if std::mem::replace(&mut is_child[child], true) {
                    return inconsistent("a node of a tree has two parents");
                }
            }
        }
        self.roots = (0..self.nodes.len()).filter(|&node| !is_child[node]).collect();
        Ok(())
    }

    /// Calls `take` with the leaf that each tree leads `row` to.
    fn each_leaf(&self, row: &[f64], mut take: impl FnMut(&[(usize, f64)])) {
        for &root in &self.roots {
            let mut at = root;
            loop {
                match &self.nodes[at] {
                    TreeNode::Leaf(leaf) => break take(leaf),
                    TreeNode::Branch { mode, feature, value, missing_is_true, on_true, on_false } => {
                        let cell = row[*feature];
                        let is_true = (cell.is_nan() && *missing_is_true) || mode.holds(cell, *value);
                        at = if is_true { *on_true } else { *on_false };
                    }
                }
            }
        }
    }

    fn rows<'a>(&self, given: &'a Tensor) -> Result<(usize, std::slice::Chunks<'a, f64>), OnnxError> {
        let (n_rows, n_columns) = given.rows_and_columns();
        if n_columns < self.n_features {
            return inconsistent(format!("the trees read {} features, {n_columns} are given", self.n_features));
        }
        Ok((n_rows, given.as_numbers()?.chunks(n_columns.max(1))))
    }
}

impl Mode {
    fn holds(self, cell: f64, value: f64) -> bool {
        match self {
            Mode::AtMost => cell <= value,
            Mode::Below => cell < value,
            Mode::AtLeast => cell >= value,
            Mode::Above => cell > value,
            Mode::Equal => cell == value,
            Mode::Unequal => cell != value,
        }
    }
}

fn mode_of(name: &str) -> Result<Option<Mode>, OnnxError> {
    Ok(Some(match name {
        "LEAF" => return Ok(None),
        "BRANCH_LEQ" => Mode::AtMost,
        "BRANCH_LT" => Mode::Below,
        "BRANCH_GTE" => Mode::AtLeast,
        "BRANCH_GT" => Mode::Above,
        "BRANCH_EQ" => Mode::Equal,
        "BRANCH_NEQ" => Mode::Unequal,
        other => return Err(OnnxError::Unsupported(format!("the mode `{other}` of tree nodes"))),
    }))
}

struct TreeClassifier {
    ensemble: Ensemble,
    labels: Labels,
    base: Vec<f64>,
    /// Whether all leaves count for one of two classes; its score then decides between both.
    is_one_score_of_two: bool,
    /// Whether that score is a share, and not one that has 0 in the middle.
    is_share: bool,
    transform: PostTransform,
}

fn classifier(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let labels = node.labels(&["classlabels_strings", "classlabels_int64s"]);
    let labels = labels.ok_or_else(|| OnnxError::Inconsistent("a classifier has no labels".to_owned()))?;
    let ensemble = Ensemble::of(node, "class", labels.len())?;
    let ids = node.integers("class_ids");
    let is_one_score_of_two = labels.len() == 2 && ids.windows(2).all(|pair| pair[0] == pair[1]);
    let base = node.floats_or_tensor("base_values");
    if !base.is_empty() && base.len() != labels.len() && !(is_one_score_of_two && base.len() == 1) {
        return inconsistent("the base values do not fit the classes");
    }
    let is_share = node.floats_or_tensor("class_weights").iter().all(|weight| *weight >= 0.0);
    let transform = PostTransform::of(node)?;
    Ok(Box::new(TreeClassifier { ensemble, labels, base, is_one_score_of_two, is_share, transform }))
}

impl Operator for TreeClassifier {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>, OnnxError> {
        let (n_rows, rows) = self.ensemble.rows(input(inputs, 0)?)?;
        let n_labels = self.labels.len();
        let (mut scores, mut best) = (Vec::with_capacity(n_rows * n_labels), Vec::with_capacity(n_rows));
        for row in rows {
            let mut sums = vec![0.0; n_labels];
            self.ensemble.each_leaf(row, |leaf| leaf.iter().for_each(|(score, weight)| sums[*score] += weight));
            if self.is_one_score_of_two {
                let score = sums.iter().sum::<f64>() + self.base.last().copied().unwrap_or_default();
                sums = self.both_of(score);
                best.push(usize::from(if self.is_share { score > 0.5 } else { score > 0.0 }));
            } else {
                sums.iter_mut().zip(&self.base).for_each(|(sum, base)| *sum += base);
                best.push(best_of(&sums));
                self.transform.apply(&mut sums);
            }
            scores.extend(sums);
        }
        classified(&self.labels, n_rows, scores, &best)
    }
}

impl TreeClassifier {
    fn both_of(&self, score: f64) -> Vec<f64> {
        let mut both = if self.is_share { vec![1.0 - score, score] } else { vec![-score, score] };
        if !self.is_share {
            self.transform.apply(&mut both);
        }
        both
    }
}

/// How the trees of a regression are taken together.
#[derive(Debug, Clone, Copy)]
enum Aggregate {
    Sum,
    Average,
    Least,
    Greatest,
}

struct TreeRegressor {
    ensemble: Ensemble,
    base: Vec<f64>,
    aggregate: Aggregate,
    transform: PostTransform,
}

fn regressor(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let n_targets = usize::try_from(node.integer("n_targets").unwrap_or(1)).unwrap_or(1).clamp(1, 1 << 16);
    let aggregate = match node.text("aggregate_function").unwrap_or("SUM") {
        "SUM" => Aggregate::Sum,
        "AVERAGE" => Aggregate::Average,
        "MIN" => Aggregate::Least,
        "MAX" => Aggregate::Greatest,
        other => return Err(OnnxError::Unsupported(format!("the aggregate `{other}` of trees"))),
    };
    let mut base = node.floats_or_tensor("base_values");
    base.resize(n_targets, 0.0);
    let ensemble = Ensemble::of(node, "target", n_targets)?;
    Ok(Box::new(TreeRegressor { ensemble, base, aggregate, transform: PostTransform::of(node)? }))
}

impl Operator for TreeRegressor {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>, OnnxError> {
        let (n_rows, rows) = self.ensemble.rows(input(inputs, 0)?)?;
        let n_targets = self.base.len();
        let mut values = Vec::with_capacity(n_rows * n_targets);
        for row in rows {
            let mut sums: Vec<Option<f64>> = vec![None; n_targets];
            self.ensemble.each_leaf(row, |leaf| {
                for (target, weight) in leaf {
                    let sum = &mut sums[*target];
                    *sum = Some(sum.map_or(*weight, |sum| self.aggregate.join(sum, *weight)));
                }
            });
            let mut row: Vec<f64> = sums.iter().map(|sum| sum.unwrap_or_default()).collect();
            if let Aggregate::Average = self.aggregate {
                for sum in &mut row {
                    *sum /= self.ensemble.roots.len().max(1) as f64;
                }
            }
            row.iter_mut().zip(&self.base).for_each(|(sum, base)| *sum += base);
            self.transform.apply(&mut row);
            values.extend(row);
        }
        Ok(vec![Tensor::floats(vec![n_rows, n_targets], values)?])
    }
}

impl Aggregate {
    fn join(self, left: f64, right: f64) -> f64 {
        match self {
            Aggregate::Sum | Aggregate::Average => left + right,
            Aggregate::Least => left.min(right),
            Aggregate::Greatest => left.max(right),
        }
    }
}
