//! Filling missing values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Block, TransformContext, Transformer, wrong_block};
use crate::error::{PredictError, TrainError};
use crate::spec::{ConstantSpec, ImputeSpec};

/// What fills the missing values of each column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Imputer {
    /// For columns of numbers.
    Numbers(Vec<f64>),
    /// For columns of categories.
    Texts(Vec<String>),
}

impl Imputer {
    /// Learns the fills.
    pub(super) fn fit(spec: &ImputeSpec, block: &Block<'_>, names: &[String]) -> Result<Imputer, TrainError> {
        match block {
            Block::Numbers(columns) => {
                let fills = columns.iter().zip(names).map(|(column, name)| number_fill(spec, column, name));
                Ok(Imputer::Numbers(fills.collect::<Result<_, _>>()?))
            }
            Block::Texts(columns) => {
                let fills = columns.iter().zip(names).map(|(column, name)| text_fill(spec, column, name));
                Ok(Imputer::Texts(fills.collect::<Result<_, _>>()?))
            }
            Block::Times(_) | Block::Features(_) => Err(wrong_block("columns").into()),
        }
    }

    pub(super) fn n_columns(&self) -> usize {
        match self {
            Imputer::Numbers(fills) => fills.len(),
            Imputer::Texts(fills) => fills.len(),
        }
    }
}

fn number_fill(spec: &ImputeSpec, column: &[f64], name: &str) -> Result<f64, TrainError> {
    let mut values: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
    if let ImputeSpec::Constant(ConstantSpec::Number(number)) = spec {
        return Ok(*number);
    }
    if values.is_empty() {
        return Err(no_values(name));
    }
    values.sort_unstable_by(f64::total_cmp);
    Ok(match spec {
        ImputeSpec::Mean => values.iter().sum::<f64>() / values.len() as f64,
        ImputeSpec::Median => f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]),
        _ => longest_run(&values),
    })
}

/// Returns the most frequent of sorted values; the first of those that are equally frequent.
fn longest_run(sorted: &[f64]) -> f64 {
    let mut longest: &[f64] = &[];
    for run in sorted.chunk_by(|left, right| left == right) {
        if run.len() > longest.len() {
            longest = run;
        }
    }
    longest.first().copied().unwrap_or(f64::NAN)
}

fn text_fill(spec: &ImputeSpec, column: &[Option<Cow<'_, str>>], name: &str) -> Result<String, TrainError> {
    if let ImputeSpec::Constant(ConstantSpec::Text(text)) = spec {
        return Ok(text.clone());
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for text in column.iter().flatten() {
        *counts.entry(text).or_default() += 1;
    }
    let mut most_frequent = None;
    for (text, count) in counts {
        if most_frequent.is_none_or(|(_, most)| count > most) {
            most_frequent = Some((text, count));
        }
    }
    most_frequent.map(|(text, _)| text.to_owned()).ok_or_else(|| no_values(name))
}

fn no_values(name: &str) -> TrainError {
    TrainError::data(
        format!("column `{name}` has no value in any training row"),
        "leave it out of the features, or fill it with `{impute: {constant: …}}`",
    )
}

impl Transformer for Imputer {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        match (self, block) {
            (Imputer::Numbers(fills), block @ Block::Numbers(_)) => {
                let mut columns = block.into_numbers(fills.len())?;
                for (column, &fill) in columns.iter_mut().zip(fills) {
                    if column.iter().any(|value| value.is_nan()) {
                        column.to_mut().iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = fill);
                    }
                }
                Ok(Block::Numbers(columns))
            }
            (Imputer::Texts(fills), Block::Texts(mut columns)) if columns.len() == fills.len() => {
                for (column, fill) in columns.iter_mut().zip(fills) {
                    column
                        .iter_mut()
                        .filter(|text| text.is_none())
                        .for_each(|text| *text = Some(Cow::Owned(fill.clone())));
                }
                Ok(Block::Texts(columns))
            }
            _ => Err(wrong_block("the same columns")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spec: &ImputeSpec, column: &[f64], expected: f64) {
        assert_eq!(number_fill(spec, column, "a").unwrap(), expected, "{spec:?}");
    }

    #[test]
    fn fills_come_from_the_values_there_are() {
        let column = [3.0, f64::NAN, 1.0, 3.0, 2.0];
        check(&ImputeSpec::Mean, &column, 2.25);
        check(&ImputeSpec::Median, &column, 2.5);
        check(&ImputeSpec::MostFrequent, &column, 3.0);
        check(&ImputeSpec::Constant(ConstantSpec::Number(7.0)), &column, 7.0);
    }

    #[test]
    fn equally_frequent_categories_give_the_first_in_order() {
        let column = ["b", "a", "b", "a"].map(|text| Some(Cow::Borrowed(text)));
        assert_eq!(text_fill(&ImputeSpec::MostFrequent, &column, "a").unwrap(), "a");
    }

    #[test]
    fn a_column_without_values_is_an_error_that_names_it() {
        let err = number_fill(&ImputeSpec::Median, &[f64::NAN], "age").unwrap_err();
        assert!(err.to_string().starts_with("column `age` has no value in any training row: "), "{err}");
    }
}
