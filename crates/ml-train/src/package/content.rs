//! The content of a package, by format version: MessagePack with named fields, and blocks of little-endian numbers.

use ml_core::model::Signature;
use serde::{Deserialize, Serialize};

use super::Papers;
use crate::decision::Decision;
use crate::error::ModelFormatError;
use crate::estimator::FittedPredictor;
use crate::model::{Framework, TrainedModel};
use crate::preprocess::Preprocessor;
use crate::spec::PipelineSpec;

/// The content of format version 2, borrowed to be written.
#[derive(Serialize)]
struct ContentV2Ref<'a> {
    model: ModelV1Ref<'a>,
    papers: &'a Papers,
}

/// The content of format version 2.
#[derive(Deserialize)]
struct ContentV2 {
    model: ModelV1,
    papers: Papers,
}

/// What is read of format version 2 where the model is not wanted.
#[derive(Deserialize)]
struct PapersOnly {
    papers: Papers,
}

/// A model, borrowed to be written.
#[derive(Serialize)]
struct ModelV1Ref<'a> {
    spec: StoredSpecRef<'a>,
    framework: &'a Framework,
    signature: &'a Signature,
    classes: &'a [String],
    preprocessor: &'a Preprocessor,
    predictor: &'a FittedPredictor,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
}

/// A model; alone it is the content of format version 1.
#[derive(Deserialize)]
struct ModelV1 {
    spec: StoredSpec,
    framework: Framework,
    signature: Signature,
    classes: Vec<String>,
    preprocessor: Preprocessor,
    predictor: FittedPredictor,
    /// Absent in packages of releases that knew none.
    #[serde(default)]
    decision: Option<Decision>,
}

/// The part of a model that tells why the rest may not decode.
#[derive(Deserialize)]
struct FrameworkOnly {
    framework: Framework,
}

/// The same part in format version 2.
#[derive(Deserialize)]
struct ModelFrameworkOnly {
    model: FrameworkOnly,
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

/// Appends the content of the format version that is written.
pub(super) fn encode(model: &TrainedModel, papers: &Papers, bytes: &mut Vec<u8>) -> Result<(), ModelFormatError> {
    let model = ModelV1Ref {
        spec: StoredSpecRef::V1(&model.spec),
        framework: &model.framework,
        signature: &model.signature,
        classes: &model.classes,
        preprocessor: &model.preprocessor,
        predictor: &model.predictor,
        decision: model.decision,
    };
    rmp_serde::encode::write_named(bytes, &ContentV2Ref { model, papers }).map_err(ModelFormatError::Unencodable)
}

/// Reads the content of `version`; what is returned fits together.
pub(super) fn decode(version: u16, content: &[u8]) -> Result<(TrainedModel, Papers), ModelFormatError> {
    let decoded = match version {
        1 => rmp_serde::from_slice(content).map(|model: ModelV1| (model, Papers::default())),
        _ => rmp_serde::from_slice(content).map(|content: ContentV2| (content.model, content.papers)),
    };
    let (model, papers) = decoded.map_err(|source| undecodable(version, content, source))?;
    let StoredSpec::V1(spec) = model.spec;
    let model = TrainedModel {
        spec,
        framework: model.framework,
        signature: model.signature,
        classes: model.classes,
        preprocessor: model.preprocessor,
        predictor: model.predictor,
        decision: model.decision,
    };
    match model.inconsistency() {
        Some(reason) => Err(ModelFormatError::Inconsistent(reason)),
        None => Ok((model, papers)),
    }
}

/// Reads the papers of the content of `version`.
pub(super) fn decode_papers(version: u16, content: &[u8]) -> Result<Papers, ModelFormatError> {
    if version == 1 {
        return Ok(Papers::default());
    }
    let PapersOnly { papers } = rmp_serde::from_slice(content).map_err(ModelFormatError::Undecodable)?;
    Ok(papers)
}

fn undecodable(version: u16, content: &[u8], source: rmp_serde::decode::Error) -> ModelFormatError {
    let supported = Framework::current();
    let found = match version {
        1 => rmp_serde::from_slice(content).map(|model: FrameworkOnly| model.framework),
        _ => rmp_serde::from_slice(content).map(|content: ModelFrameworkOnly| content.model.framework),
    };
    match found {
        Ok(framework) if framework.name == supported.name && framework.version != supported.version => {
            ModelFormatError::OtherFramework { found: framework.to_string(), supported: supported.to_string(), source }
        }
        _ => ModelFormatError::Undecodable(source),
    }
}
