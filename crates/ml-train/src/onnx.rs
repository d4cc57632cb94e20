//! ONNX models: read, checked, and run over the columns of a table.
//!
//! Two engines run graphs. One is here: it knows the operators of classical models (`ai.onnx.ml`, texts, and the arithmetic
//! around them), as skl2onnx writes them. The other is the crate `rten`, for networks, transformers among them: graphs of nothing
//! but the standard's own operators on numbers. What is read is data: an operator that neither knows is an error.

mod attributes;
mod classes;
mod columns;
mod error;
mod graph;
mod import;
mod network;
mod ops;
mod predictor;
mod proto;
mod tensor;
mod wire;

pub use error::OnnxError;
pub use graph::{Graph, GraphInput};
pub use import::{OnnxImport, import};
pub use predictor::OnnxPredictor;
pub use tensor::{Data, ElementKind, Tensor};

/// Returns whether `bytes` may be an ONNX model: whether they begin with the fields of one.
pub fn is_onnx(bytes: &[u8]) -> bool {
    proto::Model::decode(bytes).is_ok_and(|model| !model.graph.nodes.is_empty())
}
