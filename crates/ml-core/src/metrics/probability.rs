//! Figures of probabilities and of ranking scores.

use serde::{Deserialize, Serialize};

use super::{MetricError, check_classes, check_finite, check_lengths};

/// The area under the ROC curve of each class against all others, as two averages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RocAucOneVsRest {
    /// The plain mean over classes.
    pub macro_average: f64,
    /// The mean weighted by the number of rows of each class.
    pub weighted_average: f64,
}

/// Mean negative logarithm of the probability given to the true class; `≥ 0`, and 0 is perfect.
///
/// `truth` holds class indices, `probabilities` is row-major with `n_classes` values per row. Probabilities are clipped to
/// `[ε, 1 − ε]` with `ε = f64::EPSILON`, as scikit-learn does; rows are not normalised.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::UnequalLengths`], [`MetricError::LabelOutOfRange`] or [`MetricError::NotFinite`].
pub fn log_loss(truth: &[usize], probabilities: &[f64], n_classes: usize) -> Result<f64, MetricError> {
    check_lengths(truth.len() * n_classes, probabilities.len())?;
    check_classes(truth, n_classes)?;
    check_finite(probabilities)?;
    let mut sum = 0.0;
    for (&class, row) in truth.iter().zip(probabilities.chunks(n_classes)) {
        sum -= row[class].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
    }
    Ok(sum / truth.len() as f64)
}

/// Area under the ROC curve: the chance that a row of the class scores above one that is not; ties count half.
///
/// `truth` says which rows are of the class; `scores` is higher for rows that look like it. The result is in `[0, 1]`.
///
/// Source: the Mann-Whitney statistic on midranks; Hanley and McNeil (1982).
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::UnequalLengths`], [`MetricError::NotFinite`], or [`MetricError::OneClass`] when
/// all truths are equal.
pub fn roc_auc_binary(truth: &[bool], scores: &[f64]) -> Result<f64, MetricError> {
    check_lengths(truth.len(), scores.len())?;
    check_finite(scores)?;
    area_under_curve(truth, scores).ok_or(MetricError::OneClass { class: 1 })
}

/// The area under the ROC curve of each class against all others.
///
/// `scores` is row-major with `n_classes` values per row.
///
/// # Errors
/// Those of [`roc_auc_binary`], [`MetricError::LabelOutOfRange`], and [`MetricError::OneClass`] for the first class that
/// no row or every row belongs to.
pub fn roc_auc_one_vs_rest(truth: &[usize], scores: &[f64], n_classes: usize) -> Result<RocAucOneVsRest, MetricError> {
    check_lengths(truth.len() * n_classes, scores.len())?;
    check_classes(truth, n_classes)?;
    check_finite(scores)?;
    let (mut sum, mut weighted_sum) = (0.0, 0.0);
    for class in 0..n_classes {
        let in_class: Vec<bool> = truth.iter().map(|&truth| truth == class).collect();
        let class_scores: Vec<f64> = scores.chunks(n_classes).map(|row| row[class]).collect();
        let area = area_under_curve(&in_class, &class_scores).ok_or(MetricError::OneClass { class })?;
        let support = in_class.iter().filter(|&&inside| inside).count();
        sum += area;
        weighted_sum += area * support as f64;
    }
    Ok(RocAucOneVsRest { macro_average: sum / n_classes as f64, weighted_average: weighted_sum / truth.len() as f64 })
}

/// Returns `None` when the rows are all inside or all outside of the class.
fn area_under_curve(truth: &[bool], scores: &[f64]) -> Option<f64> {
    let n_inside = truth.iter().filter(|&&inside| inside).count();
    let n_outside = truth.len() - n_inside;
    if n_inside == 0 || n_outside == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&left, &right| scores[left].total_cmp(&scores[right]));
    let mut rank_sum = 0.0;
    let mut n_ranked = 0;
    for ties in order.chunk_by(|&left, &right| scores[left] == scores[right]) {
        let midrank = n_ranked as f64 + (ties.len() + 1) as f64 / 2.0;
        rank_sum += midrank * ties.iter().filter(|&&row| truth[row]).count() as f64;
        n_ranked += ties.len();
    }
    let (inside, outside) = (n_inside as f64, n_outside as f64);
    Some((rank_sum - inside * (inside + 1.0) / 2.0) / (inside * outside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_ranking_has_area_one_and_equal_scores_have_half() {
        assert_eq!(roc_auc_binary(&[false, false, true], &[0.1, 0.2, 0.3]), Ok(1.0));
        assert_eq!(roc_auc_binary(&[false, true, true], &[0.5, 0.5, 0.5]), Ok(0.5));
        assert_eq!(roc_auc_binary(&[false, true], &[0.0, -0.0]), Ok(0.5));
    }

    #[test]
    fn a_ranking_of_one_class_is_an_error_that_names_it() {
        assert_eq!(roc_auc_binary(&[true, true], &[0.1, 0.2]), Err(MetricError::OneClass { class: 1 }));
        let missing_third = roc_auc_one_vs_rest(&[0, 1], &[0.5, 0.3, 0.2, 0.1, 0.8, 0.1], 3);
        assert_eq!(missing_third, Err(MetricError::OneClass { class: 2 }));
    }

    #[test]
    fn a_certain_mistake_stays_finite() {
        let loss = log_loss(&[0], &[0.0, 1.0], 2).unwrap();
        assert!((loss - 36.043_653_389_117_15).abs() < 1e-9, "{loss}");
    }

    #[test]
    fn values_that_are_not_finite_are_refused() {
        assert_eq!(log_loss(&[0], &[f64::NAN, 1.0], 2), Err(MetricError::NotFinite { index: 0 }));
        assert_eq!(roc_auc_binary(&[true, false], &[0.0, f64::INFINITY]), Err(MetricError::NotFinite { index: 1 }));
    }
}
