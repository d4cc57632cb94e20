//! One fold, ready for estimators: features of the rows to fit on and of the rows to score on.

use std::error::Error;
use std::time::Instant;

use ml_core::model::Signature;
use ml_core::table::Table;

use super::outcome::FoldScore;
use super::split::Fold;
use crate::decision::Decision;
use crate::derive::derive_for;
use crate::error::{EvaluateError, PredictError, TrainError};
use crate::evaluate::{Truth, evaluate_predictions, unsupervised};
use crate::frame::Frame;
use crate::matrix::FeatureMatrix;
use crate::model::{Framework, TrainedModel};
use crate::preprocess::{Features, Preprocessor};
use crate::progress::Progress;
use crate::spec::PipelineSpec;
use crate::train::PreparedRows;

/// About what a feature takes besides its values: its name among the terms of a text.
const BYTES_PER_FEATURE: usize = 64;

/// A fold with its preprocessing done. Candidates that differ in their estimator alone share it.
pub(super) struct PreparedFold {
    training: PreparedRows,
    validation: Features,
    validation_rows: Vec<usize>,
}

/// Why a candidate has no score for a fold.
#[derive(Debug, thiserror::Error)]
pub(super) enum FoldError {
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error("the rows of the fold cannot be scored")]
    Predict(#[from] PredictError),
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

impl PreparedFold {
    /// Fits the preprocessing of `spec` on the training rows of `fold`, and applies it to both kinds of rows.
    pub(super) fn new(
        spec: &PipelineSpec,
        table: &Table,
        fold: &Fold,
        progress: &dyn Progress,
    ) -> Result<PreparedFold, FoldError> {
        let training = PreparedRows::new(spec, table, &fold.training, progress)?;
        let columns = spec.feature_columns();
        let mut frame = Frame::new(table);
        derive_for(spec, &columns, &mut frame).map_err(TrainError::from)?;
        let missing = spec.estimator.missing_values();
        let validation = training.preprocessor.transform(&frame.take(&columns, &fold.validation), missing)?;
        Ok(PreparedFold { training, validation, validation_rows: fold.validation.clone() })
    }

    /// Fits the estimator of `spec`, whose preprocessing is that of this fold, and scores it.
    pub(super) fn score(
        &self,
        spec: &PipelineSpec,
        table: &Table,
        progress: &dyn Progress,
    ) -> Result<FoldScore, FoldError> {
        let begun = Instant::now();
        let fitted = self.training.fit(spec, progress)?;
        let PreparedRows { kept, classes, .. } = &self.training;
        let decision = Decision::of(spec, classes, table, kept, progress)?;
        let fit_seconds = begun.elapsed().as_secs_f64();
        // The features are there already: the model needs neither a preprocessing nor a signature of its own.
        let model = TrainedModel {
            spec: spec.clone(),
            framework: Framework::current(),
            signature: Signature { inputs: Vec::new(), outputs: Vec::new() },
            classes: fitted.predictor.found_classes().unwrap_or_else(|| classes.clone()),
            preprocessor: Preprocessor::default(),
            predictor: fitted.predictor,
            decision,
        };
        let predictions = model.predict_features(&self.validation, self.validation_rows.len())?;
        let evaluation = if spec.task.has_target() {
            let truth = Truth::read(&model, table, &self.validation_rows).map_err(TrainError::from)?;
            evaluate_predictions(&model, &predictions, &truth)?
        } else {
            unsupervised::judge(&model, &predictions, &self.validation.matrix, table, &self.validation_rows)?
        };
        Ok(FoldScore {
            n_training: self.training.kept.len() as u64,
            n_scored: evaluation.n_samples as u64,
            metrics: evaluation.metrics,
            fit_seconds,
        })
    }

    /// Returns about how much memory it takes.
    pub(super) fn size_bytes(&self) -> usize {
        let matrices = size_of_matrix(&self.training.features.matrix) + size_of_matrix(&self.validation.matrix);
        matrices + self.training.preprocessor.n_features() * BYTES_PER_FEATURE
    }
}

fn size_of_matrix(matrix: &FeatureMatrix) -> usize {
    match matrix {
        FeatureMatrix::Dense(matrix) => size_of_val(matrix.cells()),
        FeatureMatrix::Sparse(matrix) => matrix.n_cells() * (size_of::<f64>() + size_of::<u32>()),
    }
}

/// Returns an error with its causes in one line.
pub(super) fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let message = cause.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = cause.source();
    }
    text
}
