//! Steps on numbers: shifting and scaling by what the training rows have, and maps of single numbers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Block, TransformContext, Transformer, quantile};
use crate::error::PredictError;

/// Maps each column to `(x − shift) / scale`. Missing values stay missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaler {
    shifts: Vec<f64>,
    scales: Vec<f64>,
}

impl Scaler {
    /// Learns mean and population standard deviation of each column, missing values left out.
    pub(super) fn standardise(columns: &[Cow<'_, [f64]>]) -> Scaler {
        Scaler::fit(columns, |values| {
            let (mean, variance) = mean_and_variance(values);
            let greatest = values.iter().fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
            if variance.is_normal() || greatest == 0.0 {
                return (mean, variance.sqrt());
            }
            // The squares of huge numbers are infinite, those of tiny ones 0 or coarse: not so those of shares of the greatest.
            let shares: Vec<f64> = values.iter().map(|value| value / greatest).collect();
            let (mean, variance) = mean_and_variance(&shares);
            (mean * greatest, variance.sqrt() * greatest)
        })
    }

    /// Learns least and greatest value of each column.
    pub(super) fn min_max(columns: &[Cow<'_, [f64]>]) -> Scaler {
        Scaler::fit(columns, |values| {
            let min = values.iter().copied().fold(f64::INFINITY, f64::min);
            let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (min, max - min)
        })
    }

    /// Learns median and distance of two quantiles of each column.
    pub(super) fn robust((low, high): (f64, f64), columns: &[Cow<'_, [f64]>]) -> Scaler {
        Scaler::fit(columns, |values| {
            let mut sorted = values.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            let distance = quantile::linear(&sorted, high) - quantile::linear(&sorted, low);
            (quantile::linear(&sorted, 0.5), distance)
        })
    }

    /// A column that is constant but for rounding is only shifted, one without values is left as it is.
    fn fit(columns: &[Cow<'_, [f64]>], shift_and_scale: impl Fn(&[f64]) -> (f64, f64)) -> Scaler {
        let mut scaler = Scaler { shifts: Vec::new(), scales: Vec::new() };
        for column in columns {
            let values: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
            let (shift, scale) = if values.is_empty() { (0.0, 1.0) } else { shift_and_scale(&values) };
            let is_constant = scale <= 10.0 * f64::EPSILON * shift.abs();
            scaler.shifts.push(shift);
            scaler.scales.push(if is_constant { 1.0 } else { scale });
        }
        scaler
    }

    pub(super) fn inconsistency(&self, n_inputs: usize) -> Option<String> {
        let (n_shifts, n_scales) = (self.shifts.len(), self.scales.len());
        (n_shifts != n_inputs || n_scales != n_inputs)
            .then(|| format!("a step with {n_shifts} shifts and {n_scales} scales is applied to {n_inputs} columns"))
    }
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, variance)
}

impl Transformer for Scaler {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        let mut columns = block.into_numbers(self.shifts.len())?;
        for (column, (shift, scale)) in columns.iter_mut().zip(self.shifts.iter().zip(&self.scales)) {
            for value in column.to_mut() {
                *value = (*value - shift) / scale;
            }
        }
        Ok(Block::Numbers(columns))
    }
}

/// Maps each number on its own, without having learnt anything.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ElementwiseStep {
    /// `ln(1 + x)`.
    Log1p,
    /// 1 for positive numbers, else 0.
    FlagPositive,
    /// The nearest number in a range.
    Clip {
        /// The least number.
        min: Option<f64>,
        /// The greatest number.
        max: Option<f64>,
    },
}

impl ElementwiseStep {
    fn apply(self, value: f64) -> f64 {
        match self {
            ElementwiseStep::Log1p if value <= -1.0 => f64::NAN,
            ElementwiseStep::Log1p => value.ln_1p(),
            ElementwiseStep::FlagPositive if value.is_nan() => value,
            ElementwiseStep::FlagPositive => f64::from(u8::from(value > 0.0)),
            // A missing value stays missing, which `f64::min` and `f64::max` would not do.
            ElementwiseStep::Clip { min: Some(min), .. } if value < min => min,
            ElementwiseStep::Clip { max: Some(max), .. } if value > max => max,
            ElementwiseStep::Clip { .. } => value,
        }
    }
}

impl Transformer for ElementwiseStep {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        let n_columns = block.numbers()?.len();
        let mut columns = block.into_numbers(n_columns)?;
        for value in columns.iter_mut().flat_map(Cow::to_mut) {
            *value = self.apply(*value);
        }
        Ok(Block::Numbers(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(step: &dyn Transformer, input: &[f64], expected: &[f64]) {
        let block = Block::Numbers(vec![Cow::Borrowed(input)]);
        let transformed = step.transform(block, &mut TransformContext::default()).unwrap();
        let found = &transformed.numbers().unwrap()[0];
        let same = found.iter().zip(expected).all(|(found, expected)| found.total_cmp(expected).is_eq());
        assert!(same && found.len() == expected.len(), "{found:?} is not {expected:?}");
    }

    #[test]
    fn standardised_columns_have_mean_0_and_deviation_1() {
        let column: &[f64] = &[1.0, f64::NAN, 3.0];
        let scaler = Scaler::standardise(&[Cow::Borrowed(column)]);
        check(&scaler, column, &[-1.0, f64::NAN, 1.0]);
    }

    #[test]
    fn huge_and_tiny_numbers_are_standardised_as_others_are() {
        for magnitude in [1e300, 1e160, 1e-160, 1e-300] {
            let column = [1.0, 3.0, 1.0, 3.0].map(|value| value * magnitude);
            let scaler = Scaler::standardise(&[Cow::Borrowed(&column)]);
            let block = Block::Numbers(vec![Cow::Borrowed(&column)]);
            let transformed = scaler.transform(block, &mut TransformContext::default()).unwrap();
            let found = &transformed.numbers().unwrap()[0];
            let is_close =
                found.iter().zip([-1.0, 1.0, -1.0, 1.0]).all(|(found, expected)| (found - expected).abs() < 1e-12);
            assert!(is_close, "{magnitude:e}: {found:?}");
        }
    }

    #[test]
    fn a_constant_column_becomes_0() {
        let column: &[f64] = &[0.1; 3];
        check(&Scaler::standardise(&[Cow::Borrowed(column)]), &[0.1], &[0.1 - (0.1 + 0.1 + 0.1) / 3.0]);
        check(&Scaler::min_max(&[Cow::Borrowed(column)]), column, &[0.0; 3]);
    }

    #[test]
    fn missing_values_stay_missing() {
        let clip = ElementwiseStep::Clip { min: Some(0.0), max: Some(1.0) };
        check(&clip, &[-5.0, 0.5, 7.0, f64::NAN], &[0.0, 0.5, 1.0, f64::NAN]);
        check(&ElementwiseStep::FlagPositive, &[-1.0, 0.0, 2.0, f64::NAN], &[0.0, 0.0, 1.0, f64::NAN]);
        check(&ElementwiseStep::Log1p, &[0.0, -1.0, -2.0], &[0.0, f64::NAN, f64::NAN]);
    }

    #[test]
    fn a_block_of_another_width_is_an_error() {
        let scaler = Scaler::standardise(&[Cow::Owned(vec![1.0, 2.0])]);
        let block = Block::Numbers(vec![Cow::Owned(vec![1.0]), Cow::Owned(vec![2.0])]);
        assert!(scaler.transform(block, &mut TransformContext::default()).is_err());
    }
}
