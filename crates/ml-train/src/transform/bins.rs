//! Cutting numbers into bins.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Block, TransformContext, Transformer, quantile};
use crate::error::PredictError;
use crate::matrix::CsrBuilder;
use crate::spec::{BinEncoding, BinStrategy, BinsSpec};

/// Where the bins of each column are cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binner {
    encode: BinEncoding,
    /// Per column and ascending: a number is in the bin after the last cut that it is not below.
    cuts: Vec<Vec<f64>>,
}

impl Binner {
    /// Learns the cuts, missing and infinite values left out.
    pub(super) fn fit(spec: &BinsSpec, columns: &[Cow<'_, [f64]>]) -> Binner {
        Binner { encode: spec.encode, cuts: columns.iter().map(|column| cuts(spec, column)).collect() }
    }

    /// Returns the cuts of each column, ascending.
    pub fn cuts(&self) -> &[Vec<f64>] {
        &self.cuts
    }

    pub(super) fn inconsistency(&self, n_inputs: usize) -> Option<String> {
        let n_fitted = self.cuts.len();
        (n_fitted != n_inputs).then(|| format!("bins of {n_fitted} columns are applied to {n_inputs}"))
    }

    fn one_hot(&self, columns: &[Cow<'_, [f64]>]) -> Block<'static> {
        let n_rows = columns.first().map_or(0, |column| column.len());
        let mut features = CsrBuilder::new(self.n_outputs(columns.len()));
        features.reserve(n_rows, n_rows * columns.len());
        for row in 0..n_rows {
            let mut first_feature = 0;
            for (column, cuts) in columns.iter().zip(&self.cuts) {
                if !column[row].is_nan() {
                    features.push(first_feature + bin_of(cuts, column[row]), 1.0);
                }
                first_feature += cuts.len() + 1;
            }
            features.end_row();
        }
        Block::Features(features.finish())
    }
}

fn cuts(spec: &BinsSpec, column: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let (Some(&least), Some(&greatest)) = (values.first(), values.last()) else { return Vec::new() };
    let mut edges: Vec<f64> = match spec.strategy {
        BinStrategy::Quantile => (0..=spec.n).map(|part| quantile::averaged_inverse(&values, part, spec.n)).collect(),
        BinStrategy::Uniform => {
            // Halved first, because the range of huge numbers of both signs is not finite.
            let half_width = (greatest / 2.0 - least / 2.0) / spec.n as f64;
            (0..spec.n).map(|part| (least / 2.0 + half_width * part as f64) * 2.0).chain([greatest]).collect()
        }
    };
    // Neighbours that are the same have nothing between them.
    edges.dedup();
    if edges.len() <= 2 { Vec::new() } else { edges[1..edges.len() - 1].to_vec() }
}

fn bin_of(cuts: &[f64], value: f64) -> usize {
    cuts.partition_point(|cut| *cut <= value)
}

impl Transformer for Binner {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        match self.encode {
            BinEncoding::Ordinal => n_inputs,
            BinEncoding::OneHot => self.cuts.iter().map(|cuts| cuts.len() + 1).sum(),
        }
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        let mut columns = block.into_numbers(self.cuts.len())?;
        if self.encode == BinEncoding::OneHot {
            return Ok(self.one_hot(&columns));
        }
        for (column, cuts) in columns.iter_mut().zip(&self.cuts) {
            for value in column.to_mut().iter_mut().filter(|value| !value.is_nan()) {
                *value = bin_of(cuts, *value) as f64;
            }
        }
        Ok(Block::Numbers(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(strategy: BinStrategy, column: &[f64], expected: &[f64]) {
        let spec = BinsSpec { n: 3, strategy, ..BinsSpec::default() };
        let binner = Binner::fit(&spec, &[Cow::Borrowed(column)]);
        assert_eq!(binner.cuts()[0], expected, "{strategy:?} of {column:?}");
    }

    #[test]
    fn bins_are_cut_between_the_values_there_are() {
        check(BinStrategy::Quantile, &[6.0, 1.0, 2.0, f64::NAN, 3.0, 4.0, 5.0], &[2.5, 4.5]);
        check(BinStrategy::Uniform, &[0.0, 9.0, f64::INFINITY], &[3.0, 6.0]);
        check(BinStrategy::Quantile, &[0.0, 0.0, 0.0, 0.0, 1.0], &[]);
        check(BinStrategy::Uniform, &[4.0, 4.0], &[]);
        check(BinStrategy::Quantile, &[f64::NAN], &[]);
        check(BinStrategy::Uniform, &[-1.5e308, 1.5e308], &[-0.5e308, 0.5e308]);
    }

    #[test]
    fn a_missing_value_is_in_no_bin() {
        let column: &[f64] = &[0.0, 1.0, 2.0, 3.0];
        let spec = BinsSpec { n: 2, encode: BinEncoding::OneHot, ..BinsSpec::default() };
        let binner = Binner::fit(&spec, &[Cow::Borrowed(column)]);
        let rows = Block::Numbers(vec![Cow::Owned(vec![-9.0, 1.5, f64::NAN, f64::INFINITY])]);
        let Block::Features(features) = binner.transform(rows, &mut TransformContext::default()).unwrap() else {
            panic!("not features")
        };
        let bins: Vec<&[u32]> = (0..4).map(|row| features.row(row).0).collect();
        assert_eq!(bins, [&[0][..], &[1], &[], &[1]]);
    }
}
