//! The nearest training rows.

use serde::{Deserialize, Serialize};
use smartcore::algorithm::neighbour::KNNAlgorithmName;
use smartcore::linalg::basic::matrix::DenseMatrix as SmartMatrix;
use smartcore::metrics::distance::euclidian::Euclidian;
use smartcore::neighbors::KNNWeightFunction;
use smartcore::neighbors::knn_classifier::{KNNClassifier, KNNClassifierParameters};
use smartcore::neighbors::knn_regressor::{KNNRegressor, KNNRegressorParameters};

use super::boundary::{class_labels, fit_guarded, predict_guarded, smart_features};
use crate::error::{PredictError, TrainError};
use crate::estimator::settings::{BOTH, Faults};
use crate::estimator::{
    Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, Target, TrainingData, check_width,
};
use crate::matrix::FeatureMatrix;
use crate::progress::Progress;
use crate::spec::Task;

/// The vote or the mean of the nearest training rows by Euclidean distance. The model holds all training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KNearestNeighbours {
    /// How many rows; fewer if there are fewer.
    pub k: usize,
    /// How much each of them counts.
    pub weights: NeighbourWeights,
    /// How they are found.
    pub search: NeighbourSearch,
}

/// How much a near row counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeighbourWeights {
    /// All the same.
    #[default]
    Uniform,
    /// By the inverse of the distance.
    Distance,
}

/// How near rows are found; the rows found are the same but for ties.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeighbourSearch {
    /// By comparing with every row.
    #[default]
    Linear,
    /// By a cover tree, faster for few features.
    CoverTree,
}

impl Default for KNearestNeighbours {
    fn default() -> KNearestNeighbours {
        KNearestNeighbours { k: 5, weights: NeighbourWeights::Uniform, search: NeighbourSearch::Linear }
    }
}

type Classifier = KNNClassifier<f64, u32, SmartMatrix<f64>, Vec<u32>, Euclidian<f64>>;
type Regressor = KNNRegressor<f64, f64, SmartMatrix<f64>, Vec<f64>, Euclidian<f64>>;

/// The training rows, ready to be searched.
#[derive(Debug, Serialize, Deserialize)]
pub struct NeighboursPredictor {
    n_features: usize,
    n_classes: usize,
    rows: Rows,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rows {
    Classifier(Classifier),
    Regressor(Regressor),
}

impl NeighbourWeights {
    fn function(self) -> KNNWeightFunction {
        match self {
            NeighbourWeights::Uniform => KNNWeightFunction::Uniform,
            NeighbourWeights::Distance => KNNWeightFunction::Distance,
        }
    }
}

impl NeighbourSearch {
    fn algorithm(self) -> KNNAlgorithmName {
        match self {
            NeighbourSearch::Linear => KNNAlgorithmName::LinearSearch,
            NeighbourSearch::CoverTree => KNNAlgorithmName::CoverTree,
        }
    }
}

impl Estimator for KNearestNeighbours {
    fn kind(&self) -> &'static str {
        KNearestNeighbours::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Faults::default().at_least("k", 1, self.k).list()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        if let Some(row) = (0..data.features.n_rows()).find(|&row| is_far(data.features, row)) {
            let what = format!("the distances to row {} are infinite, for it has a huge number", row + 1);
            return Err(TrainError::data(what, "standardise the features, or `clip` them"));
        }
        let features = smart_features(self.kind(), data.features)?;
        let k = self.k.min(data.features.n_rows());
        let mut warnings = Vec::new();
        let mut search = self.search;
        if search == NeighbourSearch::CoverTree && !suits_cover_tree(data.features) {
            warnings.push("distances differ too much for a cover tree: rows are compared one by one".to_owned());
            search = NeighbourSearch::Linear;
        }
        let rows = match data.target {
            Target::Classes { indices, .. } => {
                let labels = class_labels(indices);
                let parameters = KNNClassifierParameters::default()
                    .with_k(k)
                    .with_weight(self.weights.function())
                    .with_algorithm(search.algorithm());
                Rows::Classifier(fit_guarded(self.kind(), || Classifier::fit(&features, &labels, parameters))?)
            }
            Target::Numbers(numbers) => {
                let parameters = KNNRegressorParameters::default()
                    .with_k(k)
                    .with_weight(self.weights.function())
                    .with_algorithm(search.algorithm());
                Rows::Regressor(fit_guarded(self.kind(), || Regressor::fit(&features, numbers, parameters))?)
            }
        };
        if k < self.k {
            warnings.push(format!("`k` is {}, and there are {k} training rows: all of them are neighbours", self.k));
        }
        let n_classes = if let Target::Classes { n_classes, .. } = data.target { *n_classes } else { 0 };
        let predictor = NeighboursPredictor { n_features: data.features.n_columns(), n_classes, rows };
        Ok(Fitted { predictor: FittedPredictor::Neighbours(predictor), warnings })
    }
}

/// smartcore's cover tree goes one level deeper for each factor of 1.3 between the greatest and the least distance, and calls
/// itself for each: beyond some the stack is full, which ends the process.
fn suits_cover_tree(features: &FeatureMatrix) -> bool {
    const MAX_RATIO: f64 = 1e40;
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); features.n_columns()];
    for row in 0..features.n_rows() {
        features.for_each_in_row(row, |column, value| columns[column].push(value));
    }
    let (mut greatest, mut least) = (0.0_f64, f64::INFINITY);
    for column in &mut columns {
        column.push(0.0);
        column.sort_unstable_by(f64::total_cmp);
        for pair in column.windows(2).filter(|pair| pair[0] < pair[1]) {
            greatest = greatest.max(pair[1] - pair[0]);
            least = least.min(pair[1] - pair[0]);
        }
    }
    let is_one_point = greatest == 0.0;
    is_one_point || (greatest < 1e100 && least > 1e-100 && greatest / least < MAX_RATIO)
}

impl NeighboursPredictor {
    pub(in crate::estimator) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let fits = self.n_classes == n_classes && matches!(self.rows, Rows::Classifier(_)) == (n_classes > 0);
        (!fits).then(|| format!("neighbours of {} classes serve {n_classes}", self.n_classes))
    }

    fn shares(&self, rows: &Classifier, features: &FeatureMatrix) -> Result<Scores, PredictError> {
        let n_classes = self.n_classes;
        let values = of_near_rows(features, n_classes, |near| {
            Ok(predict_guarded(KNearestNeighbours::KIND, near, |part| rows.predict_proba(part))?.concat())
        })?;
        Ok(Scores { n_classes, values })
    }
}

/// The square of a greater number may be infinite, and a row with one has no neighbours.
const GREATEST: f64 = 1e150;

fn is_far(features: &FeatureMatrix, row: usize) -> bool {
    let mut is_far = false;
    features.for_each_in_row(row, |_, value| is_far |= value.abs() > GREATEST);
    is_far
}

/// Predicts the rows that have neighbours, `n_outputs` numbers for each; the others get `NaN`.
fn of_near_rows(
    features: &FeatureMatrix,
    n_outputs: usize,
    predict: impl Fn(&FeatureMatrix) -> Result<Vec<f64>, PredictError>,
) -> Result<Vec<f64>, PredictError> {
    let n_rows = features.n_rows();
    let near: Vec<usize> = (0..n_rows).filter(|&row| !is_far(features, row)).collect();
    if near.len() == n_rows {
        return predict(features);
    }
    let mut outputs = vec![f64::NAN; n_rows * n_outputs];
    for (&row, found) in near.iter().zip(predict(&features.take(&near))?.chunks(n_outputs)) {
        outputs[row * n_outputs..(row + 1) * n_outputs].copy_from_slice(found);
    }
    Ok(outputs)
}

impl Predictor for NeighboursPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        check_width(self.n_features, features)?;
        match &self.rows {
            Rows::Classifier(rows) => Ok(Outputs::Classes(self.shares(rows, features)?.best_classes())),
            Rows::Regressor(rows) => {
                let numbers = of_near_rows(features, 1, |near| {
                    predict_guarded(KNearestNeighbours::KIND, near, |part| rows.predict(part))
                })?;
                Ok(Outputs::Numbers(numbers))
            }
        }
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        match &self.rows {
            Rows::Classifier(rows) => self.shares(rows, features).map(Some),
            Rows::Regressor(_) => Ok(None),
        }
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}
