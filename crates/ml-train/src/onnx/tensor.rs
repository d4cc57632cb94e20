//! Tensors of the engine for classical models.
//!
//! Numbers are held as `f64` with the kind that they have in the model; results of single precision are rounded to it after
//! each operator, which for one addition, product or quotient is what single precision gives. Integers beyond 2⁵³ are not exact.

use super::error::OnnxError;

/// What the elements of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementKind {
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// Integers of any width.
    Integer,
    /// Truth values, 0 or 1.
    Boolean,
    /// Text.
    Text,
}

/// The elements, the last dimension running fastest.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Of any kind but text.
    Numbers(ElementKind, Vec<f64>),
    /// Text.
    Texts(Vec<String>),
}

/// Elements in a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The sizes; their product is the number of elements.
    pub shape: Vec<usize>,
    /// The elements.
    pub data: Data,
}

/// The most elements of a tensor: a graph of a few bytes could otherwise ask for all memory there is.
const MAX_ELEMENTS: usize = 1 << 26;

/// Returns the number of elements of `shape`.
pub(super) fn n_elements(shape: &[usize]) -> Result<usize, OnnxError> {
    let product = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    match product {
        Some(product) if product <= MAX_ELEMENTS => Ok(product),
        _ => Err(OnnxError::Unsupported(format!("a tensor of shape {shape:?}, which is more than is taken"))),
    }
}

impl ElementKind {
    /// Returns the kind of a number of ONNX's element types; `None` for those that are not used.
    pub(super) fn of_number(number: i64) -> Option<ElementKind> {
        match number {
            1 => Some(ElementKind::Float),
            11 => Some(ElementKind::Double),
            2..=7 => Some(ElementKind::Integer),
            9 => Some(ElementKind::Boolean),
            8 => Some(ElementKind::Text),
            _ => None,
        }
    }

    /// Returns `value` as an element of this kind.
    pub(super) fn round(self, value: f64) -> f64 {
        match self {
            ElementKind::Float => f64::from(value as f32),
            ElementKind::Integer => value.trunc(),
            ElementKind::Boolean => f64::from(u8::from(value != 0.0)),
            ElementKind::Double | ElementKind::Text => value,
        }
    }
}

impl Data {
    pub(super) fn len(&self) -> usize {
        match self {
            Data::Numbers(_, numbers) => numbers.len(),
            Data::Texts(texts) => texts.len(),
        }
    }
}

impl Tensor {
    /// Makes a tensor of single-precision numbers; they are rounded.
    ///
    /// # Errors
    /// [`OnnxError::Inconsistent`] when there are not as many as the shape says.
    pub fn floats(shape: Vec<usize>, values: Vec<f64>) -> Result<Tensor, OnnxError> {
        Tensor::numbers(ElementKind::Float, shape, values)
    }

    /// Makes a tensor of integers.
    ///
    /// # Errors
    /// Those of [`Tensor::floats`].
    pub fn integers(shape: Vec<usize>, values: Vec<f64>) -> Result<Tensor, OnnxError> {
        Tensor::numbers(ElementKind::Integer, shape, values)
    }

    pub(super) fn numbers(kind: ElementKind, shape: Vec<usize>, mut values: Vec<f64>) -> Result<Tensor, OnnxError> {
        for value in &mut values {
            *value = kind.round(*value);
        }
        Tensor::new(shape, Data::Numbers(kind, values))
    }

    pub(super) fn texts(shape: Vec<usize>, texts: Vec<String>) -> Result<Tensor, OnnxError> {
        Tensor::new(shape, Data::Texts(texts))
    }

    pub(super) fn new(shape: Vec<usize>, data: Data) -> Result<Tensor, OnnxError> {
        let (expected, found) = (n_elements(&shape)?, data.len());
        if expected == found {
            return Ok(Tensor { shape, data });
        }
        Err(OnnxError::Inconsistent(format!("{found} elements do not have the shape {shape:?}")))
    }

    /// Returns the numbers.
    ///
    /// # Errors
    /// [`OnnxError::Inconsistent`] for texts.
    pub fn as_numbers(&self) -> Result<&[f64], OnnxError> {
        match &self.data {
            Data::Numbers(_, numbers) => Ok(numbers),
            Data::Texts(_) => Err(OnnxError::Inconsistent("texts are given where numbers are needed".to_owned())),
        }
    }

    pub(super) fn as_texts(&self) -> Result<&[String], OnnxError> {
        match &self.data {
            Data::Texts(texts) => Ok(texts),
            Data::Numbers(..) => Err(OnnxError::Inconsistent("numbers are given where texts are needed".to_owned())),
        }
    }

    pub(super) fn kind(&self) -> ElementKind {
        match &self.data {
            Data::Numbers(kind, _) => *kind,
            Data::Texts(_) => ElementKind::Text,
        }
    }

    /// Returns rows and columns: the last dimension, and all before it. A tensor of one dimension is one row.
    pub(super) fn rows_and_columns(&self) -> (usize, usize) {
        let n_columns = self.shape.last().copied().unwrap_or(1);
        (self.data.len().checked_div(n_columns).unwrap_or(0), n_columns)
    }

    /// Returns the tensor with another shape of the same size.
    pub(super) fn reshaped(&self, shape: Vec<usize>) -> Result<Tensor, OnnxError> {
        Tensor::new(shape, self.data.clone())
    }
}
