//! Estimators that learn next to nothing, for others to be measured against.

use serde::{Deserialize, Serialize};

use super::settings::{BOTH, CLASSIFICATION, REGRESSION};
use super::{Estimator, Fitted, FittedPredictor, Outputs, Predictor, Scores, Target, TrainingData, check_width};
use crate::error::{PredictError, TrainError};
use crate::matrix::FeatureMatrix;
use crate::progress::Progress;
use crate::spec::Task;

/// Predicts the most frequent class, the first of equals; probabilities are the shares of the classes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MajorityClass {}

/// Predicts the mean of the target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mean {}

/// Predicts the value of a column, such as that of the day before, or the class that most training rows with the same value
/// have; the column is a feature of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The column.
    pub column: String,
}

/// Predicts the same for every row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConstantPredictor {
    n_features: usize,
    value: Constant,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Constant {
    ClassShares(Vec<f64>),
    Number(f64),
}

/// Predicts the value of a feature, or the class that goes with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnPredictor {
    n_features: usize,
    feature: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<ClassByValue>,
}

/// The class of each value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ClassByValue {
    /// Ascending, each with a class.
    values: Vec<f64>,
    classes: Vec<usize>,
    /// For other values: the class that most rows have.
    otherwise: usize,
    n_classes: usize,
}

impl ClassByValue {
    fn fit(cells: &[f64], classes: &[usize], n_classes: usize) -> ClassByValue {
        let mut rows: Vec<(f64, usize)> = cells.iter().copied().zip(classes.iter().copied()).collect();
        rows.sort_by(|left, right| left.0.total_cmp(&right.0));
        let most_frequent = |rows: &[(f64, usize)]| {
            let mut counts = vec![0.0; n_classes];
            for &(_, class) in rows {
                counts[class] += 1.0;
            }
            super::best_class(&counts)
        };
        let of_values = rows.chunk_by(|left, right| left.0 == right.0).map(|rows| (rows[0].0, most_frequent(rows)));
        let (values, classes) = of_values.unzip();
        ClassByValue { values, classes, otherwise: most_frequent(&rows), n_classes }
    }

    fn class_of(&self, value: f64) -> usize {
        let place = self.values.partition_point(|known| *known < value);
        if self.values.get(place) == Some(&value) { self.classes[place] } else { self.otherwise }
    }

    fn is_consistent(&self, n_classes: usize) -> bool {
        self.n_classes == n_classes
            && self.values.len() == self.classes.len()
            && self.classes.iter().chain([&self.otherwise]).all(|class| *class < n_classes)
    }
}

impl Estimator for MajorityClass {
    fn kind(&self) -> &'static str {
        MajorityClass::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        CLASSIFICATION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let (classes, n_classes) = data.target.classes(self.kind())?;
        let mut shares = vec![0.0; n_classes];
        for &class in classes {
            shares[class] += 1.0 / classes.len() as f64;
        }
        let predictor =
            ConstantPredictor { n_features: data.features.n_columns(), value: Constant::ClassShares(shares) };
        Ok(Fitted { predictor: FittedPredictor::Constant(predictor), warnings: Vec::new() })
    }
}

impl Estimator for Mean {
    fn kind(&self) -> &'static str {
        Mean::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        REGRESSION
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let numbers = data.target.numbers(self.kind())?;
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let predictor = ConstantPredictor { n_features: data.features.n_columns(), value: Constant::Number(mean) };
        Ok(Fitted { predictor: FittedPredictor::Constant(predictor), warnings: Vec::new() })
    }
}

impl Estimator for Column {
    fn kind(&self) -> &'static str {
        Column::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        if self.column.is_empty() { vec![("column", "must name a column".to_owned())] } else { Vec::new() }
    }

    fn fit(&self, data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let Some(feature) = data.preprocessor.feature_of_column(&self.column) else {
            return Err(TrainError::data(
                format!("no feature is the value of column `{}`", self.column),
                format!(
                    "add `{{ columns: [{0}] }}` to the features, or, for a category, `{{ columns: [{0}], steps: [ordinal] }}`",
                    self.column
                ),
            ));
        };
        let classes = match data.target {
            Target::Classes { indices, n_classes } => {
                Some(ClassByValue::fit(&cells_of(data.features, feature), indices, *n_classes))
            }
            Target::Numbers(_) => None,
        };
        let predictor = ColumnPredictor { n_features: data.features.n_columns(), feature, classes };
        Ok(Fitted { predictor: FittedPredictor::Column(predictor), warnings: Vec::new() })
    }
}

/// Returns the cells of one feature.
fn cells_of(features: &FeatureMatrix, feature: usize) -> Vec<f64> {
    let mut cells = vec![0.0; features.n_rows()];
    for (row, cell) in cells.iter_mut().enumerate() {
        features.for_each_in_row(row, |other, value| {
            if other == feature {
                *cell = value;
            }
        });
    }
    cells
}

impl ConstantPredictor {
    pub(super) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let found = if let Constant::ClassShares(shares) = &self.value { shares.len() } else { 0 };
        (found != n_classes).then(|| format!("a constant for {found} classes serves {n_classes}"))
    }
}

impl Predictor for ConstantPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        check_width(self.n_features, features)?;
        let n_rows = features.n_rows();
        Ok(match &self.value {
            Constant::ClassShares(shares) => Outputs::Classes(vec![super::best_class(shares); n_rows]),
            Constant::Number(number) => Outputs::Numbers(vec![*number; n_rows]),
        })
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        let Constant::ClassShares(shares) = &self.value else { return Ok(None) };
        Ok(Some(Scores { n_classes: shares.len(), values: shares.repeat(features.n_rows()) }))
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}

impl ColumnPredictor {
    pub(super) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let fits = match &self.classes {
            Some(classes) => classes.is_consistent(n_classes) && n_classes > 0,
            None => n_classes == 0,
        };
        (!fits || self.feature >= self.n_features)
            .then(|| "a column baseline has no such feature or classes".to_owned())
    }
}

impl Predictor for ColumnPredictor {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        check_width(self.n_features, features)?;
        let cells = cells_of(features, self.feature);
        Ok(match &self.classes {
            Some(classes) => Outputs::Classes(cells.iter().map(|&cell| classes.class_of(cell)).collect()),
            None => Outputs::Numbers(cells),
        })
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        check_width(self.n_features, features)?;
        Ok(None)
    }
}
