//! Operators that move elements without changing them.

use super::{Operator, Prepare, axis_position, function, input, integers};
use crate::onnx::error::OnnxError;
use crate::onnx::proto::Node;
use crate::onnx::tensor::{ElementKind, Tensor, n_elements};

pub(super) fn find(name: &str) -> Option<Prepare> {
    Some(match name {
        "Reshape" => |_| Ok(function(|inputs| reshape(input(inputs, 0)?, &integers(input(inputs, 1)?)?))),
        "Flatten" => flatten,
        "Squeeze" => |node| Ok(with_axes(node, squeeze)),
        "Unsqueeze" => |node| Ok(with_axes(node, unsqueeze)),
        "Concat" => concat,
        "Gather" => gather,
        "Transpose" => transpose,
        "Shape" => |_| {
            Ok(function(|inputs| {
                let shape = &input(inputs, 0)?.shape;
                Tensor::integers(vec![shape.len()], shape.iter().map(|&size| size as f64).collect())
            }))
        },
        _ => return None,
    })
}

/// A size of -1 is what is left, and 0 is what it was.
fn reshape(given: &Tensor, wanted: &[i64]) -> Result<Tensor, OnnxError> {
    let bad = || OnnxError::Inconsistent(format!("{:?} cannot take the shape {wanted:?}", given.shape));
    let mut shape = Vec::with_capacity(wanted.len());
    let mut left_over = None;
    for (position, &size) in wanted.iter().enumerate() {
        match size {
            -1 if left_over.is_none() => {
                left_over = Some(position);
                shape.push(1);
            }
            0 => shape.push(*given.shape.get(position).ok_or_else(bad)?),
            size => shape.push(usize::try_from(size).map_err(|_| bad())?),
        }
    }
    if let Some(position) = left_over {
        let others = n_elements(&shape)?;
        shape[position] = given.data.len().checked_div(others).unwrap_or(0);
    }
    given.reshaped(shape)
}

fn flatten(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let axis = node.integer("axis").unwrap_or(1);
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let n_dimensions = given.shape.len();
        let split = if axis == n_dimensions as i64 { n_dimensions } else { axis_position(axis, n_dimensions)? };
        let n_rows: usize = given.shape[..split].iter().product();
        given.reshaped(vec![n_rows, given.shape[split..].iter().product()])
    }))
}

/// The axes are an attribute in older versions of the standard and an input in newer ones.
fn with_axes(node: &Node, apply: fn(&Tensor, &[i64]) -> Result<Tensor, OnnxError>) -> Box<dyn Operator> {
    let declared = node.integers("axes").to_vec();
    function(move |inputs| {
        let axes = match inputs.get(1) {
            Some(Some(axes)) => integers(axes)?,
            _ => declared.clone(),
        };
        apply(input(inputs, 0)?, &axes)
    })
}

fn squeeze(given: &Tensor, axes: &[i64]) -> Result<Tensor, OnnxError> {
    let n_dimensions = given.shape.len();
    let gone = axes.iter().map(|&axis| axis_position(axis, n_dimensions)).collect::<Result<Vec<_>, _>>()?;
    let is_kept = |axis: usize, size: usize| if axes.is_empty() { size != 1 } else { !gone.contains(&axis) };
    let sizes = given.shape.iter().copied().enumerate();
    given.reshaped(sizes.filter(|&(axis, size)| is_kept(axis, size)).map(|(_, size)| size).collect())
}

fn unsqueeze(given: &Tensor, axes: &[i64]) -> Result<Tensor, OnnxError> {
    let n_dimensions = given.shape.len() + axes.len();
    let new = axes.iter().map(|&axis| axis_position(axis, n_dimensions)).collect::<Result<Vec<_>, _>>()?;
    let mut old = given.shape.iter().copied();
    given
        .reshaped((0..n_dimensions).map(|axis| if new.contains(&axis) { 1 } else { old.next().unwrap_or(1) }).collect())
}

fn concat(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let axis = node.integer("axis").unwrap_or(1);
    Ok(function(move |inputs| {
        let parts: Vec<&Tensor> = inputs.iter().copied().flatten().collect();
        let first = input(inputs, 0)?;
        let axis = axis_position(axis, first.shape.len())?;
        let mut shape = first.shape.clone();
        shape[axis] = 0;
        for part in &parts {
            let fits = part.shape.len() == shape.len()
                && part.shape.iter().zip(&shape).enumerate().all(|(at, (left, right))| at == axis || left == right);
            if !fits {
                return Err(OnnxError::Inconsistent(format!(
                    "{:?} cannot be put beside {:?}",
                    part.shape, first.shape
                )));
            }
            shape[axis] = shape[axis].saturating_add(part.shape[axis]);
        }
        n_elements(&shape)?;
        let n_outer: usize = shape[..axis].iter().product();
        let widths: Vec<usize> = parts.iter().map(|part| part.shape[axis..].iter().product()).collect();
        let mut picks = Vec::new();
        for outer in 0..n_outer {
            for (part, &width) in widths.iter().enumerate() {
                picks.extend((outer * width..(outer + 1) * width).map(|element| (part, element)));
            }
        }
        pick(&parts, shape, picks)
    }))
}

/// Takes elements, each by tensor and position.
fn pick(parts: &[&Tensor], shape: Vec<usize>, picks: Vec<(usize, usize)>) -> Result<Tensor, OnnxError> {
    let kind = parts.first().map_or(ElementKind::Float, |part| part.kind());
    if kind == ElementKind::Text {
        let texts = parts.iter().map(|part| part.as_texts()).collect::<Result<Vec<_>, _>>()?;
        return Tensor::texts(shape, picks.into_iter().map(|(part, element)| texts[part][element].clone()).collect());
    }
    let numbers = parts.iter().map(|part| part.as_numbers()).collect::<Result<Vec<_>, _>>()?;
    Tensor::numbers(kind, shape, picks.into_iter().map(|(part, element)| numbers[part][element]).collect())
}

fn gather(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let axis = node.integer("axis").unwrap_or(0);
    Ok(function(move |inputs| {
        let (given, indices) = (input(inputs, 0)?, input(inputs, 1)?);
        let axis = axis_position(axis, given.shape.len())?;
        let size = given.shape[axis];
        let positions = integers(indices)?.into_iter().map(|index| axis_position(index, size));
        let positions = positions.collect::<Result<Vec<_>, _>>()?;
        let shape = [&given.shape[..axis], &indices.shape, &given.shape[axis + 1..]].concat();
        n_elements(&shape)?;
        let n_outer: usize = given.shape[..axis].iter().product();
        let n_inner: usize = given.shape[axis + 1..].iter().product();
        let mut picks = Vec::new();
        for outer in 0..n_outer {
            for position in &positions {
                let begin = (outer * size + position) * n_inner;
                picks.extend((begin..begin + n_inner).map(|element| (0, element)));
            }
        }
        pick(&[given], shape, picks)
    }))
}

fn transpose(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let declared = node.indices("perm")?;
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let reversed = || (0..given.shape.len()).rev().collect();
        let order = if declared.is_empty() { reversed() } else { declared.clone() };
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..given.shape.len()) {
            return Err(OnnxError::Inconsistent(format!("{order:?} is no order of the axes of {:?}", given.shape)));
        }
        transposed(given, &order)
    }))
}

/// Returns the tensor with its axes in another order, of which each is there once.
pub(super) fn transposed(given: &Tensor, order: &[usize]) -> Result<Tensor, OnnxError> {
    if order.len() != given.shape.len() {
        return Err(OnnxError::Inconsistent(format!("a tensor of shape {:?} is not a matrix", given.shape)));
    }
    if order.iter().copied().eq(0..order.len()) {
        return Ok(given.clone());
    }
    let mut apart = vec![1; order.len()];
    for axis in (1..order.len()).rev() {
        apart[axis - 1] = apart[axis] * given.shape[axis];
    }
    let shape: Vec<usize> = order.iter().map(|&axis| given.shape[axis]).collect();
    let position = |element: usize| {
        let mut rest = element;
        let mut at = 0;
        for (&axis, &size) in order.iter().zip(&shape).rev() {
            at += rest % size * apart[axis];
            rest /= size;
        }
        (0, at)
    };
    let picks = (0..given.data.len()).map(position).collect();
    pick(&[given], shape.clone(), picks)
}
