//! Naive Bayes for counts, such as those of terms in texts; sparse throughout.

use serde::{Deserialize, Serialize};

use crate::error::{PredictError, TrainError};
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, TrainingData, check_width};
use crate::matrix::FeatureMatrix;
use crate::packed;
use crate::progress::Progress;
use crate::spec::Task;

/// Multinomial naive Bayes with smoothing, as in Manning, Raghavan and Schütze, *Introduction to Information Retrieval*
/// (2008), chapter 13.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultinomialNaiveBayes {
    /// What is added to each count.
    pub alpha: f64,
}

impl Default for MultinomialNaiveBayes {
    fn default() -> MultinomialNaiveBayes {
        MultinomialNaiveBayes { alpha: 1.0 }
    }
}

/// Logarithms of the share of each feature in each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MultinomialPredictor {
    n_features: usize,
    /// One per class.
    #[serde(with = "packed::f64s")]
    log_priors: Vec<f64>,
    /// Feature by feature, one per class.
    #[serde(with = "packed::f64s")]
    log_shares: Vec<f64>,
}

impl Estimator for MultinomialNaiveBayes {
    fn kind(&self) -> &'static str {
        MultinomialNaiveBayes::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        CLASSIFICATION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default().positive("alpha", self.alpha).list()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let FeatureSums { sums: mut counts, n_classes, n_rows, .. } = FeatureSums::of(self.kind(), data)?;
        for count in &mut counts {
            *count += self.alpha;
        }
        let mut class_totals = vec![0.0; n_classes];
        for of_feature in counts.chunks(n_classes) {
            class_totals.iter_mut().zip(of_feature).for_each(|(total, count)| *total += count);
        }
        let log_totals: Vec<f64> = class_totals.iter().map(|total| total.ln()).collect();
        for shares in counts.chunks_mut(n_classes) {
            shares.iter_mut().zip(&log_totals).for_each(|(count, log_total)| *count = count.ln() - log_total);
        }
        let n_all = n_rows.iter().sum::<usize>() as f64;
        let log_priors = n_rows.iter().map(|&count| (count as f64 / n_all).ln()).collect();
        let predictor = MultinomialPredictor::new(log_priors, counts);
        Ok(Fitted { predictor: FittedPredictor::MultinomialNaiveBayes(predictor), warnings: Vec::new() })
    }
}

/// The sum of each feature over the rows of each class.
pub(in crate::estimator) struct FeatureSums {
    /// Feature by feature, one per class.
    pub(super) sums: Vec<f64>,
    pub(super) n_classes: usize,
    /// One per class.
    pub(super) n_rows: Vec<usize>,
}

impl FeatureSums {
    /// Adds up the features, none of which may be negative, for the estimator called `kind`.
    pub(in crate::estimator) fn of(kind: &'static str, data: TrainingData<'_>) -> Result<FeatureSums, TrainError> {
        let (classes, n_classes) = data.target.classes(kind)?;
        let mut sums = vec![0.0; data.features.n_columns() * n_classes];
        let mut n_rows = vec![0_usize; n_classes];
        let mut least: f64 = 0.0;
        for (row, &class) in classes.iter().enumerate() {
            n_rows[class] += 1;
            data.features.for_each_in_row(row, |feature, value| {
                least = least.min(value);
                sums[feature * n_classes + class] += value;
            });
        }
        if least < 0.0 {
            return Err(TrainError::data(
                format!("`{kind}` reads counts, and a feature has the value {least}"),
                "use `tfidf` (with `hash: { signed: false }` if it has a hash), `one_hot` or `min_max` for its features, or \
                 `gaussian_naive_bayes`",
            ));
        }
        Ok(FeatureSums { sums, n_classes, n_rows })
    }

    /// Returns, for each feature, the logarithm of its share in a class over its share in all others, with `alpha` added to
    /// each sum.
    pub(in crate::estimator) fn log_ratios(&self, class: usize, alpha: f64) -> Vec<f64> {
        let (mut of_class, mut of_rest) = (0.0, 0.0);
        let mut ratios = Vec::with_capacity(self.sums.len() / self.n_classes);
        for sums in self.sums.chunks(self.n_classes) {
            let positive = sums[class] + alpha;
            let negative = sums.iter().sum::<f64>() - sums[class] + alpha;
            of_class += positive;
            of_rest += negative;
            ratios.push((positive / negative).ln());
        }
        let of_totals: f64 = (of_class / of_rest).ln();
        for ratio in &mut ratios {
            *ratio -= of_totals;
        }
        ratios
    }
}

impl MultinomialPredictor {
    /// Makes a predictor of logarithms that lie feature by feature.
    pub(super) fn new(log_priors: Vec<f64>, log_shares: Vec<f64>) -> MultinomialPredictor {
        MultinomialPredictor { n_features: log_shares.len() / log_priors.len(), log_priors, log_shares }
    }

    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let fits =
            self.log_priors.len() == n_classes && self.n_features.checked_mul(n_classes) == Some(self.log_shares.len());
        (!fits || n_classes == 0).then(|| "the shares of naive Bayes do not fit the classes".to_owned())
    }

    fn log_likelihoods(&self, features: &FeatureMatrix) -> Result<Vec<f64>, PredictError> {
        check_width(self.n_features, features)?;
        let n_classes = self.log_priors.len();
        let mut sums = self.log_priors.repeat(features.n_rows());
        for (row, sums) in sums.chunks_mut(n_classes).enumerate() {
            features.for_each_in_row(row, |feature, value| {
                let log_shares = &self.log_shares[feature * n_classes..(feature + 1) * n_classes];
                sums.iter_mut().zip(log_shares).for_each(|(sum, log_share)| *sum += value * log_share);
            });
        }
        Ok(sums)
    }
}

impl Predictor for MultinomialPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        let scores = Scores { n_classes: self.log_priors.len(), values: self.log_likelihoods(features)? };
        Ok(Outputs::Classes(scores.best_classes()))
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        let n_classes = self.log_priors.len();
        Ok(Some(Scores::from_log_likelihoods(n_classes, self.log_likelihoods(features)?)))
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}
