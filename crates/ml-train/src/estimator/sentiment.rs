//! Sentiment by a word list as an estimator: what is learnt is only how the target goes with it, and no words.

use serde::{Deserialize, Serialize};

use super::settings::BOTH;
use super::{
    Estimator, Fitted, FittedPredictor, LinearPredictor, Link, Outputs, Predictor, Scores, Target, TrainingData,
    check_width,
};
use crate::error::{PredictError, TrainError};
use crate::matrix::FeatureMatrix;
use crate::progress::Progress;
use crate::spec::Task;
use crate::text::COMPOUND_THRESHOLD;

/// Predicts from the compound sentiment of one text: a class by whether it is negative, neutral or positive, or a number by
/// the straight line through the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LexiconSentiment {
    /// A text is negative up to the first and positive from the second on; for classifications.
    pub thresholds: (f64, f64),
}

impl Default for LexiconSentiment {
    fn default() -> LexiconSentiment {
        LexiconSentiment { thresholds: (-COMPOUND_THRESHOLD, COMPOUND_THRESHOLD) }
    }
}

/// The share of each class among negative, neutral and positive texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SentimentPredictor {
    n_features: usize,
    /// The compound sentiment.
    feature: usize,
    thresholds: (f64, f64),
    /// One per class, for negative, neutral and positive texts.
    shares: [Vec<f64>; 3],
}

impl Estimator for LexiconSentiment {
    fn kind(&self) -> &'static str {
        LexiconSentiment::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        let (negative, positive) = self.thresholds;
        let are_bounds = (-1.0..=1.0).contains(&negative) && (-1.0..=1.0).contains(&positive) && negative < positive;
        let message = || format!("must be [negative, positive] numbers from -1 to 1, not [{negative}, {positive}]");
        if are_bounds { Vec::new() } else { vec![("thresholds", message())] }
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let [feature] = data.preprocessor.compound_features()[..] else {
            return Err(TrainError::data(
                format!("`{}` reads the sentiment of one column of text", self.kind()),
                "give one such column in the features, as `{ columns: [text], steps: [{ sentiment: vader }] }`",
            ));
        };
        let compounds = values_of(feature, data.features);
        let predictor = match data.target {
            Target::Classes { indices, n_classes } => FittedPredictor::LexiconSentiment(SentimentPredictor {
                n_features: data.features.n_columns(),
                feature,
                thresholds: self.thresholds,
                shares: shares(self.thresholds, &compounds, indices, *n_classes),
            }),
            Target::Numbers(numbers) => {
                let (intercept, slope) = line(&compounds, numbers);
                let mut weights = vec![0.0; data.features.n_columns()];
                weights[feature] = slope;
                FittedPredictor::Linear(LinearPredictor::new(Link::Identity, vec![intercept], weights))
            }
        };
        Ok(Fitted { predictor, warnings: Vec::new() })
    }
}

/// Returns 0 for a negative text, 1 for a neutral and 2 for a positive one.
fn zone((negative, positive): (f64, f64), compound: f64) -> usize {
    if compound <= negative {
        0
    } else if compound >= positive {
        2
    } else {
        1
    }
}

fn values_of(feature: usize, features: &FeatureMatrix) -> Vec<f64> {
    let mut values = vec![0.0; features.n_rows()];
    for (row, found) in values.iter_mut().enumerate() {
        features.for_each_in_row(row, |column, value| {
            if column == feature {
                *found = value;
            }
        });
    }
    values
}

/// Returns the shares of the classes in each zone; in one without training rows those of all rows.
fn shares(thresholds: (f64, f64), compounds: &[f64], classes: &[usize], n_classes: usize) -> [Vec<f64>; 3] {
    let mut counts: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; n_classes]);
    let mut of_all = vec![0.0; n_classes];
    for (&compound, &class) in compounds.iter().zip(classes) {
        counts[zone(thresholds, compound)][class] += 1.0;
        of_all[class] += 1.0;
    }
    counts.map(|counts| {
        let counts = if counts.iter().all(|&count| count == 0.0) { &of_all } else { &counts };
        let sum: f64 = counts.iter().sum();
        counts.iter().map(|count| count / sum).collect()
    })
}

/// Returns intercept and slope of the line of least squares; the mean where all texts are alike.
fn line(compounds: &[f64], numbers: &[f64]) -> (f64, f64) {
    let n_rows = numbers.len() as f64;
    let mean_compound = compounds.iter().sum::<f64>() / n_rows;
    let mean_number = numbers.iter().sum::<f64>() / n_rows;
    let variance: f64 = compounds.iter().map(|compound| (compound - mean_compound).powi(2)).sum();
    let products = compounds.iter().zip(numbers);
    let covariance: f64 = products.map(|(compound, number)| (compound - mean_compound) * (number - mean_number)).sum();
    let slope = if variance > 0.0 { covariance / variance } else { 0.0 };
    (mean_number - slope * mean_compound, slope)
}

impl SentimentPredictor {
    pub(super) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        if self.feature >= self.n_features {
            return Some("a sentiment model has no such feature".to_owned());
        }
        let wrong = self.shares.iter().find(|shares| shares.len() != n_classes || n_classes == 0)?;
        Some(format!("a sentiment model for {} classes serves {n_classes}", wrong.len()))
    }
}

impl Predictor for SentimentPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        check_width(self.n_features, features)?;
        let best = self.shares.each_ref().map(|shares| super::best_class(shares));
        let compounds = values_of(self.feature, features);
        Ok(Outputs::Classes(compounds.iter().map(|&compound| best[zone(self.thresholds, compound)]).collect()))
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        let compounds = values_of(self.feature, features);
        let shares = compounds.iter().flat_map(|&compound| &self.shares[zone(self.thresholds, compound)]);
        Ok(Some(Scores { n_classes: self.shares[0].len(), values: shares.copied().collect() }))
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}
