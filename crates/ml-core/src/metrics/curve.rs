//! The curves that a ranking draws as its threshold falls, and the area under the one of precision over recall.

use serde::{Deserialize, Serialize};

use super::{MetricError, check_finite, check_lengths};

/// Who is chosen when every row with a score of at least `threshold` is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The least score that is chosen.
    pub threshold: f64,
    /// How many rows of the class are chosen.
    pub true_positives: u64,
    /// How many other rows are chosen.
    pub false_positives: u64,
}

/// The counts at each distinct score, from the highest down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingCurve {
    /// How many rows are of the class.
    pub n_positive: u64,
    /// How many are not.
    pub n_negative: u64,
    /// One point for each distinct score, from the highest down; the last one chooses every row.
    pub points: Vec<CurvePoint>,
}

impl RankingCurve {
    /// Draws the curve. `truth` says which rows are of the class; `scores` is higher for rows that look like it.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::UnequalLengths`] or [`MetricError::NotFinite`].
    pub fn new(truth: &[bool], scores: &[f64]) -> Result<RankingCurve, MetricError> {
        check_lengths(truth.len(), scores.len())?;
        check_finite(scores)?;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_unstable_by(|&left, &right| scores[right].total_cmp(&scores[left]));
        let mut curve = RankingCurve { n_positive: 0, n_negative: 0, points: Vec::new() };
        for ties in order.chunk_by(|&left, &right| scores[left] == scores[right]) {
            let n_inside = ties.iter().filter(|&&row| truth[row]).count();
            curve.n_positive += n_inside as u64;
            curve.n_negative += (ties.len() - n_inside) as u64;
            curve.points.push(CurvePoint {
                threshold: scores[ties[0]],
                true_positives: curve.n_positive,
                false_positives: curve.n_negative,
            });
        }
        Ok(curve)
    }

    /// Returns the share of the rows of the class that `point` chooses, in `[0, 1]`; 0 when there are none.
    pub fn true_positive_rate(&self, point: &CurvePoint) -> f64 {
        share(point.true_positives, self.n_positive)
    }

    /// Returns the share of the other rows that `point` chooses, in `[0, 1]`; 0 when there are none.
    pub fn false_positive_rate(&self, point: &CurvePoint) -> f64 {
        share(point.false_positives, self.n_negative)
    }

    /// Returns the mean of precision over the rows of the class, each at the threshold that first chooses it:
    /// `Σ (Rᵢ − Rᵢ₋₁) · Pᵢ`, in `[0, 1]`. Choosing at random gives the share of the class.
    ///
    /// # Errors
    /// [`MetricError::OneClass`] when no row is of the class.
    pub fn average_precision(&self) -> Result<f64, MetricError> {
        if self.n_positive == 0 {
            return Err(MetricError::OneClass { class: 1 });
        }
        let (mut sum, mut chosen_before) = (0.0, 0);
        for point in &self.points {
            sum += (point.true_positives - chosen_before) as f64 * point.precision();
            chosen_before = point.true_positives;
        }
        Ok(sum / self.n_positive as f64)
    }

    /// Returns at most `n_points` of the points, evenly spread and with both ends, to be drawn.
    #[must_use]
    pub fn thinned(&self, n_points: usize) -> RankingCurve {
        let n_points = n_points.max(2);
        let mut thinned = RankingCurve { points: Vec::new(), ..*self };
        if self.points.len() <= n_points {
            thinned.points.clone_from(&self.points);
            return thinned;
        }
        let last = self.points.len() - 1;
        thinned.points = (0..n_points).map(|position| self.points[position * last / (n_points - 1)]).collect();
        thinned
    }
}

impl CurvePoint {
    /// Returns the share of the chosen rows that are of the class, in `[0, 1]`.
    pub fn precision(&self) -> f64 {
        share(self.true_positives, self.true_positives + self.false_positives)
    }
}

/// The area under the curve of precision over recall, as its step function; see [`RankingCurve::average_precision`].
///
/// # Errors
/// Those of [`RankingCurve::new`], and [`MetricError::OneClass`] when no row is of the class.
pub fn average_precision(truth: &[bool], scores: &[f64]) -> Result<f64, MetricError> {
    RankingCurve::new(truth, scores)?.average_precision()
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_are_one_point() {
        let curve = RankingCurve::new(&[true, false, true, false], &[0.9, 0.5, 0.5, 0.1]).unwrap();
        let counts: Vec<_> = curve.points.iter().map(|point| (point.true_positives, point.false_positives)).collect();
        assert_eq!(counts, [(1, 0), (2, 1), (2, 2)]);
        assert_eq!(curve.true_positive_rate(&curve.points[0]), 0.5);
        assert_eq!(curve.false_positive_rate(&curve.points[1]), 0.5);
    }

    #[test]
    fn a_perfect_ranking_has_average_precision_one_and_equal_scores_have_the_share() {
        assert_eq!(average_precision(&[true, false, true], &[0.9, 0.1, 0.8]), Ok(1.0));
        assert_eq!(average_precision(&[true, false, false, false], &[0.5; 4]), Ok(0.25));
        assert_eq!(average_precision(&[false, false], &[0.1, 0.2]), Err(MetricError::OneClass { class: 1 }));
    }

    #[test]
    fn a_thinned_curve_keeps_its_ends() {
        let scores: Vec<f64> = (0..1000).map(f64::from).collect();
        let truth: Vec<bool> = (0..1000).map(|row| row % 3 == 0).collect();
        let curve = RankingCurve::new(&truth, &scores).unwrap();
        let thinned = curve.thinned(50);
        assert_eq!(thinned.points.len(), 50);
        assert_eq!(thinned.points.first(), curve.points.first());
        assert_eq!(thinned.points.last(), curve.points.last());
        assert_eq!(curve.thinned(1), curve.thinned(2));
    }
}
