//! Scoring the rows of a table.

mod onnx;

use std::collections::BTreeMap;

use ml_core::table::{ColumnKind, Table, TableError};

use crate::derive::derive_for;
use crate::error::PredictError;
use crate::estimator::{EstimatorSpec, FittedPredictor, Outputs, Scores};
use crate::frame::Frame;
use crate::matrix::FeatureMatrix;
use crate::model::TrainedModel;
use crate::preprocess::{Features, InvalidValue};
use crate::spec::{DeriveSpec, PipelineSpec, Reads, TargetTransform, Task};
use crate::unfit::first_non_number;

/// The predictions of some rows, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// The names of the classes; none for a regression.
    pub classes: Vec<String>,
    /// What is predicted for each row.
    pub values: PredictedValues,
    /// The probability of each class for each row, where the estimator has them; `NaN` for missing predictions.
    pub probabilities: Option<Scores>,
    /// Scores that are higher for likelier classes, where the estimator has them and no probabilities; `NaN` for missing
    /// predictions.
    pub decision_scores: Option<Scores>,
    /// The rows without a prediction, and why.
    pub missing: BTreeMap<usize, String>,
    /// How many values per column were categories that the training rows do not have.
    pub unknown_categories: BTreeMap<String, u64>,
}

/// Why a row has no prediction that the features are there for.
const NOT_FINITE: &str = "the prediction is not a finite number: the row is too far from those learnt from";

/// What is predicted for each row; `None` for rows that cannot be scored.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictedValues {
    /// Indices into [`Predictions::classes`].
    Classes(Vec<Option<usize>>),
    /// Numbers in the unit of the target, all finite.
    Numbers(Vec<Option<f64>>),
}

impl Predictions {
    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        match &self.values {
            PredictedValues::Classes(classes) => classes.len(),
            PredictedValues::Numbers(numbers) => numbers.len(),
        }
    }

    /// Returns the class predicted for `row`; `None` for a missing prediction and for a regression.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn label(&self, row: usize) -> Option<&str> {
        match &self.values {
            PredictedValues::Classes(classes) => classes[row].map(|class| self.classes[class].as_str()),
            PredictedValues::Numbers(_) => None,
        }
    }

    /// Returns the number predicted for `row`; `None` for a missing prediction and for a classification.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn number(&self, row: usize) -> Option<f64> {
        match &self.values {
            PredictedValues::Classes(_) => None,
            PredictedValues::Numbers(numbers) => numbers[row],
        }
    }

    /// Returns why `row` has no prediction, if it has none.
    pub fn missing_reason(&self, row: usize) -> Option<&str> {
        self.missing.get(&row).map(String::as_str)
    }

    /// Returns probabilities, else decision scores, if there are any.
    pub fn class_scores(&self) -> Option<&Scores> {
        self.probabilities.as_ref().or(self.decision_scores.as_ref())
    }
}

impl TrainedModel {
    /// Scores each row of `table`.
    ///
    /// # Errors
    /// Those of [`TrainedModel::predict_rows`].
    pub fn predict(&self, table: &Table) -> Result<Predictions, PredictError> {
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        self.predict_rows(table, &rows)
    }

    /// Scores the rows of `table` at `rows`; the predictions are in the order of `rows`. Columns that the model does not
    /// read are not looked at.
    ///
    /// A row with a value that is infinite, or missing and neither imputed nor taken by the estimator as it is, has a missing prediction with a reason. Derived
    /// columns are computed from all rows of `table`, which therefore holds the earlier rows that they need.
    ///
    /// # Errors
    /// [`PredictError`] for columns that are missing or of the wrong kind, and for categories that the pipeline does not
    /// allow.
    ///
    /// # Panics
    /// If a row is not below [`Table::n_rows`].
    pub fn predict_rows(&self, table: &Table, rows: &[usize]) -> Result<Predictions, PredictError> {
        if let FittedPredictor::Onnx(onnx) = &self.predictor {
            return self.predict_with_onnx(onnx, table, rows);
        }
        self.predict_features(&self.preprocess(table, rows)?, rows.len())
    }

    /// Returns the columns that features are made of, at `rows`.
    pub(crate) fn feature_frame<'a>(&self, table: &'a Table, rows: &[usize]) -> Result<Frame<'a>, PredictError> {
        let columns = self.spec.feature_columns();
        let mut frame = Frame::new(table);
        derive_for(&self.spec, &columns, &mut frame)?;
        Ok(frame.take(&columns, rows))
    }

    /// Scores rows of which the columns that features are made of, or that the model reads itself, are given.
    pub(crate) fn predict_frame(&self, frame: Frame<'_>) -> Result<Predictions, PredictError> {
        let n_rows = frame.n_rows();
        if let FittedPredictor::Onnx(onnx) = &self.predictor {
            return self.predict_with_onnx(onnx, &frame.into_table()?, &(0..n_rows).collect::<Vec<_>>());
        }
        let features = self.preprocessor.transform(&frame, self.spec.estimator.missing_values())?;
        self.predict_features(&features, n_rows)
    }

    /// Scores `n_rows` rows by their features.
    pub(crate) fn predict_features(&self, features: &Features, n_rows: usize) -> Result<Predictions, PredictError> {
        let predictor = self.predictor.as_predictor();
        let probabilities = predictor.predict_proba(&features.matrix)?;
        let decision_scores = match &probabilities {
            Some(_) => None,
            None => predictor.decision_scores(&features.matrix)?,
        };
        let scores = probabilities.as_ref().or(decision_scores.as_ref());
        let is_finite = scores.map(Scores::finite_rows);
        // Every predictor predicts the class with the best score; that it does is part of the conformance suite.
        let outputs = match (scores, self.decision) {
            (Some(scores), Some(decision)) => Outputs::Classes(decision.classes(scores)),
            (Some(scores), None) => Outputs::Classes(scores.best_classes()),
            (None, _) => predictor.predict(&features.matrix)?,
        };

        let mut missing: BTreeMap<usize, String> =
            features.invalid.iter().map(|(&row, value)| (row, self.missing_input_reason(value))).collect();
        let scored: Vec<usize> = (0..n_rows).filter(|row| !missing.contains_key(row)).collect();
        let values = match outputs {
            Outputs::Classes(classes) => {
                let mut classes = spread(n_rows, &scored, classes);
                for (&row, _) in scored.iter().zip(is_finite.iter().flatten()).filter(|(_, is_finite)| !**is_finite) {
                    classes[row] = None;
                    missing.insert(row, NOT_FINITE.to_owned());
                }
                PredictedValues::Classes(classes)
            }
            Outputs::Numbers(numbers) => {
                let numbers = spread(n_rows, &scored, self.in_target_units(numbers));
                PredictedValues::Numbers(finite(numbers, &mut missing))
            }
        };
        Ok(Predictions {
            classes: self.classes.clone(),
            values,
            probabilities: probabilities.map(|scores| spread_scores(n_rows, &scored, scores)),
            decision_scores: decision_scores.map(|scores| spread_scores(n_rows, &scored, scores)),
            missing,
            unknown_categories: features.unknown_categories.clone(),
        })
    }

    /// Returns the features that the predictor sees, for the rows of `table` that can be scored.
    ///
    /// # Errors
    /// Those of [`TrainedModel::predict`].
    pub fn features(&self, table: &Table) -> Result<FeatureMatrix, PredictError> {
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        Ok(self.preprocess(table, &rows)?.matrix)
    }

    pub(crate) fn preprocess(&self, table: &Table, rows: &[usize]) -> Result<Features, PredictError> {
        self.check_inputs(table)?;
        self.preprocessor.transform(&self.feature_frame(table, rows)?, self.spec.estimator.missing_values())
    }

    /// Returns the columns that the model reads as text, each once, in the order of its features.
    pub fn text_columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        for feature in self.spec.features.iter().filter(|feature| feature.reads() == Reads::Texts) {
            for column in &feature.columns {
                if !columns.contains(&column.as_str()) {
                    columns.push(column);
                }
            }
        }
        columns
    }

    /// Returns whether the prediction for a row depends on other rows, as windows over earlier ones do.
    pub fn reads_other_rows(&self) -> bool {
        let columns = self.spec.feature_columns();
        self.spec.derived_for(&columns).iter().any(|derive| derive.warm_up() > 0)
    }

    fn in_target_units(&self, numbers: Vec<f64>) -> Vec<f64> {
        match self.spec.target_transform {
            TargetTransform::None => numbers,
            TargetTransform::Log => numbers.into_iter().map(f64::exp).collect(),
        }
    }

    fn missing_input_reason(&self, value: &InvalidValue) -> String {
        let column = &value.column;
        if !value.is_missing {
            return format!("`{column}` is not a finite number");
        }
        match self.spec.derive.iter().find(|derive| derive.column == *column) {
            Some(derive) if derive.warm_up() > 0 => {
                let entity = derive.by.as_ref().map_or_else(String::new, |by| format!(" of the same `{by}`"));
                format!("`{column}` needs {} earlier rows{entity} with `{}`", derive.warm_up(), derive.of)
            }
            Some(derive) => format!("`{column}` cannot be derived from `{}`", derive.of),
            None => format!("`{column}` is missing"),
        }
    }

    /// Compares the columns of `table` with the signature.
    fn check_inputs(&self, table: &Table) -> Result<(), PredictError> {
        let mut reads: BTreeMap<&str, Vec<Reads>> = BTreeMap::new();
        for feature in &self.spec.features {
            for column in &feature.columns {
                reads.entry(column).or_default().push(feature.reads());
            }
        }
        for input in &self.signature.inputs {
            let Some(column) = table.find(&input.name) else {
                return Err(PredictError::MissingColumn {
                    column: input.name.clone(),
                    given: table.columns().iter().map(|column| column.name.clone()).collect(),
                });
            };
            let found = column.values.kind();
            let is_empty = column.values.n_missing() == column.values.len();
            let expected =
                expected_kind(&self.spec, &input.name, input.kind, reads.get(&*input.name).map_or(&[], Vec::as_slice));
            if !is_empty && !expected.is_met_by(found) {
                if let (ExpectedKind::Numeric, Some((row, value))) = (expected, first_non_number(column)) {
                    return Err(PredictError::NotANumber { column: input.name.clone(), row: row + 1, value });
                }
                let expected = expected.name();
                return Err(TableError::WrongKind { column: input.name.clone(), expected, found }.into());
            }
        }
        Ok(())
    }
}

/// What kind of values a column may hold at scoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExpectedKind {
    Numeric,
    /// Exactly this kind: text to be cut into words, or what rows are put in order by.
    Exactly(ColumnKind),
    /// Times, also as text.
    Time,
    /// Any kind, because its printed form is what counts.
    Any,
}

impl ExpectedKind {
    fn is_met_by(self, found: ColumnKind) -> bool {
        match self {
            ExpectedKind::Numeric => found.is_numeric(),
            ExpectedKind::Exactly(kind) => found == kind,
            ExpectedKind::Time => matches!(found, ColumnKind::Time | ColumnKind::Text),
            ExpectedKind::Any => true,
        }
    }

    fn name(self) -> &'static str {
        match self {
            ExpectedKind::Numeric => "numeric",
            ExpectedKind::Exactly(kind) => kind.name(),
            ExpectedKind::Time => ColumnKind::Time.name(),
            ExpectedKind::Any => "any",
        }
    }
}

/// Returns what the pipeline needs of `column`, which was of `trained_kind` in the training rows, and is read by features as
/// `reads` says.
fn expected_kind(spec: &PipelineSpec, column: &str, trained_kind: ColumnKind, reads: &[Reads]) -> ExpectedKind {
    if matches!(spec.estimator, EstimatorSpec::External(_)) {
        return if trained_kind.is_numeric() { ExpectedKind::Numeric } else { ExpectedKind::Any };
    }
    let is = |name: &Option<String>| name.as_deref() == Some(column);
    let computed = |derive: &DeriveSpec| (derive.of == column && !derive.op.moves()) || is(&derive.over);
    if spec.derive.iter().any(computed) {
        return ExpectedKind::Numeric;
    }
    if spec.derive.iter().any(|derive| derive.of == column) {
        return if trained_kind.is_numeric() { ExpectedKind::Numeric } else { ExpectedKind::Exactly(trained_kind) };
    }
    if spec.derive.iter().any(|derive| is(&derive.order)) {
        return if trained_kind.is_numeric() { ExpectedKind::Numeric } else { ExpectedKind::Exactly(trained_kind) };
    }
    if reads.contains(&Reads::Numbers) {
        ExpectedKind::Numeric
    } else if reads.contains(&Reads::Texts) {
        ExpectedKind::Exactly(ColumnKind::Text)
    } else if reads.contains(&Reads::Times) {
        ExpectedKind::Time
    } else {
        ExpectedKind::Any
    }
}

/// Takes away numbers that are not finite, and says why.
fn finite(mut numbers: Vec<Option<f64>>, missing: &mut BTreeMap<usize, String>) -> Vec<Option<f64>> {
    for (row, number) in numbers.iter_mut().enumerate() {
        if number.is_some_and(|number| !number.is_finite()) {
            *number = None;
            missing.insert(row, NOT_FINITE.to_owned());
        }
    }
    numbers
}

/// Puts the values of the scored rows in their places.
fn spread<T: Clone>(n_rows: usize, scored: &[usize], values: Vec<T>) -> Vec<Option<T>> {
    let mut all = vec![None; n_rows];
    for (&row, value) in scored.iter().zip(values) {
        all[row] = Some(value);
    }
    all
}

fn spread_scores(n_rows: usize, scored: &[usize], scores: Scores) -> Scores {
    if scored.len() == n_rows {
        return scores;
    }
    let n_classes = scores.n_classes;
    let mut values = vec![f64::NAN; n_rows * n_classes];
    for (position, &row) in scored.iter().enumerate() {
        values[row * n_classes..(row + 1) * n_classes].copy_from_slice(scores.row(position));
    }
    Scores { n_classes, values }
}

impl PredictedValues {
    /// Returns which task the values answer.
    pub fn task(&self) -> Task {
        match self {
            PredictedValues::Classes(_) => Task::Classification,
            PredictedValues::Numbers(_) => Task::Regression,
        }
    }
}
