//! Parts of whole groups with shares of classes as alike as can be.

use crate::random::SplitMix64;

/// Two spreads that differ by less are equal, and the part with fewer rows is preferred.
const NO_DIFFERENCE: f64 = 1e-8;

/// As [`NO_DIFFERENCE`], in proportion.
const NO_RELATIVE_DIFFERENCE: f64 = 1e-5;

/// Returns the part of each row. Groups go, from the one whose classes are spread least evenly, to the part where the shares
/// of classes over all parts become most alike.
pub(super) fn parts(
    groups: &[usize],
    classes: &[usize],
    n_parts: usize,
    shuffle: Option<&mut SplitMix64>,
) -> Vec<usize> {
    let n_classes = classes.iter().max().map_or(0, |greatest| greatest + 1);
    let mut totals = vec![0.0; n_classes];
    let mut counts = vec![vec![0.0; n_classes]; super::n_distinct(groups)];
    for (&group, &class) in groups.iter().zip(classes) {
        counts[group][class] += 1.0;
        totals[class] += 1.0;
    }
    let mut order: Vec<usize> = (0..counts.len()).collect();
    if let Some(random) = shuffle {
        random.shuffle(&mut order);
    }
    let spreads: Vec<f64> = counts.iter().map(|counts| deviation(counts.iter().copied())).collect();
    order.sort_by(|&left, &right| spreads[right].total_cmp(&spreads[left]));

    let mut dealt = vec![vec![0.0; n_classes]; n_parts];
    let mut part_of_group = vec![0; counts.len()];
    for group in order {
        let part = best_part(&mut dealt, &totals, &counts[group]);
        add(&mut dealt[part], &counts[group], 1.0);
        part_of_group[group] = part;
    }
    groups.iter().map(|&group| part_of_group[group]).collect()
}

fn best_part(dealt: &mut [Vec<f64>], totals: &[f64], group: &[f64]) -> usize {
    let mut best = (0, f64::INFINITY, f64::INFINITY);
    for part in 0..dealt.len() {
        add(&mut dealt[part], group, 1.0);
        let spread = mean_spread(dealt, totals);
        add(&mut dealt[part], group, -1.0);
        let n_rows: f64 = dealt[part].iter().sum();
        let is_equal = (spread - best.1).abs() <= NO_DIFFERENCE + NO_RELATIVE_DIFFERENCE * best.1.abs();
        if spread < best.1 || (best.1.is_finite() && is_equal && n_rows < best.2) {
            best = (part, spread, n_rows);
        }
    }
    best.0
}

/// Returns the mean, over classes, of how much their shares differ among parts.
fn mean_spread(dealt: &[Vec<f64>], totals: &[f64]) -> f64 {
    let spreads =
        totals.iter().enumerate().map(|(class, total)| deviation(dealt.iter().map(|part| part[class] / total)));
    spreads.sum::<f64>() / totals.len() as f64
}

fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (sum, n) = values.clone().fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    let mean = sum / n;
    (values.map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt()
}

fn add(counts: &mut [f64], group: &[f64], times: f64) {
    for (count, of_group) in counts.iter_mut().zip(group) {
        *count += times * of_group;
    }
}
