//! What remains of a confusion matrix when each class is set against all others, and the figures that follow from it.
//!
//! Three counts per class are enough for every figure of predicted classes, and are quicker to add up than the matrix.

use serde::{Deserialize, Serialize};

use super::MetricError;
use super::confusion::{Averages, ClassScores, Scores};

/// How often each class is right, predicted and true.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassTotals {
    hits: Vec<u64>,
    predicted: Vec<u64>,
    support: Vec<u64>,
}

impl ClassTotals {
    /// Makes the totals of no rows.
    pub fn new(n_classes: usize) -> ClassTotals {
        ClassTotals { hits: vec![0; n_classes], predicted: vec![0; n_classes], support: vec![0; n_classes] }
    }

    /// Adds `n_rows` rows of class `truth` that were predicted as `predicted`.
    ///
    /// # Panics
    /// If a class is not below the number of classes.
    pub fn add(&mut self, truth: usize, predicted: usize, n_rows: u64) {
        self.support[truth] += n_rows;
        self.predicted[predicted] += n_rows;
        if truth == predicted {
            self.hits[truth] += n_rows;
        }
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> u64 {
        self.support.iter().sum()
    }

    /// Returns the share of rows that are right, in `[0, 1]`; 0 for no rows.
    pub fn accuracy(&self) -> f64 {
        ratio(self.hits.iter().sum(), self.n_rows())
    }

    /// Returns the scores of each class, in the order of the classes.
    pub fn per_class(&self) -> Vec<ClassScores> {
        (0..self.hits.len())
            .map(|class| {
                let (hits, predicted, support) = (self.hits[class], self.predicted[class], self.support[class]);
                let scores = Scores {
                    precision: ratio(hits, predicted),
                    recall: ratio(hits, support),
                    f1: ratio(2 * hits, predicted + support),
                };
                ClassScores { scores, support }
            })
            .collect()
    }

    /// Returns the scores of all classes together.
    ///
    /// A class that is neither true nor predicted for any row does not count in the macro average, as in scikit-learn
    /// when no list of labels is given.
    pub fn averages(&self) -> Averages {
        let per_class = self.per_class();
        let mut macro_weights = Vec::with_capacity(per_class.len());
        let mut support_weights = Vec::with_capacity(per_class.len());
        for (class, &n_predicted) in per_class.iter().zip(&self.predicted) {
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

    /// Returns the plain mean of recall over the classes that occur as truth, in `[0, 1]`; 0 for no rows.
    ///
    /// Always predicting the most frequent of `n` classes gives `1 / n`.
    pub fn balanced_accuracy(&self) -> f64 {
        let (mut sum, mut n_occurring) = (0.0, 0);
        for (&hits, &support) in self.hits.iter().zip(&self.support) {
            if support > 0 {
                sum += ratio(hits, support);
                n_occurring += 1;
            }
        }
        if n_occurring == 0 { 0.0 } else { sum / f64::from(n_occurring) }
    }

    /// Returns the correlation of truth and prediction, in `[-1, 1]`: 1 is perfect, 0 is no better than chance.
    ///
    /// It is 0 when all truths or all predictions are of one class.
    ///
    /// Source: Matthews (1975), for many classes Gorodkin, *Comparing two K-category assignments by a K-category
    /// correlation coefficient* (2004).
    pub fn matthews_correlation(&self) -> f64 {
        let n_rows = self.n_rows() as f64;
        let hits = self.hits.iter().sum::<u64>() as f64;
        let covariance = hits * n_rows - products(&self.support, &self.predicted);
        let of_truth = n_rows * n_rows - products(&self.support, &self.support);
        let of_predicted = n_rows * n_rows - products(&self.predicted, &self.predicted);
        let spread = (of_truth * of_predicted).max(0.0).sqrt();
        if spread == 0.0 { 0.0 } else { (covariance / spread).clamp(-1.0, 1.0) }
    }

    /// Returns the agreement of truth and prediction beyond what their frequencies alone would give: 1 is perfect, 0 is
    /// chance, negative is worse; `None` for no rows, and when truth and prediction are of one and the same class throughout.
    ///
    /// Source: Cohen, *A coefficient of agreement for nominal scales* (1960).
    pub fn cohen_kappa(&self) -> Option<f64> {
        let n_rows = self.n_rows() as f64;
        let by_chance = products(&self.support, &self.predicted) / n_rows;
        let beyond_chance = n_rows - by_chance;
        let hits = self.hits.iter().sum::<u64>() as f64;
        (beyond_chance > 0.0).then(|| (hits - by_chance) / beyond_chance)
    }

    /// Returns the counts of a list of rows.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::UnequalLengths`] or [`MetricError::LabelOutOfRange`].
    pub fn of(truth: &[usize], predicted: &[usize], n_classes: usize) -> Result<ClassTotals, MetricError> {
        super::check_lengths(truth.len(), predicted.len())?;
        super::check_classes(truth, n_classes)?;
        super::check_classes(predicted, n_classes)?;
        let mut totals = ClassTotals::new(n_classes);
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            totals.add(truth, predicted, 1);
        }
        Ok(totals)
    }
}

fn products(left: &[u64], right: &[u64]) -> f64 {
    left.iter().zip(right).map(|(&left, &right)| left as f64 * right as f64).sum()
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
    fn the_most_frequent_class_alone_earns_nothing() {
        let totals = ClassTotals::of(&[0, 0, 0, 1], &[0, 0, 0, 0], 2).unwrap();
        assert_eq!(totals.balanced_accuracy(), 0.5);
        assert_eq!(totals.matthews_correlation(), 0.0);
        assert_eq!(totals.cohen_kappa(), Some(0.0));
    }

    #[test]
    fn one_class_throughout_has_no_agreement_beyond_chance() {
        let totals = ClassTotals::of(&[1, 1], &[1, 1], 2).unwrap();
        assert_eq!(totals.balanced_accuracy(), 1.0);
        assert_eq!(totals.matthews_correlation(), 0.0);
        assert_eq!(totals.cohen_kappa(), None);
        assert_eq!(ClassTotals::new(2).cohen_kappa(), None);
    }

    #[test]
    fn classes_that_are_swapped_throughout_are_as_wrong_as_can_be() {
        let totals = ClassTotals::of(&[0, 1, 0, 1], &[1, 0, 1, 0], 2).unwrap();
        assert_eq!(totals.matthews_correlation(), -1.0);
        assert_eq!(totals.cohen_kappa(), Some(-1.0));
    }

    #[test]
    fn bad_rows_are_named() {
        assert_eq!(ClassTotals::of(&[], &[], 2), Err(MetricError::Empty));
        let out_of_range = MetricError::LabelOutOfRange { index: 0, class: 2, n_classes: 2 };
        assert_eq!(ClassTotals::of(&[2], &[0], 2), Err(out_of_range));
    }
}
