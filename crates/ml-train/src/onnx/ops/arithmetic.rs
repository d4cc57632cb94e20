//! Operators element by element, with shapes stretched to fit each other, and products of matrices.

use super::{Operator, Prepare, function, input};
use crate::onnx::error::OnnxError;
use crate::onnx::proto::Node;
use crate::onnx::tensor::{ElementKind, Tensor, n_elements};

pub(super) fn find(name: &str) -> Option<Prepare> {
    Some(match name {
        "Add" => |_| Ok(binary(|left, right| left + right)),
        "Sub" => |_| Ok(binary(|left, right| left - right)),
        "Mul" => |_| Ok(binary(|left, right| left * right)),
        "Div" => |_| Ok(binary(|left, right| left / right)),
        "Pow" => |_| Ok(binary(f64::powf)),
        "Less" => |_| Ok(comparison(|left, right| left < right)),
        "LessOrEqual" => |_| Ok(comparison(|left, right| left <= right)),
        "Greater" => |_| Ok(comparison(|left, right| left > right)),
        "GreaterOrEqual" => |_| Ok(comparison(|left, right| left >= right)),
        "Equal" => |_| Ok(comparison(|left, right| left == right)),
        "Identity" => |_| Ok(function(|inputs| input(inputs, 0).cloned())),
        "Neg" => |_| Ok(unary(|value| -value)),
        "Abs" => |_| Ok(unary(f64::abs)),
        "Exp" => |_| Ok(unary(f64::exp)),
        "Log" => |_| Ok(unary(f64::ln)),
        "Sqrt" => |_| Ok(unary(f64::sqrt)),
        "Tanh" => |_| Ok(unary(f64::tanh)),
        "Sigmoid" => |_| Ok(unary(sigmoid)),
        "Relu" => |_| Ok(unary(|value| value.max(0.0))),
        "Not" => |_| Ok(unary(|value| f64::from(u8::from(value == 0.0)))),
        "MatMul" => |_| Ok(function(|inputs| product(input(inputs, 0)?, input(inputs, 1)?))),
        "Gemm" => gemm,
        "Cast" => cast,
        "Where" => |_| Ok(function(choose)),
        "Constant" => constant,
        _ => return None,
    })
}

pub(super) fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

fn unary(apply: fn(f64) -> f64) -> Box<dyn Operator> {
    function(move |inputs| {
        let given = input(inputs, 0)?;
        let values = given.as_numbers()?.iter().map(|&value| apply(value)).collect();
        Tensor::numbers(given.kind(), given.shape.clone(), values)
    })
}

fn binary(apply: fn(f64, f64) -> f64) -> Box<dyn Operator> {
    function(move |inputs| {
        let (left, right) = (input(inputs, 0)?, input(inputs, 1)?);
        let stretched = Stretched::of(&[left, right])?;
        let (left_values, right_values) = (left.as_numbers()?, right.as_numbers()?);
        let values = stretched.positions().map(|at| apply(left_values[at[0]], right_values[at[1]])).collect();
        Tensor::numbers(left.kind(), stretched.shape.clone(), values)
    })
}

fn comparison(holds: fn(f64, f64) -> bool) -> Box<dyn Operator> {
    function(move |inputs| {
        let (left, right) = (input(inputs, 0)?, input(inputs, 1)?);
        let stretched = Stretched::of(&[left, right])?;
        let (left_values, right_values) = (left.as_numbers()?, right.as_numbers()?);
        let truth = |at: [usize; 3]| f64::from(u8::from(holds(left_values[at[0]], right_values[at[1]])));
        let values = stretched.positions().map(truth).collect();
        Tensor::numbers(ElementKind::Boolean, stretched.shape.clone(), values)
    })
}

fn choose(inputs: &[Option<&Tensor>]) -> Result<Tensor, OnnxError> {
    let [condition, left, right] = [input(inputs, 0)?, input(inputs, 1)?, input(inputs, 2)?];
    let stretched = Stretched::of(&[condition, left, right])?;
    let conditions = condition.as_numbers()?;
    if left.kind() == ElementKind::Text {
        let (left, right) = (left.as_texts()?, right.as_texts()?);
        let text = |at: [usize; 3]| if conditions[at[0]] == 0.0 { right[at[2]].clone() } else { left[at[1]].clone() };
        return Tensor::texts(stretched.shape.clone(), stretched.positions().map(text).collect());
    }
    let (left_values, right_values) = (left.as_numbers()?, right.as_numbers()?);
    let number = |at: [usize; 3]| if conditions[at[0]] == 0.0 { right_values[at[2]] } else { left_values[at[1]] };
    Tensor::numbers(left.kind(), stretched.shape.clone(), stretched.positions().map(number).collect())
}

/// Up to three shapes stretched to one: sizes of 1 repeat.
struct Stretched {
    shape: Vec<usize>,
    /// For each tensor, how far its elements are apart along each dimension; 0 where they repeat.
    steps: [Vec<usize>; 3],
    n_elements: usize,
}

impl Stretched {
    fn of(tensors: &[&Tensor]) -> Result<Stretched, OnnxError> {
        let n_dimensions = tensors.iter().map(|tensor| tensor.shape.len()).max().unwrap_or(0);
        let mut shape = vec![1; n_dimensions];
        for tensor in tensors {
            let offset = n_dimensions - tensor.shape.len();
            for (dimension, &size) in tensor.shape.iter().enumerate() {
                let common = &mut shape[offset + dimension];
                match (*common, size) {
                    (1, size) => *common = size,
                    (common, size) if size == 1 || size == common => {}
                    _ => {
                        let shapes: Vec<_> = tensors.iter().map(|tensor| &tensor.shape).collect();
                        return Err(OnnxError::Inconsistent(format!("shapes {shapes:?} do not fit each other")));
                    }
                }
            }
        }
        let mut steps: [Vec<usize>; 3] = [Vec::new(), Vec::new(), Vec::new()];
        for (steps, tensor) in steps.iter_mut().zip(tensors) {
            *steps = vec![0; n_dimensions];
            let offset = n_dimensions - tensor.shape.len();
            let mut apart = 1;
            for (dimension, &size) in tensor.shape.iter().enumerate().rev() {
                steps[offset + dimension] = if size == 1 { 0 } else { apart };
                apart *= size;
            }
        }
        let n_elements = n_elements(&shape)?;
        Ok(Stretched { shape, steps, n_elements })
    }

    /// Returns for each element of the common shape where it is in each tensor.
    fn positions(&self) -> impl Iterator<Item = [usize; 3]> + '_ {
        (0..self.n_elements).map(|element| {
            let mut rest = element;
            let mut at = [0; 3];
            for (dimension, &size) in self.shape.iter().enumerate().rev() {
                let index = rest % size;
                rest /= size;
                for (at, steps) in at.iter_mut().zip(&self.steps) {
                    *at += steps.get(dimension).map_or(0, |step| step * index);
                }
            }
            at
        })
    }
}

/// Returns the product of two matrices; the left one may have more dimensions, which count as rows.
fn product(left: &Tensor, right: &Tensor) -> Result<Tensor, OnnxError> {
    let (n_rows, n_inner) = left.rows_and_columns();
    let [right_rows, n_columns] = right.shape[..] else {
        return Err(OnnxError::Unsupported(format!("a product with a tensor of shape {:?}", right.shape)));
    };
    if n_inner != right_rows || left.shape.is_empty() {
        let message = format!("shapes {:?} and {:?} cannot be multiplied", left.shape, right.shape);
        return Err(OnnxError::Inconsistent(message));
    }
    let mut shape = left.shape[..left.shape.len() - 1].to_vec();
    shape.push(n_columns);
    let mut values = vec![0.0; n_elements(&shape)?];
    let (left_values, right_values) = (left.as_numbers()?, right.as_numbers()?);
    for row in 0..n_rows {
        let sums = &mut values[row * n_columns..(row + 1) * n_columns];
        for inner in 0..n_inner {
            let factor = left_values[row * n_inner + inner];
            let weights = &right_values[inner * n_columns..(inner + 1) * n_columns];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += factor * weight;
            }
        }
    }
    Tensor::numbers(left.kind(), shape, values)
}

fn gemm(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let (alpha, beta) = (node.float("alpha").unwrap_or(1.0), node.float("beta").unwrap_or(1.0));
    let turns = |name| node.integer(name).unwrap_or(0) != 0;
    let (turns_left, turns_right) = (turns("transA"), turns("transB"));
    let add = binary(|left, right| left + right);
    let scale = move |tensor: &Tensor, by: f64| {
        Tensor::numbers(
            tensor.kind(),
            tensor.shape.clone(),
            tensor.as_numbers()?.iter().map(|value| by * value).collect(),
        )
    };
    Ok(function(move |inputs| {
        let side = |position, turns| {
            let given = input(inputs, position)?;
            if turns { super::shape::transposed(given, &[1, 0]) } else { Ok(given.clone()) }
        };
        let product = scale(&product(&side(0, turns_left)?, &side(1, turns_right)?)?, alpha)?;
        let Some(Some(added)) = inputs.get(2) else { return Ok(product) };
        let mut sums = add.run(&[Some(&product), Some(&scale(added, beta)?)])?;
        sums.pop().ok_or_else(|| OnnxError::Inconsistent("a sum has no value".to_owned()))
    }))
}

fn cast(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let number = node.integer("to").unwrap_or_default();
    let unknown = || OnnxError::Unsupported(format!("a cast to element type {number}"));
    let to = ElementKind::of_number(number).ok_or_else(unknown)?;
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        match (given.kind(), to) {
            (ElementKind::Text, ElementKind::Text) => Ok(given.clone()),
            (ElementKind::Text, _) => {
                let parse = |text: &String| {
                    text.trim().parse().map_err(|_| OnnxError::Inconsistent(format!("`{text}` is not a number")))
                };
                let values = given.as_texts()?.iter().map(parse).collect::<Result<_, _>>()?;
                Tensor::numbers(to, given.shape.clone(), values)
            }
            (_, ElementKind::Text) => {
                let texts = given.as_numbers()?.iter().map(f64::to_string).collect();
                Tensor::texts(given.shape.clone(), texts)
            }
            _ => Tensor::numbers(to, given.shape.clone(), given.as_numbers()?.to_vec()),
        }
    }))
}

fn constant(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let numbers = |kind, values: &[f64]| Tensor::numbers(kind, vec![values.len()], values.to_vec());
    let value = if let Some(tensor) = node.tensor("value") {
        tensor.clone()
    } else if let Some(float) = node.float("value_float") {
        Tensor::numbers(ElementKind::Float, Vec::new(), vec![float])?
    } else if let Some(integer) = node.integer("value_int") {
        Tensor::numbers(ElementKind::Integer, Vec::new(), vec![integer as f64])?
    } else if !node.floats("value_floats").is_empty() {
        numbers(ElementKind::Float, node.floats("value_floats"))?
    } else {
        let integers: Vec<f64> = node.integers("value_ints").iter().map(|&integer| integer as f64).collect();
        numbers(ElementKind::Integer, &integers)?
    };
    Ok(function(move |_| Ok(value.clone())))
}
