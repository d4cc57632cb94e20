//! Which rows and features are set aside or drawn, by seed.

use crate::random::SplitMix64;

/// Streams of random numbers under the seed: one for the validation rows, one per iteration for rows, one per tree for
/// features.
const VALIDATION_STREAM: u64 = 1 << 40;
const ROWS_STREAM: u64 = 2 << 40;
const FEATURES_STREAM: u64 = 3 << 40;

/// Rows to learn from, and rows to see when to stop.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ValidationSplit {
    pub(super) training: Vec<u32>,
    pub(super) validation: Vec<u32>,
}

impl ValidationSplit {
    /// Leaves every row to be learnt from.
    pub(super) fn none(n_rows: usize) -> ValidationSplit {
        ValidationSplit { training: (0..n_rows as u32).collect(), validation: Vec::new() }
    }

    /// Sets a share of the rows aside, of each class the same share; a class keeps at least one row to be learnt from.
    pub(super) fn draw(n_rows: usize, classes: Option<&[usize]>, share: f64, seed: u64) -> ValidationSplit {
        let n_classes = classes.map_or(1, |classes| classes.iter().max().map_or(1, |last| last + 1));
        let mut by_class: Vec<Vec<u32>> = vec![Vec::new(); n_classes];
        for row in 0..n_rows {
            by_class[classes.map_or(0, |classes| classes[row])].push(row as u32);
        }
        let mut random = SplitMix64::new(seed, VALIDATION_STREAM);
        let mut split = ValidationSplit { training: Vec::with_capacity(n_rows), validation: Vec::new() };
        for mut rows in by_class {
            random.shuffle(&mut rows);
            let n_validation = ((rows.len() as f64 * share).round() as usize).min(rows.len().saturating_sub(1));
            split.validation.extend(&rows[..n_validation]);
            split.training.extend(&rows[n_validation..]);
        }
        split.training.sort_unstable();
        split.validation.sort_unstable();
        split
    }
}

/// Draws each row with probability `share`; all of them if that leaves none.
pub(super) fn draw_rows(rows: &[u32], share: f64, seed: u64, iteration: usize) -> Vec<u32> {
    if share >= 1.0 {
        return rows.to_vec();
    }
    let mut random = SplitMix64::new(seed, ROWS_STREAM + iteration as u64);
    let limit = (share * u64::MAX as f64) as u64;
    let drawn: Vec<u32> = rows.iter().copied().filter(|_| random.next_u64() < limit).collect();
    if drawn.is_empty() { rows.to_vec() } else { drawn }
}

/// Draws a share of the features, at least one, in ascending order.
pub(super) fn draw_features(n_features: usize, share: f64, seed: u64, tree: usize) -> Vec<usize> {
    let mut features: Vec<usize> = (0..n_features).collect();
    if share < 1.0 {
        SplitMix64::new(seed, FEATURES_STREAM + tree as u64).shuffle(&mut features);
        features.truncate(((n_features as f64 * share).ceil() as usize).max(1));
        features.sort_unstable();
    }
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_gives_the_same_share_and_keeps_a_row() {
        let classes: Vec<usize> = (0..101).map(|row| if row == 50 { 2 } else { row % 2 }).collect();
        let split = ValidationSplit::draw(101, Some(&classes), 0.2, 7);
        let counts =
            [0, 1, 2].map(|class| split.validation.iter().filter(|&&row| classes[row as usize] == class).count());
        assert_eq!(counts, [10, 10, 0]);
        let mut all = [split.training, split.validation].concat();
        all.sort_unstable();
        assert_eq!(all, (0..101).collect::<Vec<u32>>());
    }

    #[test]
    fn draws_repeat_for_their_seed_and_differ_between_iterations() {
        let rows: Vec<u32> = (0..1000).collect();
        let drawn = draw_rows(&rows, 0.3, 1, 5);
        assert!((200..400).contains(&drawn.len()) && drawn.is_sorted(), "{}", drawn.len());
        assert_eq!(drawn, draw_rows(&rows, 0.3, 1, 5));
        assert_ne!(drawn, draw_rows(&rows, 0.3, 1, 6));
        assert_ne!(drawn, draw_rows(&rows, 0.3, 2, 5));
        assert_eq!(draw_rows(&rows[..1], 1e-9, 1, 0), [0]);
        let features = draw_features(10, 0.25, 1, 0);
        assert!(features.len() == 3 && features.is_sorted(), "{features:?}");
        assert_eq!(draw_features(10, 1.0, 1, 0).len(), 10);
        assert_eq!(draw_features(10, 1e-9, 1, 0).len(), 1);
    }
}
