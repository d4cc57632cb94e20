//! Linear models, and the steps that scale and fill their features.

use super::arithmetic::sigmoid;
use super::reduce::softmax_of;
use super::{Operator, Prepare, function, input};
use crate::onnx::attributes::Labels;
use crate::onnx::error::OnnxError;
use crate::onnx::proto::Node;
use crate::onnx::tensor::Tensor;

pub(super) fn find(name: &str) -> Option<Prepare> {
    Some(match name {
        "LinearClassifier" => classifier,
        "LinearRegressor" => regressor,
        "Scaler" => scaler,
        "Normalizer" => normalizer,
        "Imputer" => imputer,
        "Binarizer" => binarizer,
        _ => return None,
    })
}

/// What is done to the scores of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PostTransform {
    None,
    Softmax,
    Logistic,
    /// Softmax of the scores that are not 0.
    SoftmaxZero,
}

impl PostTransform {
    pub(super) fn of(node: &Node) -> Result<PostTransform, OnnxError> {
        match node.text("post_transform").unwrap_or("NONE") {
            "NONE" => Ok(PostTransform::None),
            "SOFTMAX" => Ok(PostTransform::Softmax),
            "LOGISTIC" => Ok(PostTransform::Logistic),
            "SOFTMAX_ZERO" => Ok(PostTransform::SoftmaxZero),
            other => Err(OnnxError::Unsupported(format!("the transform `{other}` of scores"))),
        }
    }

    pub(super) fn apply(self, scores: &mut [f64]) {
        match self {
            PostTransform::None => {}
            PostTransform::Softmax => softmax_of(scores),
            PostTransform::Logistic => scores.iter_mut().for_each(|score| *score = sigmoid(*score)),
            PostTransform::SoftmaxZero => {
                let is_zero: Vec<bool> = scores.iter().map(|score| score.abs() < 1e-7).collect();
                let mut others: Vec<f64> = scores.iter().copied().filter(|score| score.abs() >= 1e-7).collect();
                softmax_of(&mut others);
                let mut others = others.into_iter();
                for (score, is_zero) in scores.iter_mut().zip(is_zero) {
                    *score = if is_zero { 0.0 } else { others.next().unwrap_or_default() };
                }
            }
        }
    }
}

/// Labels and scores, as both kinds of classifier give them.
pub(super) fn classified(
    labels: &Labels,
    n_rows: usize,
    scores: Vec<f64>,
    best: &[usize],
) -> Result<Vec<Tensor>, OnnxError> {
    let named = labels.select(vec![n_rows], best)?;
    Ok(vec![named, Tensor::floats(vec![n_rows, labels.len()], scores)?])
}

/// Returns the position of the highest score, the first of equals.
pub(super) fn best_of(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

struct LinearClassifier {
    /// One row of weights per score.
    weights: Vec<f64>,
    intercepts: Vec<f64>,
    labels: Labels,
    transform: PostTransform,
}

fn classifier(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let labels = node.labels(&["classlabels_strings", "classlabels_ints"]);
    let labels = labels.ok_or_else(|| OnnxError::Inconsistent("a classifier has no labels".to_owned()))?;
    let weights = node.floats("coefficients").to_vec();
    let mut intercepts = node.floats("intercepts").to_vec();
    if intercepts.is_empty() {
        intercepts = vec![0.0; labels.len()];
    }
    let is_one_score_of_two = intercepts.len() == 1 && labels.len() == 2;
    if intercepts.len() != labels.len() && !is_one_score_of_two {
        let message = format!("a classifier has {} intercepts and {} labels", intercepts.len(), labels.len());
        return Err(OnnxError::Inconsistent(message));
    }
    let transform = PostTransform::of(node)?;
    Ok(Box::new(LinearClassifier { weights, intercepts, labels, transform }))
}

impl Operator for LinearClassifier {
    fn run(&self, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>, OnnxError> {
        let given = input(inputs, 0)?;
        let sums = weighted_sums(given, &self.weights, &self.intercepts)?;
        let n_labels = self.labels.len();
        let (mut scores, mut best) = (Vec::new(), Vec::new());
        for row in sums.chunks(self.intercepts.len()) {
            let mut row = row.to_vec();
            if row.len() < n_labels {
                // One score of two classes is that of the second.
                row.insert(0, -row[0]);
            }
            best.push(best_of(&row));
            self.transform.apply(&mut row);
            scores.extend(row);
        }
        classified(&self.labels, best.len(), scores, &best)
    }
}

/// Returns for each row of `given` the sums of its cells by each row of `weights`, plus the intercepts.
fn weighted_sums(given: &Tensor, weights: &[f64], intercepts: &[f64]) -> Result<Vec<f64>, OnnxError> {
    let (n_rows, n_features) = given.rows_and_columns();
    if weights.len() != n_features * intercepts.len() {
        let message =
            format!("{} weights do not fit {n_features} features and {} scores", weights.len(), intercepts.len());
        return Err(OnnxError::Inconsistent(message));
    }
    let cells = given.as_numbers()?;
    let mut sums = Vec::with_capacity(n_rows * intercepts.len());
    for row in 0..n_rows {
        let cells = &cells[row * n_features..(row + 1) * n_features];
        for (score, intercept) in intercepts.iter().enumerate() {
            let weights = &weights[score * n_features..(score + 1) * n_features];
            let products = cells.iter().zip(weights).map(|(cell, weight)| cell * weight);
            sums.push(intercept + products.sum::<f64>());
        }
    }
    Ok(sums)
}

fn regressor(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let weights = node.floats("coefficients").to_vec();
    let n_targets = usize::try_from(node.integer("targets").unwrap_or(1)).unwrap_or(1).clamp(1, weights.len().max(1));
    let mut intercepts = node.floats("intercepts").to_vec();
    intercepts.resize(n_targets, 0.0);
    let transform = PostTransform::of(node)?;
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let mut sums = weighted_sums(given, &weights, &intercepts)?;
        sums.chunks_mut(n_targets).for_each(|row| transform.apply(row));
        Tensor::floats(vec![given.rows_and_columns().0, n_targets], sums)
    }))
}

/// Returns for each column one of `values`, of which there is one for all, or one for each.
fn per_column(values: &[f64], n_columns: usize, default: f64) -> Result<Vec<f64>, OnnxError> {
    match values {
        [] => Ok(vec![default; n_columns]),
        [value] => Ok(vec![*value; n_columns]),
        values if values.len() == n_columns => Ok(values.to_vec()),
        values => Err(OnnxError::Inconsistent(format!("{} settings do not fit {n_columns} columns", values.len()))),
    }
}

fn scaler(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let (offsets, scales) = (node.floats("offset").to_vec(), node.floats("scale").to_vec());
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let (_, n_columns) = given.rows_and_columns();
        let (offsets, scales) = (per_column(&offsets, n_columns, 0.0)?, per_column(&scales, n_columns, 1.0)?);
        let settings = offsets.iter().zip(&scales).cycle();
        // The difference is rounded before it is scaled, as it is where numbers are of single precision throughout.
        let scaled = given.as_numbers()?.iter().zip(settings);
        let values = scaled.map(|(value, (offset, scale))| f64::from((value - offset) as f32) * scale).collect();
        Tensor::floats(given.shape.clone(), values)
    }))
}

fn normalizer(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let norm: fn(&[f64]) -> f64 = match node.text("norm").unwrap_or("MAX") {
        "MAX" => |row: &[f64]| row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "L1" => |row: &[f64]| row.iter().map(|value| value.abs()).sum(),
        "L2" => |row: &[f64]| row.iter().map(|value| value * value).sum::<f64>().sqrt(),
        other => return Err(OnnxError::Unsupported(format!("the norm `{other}`"))),
    };
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let (_, n_columns) = given.rows_and_columns();
        let mut values = given.as_numbers()?.to_vec();
        for row in values.chunks_mut(n_columns.max(1)) {
            let length: f64 = norm(row);
            if length != 0.0 {
                for value in row {
                    *value /= length;
                }
            }
        }
        Tensor::floats(given.shape.clone(), values)
    }))
}

fn imputer(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let (mut fills, mut replaced) = (node.floats("imputed_value_floats").to_vec(), node.float("replaced_value_float"));
    if fills.is_empty() {
        fills = node.integers("imputed_value_int64s").iter().map(|&value| value as f64).collect();
        replaced = node.integer("replaced_value_int64").map(|value| value as f64);
    }
    let replaced = replaced.unwrap_or_default();
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let fills = per_column(&fills, given.rows_and_columns().1, 0.0)?;
        let is_replaced = |value: f64| value == replaced || (value.is_nan() && replaced.is_nan());
        let cells = given.as_numbers()?.iter().zip(fills.iter().cycle());
        let values = cells.map(|(&value, &fill)| if is_replaced(value) { fill } else { value }).collect();
        Tensor::numbers(given.kind(), given.shape.clone(), values)
    }))
}

fn binarizer(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let threshold = node.float("threshold").unwrap_or_default();
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let values = given.as_numbers()?.iter().map(|&value| f64::from(u8::from(value > threshold))).collect();
        Tensor::numbers(given.kind(), given.shape.clone(), values)
    }))
}
