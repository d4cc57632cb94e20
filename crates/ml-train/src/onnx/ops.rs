//! The operators of the engine for classical models.
//!
//! Source: *ONNX Operators* and *ai.onnx.ml Operators* of the ONNX standard, and `Tokenizer` of ONNX Runtime's extensions.

#[allow(clippy::unnecessary_wraps, reason = "operators are prepared by functions of one type")]
mod arithmetic;
#[allow(clippy::unnecessary_wraps, reason = "operators are prepared by functions of one type")]
mod encode;
#[allow(clippy::unnecessary_wraps, reason = "operators are prepared by functions of one type")]
mod linear;
#[allow(clippy::unnecessary_wraps, reason = "operators are prepared by functions of one type")]
mod reduce;
#[allow(clippy::unnecessary_wraps, reason = "operators are prepared by functions of one type")]
mod shape;
mod text;
mod trees;

use super::error::OnnxError;
use super::proto::Node;
use super::tensor::Tensor;

/// A node, prepared to run. It depends on its inputs alone.
pub(super) trait Operator: Send + Sync {
    /// Returns the outputs for `inputs`, of which optional ones may be absent.
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>, OnnxError>;
}

/// An operator that is a function of its inputs and of what was prepared.
struct Function<F>(F);

impl<F: Fn(&[Option<&Tensor>]) -> Result<Tensor, OnnxError> + Send + Sync> Operator for Function<F> {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>, OnnxError> {
        Ok(vec![(self.0)(inputs)?])
    }
}

/// Makes an operator with one output.
fn function<F>(run: F) -> Box<dyn Operator>
where
    F: Fn(&[Option<&Tensor>]) -> Result<Tensor, OnnxError> + Send + Sync + 'static,
{
    Box::new(Function(run))
}

type Prepare = fn(&Node) -> Result<Box<dyn Operator>, OnnxError>;

/// Returns whether operators of `domain` are those of the standard without extensions.
pub(super) fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// Returns whether `node` is an operator of texts.
pub(super) fn is_of_texts(node: &Node) -> bool {
    text::find(&node.operator).is_some()
}

/// Returns whether `node` can be prepared, as far as its name says.
pub(super) fn is_known(node: &Node) -> bool {
    find(node).is_some()
}

/// Prepares `node`.
pub(super) fn prepare(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let unknown = || OnnxError::Unsupported(format!("operator `{}`, which is not known here", node.operator));
    find(node).ok_or_else(unknown)?(node)
}

fn find(node: &Node) -> Option<Prepare> {
    let name = node.operator.as_str();
    match node.domain.as_str() {
        domain if is_standard(domain) => arithmetic::find(name)
            .or_else(|| reduce::find(name))
            .or_else(|| shape::find(name))
            .or_else(|| text::find(name)),
        "ai.onnx.ml" => linear::find(name).or_else(|| trees::find(name)).or_else(|| encode::find(name)),
        "com.microsoft" if name == "Tokenizer" => Some(text::tokenizer),
        _ => None,
    }
}

/// Returns the input at `position`, which must be there.
fn input<'a>(inputs: &[Option<&'a Tensor>], position: usize) -> Result<&'a Tensor, OnnxError> {
    let missing = || OnnxError::Inconsistent(format!("input {} is missing", position + 1));
    inputs.get(position).copied().flatten().ok_or_else(missing)
}

/// Returns whole numbers given as an input, such as axes.
fn integers(tensor: &Tensor) -> Result<Vec<i64>, OnnxError> {
    Ok(tensor.as_numbers()?.iter().map(|&number| number as i64).collect())
}

/// Returns the position of `axis` among `n_dimensions`, counted from the end if it is negative.
fn axis_position(axis: i64, n_dimensions: usize) -> Result<usize, OnnxError> {
    let counted = if axis < 0 { axis + n_dimensions as i64 } else { axis };
    let outside = || OnnxError::Inconsistent(format!("there is no axis {axis} among {n_dimensions}"));
    usize::try_from(counted).ok().filter(|axis| *axis < n_dimensions).ok_or_else(outside)
}
