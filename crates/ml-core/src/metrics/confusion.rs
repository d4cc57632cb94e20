//! The confusion matrix, and the figures that follow from its counts.

use serde::{Deserialize, Serialize};

use super::{MetricError, check_classes, check_lengths};

/// Counts of rows by true and by predicted class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    n_classes: usize,
    counts: Vec<u64>,
}

/// Precision, recall and their harmonic mean, each in `[0, 1]`; a zero denominator gives 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The share of rows predicted as the class that are of it.
    pub precision: f64,
    /// The share of rows of the class that are predicted as it.
    pub recall: f64,
    /// `2 · tp / (2 · tp + fp + fn)`.
    pub f1: f64,
}

/// The scores of one class against all others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Precision, recall and F1.
    #[serde(flatten)]
    pub scores: Scores,
    /// How many rows are of the class.
    pub support: u64,
}

/// Three ways to make one figure of many classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Averages {
    /// The plain mean over the classes that occur as truth or as prediction.
    pub macro_average: Scores,
    /// From the counts of all classes together; all three equal the accuracy.
    pub micro_average: Scores,
    /// The mean over classes weighted by support.
    pub weighted_average: Scores,
}

impl ConfusionMatrix {
    /// Counts the rows. `truth` and `predicted` hold class indices below `n_classes`, one per row.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::UnequalLengths`] or [`MetricError::LabelOutOfRange`].
    pub fn new(truth: &[usize], predicted: &[usize], n_classes: usize) -> Result<ConfusionMatrix, MetricError> {
        check_lengths(truth.len(), predicted.len())?;
        check_classes(truth, n_classes)?;
        check_classes(predicted, n_classes)?;
        let mut counts = vec![0; n_classes * n_classes];
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            counts[truth * n_classes + predicted] += 1;
        }
        Ok(ConfusionMatrix { n_classes, counts })
    }

    /// Returns the number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Returns how many rows of class `truth` were predicted as class `predicted`; 0 for classes that do not exist.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        if truth >= self.n_classes || predicted >= self.n_classes {
            return 0;
        }
        self.counts[truth * self.n_classes + predicted]
    }

    /// Returns the counts by true class, each by predicted class.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks(self.n_classes)
    }

    /// Returns the share of rows on the diagonal, in `[0, 1]`.
    pub fn accuracy(&self) -> f64 {
        let hits: u64 = (0..self.n_classes).map(|class| self.count(class, class)).sum();
        ratio(hits, self.n_rows())
    }

    /// Returns the scores of each class, in the order of the classes.
    pub fn per_class(&self) -> Vec<ClassScores> {
        let predicted = self.predicted_counts();
        self.rows()
            .enumerate()
            .map(|(class, row)| {
                let (hits, support) = (row[class], row.iter().sum());
                ClassScores { scores: Scores::from_counts(hits, predicted[class], support), support }
            })
            .collect()
    }

    /// Returns the scores of all classes together.
    ///
    /// A class that is neither true nor predicted for any row does not count in the macro average, as in scikit-learn
    /// when no list of labels is given.
    pub fn averages(&self) -> Averages {
        let per_class = self.per_class();
        let predicted = self.predicted_counts();
        let mut macro_weights = Vec::with_capacity(self.n_classes);
        let mut support_weights = Vec::with_capacity(self.n_classes);
        for (class, &n_predicted) in per_class.iter().zip(&predicted) {
            macro_weights.push(if class.support + n_predicted > 0 { 1.0 } else { 0.0 });
            support_weights.push(class.support as f64);
        }
        let accuracy = self.accuracy();
        Averages {
            macro_average: weighted_mean(&per_class, &macro_weights),
            micro_average: Scores { precision: accuracy, recall: accuracy, f1: accuracy },
            weighted_average: weighted_mean(&per_class, &support_weights),
        }
    }

    fn n_rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn predicted_counts(&self) -> Vec<u64> {
        let mut totals = vec![0; self.n_classes];
        for row in self.rows() {
            for (total, count) in totals.iter_mut().zip(row) {
                *total += count;
            }
        }
        totals
    }
}

impl Scores {
    fn from_counts(hits: u64, predicted: u64, support: u64) -> Scores {
        Scores {
            precision: ratio(hits, predicted),
            recall: ratio(hits, support),
            f1: ratio(2 * hits, predicted + support),
        }
    }
}

fn ratio(numerator: u64, denominator: u64) -> f64 {
    if denominator == 0 { 0.0 } else { numerator as f64 / denominator as f64 }
}

fn weighted_mean(per_class: &[ClassScores], weights: &[f64]) -> Scores {
    let total: f64 = weights.iter().sum();
    let mean = |figure: fn(&Scores) -> f64| {
        let sum: f64 = per_class.iter().zip(weights).map(|(class, weight)| figure(&class.scores) * weight).sum();
        sum / total
    };
    Scores {
        precision: mean(|scores| scores.precision),
        recall: mean(|scores| scores.recall),
        f1: mean(|scores| scores.f1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_by_truth_then_by_prediction() {
        let matrix = ConfusionMatrix::new(&[0, 0, 1, 2], &[0, 1, 1, 1], 3).unwrap();
        assert_eq!(matrix.rows().collect::<Vec<_>>(), [&[1, 1, 0], &[0, 1, 0], &[0, 1, 0]]);
        assert_eq!(matrix.accuracy(), 0.5);
    }

    #[test]
    fn a_class_that_is_never_predicted_has_precision_zero() {
        let matrix = ConfusionMatrix::new(&[0, 1], &[0, 0], 2).unwrap();
        let class = matrix.per_class()[1];
        assert_eq!(class, ClassScores { scores: Scores { precision: 0.0, recall: 0.0, f1: 0.0 }, support: 1 });
    }

    #[test]
    fn bad_rows_are_named() {
        assert_eq!(ConfusionMatrix::new(&[], &[], 2), Err(MetricError::Empty));
        assert_eq!(ConfusionMatrix::new(&[0], &[0, 1], 2), Err(MetricError::UnequalLengths { expected: 1, found: 2 }));
        let out_of_range = MetricError::LabelOutOfRange { index: 1, class: 5, n_classes: 2 };
        assert_eq!(ConfusionMatrix::new(&[0, 1], &[0, 5], 2), Err(out_of_range));
    }
}
