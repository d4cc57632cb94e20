//! Scoring with an ONNX model, which reads the columns themselves.

use std::collections::BTreeMap;

use ml_core::table::Table;

use super::{PredictedValues, Predictions, spread, spread_scores};
use crate::error::PredictError;
use crate::estimator::Outputs;
use crate::model::TrainedModel;
use crate::onnx::OnnxPredictor;

impl TrainedModel {
    pub(super) fn predict_with_onnx(
        &self,
        onnx: &OnnxPredictor,
        table: &Table,
        rows: &[usize],
    ) -> Result<Predictions, PredictError> {
        self.check_inputs(table)?;
        let scored = onnx.score(table, rows, &self.classes)?;
        let n_rows = rows.len();
        let mut missing: BTreeMap<usize, String> = scored.faults.into_iter().collect();
        let positions: Vec<usize> = (0..n_rows).filter(|position| !missing.contains_key(position)).collect();
        let values = match scored.outputs {
            Outputs::Classes(classes) => PredictedValues::Classes(spread(n_rows, &positions, classes)),
            Outputs::Numbers(numbers) => {
                PredictedValues::Numbers(super::finite(spread(n_rows, &positions, numbers), &mut missing))
            }
        };
        Ok(Predictions {
            classes: self.classes.clone(),
            values,
            probabilities: scored.probabilities.map(|scores| spread_scores(n_rows, &positions, scores)),
            decision_scores: scored.decision_scores.map(|scores| spread_scores(n_rows, &positions, scores)),
            missing,
            unknown_categories: BTreeMap::new(),
        })
    }
}
