//! A trained model, and its form as bytes.
//!
//! The bytes begin with a magic word, the version of the format, the length and the SHA-256 of the content; the content is
//! MessagePack with named fields, and blocks of little-endian numbers. Nothing in it depends on time, threads or hashing:
//! the same training gives the same bytes.

use std::fmt;

use ml_core::model::Signature;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::ModelFormatError;
use crate::estimator::FittedPredictor;
use crate::preprocess::Preprocessor;
use crate::spec::{PipelineSpec, Task};

/// The version of the format that is written.
pub const FORMAT_VERSION: u16 = 1;

const MAGIC: &[u8; 8] = b"MLTRAIN\0";
const HEADER_BYTES: usize = MAGIC.len() + size_of::<u16>() + size_of::<u64>() + 32;

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
}

/// The content of format version 1, borrowed to be written.
#[derive(Serialize)]
struct ContentV1Ref<'a> {
    spec: StoredSpecRef<'a>,
    framework: &'a Framework,
    signature: &'a Signature,
    classes: &'a [String],
    preprocessor: &'a Preprocessor,
    predictor: &'a FittedPredictor,
}

/// The content of format version 1.
#[derive(Deserialize)]
struct ContentV1 {
    spec: StoredSpec,
    framework: Framework,
    signature: Signature,
    classes: Vec<String>,
    preprocessor: Preprocessor,
    predictor: FittedPredictor,
}

/// The part that tells why the rest may not decode.
#[derive(Deserialize)]
struct FrameworkOnly {
    framework: Framework,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum StoredSpecRef<'a> {
    V1(&'a PipelineSpec),
}

/// A pipeline as it is stored, by the version of its own format.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredSpec {
    V1(PipelineSpec),
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

    /// Returns the model as bytes, the same for the same training.
    ///
    /// # Errors
    /// [`ModelFormatError::Unencodable`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelFormatError> {
        let content = ContentV1Ref {
            spec: StoredSpecRef::V1(&self.spec),
            framework: &self.framework,
            signature: &self.signature,
            classes: &self.classes,
            preprocessor: &self.preprocessor,
            predictor: &self.predictor,
        };
        let mut bytes = vec![0; HEADER_BYTES];
        rmp_serde::encode::write_named(&mut bytes, &content).map_err(ModelFormatError::Unencodable)?;
        let (header, content) = bytes.split_at_mut(HEADER_BYTES);
        header.copy_from_slice(&header_of(content));
        Ok(bytes)
    }

    /// Reads a model.
    ///
    /// # Errors
    /// [`ModelFormatError`], which says why the bytes are not a model that this release reads.
    pub fn from_bytes(bytes: &[u8]) -> Result<TrainedModel, ModelFormatError> {
        let content = checked_content(bytes)?;
        let content: ContentV1 = rmp_serde::from_slice(content).map_err(|source| undecodable(content, source))?;
        let StoredSpec::V1(spec) = content.spec;
        let model = TrainedModel {
            spec,
            framework: content.framework,
            signature: content.signature,
            classes: content.classes,
            preprocessor: content.preprocessor,
            predictor: content.predictor,
        };
        match model.inconsistency() {
            Some(reason) => Err(ModelFormatError::Inconsistent(reason)),
            None => Ok(model),
        }
    }

    fn inconsistency(&self) -> Option<String> {
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
    }
}

fn undecodable(content: &[u8], source: rmp_serde::decode::Error) -> ModelFormatError {
    let supported = Framework::current();
    match rmp_serde::from_slice::<FrameworkOnly>(content) {
        Ok(FrameworkOnly { framework }) if framework != supported => {
            ModelFormatError::OtherFramework { found: framework.to_string(), supported: supported.to_string(), source }
        }
        _ => ModelFormatError::Undecodable(source),
    }
}

fn header_of(content: &[u8]) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    header.extend_from_slice(&(content.len() as u64).to_le_bytes());
    header.extend_from_slice(&Sha256::digest(content));
    header
}

/// Returns the content after having compared it with its header.
fn checked_content(bytes: &[u8]) -> Result<&[u8], ModelFormatError> {
    let Some(after_magic) = bytes.strip_prefix(MAGIC.as_slice()) else {
        return Err(ModelFormatError::NotAModel);
    };
    let cut_short = ModelFormatError::WrongLength { expected: HEADER_BYTES as u64, found: bytes.len() as u64 };
    let Some((version, after_version)) = after_magic.split_first_chunk() else { return Err(cut_short) };
    let version = u16::from_le_bytes(*version);
    if version != FORMAT_VERSION {
        return Err(ModelFormatError::UnsupportedVersion { found: version, supported: FORMAT_VERSION });
    }
    let Some((length, after_length)) = after_version.split_first_chunk() else { return Err(cut_short) };
    let Some((checksum, content)) = after_length.split_first_chunk::<32>() else { return Err(cut_short) };
    let expected = u64::from_le_bytes(*length);
    if expected != content.len() as u64 {
        let header = HEADER_BYTES as u64;
        return Err(ModelFormatError::WrongLength {
            expected: expected.saturating_add(header),
            found: bytes.len() as u64,
        });
    }
    if Sha256::digest(content)[..] != checksum[..] {
        return Err(ModelFormatError::Corrupt);
    }
    Ok(content)
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
