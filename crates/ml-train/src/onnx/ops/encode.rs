//! Categories to numbers and back, and other small steps of classical models.

use std::collections::BTreeMap;

use super::{Operator, Prepare, axis_position, function, input, integers};
use crate::onnx::attributes::Labels;
use crate::onnx::error::OnnxError;
use crate::onnx::proto::Node;
use crate::onnx::tensor::{Data, ElementKind, Tensor, n_elements};

pub(super) fn find(name: &str) -> Option<Prepare> {
    Some(match name {
        "OneHotEncoder" => one_hot,
        "LabelEncoder" => label_encoder,
        "ArrayFeatureExtractor" => |_| Ok(function(extract)),
        "FeatureVectorizer" => |_| Ok(function(side_by_side)),
        // Scores by label become the scores alone: the labels are those of the model.
        "ZipMap" => |_| Ok(function(|inputs| input(inputs, 0).cloned())),
        _ => return None,
    })
}

/// A category, comparable whatever it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Category {
    Text(String),
    /// The bits of the number; all `NaN` are one, and so are both zeros.
    Number(u64),
}

fn number(value: f64) -> Category {
    let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
    Category::Number(value.to_bits())
}

fn categories_of(tensor: &Tensor) -> Vec<Category> {
    match &tensor.data {
        Data::Texts(texts) => texts.iter().cloned().map(Category::Text).collect(),
        Data::Numbers(_, numbers) => numbers.iter().map(|&value| number(value)).collect(),
    }
}

fn one_hot(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let known: Vec<Category> = match node.labels(&["cats_strings", "cats_int64s"]) {
        Some(Labels::Texts(texts)) => texts.into_iter().map(Category::Text).collect(),
        Some(Labels::Integers(integers)) => integers.into_iter().map(number).collect(),
        None => Vec::new(),
    };
    let n_known = known.len();
    let codes: BTreeMap<Category, usize> = known.into_iter().zip(0..).collect();
    let takes_unknown = node.integer("zeros").unwrap_or(1) != 0;
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let shape = [given.shape.as_slice(), &[n_known]].concat();
        let mut values = vec![0.0; n_elements(&shape)?];
        for (position, category) in categories_of(given).iter().enumerate() {
            match codes.get(category) {
                Some(code) => values[position * n_known + code] = 1.0,
                None if takes_unknown => {}
                None => return Err(OnnxError::Inconsistent(format!("category {category:?} is unknown to the model"))),
            }
        }
        Tensor::floats(shape, values)
    }))
}

fn label_encoder(node: &Node) -> Result<Box<dyn Operator>, OnnxError> {
    let tensor = |name: &str| match node.tensor(name).map(|tensor| &tensor.data) {
        Some(Data::Texts(texts)) => Some(Labels::Texts(texts.clone())),
        Some(Data::Numbers(_, numbers)) => Some(Labels::Integers(numbers.clone())),
        None => None,
    };
    let keys = tensor("keys_tensor").or_else(|| node.labels(&["keys_strings", "keys_int64s", "keys_floats"]));
    let values = tensor("values_tensor").or_else(|| node.labels(&["values_strings", "values_int64s", "values_floats"]));
    let (Some(keys), Some(values)) = (keys, values) else {
        return Err(OnnxError::Unsupported("a label encoder without lists of keys and values".to_owned()));
    };
    if keys.len() != values.len() {
        return Err(OnnxError::Inconsistent(format!("{} labels have {} codes", keys.len(), values.len())));
    }
    let keys: Vec<Category> = match keys {
        Labels::Texts(texts) => texts.into_iter().map(Category::Text).collect(),
        Labels::Integers(numbers) => numbers.into_iter().map(number).collect(),
    };
    let codes: BTreeMap<Category, usize> = keys.into_iter().zip(0..).collect();
    let has_float_values = !node.floats("values_floats").is_empty();
    let kind = if has_float_values { ElementKind::Float } else { ElementKind::Integer };
    let default_text = node.text("default_string").unwrap_or("_Unused").to_owned();
    let default_number = match kind {
        ElementKind::Float => node.float("default_float").unwrap_or(-0.0),
        _ => node.integer("default_int64").unwrap_or(-1) as f64,
    };
    Ok(function(move |inputs| {
        let given = input(inputs, 0)?;
        let found = categories_of(given).into_iter().map(|category| codes.get(&category).copied());
        match &values {
            Labels::Texts(texts) => {
                let text = |at: Option<usize>| at.map_or_else(|| default_text.clone(), |at| texts[at].clone());
                Tensor::texts(given.shape.clone(), found.map(text).collect())
            }
            Labels::Integers(numbers) => {
                let number = |at: Option<usize>| at.map_or(default_number, |at| numbers[at]);
                Tensor::numbers(kind, given.shape.clone(), found.map(number).collect())
            }
        }
    }))
}

/// Takes columns by index; of a list it makes one row.
fn extract(inputs: &[Option<&Tensor>]) -> Result<Tensor, OnnxError> {
    let (given, indices) = (input(inputs, 0)?, integers(input(inputs, 1)?)?);
    let (n_rows, n_columns) = given.rows_and_columns();
    let columns = indices.iter().map(|&index| axis_position(index, n_columns)).collect::<Result<Vec<_>, _>>()?;
    let mut shape = if given.shape.len() > 1 { given.shape.clone() } else { vec![1, n_columns] };
    if let Some(last) = shape.last_mut() {
        *last = columns.len();
    }
    n_elements(&shape)?;
    let cells = (0..n_rows).flat_map(|row| columns.iter().map(move |column| row * n_columns + column));
    match &given.data {
        Data::Texts(texts) => Tensor::texts(shape, cells.map(|cell| texts[cell].clone()).collect()),
        Data::Numbers(kind, numbers) => Tensor::numbers(*kind, shape, cells.map(|cell| numbers[cell]).collect()),
    }
}

fn side_by_side(inputs: &[Option<&Tensor>]) -> Result<Tensor, OnnxError> {
    let parts: Vec<&Tensor> = inputs.iter().copied().flatten().collect();
    let n_rows = input(inputs, 0)?.rows_and_columns().0;
    if parts.iter().any(|part| part.rows_and_columns().0 != n_rows) {
        return Err(OnnxError::Inconsistent("the columns have different numbers of rows".to_owned()));
    }
    let n_columns = parts.iter().map(|part| part.rows_and_columns().1).sum();
    n_elements(&[n_rows, n_columns])?;
    let mut values = Vec::with_capacity(n_rows * n_columns);
    for row in 0..n_rows {
        for part in &parts {
            let width = part.rows_and_columns().1;
            values.extend_from_slice(&part.as_numbers()?[row * width..(row + 1) * width]);
        }
    }
    Tensor::floats(vec![n_rows, n_columns], values)
}
