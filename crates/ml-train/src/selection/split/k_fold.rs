//! Parts of equal size.

use crate::random::SplitMix64;

/// Returns the part of each of `n_rows`: as many consecutive rows as the others have, or one more in the first ones.
pub(super) fn parts(n_rows: usize, n_parts: usize, shuffle: Option<&mut SplitMix64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n_rows).collect();
    if let Some(random) = shuffle {
        random.shuffle(&mut order);
    }
    let mut parts = vec![0; n_rows];
    let mut places = order.into_iter();
    for part in 0..n_parts {
        for row in places.by_ref().take(size_of_part(n_rows, n_parts, part)) {
            parts[row] = part;
        }
    }
    parts
}

/// Returns how many of `n_items` are in one of `n_parts` that differ by one at most.
pub(super) fn size_of_part(n_items: usize, n_parts: usize, part: usize) -> usize {
    n_items / n_parts + usize::from(part < n_items % n_parts)
}
