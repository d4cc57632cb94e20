//! What can go wrong in training, in scoring, and in reading a stored model.

use ml_core::metrics::MetricError;
use ml_core::table::TableError;

use crate::matrix::TooWide;
use crate::spec::SpecError;

/// Why a model was not trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The pipeline is wrong, or does not fit the columns of the data.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A column cannot be read as needed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The training rows cannot be learnt from.
    #[error("{what}: {way_out}")]
    Data {
        /// What is the matter with the rows.
        what: String,
        /// What to do about it.
        way_out: String,
    },
    /// The estimator wants dense features.
    #[error(
        "`{kind}` needs dense features: use `linear_svm`, `logistic_regression` or `multinomial_naive_bayes`, or set `max_features`"
    )]
    TooWide {
        /// The estimator.
        kind: &'static str,
        /// The size of the features.
        #[source]
        source: TooWide,
    },
    /// The estimator gave up.
    #[error("`{kind}` could not be fitted: {reason}")]
    Fit {
        /// The estimator.
        kind: &'static str,
        /// What it said.
        reason: String,
    },
    /// The preprocessing that was just fitted does not apply to its own rows.
    #[error("the preprocessing does not apply to the training rows")]
    Preprocess(#[from] PredictError),
    /// The caller asked to stop.
    #[error("the training was cancelled")]
    Cancelled,
}

impl TrainError {
    pub(crate) fn data(what: impl Into<String>, way_out: impl Into<String>) -> TrainError {
        TrainError::Data { what: what.into(), way_out: way_out.into() }
    }
}

/// Why rows were not scored.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// An input column is absent.
    #[error("the model reads column `{column}`, which is missing; the columns given are {}", list(.given))]
    MissingColumn {
        /// The absent column.
        column: String,
        /// The columns there are.
        given: Vec<String>,
    },
    /// A column cannot be read as needed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A column of numbers has a text among them.
    #[error("column `{column}` must hold numbers, but row {row} of it holds `{value}`")]
    NotANumber {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// The text.
        value: String,
    },
    /// A category that the training rows do not have, where the pipeline says that this is an error.
    #[error(
        "column `{column}` has category `{category}`, which the training rows do not have: train again with it, or set \
         `unknown: ignore`"
    )]
    UnknownCategory {
        /// The column.
        column: String,
        /// The category.
        category: String,
    },
    /// Features are not as many as those the predictor was fitted on.
    #[error("the predictor reads {expected} features, {found} are given")]
    WrongWidth {
        /// The number it was fitted on.
        expected: usize,
        /// The number given.
        found: usize,
    },
    /// The library under the estimator failed.
    #[error("`{kind}` could not predict: {reason}")]
    Failed {
        /// The estimator.
        kind: &'static str,
        /// What it said.
        reason: String,
    },
}

/// Why predictions were not explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The model does not add up what its features say.
    #[error(
        "predictions of `{kind}` cannot be explained by words: use a linear model, such as `linear_svm` or \
         `logistic_regression`, on `tfidf`"
    )]
    NotLinear {
        /// The estimator.
        kind: &'static str,
    },
    /// The model reads no terms.
    #[error(
        "this `{kind}` reads no words of texts: give it a column of text with `tfidf` to explain predictions by words"
    )]
    NoTerms {
        /// The estimator.
        kind: &'static str,
    },
    /// The rows could not be scored.
    #[error(transparent)]
    Predict(#[from] PredictError),
}

/// Why predictions were not evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The rows could not be scored.
    #[error("the rows cannot be scored")]
    Predict(#[from] PredictError),
    /// The target cannot be read.
    #[error(transparent)]
    Target(#[from] TableError),
    /// A figure cannot be computed.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// A baseline could not be fitted.
    #[error("baseline `{kind}` cannot be fitted")]
    Baseline {
        /// The baseline.
        kind: &'static str,
        /// Why.
        #[source]
        source: TrainError,
    },
    /// Two models cannot be compared on the rows.
    #[error("{what}: {way_out}")]
    NotComparable {
        /// What is the matter.
        what: String,
        /// What to do about it.
        way_out: String,
    },
    /// There is no threshold to choose.
    #[error("no threshold can be chosen: {reason}")]
    NoThreshold {
        /// Why.
        reason: String,
    },
    /// The caller asked to stop.
    #[error("the evaluation was cancelled")]
    Cancelled,
    /// No row has both a target and a prediction.
    #[error("none of the {n_rows} rows has both a value of `{target}` and a prediction: {reason}")]
    NoRows {
        /// How many rows were given.
        n_rows: usize,
        /// The target.
        target: String,
        /// Why the first of them has not.
        reason: String,
    },
}

/// Why bytes are not a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelFormatError {
    /// The bytes do not begin as a model does.
    #[error("these bytes are not a model of ml-train")]
    NotAModel,
    /// The bytes end too early, or go on after the end.
    #[error("the model is {found} bytes long, {expected} are needed: it was cut short or added to")]
    WrongLength {
        /// The length that the header tells.
        expected: u64,
        /// The length of the bytes.
        found: u64,
    },
    /// The model is of a format that this release does not read.
    #[error(
        "the model has format version {found}, this release reads versions up to {supported}: use the release that wrote it, or train again"
    )]
    UnsupportedVersion {
        /// The version of the bytes.
        found: u16,
        /// The version that is read.
        supported: u16,
    },
    /// The bytes changed since they were written.
    #[error("the model is corrupt: its checksum does not fit its content")]
    Corrupt,
    /// The content does not decode, and was written with another version of the library under the estimators.
    #[error(
        "the model was fitted with {found}, this release has {supported}: use the release that wrote it, or train again"
    )]
    OtherFramework {
        /// What fitted the model, such as `smartcore 0.6`.
        found: String,
        /// What this release has.
        supported: String,
        /// Why the content does not decode.
        #[source]
        source: rmp_serde::decode::Error,
    },
    /// The content does not decode.
    #[error("the content of the model does not decode")]
    Undecodable(#[source] rmp_serde::decode::Error),
    /// The content decodes into parts that do not fit each other.
    #[error("the content of the model is inconsistent: {0}")]
    Inconsistent(String),
    /// The model cannot score the rows that were recorded with it.
    #[error("the model cannot score the golden rows of its package: use the release that wrote it, or train again")]
    GoldenUnscored(#[source] PredictError),
    /// The model gives other outputs than were recorded with it.
    #[error(
        "the model does not predict what it did when it was packaged, {reason}: use the release that wrote it, or train again"
    )]
    GoldenDiffers {
        /// The first difference.
        reason: String,
    },
    /// The content does not encode.
    #[error("the model does not encode")]
    Unencodable(#[source] rmp_serde::encode::Error),
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
