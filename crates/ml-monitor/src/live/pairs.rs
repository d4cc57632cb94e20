//! Truths and predictions side by side, and the figures that follow.

use std::collections::BTreeMap;

use ml_core::metrics::{
    ConfusionMatrix, MetricError, mean_absolute_error, mean_absolute_percentage_error, r2_score,
    root_mean_squared_error,
};
use ml_core::table::ColumnKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How predictions are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// As labels: a prediction is right or wrong.
    Classification,
    /// As quantities: a prediction is off by some amount.
    Regression,
}

impl ScoreKind {
    /// Returns how outputs of this kind are scored: numbers as quantities, everything else as labels.
    pub fn of(output: ColumnKind) -> ScoreKind {
        match output {
            ColumnKind::Number => ScoreKind::Regression,
            ColumnKind::Integer | ColumnKind::Boolean | ColumnKind::Text | ColumnKind::Time => {
                ScoreKind::Classification
            }
        }
    }
}

/// Truths and predictions that have met.
#[derive(Debug)]
pub(super) enum Pairs {
    /// Labels, and pairs of their numbers.
    Labels { numbers: BTreeMap<String, usize>, truths: Vec<usize>, predicted: Vec<usize> },
    /// Quantities.
    Quantities { truths: Vec<f64>, predicted: Vec<f64> },
}

impl Pairs {
    pub(super) fn new(kind: ScoreKind) -> Pairs {
        match kind {
            ScoreKind::Classification => {
                Pairs::Labels { numbers: BTreeMap::new(), truths: Vec::new(), predicted: Vec::new() }
            }
            ScoreKind::Regression => Pairs::Quantities { truths: Vec::new(), predicted: Vec::new() },
        }
    }

    pub(super) fn kind(&self) -> ScoreKind {
        match self {
            Pairs::Labels { .. } => ScoreKind::Classification,
            Pairs::Quantities { .. } => ScoreKind::Regression,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Pairs::Labels { truths, .. } => truths.len(),
            Pairs::Quantities { truths, .. } => truths.len(),
        }
    }

    /// Adds a pair and returns whether it can be compared.
    pub(super) fn add(&mut self, truth: &Value, prediction: &Value) -> bool {
        match self {
            Pairs::Labels { numbers, truths, predicted } => {
                let (Some(truth), Some(prediction)) = (label(truth), label(prediction)) else {
                    return false;
                };
                truths.push(number_of(numbers, truth));
                predicted.push(number_of(numbers, prediction));
            }
            Pairs::Quantities { truths, predicted } => {
                let (Some(truth), Some(prediction)) = (quantity(truth), quantity(prediction)) else {
                    return false;
                };
                truths.push(truth);
                predicted.push(prediction);
            }
        }
        true
    }

    /// Returns the figures by name, and the details behind them; nothing when there are no pairs.
    pub(super) fn figures(&self) -> Result<(BTreeMap<String, f64>, Value), MetricError> {
        if self.len() == 0 {
            return Ok((BTreeMap::new(), Value::Null));
        }
        match self {
            Pairs::Labels { numbers, truths, predicted } => classification(numbers, truths, predicted),
            Pairs::Quantities { truths, predicted } => Ok((regression(truths, predicted)?, Value::Null)),
        }
    }
}

fn number_of(numbers: &mut BTreeMap<String, usize>, label: String) -> usize {
    let next = numbers.len();
    *numbers.entry(label).or_insert(next)
}

/// Returns the text that a label compares by; a whole number has no fraction, however it was written.
fn label(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(whole.to_string()),
            None => number.as_f64().map(|number| number.to_string()),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn quantity(value: &Value) -> Option<f64> {
    let quantity = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    quantity.filter(|quantity| quantity.is_finite())
}

fn classification(
    numbers: &BTreeMap<String, usize>,
    truths: &[usize],
    predicted: &[usize],
) -> Result<(BTreeMap<String, f64>, Value), MetricError> {
    let labels: Vec<&String> = numbers.keys().collect();
    let mut position = vec![0; labels.len()];
    for (index, number) in numbers.values().enumerate() {
        position[*number] = index;
    }
    let sorted = |classes: &[usize]| classes.iter().map(|class| position[*class]).collect::<Vec<_>>();
    let matrix = ConfusionMatrix::new(&sorted(truths), &sorted(predicted), labels.len())?;
    let averages = matrix.averages();
    let figures = [
        ("accuracy", matrix.accuracy()),
        ("precision_macro", averages.macro_average.precision),
        ("recall_macro", averages.macro_average.recall),
        ("f1_macro", averages.macro_average.f1),
        ("precision_micro", averages.micro_average.precision),
        ("recall_micro", averages.micro_average.recall),
        ("f1_micro", averages.micro_average.f1),
        ("precision_weighted", averages.weighted_average.precision),
        ("recall_weighted", averages.weighted_average.recall),
        ("f1_weighted", averages.weighted_average.f1),
    ];
    let details = json!({ "labels": labels, "confusion_matrix": matrix.rows().collect::<Vec<_>>() });
    Ok((named(figures), details))
}

fn regression(truths: &[f64], predicted: &[f64]) -> Result<BTreeMap<String, f64>, MetricError> {
    let mut figures = named([
        ("mae", mean_absolute_error(truths, predicted)?),
        ("rmse", root_mean_squared_error(truths, predicted)?),
        ("mape", mean_absolute_percentage_error(truths, predicted)?),
    ]);
    // Undefined for a single row.
    if let Ok(r2) = r2_score(truths, predicted) {
        figures.extend(named([("r2", r2)]));
    }
    Ok(figures)
}

fn named<const N: usize>(figures: [(&str, f64); N]) -> BTreeMap<String, f64> {
    figures.into_iter().filter(|(_, value)| value.is_finite()).map(|(name, value)| (name.to_owned(), value)).collect()
}
