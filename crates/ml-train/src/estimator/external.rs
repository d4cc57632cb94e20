//! What a program outside of this one fits. How it is run and what it hands over is in `docs/extending.md`; this crate starts no
//! program.

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::estimator::settings::BOTH;
use crate::estimator::{Estimator, Fitted, TrainingData};
use crate::progress::Progress;
use crate::spec::Task;

/// A program that fits a model on the train split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct External {
    /// The program and its arguments; empty for a model that was imported.
    pub command: Vec<String>,
    /// After how many seconds the program is ended; 0 for never.
    pub timeout_seconds: u64,
    /// What the program is told, besides what every such program is.
    #[serde(skip_serializing_if = "serde_yaml_ng::Mapping::is_empty")]
    pub settings: serde_yaml_ng::Mapping,
}

impl Default for External {
    fn default() -> External {
        External { command: Vec::new(), timeout_seconds: 3600, settings: serde_yaml_ng::Mapping::new() }
    }
}

impl Estimator for External {
    fn kind(&self) -> &'static str {
        External::KIND
    }

    fn tasks(&self) -> &'static [Task] {
        BOTH
    }

    fn setting_faults(&self) -> Vec<(&'static str, String)> {
        let is_blank = self.command.first().is_some_and(|program| program.trim().is_empty());
        if is_blank { vec![("command", "must begin with a program".to_owned())] } else { Vec::new() }
    }

    fn fit(&self, _data: TrainingData<'_>, _progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let reason = "it is fitted by a program of its own, which `ml-app train` runs on whole columns: leave it out of searches".to_owned();
        Err(TrainError::Fit { kind: self.kind(), reason })
    }
}
