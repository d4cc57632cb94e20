//! Products of columns.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Block, TransformContext, Transformer};
use crate::error::{PredictError, TrainError};
use crate::spec::PolynomialSpec;

/// The most columns that come out.
const MAX_OUTPUTS: usize = 4096;

/// The columns, and their products of up to so many factors: first by their number, then in the order of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polynomial {
    n_columns: usize,
    degree: usize,
    interactions_only: bool,
}

impl Polynomial {
    /// Takes note of the width.
    pub(super) fn fit(spec: &PolynomialSpec, columns: &[Cow<'_, [f64]>]) -> Result<Polynomial, TrainError> {
        let polynomial =
            Polynomial { n_columns: columns.len(), degree: spec.degree, interactions_only: spec.interactions_only };
        match polynomial.n_products() {
            Some(_) => Ok(polynomial),
            None => Err(TrainError::data(
                format!(
                    "products of {} columns up to degree {} are more than {MAX_OUTPUTS}",
                    columns.len(),
                    spec.degree
                ),
                "name the columns that belong together in a group of their own, or lower `degree`",
            )),
        }
    }

    pub(super) fn inconsistency(&self, n_inputs: usize) -> Option<String> {
        if self.n_columns != n_inputs {
            return Some(format!("products of {} columns are applied to {n_inputs}", self.n_columns));
        }
        self.n_products().is_none().then(|| format!("products of {n_inputs} columns are too many"))
    }

    /// Returns how many columns come out; `None` for more than [`MAX_OUTPUTS`].
    fn n_products(&self) -> Option<usize> {
        let mut total: usize = 0;
        let mut of_degree: usize = 1;
        for factors in 1..=self.degree {
            // C(n, k), or C(n + k − 1, k) where a column may come again.
            let options = if self.interactions_only {
                self.n_columns.saturating_sub(factors - 1)
            } else {
                self.n_columns.checked_add(factors - 1)?
            };
            of_degree = of_degree.checked_mul(options)? / factors;
            total += of_degree;
            if total > MAX_OUTPUTS {
                return None;
            }
        }
        Some(total)
    }

    /// Returns the columns of each product, in the order of the outputs.
    fn products(&self) -> Vec<Vec<usize>> {
        let mut products: Vec<Vec<usize>> = Vec::new();
        let mut shorter: Vec<Vec<usize>> = vec![Vec::new()];
        for _ in 0..self.degree {
            let mut longer = Vec::new();
            for product in &shorter {
                let first = product.last().map_or(0, |&last| last + usize::from(self.interactions_only));
                longer.extend((first..self.n_columns).map(|column| [product.as_slice(), &[column]].concat()));
            }
            products.extend_from_slice(&longer);
            shorter = longer;
        }
        products
    }
}

impl Transformer for Polynomial {
    fn n_outputs(&self, _n_inputs: usize) -> usize {
        self.n_products().unwrap_or(0)
    }

    fn name_outputs(&self, inputs: Vec<String>) -> Vec<String> {
        let name = |column: &usize| inputs.get(*column).map_or("", String::as_str);
        self.products().iter().map(|product| product.iter().map(name).collect::<Vec<_>>().join("*")).collect()
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        let mut columns = block.into_numbers(self.n_columns)?;
        for product in self.products().iter().filter(|product| product.len() > 1) {
            let mut values = columns[product[0]].clone().into_owned();
            for &factor in &product[1..] {
                values.iter_mut().zip(columns[factor].iter()).for_each(|(value, factor)| *value *= factor);
            }
            columns.push(Cow::Owned(values));
        }
        Ok(Block::Numbers(columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polynomial(n_columns: usize, degree: usize, interactions_only: bool) -> Result<Polynomial, TrainError> {
        let columns = vec![Cow::Owned(vec![2.0]); n_columns];
        Polynomial::fit(&PolynomialSpec { degree, interactions_only }, &columns)
    }

    #[test]
    fn as_many_products_are_made_as_are_counted() {
        for n_columns in 1..6 {
            for degree in 2..5 {
                for interactions_only in [false, true] {
                    let polynomial = polynomial(n_columns, degree, interactions_only).unwrap();
                    assert_eq!(polynomial.products().len(), polynomial.n_outputs(n_columns), "{polynomial:?}");
                }
            }
        }
    }

    #[test]
    fn products_are_named_after_their_columns() {
        let inputs = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(polynomial(2, 2, false).unwrap().name_outputs(inputs()), ["a", "b", "a*a", "a*b", "b*b"]);
        assert_eq!(polynomial(2, 3, true).unwrap().name_outputs(inputs()), ["a", "b", "a*b"]);
    }

    #[test]
    fn too_many_products_are_an_error() {
        let err = polynomial(100, 3, false).unwrap_err().to_string();
        assert!(
            err.starts_with("products of 100 columns up to degree 3 are more than 4096: name the columns"),
            "{err}"
        );
        assert!(polynomial(usize::from(u16::MAX), 8, false).is_err());
    }
}
