//! What can go wrong with an ONNX model.

use crate::error::PredictError;

/// Why an ONNX model was not read or not run.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The bytes do not decode.
    #[error("not an ONNX model: {0}")]
    NotOnnx(&'static str),
    /// The model needs something that neither engine has.
    #[error("the ONNX model needs {0}")]
    Unsupported(String),
    /// The parts of the model do not fit each other.
    #[error("the ONNX model is inconsistent: {0}")]
    Inconsistent(String),
    /// The model, or what it was given, does not fit what is wanted of it.
    #[error("{what}: {way_out}")]
    Unfit {
        /// What does not fit.
        what: String,
        /// What to do about it.
        way_out: String,
    },
    /// An operator failed.
    #[error("operator `{operator}` of the ONNX model failed: {reason}")]
    Failed {
        /// The operator, or the engine.
        operator: String,
        /// Why.
        reason: String,
    },
}

impl OnnxError {
    pub(super) fn unfit(what: impl Into<String>, way_out: impl Into<String>) -> OnnxError {
        OnnxError::Unfit { what: what.into(), way_out: way_out.into() }
    }
}

impl From<OnnxError> for PredictError {
    fn from(error: OnnxError) -> PredictError {
        PredictError::Failed { kind: "onnx", reason: error.to_string() }
    }
}
