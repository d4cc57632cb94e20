//! Where a feature is cut between two of its values.

/// Returns a number that `low` does not exceed and `high`, unless it is the same, does.
pub(super) fn cut_between(low: f64, high: f64) -> f64 {
    let middle = f64::midpoint(low, high);
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extreme_neighbours_are_told_apart() {
        for (low, high) in [(f64::NEG_INFINITY, f64::INFINITY), (f64::MIN, f64::MAX), (1.0, 1.0_f64.next_up())] {
            let cut = cut_between(low, high);
            assert!(low <= cut && cut < high, "{cut} is not between {low} and {high}");
        }
    }
}
