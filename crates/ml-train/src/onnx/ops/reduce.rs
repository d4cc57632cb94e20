//! Operators that make one number of many along some axes, and softmax.

use super::{Operator, Prepare, axis_position, function, input, integers};
use crate::onnx::error::OnnxError;
use crate::onnx::proto::Node;
use crate::onnx::tensor::{ElementKind, Tensor};

pub(super) fn find(name: &str) -> Option<Prepare> {
    Some(match name {
        "ReduceSum" => |node| Ok(reduction(node, |values| values.iter().sum())),
        "ReduceSumSquare" => |node| Ok(reduction(node, |values| values.iter().map(|value| value * value).sum())),
        "ReduceMean" => |node| Ok(reduction(node, |values| values.iter().sum::<f64>() / values.len() as f64)),
        "ReduceMax" => |node| Ok(reduction(node, greatest)),
        "ReduceMin" => |node| Ok(reduction(node, |values| values.iter().copied().fold(f64::INFINITY, f64::min))),
        "ReduceL1" => |node| Ok(reduction(node, |values| values.iter().map(|value| value.abs()).sum())),
        "ReduceL2" => |node| Ok(reduction(node, |values| values.iter().map(|value| value * value).sum::<f64>().sqrt())),
        "ReduceLogSumExp" => |node| Ok(reduction(node, log_sum_exp)),
        "ArgMax" => arg_max,
        "Softmax" => softmax,
        _ => return None,
    })
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn log_sum_exp(values: &[f64]) -> f64 {
    let greatest = greatest(values);
    if greatest.is_infinite() {
        return greatest;
    }
    greatest + values.iter().map(|value| (value - greatest).exp()).sum::<f64>().ln()
}

/// Replaces `values` by shares that sum to 1.
pub(super) fn softmax_of(values: &mut [f64]) {
    let greatest = greatest(values);
    for value in values.iter_mut() {
        *value = (*value - greatest).exp();
    }
    let sum: f64 = values.iter().sum();
    for value in values.iter_mut() {
        *value /= sum;
    }
}

/// The axes are an attribute in older versions of the standard and an input in newer ones; none at all are all of them.
fn reduction(node: &Node, reduce: fn(&[f64]) -> f64) -> Box<dyn Operator> {
    let declared = node.integers("axes").to_vec();
    let keeps = node.integer("keepdims").unwrap_or(1) != 0;
    let does_nothing_without_axes = node.integer("noop_with_empty_axes").unwrap_or(0) != 0;
    function(move |inputs| {
        let given = input(inputs, 0)?;
        let axes = match inputs.get(1) {
            Some(Some(axes)) => integers(axes)?,
            _ => declared.clone(),
        };
        if axes.is_empty() && does_nothing_without_axes {
            return Ok(given.clone());
        }
        let n_dimensions = given.shape.len();
        let mut reduced = vec![axes.is_empty(); n_dimensions];
        for axis in axes {
            reduced[axis_position(axis, n_dimensions)?] = true;
        }
        reduce_along(given, &reduced, keeps, reduce)
    })
}

fn reduce_along(given: &Tensor, reduced: &[bool], keeps: bool, reduce: fn(&[f64]) -> f64) -> Result<Tensor, OnnxError> {
    let kept: Vec<usize> = (0..reduced.len()).filter(|&axis| !reduced[axis]).collect();
    let gone: Vec<usize> = (0..reduced.len()).filter(|&axis| reduced[axis]).collect();
    let length: usize = gone.iter().map(|&axis| given.shape[axis]).product();
    let ordered = super::shape::transposed(given, &[kept.clone(), gone].concat())?;
    let shape: Vec<usize> = if keeps {
        (0..reduced.len()).map(|axis| if reduced[axis] { 1 } else { given.shape[axis] }).collect()
    } else {
        kept.iter().map(|&axis| given.shape[axis]).collect()
    };
    let values = ordered.as_numbers()?;
    let results = if length == 0 { Vec::new() } else { values.chunks(length).map(reduce).collect() };
    Tensor::numbers(given.kind(), shape, results)
}

fn arg_max(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let axis = node.integer("axis").unwrap_or(0);
    let keeps = node.integer("keepdims").unwrap_or(1) != 0;
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let position = axis_position(axis, given.shape.len())?;
        let reduced: Vec<bool> = (0..given.shape.len()).map(|axis| axis == position).collect();
        let first_greatest = |values: &[f64]| {
            let mut best = 0;
            for (index, value) in values.iter().enumerate() {
                if *value > values[best] {
                    best = index;
                }
            }
            best as f64
        };
        let indices = reduce_along(given, &reduced, keeps, first_greatest)?;
        Tensor::numbers(ElementKind::Integer, indices.shape.clone(), indices.as_numbers()?.to_vec())
    }))
}

fn softmax(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let axis = node.integer("axis").unwrap_or(-1);
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let (_, n_columns) = given.rows_and_columns();
        if axis_position(axis, given.shape.len())? + 1 != given.shape.len() {
            return Err(OnnxError::Unsupported("a softmax along another axis than the last".to_owned()));
        }
        let mut values = given.as_numbers()?.to_vec();
        values.chunks_mut(n_columns.max(1)).for_each(softmax_of);
        Tensor::numbers(given.kind(), given.shape.clone(), values)
    }))
}
