//! Naive Bayes by what a class is not; sparse throughout.

use serde::{Deserialize, Serialize};

use super::multinomial::{FeatureSums, MultinomialPredictor};
use crate::error::TrainError;
use crate::estimator::settings::{CLASSIFICATION, Faults};
use crate::estimator::{Estimator, Fitted, FittedPredictor, TrainingData};
use crate::progress::Progress;
use crate::spec::Task;

/// Complement naive Bayes: a class is unlikely where features are frequent in the other classes, which there are more rows
/// of. It suits classes of unequal size better than the multinomial kind.
///
/// Source: Rennie, Shih, Teevan and Karger, *Tackling the poor assumptions of naive Bayes text classifiers* (2003).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComplementNaiveBayes {
    /// What is added to each count.
    pub alpha: f64,
    /// Whether the weights of a class are scaled to sum 1, so that none outweighs the others by being large.
    pub norm: bool,
}

impl Default for ComplementNaiveBayes {
    fn default() -> ComplementNaiveBayes {
        ComplementNaiveBayes { alpha: 1.0, norm: false }
    }
}

impl Estimator for ComplementNaiveBayes {
    fn kind(&self) -> &'static str {
        ComplementNaiveBayes::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        CLASSIFICATION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default().positive("alpha", self.alpha).list()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let FeatureSums { mut sums, n_classes, .. } = FeatureSums::of(self.kind(), data)?;
        let mut totals = vec![0.0; n_classes];
        for of_feature in sums.chunks_mut(n_classes) {
            let of_all: f64 = of_feature.iter().sum();
            for (sum, total) in of_feature.iter_mut().zip(&mut totals) {
                *sum = of_all + self.alpha - *sum;
                *total += *sum;
            }
        }
        let mut log_totals = vec![0.0; n_classes];
        for of_feature in sums.chunks_mut(n_classes) {
            for ((sum, total), log_total) in of_feature.iter_mut().zip(&totals).zip(&mut log_totals) {
                *sum = (*sum / total).ln();
                *log_total += *sum;
            }
        }
        for of_feature in sums.chunks_mut(n_classes) {
            for (log_share, log_total) in of_feature.iter_mut().zip(&log_totals) {
                // Logarithms of shares are negative, and so is their sum; one feature alone has the share 1 and the sum 0.
                let scale = if self.norm && *log_total != 0.0 { 1.0 / log_total } else { -1.0 };
                *log_share *= scale;
            }
        }
        let predictor = MultinomialPredictor::new(vec![0.0; n_classes], sums);
        Ok(Fitted { predictor: FittedPredictor::MultinomialNaiveBayes(predictor), warnings: Vec::new() })
    }
}
