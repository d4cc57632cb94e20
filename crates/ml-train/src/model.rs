//! A trained model. How it becomes bytes is in [`crate::package`].

use std::fmt;

use ml_core::model::Signature;
use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::error::ModelFormatError;
use crate::estimator::FittedPredictor;
use crate::package::{self, Package, Papers};
use crate::preprocess::Preprocessor;
use crate::spec::{PipelineSpec, Task};

/// What fitted a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framework {
    /// The library.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl Framework {
    /// The smartcore that this crate is built with; its stored trees and neighbours may differ between minor versions.
    pub(crate) fn current() -> Framework {
        Framework { name: "smartcore".to_owned(), version: "0.7".to_owned() }
    }
}

/// A fitted pipeline: everything that scoring needs. It does not change by use, and may be shared between threads.
#[derive(Debug)]
pub struct TrainedModel {
    pub(crate) spec: PipelineSpec,
    pub(crate) framework: Framework,
    pub(crate) signature: Signature,
    /// In the order of class indices; empty for a regression.
    pub(crate) classes: Vec<String>,
    pub(crate) preprocessor: Preprocessor,
    pub(crate) predictor: FittedPredictor,
    /// From where on a row is taken for one of two classes, where that is not when it is the likelier one.
    pub(crate) decision: Option<Decision>,
}

impl TrainedModel {
    /// Returns the pipeline that was fitted.
    pub fn spec(&self) -> &PipelineSpec {
        &self.spec
    }

    /// Returns the columns that scoring reads, and what it gives.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Returns the names of the classes in the order of their indices; none for a regression.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Returns from where on a row is taken for one of two classes, where the pipeline says so.
    pub fn decision(&self) -> Option<Decision> {
        self.decision
    }

    /// Returns what fitted it.
    pub fn framework(&self) -> &Framework {
        &self.framework
    }

    /// Returns the fitted preprocessing.
    pub fn preprocessor(&self) -> &Preprocessor {
        &self.preprocessor
    }

    /// Returns what predicts from features.
    pub fn predictor(&self) -> &FittedPredictor {
        &self.predictor
    }

    /// Returns the model as bytes, the same for the same training: a [`Package`] without papers.
    ///
    /// # Errors
    /// [`ModelFormatError::Unencodable`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelFormatError> {
        package::write(self, &Papers::default())
    }

    /// Reads the model of a [`Package`].
    ///
    /// # Errors
    /// Those of [`Package::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<TrainedModel, ModelFormatError> {
        Ok(Package::from_bytes(bytes)?.model)
    }

    pub(crate) fn inconsistency(&self) -> Option<String> {
        if self.classes.is_empty() != (self.spec.task == Task::Regression) {
            return Some(format!("a {} has {} classes", self.spec.task.name(), self.classes.len()));
        }
        if self.predictor.found_classes().is_some_and(|found| found != self.classes) {
            return Some("the names of the groups are not those that were found".to_owned());
        }
        if self.predictor.found_classes().is_some() == self.spec.task.has_target() {
            return Some(format!("a predictor of another task serves a {}", self.spec.task.name()));
        }
        let fault = self.spec.check().err().map(|err| err.to_string());
        fault
            .or_else(|| self.preprocessor.inconsistency())
            .or_else(|| self.predictor.inconsistency(self.preprocessor.n_features(), self.classes.len()))
            .or_else(|| self.decision?.inconsistency(self.classes.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_framework_is_the_one_that_is_built_with() {
        let manifest = include_str!("../../../Cargo.toml");
        let declared = format!("smartcore = {{ version = \"{}\"", Framework::current().version);
        assert!(manifest.contains(&declared), "Framework::current() does not follow the manifest");
    }
}
