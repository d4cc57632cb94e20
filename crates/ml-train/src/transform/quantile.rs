//! Quantiles of sorted numbers, as NumPy defines them.

/// Returns the quantile at the share `at`, on the line between the two values next to it.
pub(super) fn linear(sorted: &[f64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    let share = place - below as f64;
    // Without the branch two infinite neighbours, or a step of 0 towards one, would be no number.
    if share == 0.0 { sorted[below] } else { sorted[below] + (sorted[above] - sorted[below]) * share }
}

/// Returns the quantile at `part / n_parts`: the inverse of the empirical distribution, the mean of both where it steps.
pub(super) fn averaged_inverse(sorted: &[f64], part: usize, n_parts: usize) -> f64 {
    let position = sorted.len() * part / n_parts;
    let steps = (sorted.len() * part).is_multiple_of(n_parts);
    match position {
        0 => sorted[0],
        position if position >= sorted.len() => sorted[sorted.len() - 1],
        position if steps => f64::midpoint(sorted[position - 1], sorted[position]),
        position => sorted[position],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|at| linear(&values, at)), [1.0, 1.75, 3.0, 8.0]);
        assert_eq!([0, 1, 2, 3, 4].map(|part| averaged_inverse(&values, part, 4)), [1.0, 1.5, 3.0, 6.0, 8.0]);
        assert_eq!([1, 2].map(|part| averaged_inverse(&values, part, 3)), [2.0, 4.0]);
        assert_eq!([linear(&[7.0], 0.9), averaged_inverse(&[7.0], 1, 2)], [7.0, 7.0]);
    }
}
