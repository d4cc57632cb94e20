//! Parts of whole groups.

use super::k_fold::size_of_part;
use crate::random::SplitMix64;

/// Returns the part of each row. Without shuffling, groups go from the largest to the smallest to the part that has the
/// fewest rows; with it, each part gets the same number of groups.
pub(super) fn parts(groups: &[usize], n_parts: usize, shuffle: Option<&mut SplitMix64>) -> Vec<usize> {
    let sizes = sizes(groups);
    let mut part_of_group = vec![0; sizes.len()];
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    if let Some(random) = shuffle {
        random.shuffle(&mut order);
        let mut places = order.into_iter();
        for part in 0..n_parts {
            for group in places.by_ref().take(size_of_part(sizes.len(), n_parts, part)) {
                part_of_group[group] = part;
            }
        }
    } else {
        // Of groups of one size the last comes first, as in scikit-learn.
        order.sort_by_key(|&group| sizes[group]);
        let mut n_rows = vec![0; n_parts];
        for group in order.into_iter().rev() {
            let lightest = (0..n_parts).min_by_key(|&part| n_rows[part]).unwrap_or(0);
            n_rows[lightest] += sizes[group];
            part_of_group[group] = lightest;
        }
    }
    groups.iter().map(|&group| part_of_group[group]).collect()
}

fn sizes(groups: &[usize]) -> Vec<usize> {
    let mut sizes = vec![0; super::n_distinct(groups)];
    for &group in groups {
        sizes[group] += 1;
    }
    sizes
}
