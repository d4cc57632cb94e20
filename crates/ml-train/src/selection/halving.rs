//! Rounds of a search by halving: how many candidates, on how much of the resource, and on which rows.

use super::spec::{Halving, Resource};
use super::split::Fold;
use crate::random::SplitMix64;

/// The fewest rows to fit on in the first round, unless the number of rounds is given.
const MIN_ROWS: usize = 100;

/// Keeps the randomness of samples apart from that of folds, draws and estimators with the same seed.
const SAMPLE_STREAM: u64 = 0x7361_6d70;

/// A round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Round {
    /// How many candidates take part.
    pub(super) n_candidates: usize,
    /// Which part of the resource they have: one in so many.
    pub(super) divisor: usize,
}

/// Returns the rounds of a search for `n_candidates` whose smallest fold has `n_rows` to fit on; the last has all of the resource.
pub(super) fn rounds(halving: &Halving, n_candidates: usize, n_rows: usize) -> Vec<Round> {
    let factor = halving.factor;
    let n_rounds = halving.rounds.unwrap_or_else(|| {
        let mut n_rounds = 1;
        let (mut n_left, mut divisor) = (n_candidates, 1);
        while n_left >= factor {
            n_left = n_left.div_ceil(factor);
            divisor *= factor;
            if halving.resource == Resource::Rows && n_rows / divisor < MIN_ROWS {
                break;
            }
            n_rounds += 1;
        }
        n_rounds
    });
    let mut n_left = n_candidates;
    let mut rounds = Vec::with_capacity(n_rounds);
    for round in 0..n_rounds {
        let divisor = factor.saturating_pow((n_rounds - 1 - round) as u32);
        rounds.push(Round { n_candidates: n_left, divisor });
        n_left = n_left.div_ceil(factor);
    }
    rounds
}

/// Returns `folds` with one in `divisor` of their training rows, drawn by `seed`, each class in proportion. What is drawn for
/// a greater divisor is among what is drawn for a smaller one. Rows that are scored stay the same.
pub(super) fn sampled(folds: &[Fold], classes: Option<&[usize]>, divisor: usize, seed: u64) -> Vec<Fold> {
    if divisor == 1 {
        return folds.to_vec();
    }
    let sample = |(index, fold): (usize, &Fold)| {
        let mut random = SplitMix64::new(seed, SAMPLE_STREAM + index as u64);
        let n_rows = fold.training.len().div_ceil(divisor).max(2).min(fold.training.len());
        let mut training = spread(&fold.training, classes, &mut random);
        training.truncate(n_rows);
        training.sort_unstable();
        Fold { training, validation: fold.validation.clone() }
    };
    folds.iter().enumerate().map(sample).collect()
}

/// Puts rows in random order so that each beginning has about the same share of every class.
fn spread(rows: &[usize], classes: Option<&[usize]>, random: &mut SplitMix64) -> Vec<usize> {
    let mut shuffled = rows.to_vec();
    random.shuffle(&mut shuffled);
    let Some(classes) = classes else { return shuffled };
    let n_classes = rows.iter().map(|&row| classes[row] + 1).max().unwrap_or(0);
    let mut counts = vec![0.0; n_classes];
    for &row in rows {
        counts[classes[row]] += 1.0;
    }
    let mut seen = vec![0.5; n_classes];
    let mut placed: Vec<(f64, usize)> = shuffled
        .into_iter()
        .map(|row| {
            let class = classes[row];
            let place = seen[class] / counts[class];
            seen[class] += 1.0;
            (place, row)
        })
        .collect();
    placed.sort_by(|left, right| left.0.total_cmp(&right.0));
    placed.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(resource: Resource, n_rounds: Option<usize>, n_rows: usize, expected: &[(usize, usize)]) {
        let halving = Halving { trials: Some(27), factor: 3, rounds: n_rounds, resource };
        let rounds = rounds(&halving, 27, n_rows);
        let found: Vec<(usize, usize)> = rounds.iter().map(|round| (round.n_candidates, round.divisor)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn fewer_candidates_get_more_until_few_have_all() {
        let iterations = || Resource::Param(super::super::path::ParamPath::parse("estimator.max_iterations").unwrap());
        check(iterations(), None, 10, &[(27, 27), (9, 9), (3, 3), (1, 1)]);
        check(Resource::Rows, None, 10_000, &[(27, 27), (9, 9), (3, 3), (1, 1)]);
        check(Resource::Rows, None, 1000, &[(27, 9), (9, 3), (3, 1)]);
        check(Resource::Rows, None, 50, &[(27, 1)]);
        check(Resource::Rows, Some(2), 50, &[(27, 3), (9, 1)]);
    }

    #[test]
    fn samples_are_nested_and_keep_the_shares_of_classes() {
        let fold = Fold { training: (0..900).collect(), validation: (900..1000).collect() };
        let classes: Vec<usize> = (0..1000).map(|row| usize::from(row % 10 == 0)).collect();
        let sample = |divisor| sampled(std::slice::from_ref(&fold), Some(&classes), divisor, 3).remove(0);
        let (third, ninth) = (sample(3), sample(9));
        assert_eq!((third.training.len(), ninth.training.len()), (300, 100));
        assert!(ninth.training.iter().all(|row| third.training.contains(row)));
        assert_eq!(ninth.training.iter().filter(|&&row| classes[row] == 1).count(), 10);
        assert_eq!(third.validation, fold.validation);
        assert_eq!(sample(1), fold);
    }
}
