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
        let (classes, n_classes) = data.target.classes(self.kind())?;
        let n_features = data.features.n_columns();
        let mut counts = vec![self.alpha; n_features * n_classes];
        let mut class_totals = vec![self.alpha * n_features as f64; n_classes];
        let mut n_rows = vec![0_usize; n_classes];
        let mut least: f64 = 0.0;
        for (row, &class) in classes.iter().enumerate() {
            n_rows[class] += 1;
            data.features.for_each_in_row(row, |feature, value| {
                least = least.min(value);
                counts[feature * n_classes + class] += value;
                class_totals[class] += value;
            });
        }
        if least < 0.0 {
            return Err(TrainError::data(
                format!("`{}` reads counts, and a feature has the value {least}", self.kind()),
                "use `tfidf`, `one_hot` or `min_max` for its features, or `gaussian_naive_bayes`",
            ));
        }
        let log_totals: Vec<f64> = class_totals.iter().map(|total| total.ln()).collect();
        for shares in counts.chunks_mut(n_classes) {
            shares.iter_mut().zip(&log_totals).for_each(|(count, log_total)| *count = count.ln() - log_total);
        }
        let predictor = MultinomialPredictor {
            n_features,
            log_priors: n_rows.iter().map(|&count| (count as f64 / classes.len() as f64).ln()).collect(),
            log_shares: counts,
        };
        Ok(Fitted { predictor: FittedPredictor::MultinomialNaiveBayes(predictor), warnings: Vec::new() })
    }
}

impl MultinomialPredictor {
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
