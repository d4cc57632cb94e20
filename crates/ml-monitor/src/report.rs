//! Everything known about how one model version is doing, and the rows that are kept of it.

use chrono::{DateTime, Utc};
use ml_core::evaluation::{DriftReport, ModelPerformance};
use ml_core::id::ReportId;
use ml_core::model::ModelName;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::drift::report::DriftFindings;
use crate::live::LiveScores;
use crate::quality::DataQuality;

/// The value of `split` of figures that come from served predictions.
pub const LIVE_SPLIT: &str = "live";

/// How one model version is doing in a window; a part that could not be judged is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MonitorReport {
    /// The registered model.
    pub model_name: ModelName,
    /// The number of its version.
    pub model_version: u32,
    /// The window that was judged, in words, such as `last 7 days`.
    pub window: String,
    /// When it was judged.
    pub created_at: DateTime<Utc>,
    /// How many rows of input the window has.
    pub n_rows: u64,
    /// How many predictions of the version there are in the window.
    pub n_predictions: u64,
    /// What the inputs are like.
    pub quality: Option<DataQuality>,
    /// How they compare with the rows that the version was fitted on; absent when it has no reference profile.
    pub drift: Option<DriftFindings>,
    /// How right the predictions are, as far as the truth is known.
    pub live: Option<LiveScores>,
}

impl MonitorReport {
    /// Returns whether any column drifted.
    pub fn is_drifted(&self) -> bool {
        self.drift.as_ref().is_some_and(DriftFindings::is_drifted)
    }

    /// Returns the row of `drift_reports` to keep, if drift was judged.
    pub fn drift_row(&self, id: ReportId) -> Option<DriftReport> {
        let findings = self.drift.as_ref()?;
        Some(DriftReport {
            id,
            model_name: self.model_name.clone(),
            model_version: self.model_version,
            window: self.window.clone(),
            n_samples: findings.n_current,
            drifted: findings.is_drifted(),
            details: json!(findings),
            created_at: self.created_at,
        })
    }

    /// Returns the row of `model_performance` to keep, if the truth of any prediction is known.
    pub fn performance_row(&self, id: ReportId) -> Option<ModelPerformance> {
        let scores = self.live.as_ref().filter(|scores| scores.n_scored > 0)?;
        Some(ModelPerformance {
            id,
            run_id: None,
            model_name: Some(self.model_name.clone()),
            model_version: Some(self.model_version),
            dataset: self.window.clone(),
            split: LIVE_SPLIT.to_owned(),
            n_samples: scores.n_scored,
            metrics: scores.metrics.clone(),
            details: json!(scores),
            evaluated_at: self.created_at,
        })
    }
}
