//! The attributes of a node, by name.

use super::error::OnnxError;
use super::proto::{Attribute, Node};
use super::tensor::{Data, ElementKind, Tensor};

/// Names of classes or categories in the order of their indices: texts, or integers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Labels {
    Texts(Vec<String>),
    Integers(Vec<f64>),
}

impl Node {
    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn floats(&self, name: &str) -> &[f64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.floats)
    }

    /// Returns floats that are given as a list or as a tensor, whose name ends in `_as_tensor`.
    pub(super) fn floats_or_tensor(&self, name: &str) -> Vec<f64> {
        let tensor = self.attribute(&format!("{name}_as_tensor")).and_then(|attribute| attribute.tensor.as_ref());
        match tensor {
            Some(Tensor { data: Data::Numbers(_, numbers), .. }) => numbers.clone(),
            _ => self.floats(name).to_vec(),
        }
    }

    pub(super) fn integers(&self, name: &str) -> &[i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.integers)
    }

    /// Returns integers that are indices.
    pub(super) fn indices(&self, name: &str) -> Result<Vec<usize>, OnnxError> {
        let index = |&integer: &i64| usize::try_from(integer);
        let indices = self.integers(name).iter().map(index).collect::<Result<_, _>>();
        indices.map_err(|_| OnnxError::Inconsistent(format!("`{name}` of `{}` has a negative number", self.operator)))
    }

    pub(super) fn texts(&self, name: &str) -> &[String] {
        self.attribute(name).map_or(&[], |attribute| &attribute.texts)
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.attribute(name).and_then(|attribute| attribute.integer)
    }

    pub(super) fn float(&self, name: &str) -> Option<f64> {
        self.attribute(name).and_then(|attribute| attribute.float)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.attribute(name).and_then(|attribute| attribute.text.as_deref())
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.attribute(name).and_then(|attribute| attribute.tensor.as_ref())
    }

    /// Returns the first of the lists `names` that is there.
    pub(super) fn labels(&self, names: &[&str]) -> Option<Labels> {
        for name in names {
            if !self.texts(name).is_empty() {
                return Some(Labels::Texts(self.texts(name).to_vec()));
            }
            if !self.integers(name).is_empty() {
                return Some(Labels::Integers(self.integers(name).iter().map(|&label| label as f64).collect()));
            }
            if !self.floats(name).is_empty() {
                return Some(Labels::Integers(self.floats(name).to_vec()));
            }
        }
        None
    }
}

impl Labels {
    pub(super) fn len(&self) -> usize {
        match self {
            Labels::Texts(texts) => texts.len(),
            Labels::Integers(integers) => integers.len(),
        }
    }

    /// Returns the labels as a column of texts.
    pub(super) fn into_texts(self) -> Vec<String> {
        match self {
            Labels::Texts(texts) => texts,
            Labels::Integers(integers) => integers.iter().map(f64::to_string).collect(),
        }
    }

    /// Returns the labels at `indices` as a tensor of `shape`.
    pub(super) fn select(&self, shape: Vec<usize>, indices: &[usize]) -> Result<Tensor, OnnxError> {
        let out_of_range = || OnnxError::Inconsistent("an index has no label".to_owned());
        match self {
            Labels::Texts(texts) => {
                let selected = indices.iter().map(|&index| texts.get(index).cloned().ok_or_else(out_of_range));
                Tensor::texts(shape, selected.collect::<Result<_, _>>()?)
            }
            Labels::Integers(integers) => {
                let selected = indices.iter().map(|&index| integers.get(index).copied().ok_or_else(out_of_range));
                Tensor::numbers(ElementKind::Integer, shape, selected.collect::<Result<_, _>>()?)
            }
        }
    }
}
