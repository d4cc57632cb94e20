//! The confusion matrix, and the figures that follow from its counts.

use serde::{Deserialize, Serialize};

use super::{ClassTotals, MetricError, check_classes, check_lengths};

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
        self.totals().accuracy()
    }

    /// Returns the scores of each class, in the order of the classes.
    pub fn per_class(&self) -> Vec<ClassScores> {
        self.totals().per_class()
    }

    /// Returns the scores of all classes together; see [`ClassTotals::averages`].
    pub fn averages(&self) -> Averages {
        self.totals().averages()
    }

    /// Returns the counts of each class against all others.
    pub fn totals(&self) -> ClassTotals {
        let mut totals = ClassTotals::new(self.n_classes);
        for (truth, row) in self.rows().enumerate() {
            for (predicted, &n_rows) in row.iter().enumerate() {
                totals.add(truth, predicted, n_rows);
            }
        }
        totals
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
