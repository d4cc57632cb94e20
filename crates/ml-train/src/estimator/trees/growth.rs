//! How a tree grows: each node before its children, and all below the left child before the right one.

use super::GrownTree;

/// What becomes of the rows of a node.
pub(super) enum Fate {
    /// The first `n_left` of them go left.
    Split { feature: usize, threshold: f64, n_left: usize },
    /// They stay together, with these values.
    Leaf(Vec<f64>),
}

/// What is still to be grown.
struct Open {
    begin: usize,
    end: usize,
    depth: usize,
    /// The split whose right child it is.
    right_of: Option<usize>,
}

/// Grows a tree on `rows`. `decide` gets those of a node and the number of splits above it, and puts the ones that go left before
/// the others.
pub(super) fn grow<E>(
    rows: &mut [u32],
    mut decide: impl FnMut(&mut [u32], usize) -> Result<Fate, E>,
) -> Result<GrownTree, E> {
    let mut tree = GrownTree::default();
    let mut open = vec![Open { begin: 0, end: rows.len(), depth: 0, right_of: None }];
    while let Some(node) = open.pop() {
        if let Some(place) = node.right_of {
            tree.begin_right(place);
        }
        match decide(&mut rows[node.begin..node.end], node.depth)? {
            Fate::Leaf(values) => tree.leaf(values),
            Fate::Split { feature, threshold, n_left } => {
                let (middle, depth) = (node.begin + n_left, node.depth + 1);
                let place = tree.split(feature, threshold);
                open.push(Open { begin: middle, end: node.end, depth, right_of: Some(place) });
                open.push(Open { begin: node.begin, end: middle, depth, right_of: None });
            }
        }
    }
    Ok(tree)
}

/// Puts the rows that go left before those that go right, each in the order that they had, and returns how many go left.
/// `right_rows` is memory that is used again and again.
pub(super) fn partition(rows: &mut [u32], right_rows: &mut Vec<u32>, goes_left: impl Fn(u32) -> bool) -> usize {
    right_rows.clear();
    let mut n_left = 0;
    for position in 0..rows.len() {
        let row = rows[position];
        if goes_left(row) {
            rows[n_left] = row;
            n_left += 1;
        } else {
            right_rows.push(row);
        }
    }
    rows[n_left..].copy_from_slice(right_rows);
    n_left
}
