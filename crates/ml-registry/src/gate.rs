//! What must hold of a version before it moves to a stage.

use std::fmt;

use ml_core::evaluation::ModelPerformance;
use ml_core::model::{ModelVersion, Stage};

/// A condition that a version meets before it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Its model, and everything else stored with it, is there and has its digest.
    ArtifactsVerify,
    /// There are figures of it on rows that it was not fitted on.
    IsEvaluated,
}

impl Gate {
    /// Returns the gates before `stage`: to be tried a version must load, to be used its figures must be known as well.
    pub fn before(stage: Stage) -> &'static [Gate] {
        match stage {
            Stage::Development | Stage::Archived => &[],
            Stage::Staging => &[Gate::ArtifactsVerify],
            Stage::Production => &[Gate::ArtifactsVerify, Gate::IsEvaluated],
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Gate::ArtifactsVerify => "its stored model must load",
            Gate::IsEvaluated => {
                "it must have been evaluated on rows it was not fitted on; `ml-app evaluate` does that, and keeps the figures"
            }
        })
    }
}

/// Returns whether one of `evaluations` is of `version`, on rows other than those it was fitted on.
pub(crate) fn is_evaluated(version: &ModelVersion, evaluations: &[ModelPerformance]) -> bool {
    evaluations.iter().any(|evaluation| {
        let is_of_version = evaluation.model_name.as_ref() == Some(&version.content.name)
            && evaluation.model_version == Some(version.version);
        let is_of_run = version.content.lineage.run_id.is_some() && evaluation.run_id == version.content.lineage.run_id;
        let has_figures = evaluation.n_samples > 0 && !evaluation.metrics.is_empty();
        (is_of_version || is_of_run) && has_figures && evaluation.split != "train"
    })
}
