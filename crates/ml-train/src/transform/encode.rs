//! Making numbers of categories.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Block, TextColumn, TransformContext, Transformer, wrong_block};
use crate::error::PredictError;
use crate::estimator::MAX_BINS;
use crate::matrix::CsrBuilder;
use crate::spec::UnknownPolicy;

/// How many values a thread looks up at a time.
const VALUES_PER_PART: usize = 1024;

/// How the known categories become numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// One feature per category.
    OneHot,
    /// One column with the position of the category.
    Ordinal,
    /// One column with the position of the category, for estimators that tell categories from numbers; missing and unknown
    /// ones are `NaN`.
    Code,
}

/// The categories of each column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CategoryEncoder {
    encoding: Encoding,
    unknown: UnknownPolicy,
    /// Per column and sorted; `None`, the missing value, is first if the training rows have it.
    categories: Vec<Vec<Option<String>>>,
}

impl CategoryEncoder {
    /// Learns the categories.
    pub(super) fn fit(encoding: Encoding, unknown: UnknownPolicy, columns: &[TextColumn<'_>]) -> CategoryEncoder {
        let categories = columns
            .iter()
            .map(|column| {
                let distinct: BTreeSet<Option<&str>> = column.iter().map(Option::as_deref).collect();
                distinct.into_iter().map(|category| category.map(str::to_owned)).collect()
            })
            .collect();
        CategoryEncoder { encoding, unknown, categories }
    }

    /// Learns the most frequent categories of each column, at most `max_categories`.
    pub(super) fn fit_codes(max_categories: usize, columns: &[TextColumn<'_>]) -> CategoryEncoder {
        let categories = columns.iter().map(|column| most_frequent(column, max_categories)).collect();
        CategoryEncoder { encoding: Encoding::Code, unknown: UnknownPolicy::Ignore, categories }
    }

    /// Returns how many categories each column has, if they become codes.
    pub(super) fn code_counts(&self) -> Option<Vec<usize>> {
        (self.encoding == Encoding::Code).then(|| self.categories.iter().map(Vec::len).collect())
    }

    /// Returns how many features each column has, if each category becomes one.
    pub(super) fn one_hot_counts(&self) -> Option<Vec<usize>> {
        (self.encoding == Encoding::OneHot).then(|| self.categories.iter().map(Vec::len).collect())
    }

    pub(super) fn inconsistency(&self, n_inputs: usize) -> Option<String> {
        let n_fitted = self.categories.len();
        if n_fitted != n_inputs {
            return Some(format!("a step for {n_fitted} columns is applied to {n_inputs}"));
        }
        let n_codes = self.code_counts()?.into_iter().max()?;
        (n_codes > MAX_BINS).then(|| format!("a column has {n_codes} codes of categories, {MAX_BINS} are told apart"))
    }

    /// Returns the categories of each column, in the order of their numbers.
    pub fn categories(&self) -> &[Vec<Option<String>>] {
        &self.categories
    }

    /// # Errors
    /// [`PredictError::Failed`] for another number of columns than it was fitted on.
    pub(super) fn check_width(&self, columns: &[TextColumn<'_>]) -> Result<(), PredictError> {
        if columns.len() == self.categories.len() { Ok(()) } else { Err(wrong_block("the same columns")) }
    }

    /// Returns the position of each value among the categories of column `index`; `None` for unknown ones.
    pub(super) fn positions(
        &self,
        index: usize,
        column: &[Option<Cow<'_, str>>],
        context: &mut TransformContext,
    ) -> Result<Vec<Option<usize>>, PredictError> {
        let categories = &self.categories[index];
        let name = context.columns.get(index).cloned().unwrap_or_default();
        let mut n_unknown = 0;
        let find = |value: &Option<Cow<'_, str>>| {
            categories.binary_search_by(|category| category.as_deref().cmp(&value.as_deref())).ok()
        };
        let positions: Vec<Option<usize>> = if column.len() <= VALUES_PER_PART {
            column.iter().map(find).collect()
        } else {
            column.par_iter().with_min_len(VALUES_PER_PART).map(find).collect()
        };
        for (value, position) in column.iter().zip(&positions) {
            let value = value.as_deref();
            if position.is_none() && self.unknown == UnknownPolicy::Error {
                let category = value.unwrap_or("(missing)").to_owned();
                return Err(PredictError::UnknownCategory { column: name, category });
            }
            // A missing value without a code is no unknown category.
            n_unknown += u64::from(position.is_none() && (value.is_some() || self.encoding != Encoding::Code));
        }
        if n_unknown > 0 {
            *context.unknown_categories.entry(name).or_default() += n_unknown;
        }
        Ok(positions)
    }
}

impl Transformer for CategoryEncoder {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        match self.encoding {
            Encoding::OneHot => self.categories.iter().map(Vec::len).sum(),
            Encoding::Ordinal | Encoding::Code => n_inputs,
        }
    }

    fn transform<'a>(&self, block: Block<'a>, context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        let columns = block.texts()?;
        self.check_width(columns)?;
        let positions: Vec<Vec<Option<usize>>> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| self.positions(index, column, context))
            .collect::<Result<_, _>>()?;
        Ok(match self.encoding {
            Encoding::Ordinal => Block::Numbers(positions.into_iter().map(|column| codes(column, -1.0)).collect()),
            Encoding::Code => Block::Numbers(positions.into_iter().map(|column| codes(column, f64::NAN)).collect()),
            Encoding::OneHot => self.one_hot(&positions),
        })
    }
}

impl CategoryEncoder {
    fn one_hot(&self, positions: &[Vec<Option<usize>>]) -> Block<'static> {
        let n_rows = positions.first().map_or(0, Vec::len);
        let mut features = CsrBuilder::new(self.n_outputs(positions.len()));
        features.reserve(n_rows, n_rows * positions.len());
        for row in 0..n_rows {
            let mut first_feature = 0;
            for (column, categories) in positions.iter().zip(&self.categories) {
                if let Some(position) = column[row] {
                    features.push(first_feature + position, 1.0);
                }
                first_feature += categories.len();
            }
            features.end_row();
        }
        Block::Features(features.finish())
    }
}

/// Returns positions as numbers, with `unknown` where there is none.
fn codes(positions: Vec<Option<usize>>, unknown: f64) -> Cow<'static, [f64]> {
    positions.into_iter().map(|position| position.map_or(unknown, |position| position as f64)).collect()
}

/// Returns the categories that most rows have, sorted; of those with equally many the first.
fn most_frequent(column: &[Option<Cow<'_, str>>], max_categories: usize) -> Vec<Option<String>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for category in column.iter().flatten() {
        *counts.entry(category).or_default() += 1;
    }
    let mut categories: Vec<(&str, usize)> = counts.into_iter().collect();
    categories.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    categories.truncate(max_categories);
    categories.sort_unstable_by_key(|&(category, _)| category);
    categories.into_iter().map(|(category, _)| Some(category.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[Option<&'static str>]) -> TextColumn<'static> {
        values.iter().map(|value| value.map(Cow::Borrowed)).collect()
    }

    fn context() -> TransformContext {
        TransformContext { columns: vec!["colour".to_owned()], ..TransformContext::default() }
    }

    #[test]
    fn a_missing_value_is_a_category_and_an_unknown_one_is_counted() {
        let training = [column(&[Some("red"), None, Some("blue")])];
        let encoder = CategoryEncoder::fit(Encoding::OneHot, UnknownPolicy::Ignore, &training);
        let mut context = context();

        let rows = Block::Texts(vec![column(&[Some("red"), None, Some("green")])]);
        let Block::Features(features) = encoder.transform(rows, &mut context).unwrap() else { panic!("not features") };

        assert_eq!(features.row(0), (&[2][..], &[1.0][..]));
        assert_eq!(features.row(1), (&[0][..], &[1.0][..]));
        assert_eq!(features.row(2), (&[][..], &[][..]));
        assert_eq!(context.unknown_categories["colour"], 1);
    }

    #[test]
    fn an_unknown_category_is_an_error_where_the_pipeline_says_so() {
        let encoder = CategoryEncoder::fit(Encoding::Ordinal, UnknownPolicy::Error, &[column(&[Some("red")])]);
        let rows = Block::Texts(vec![column(&[Some("green")])]);
        let err = encoder.transform(rows, &mut context()).unwrap_err();
        assert!(err.to_string().starts_with("column `colour` has category `green`"), "{err}");
    }

    #[test]
    fn codes_are_of_the_most_frequent_categories_and_nothing_else_has_one() {
        let training = [column(&[Some("b"), Some("c"), Some("a"), None, Some("c"), Some("d")])];
        let encoder = CategoryEncoder::fit_codes(3, &training);
        assert_eq!(encoder.code_counts(), Some(vec![3]));
        let mut context = context();
        let rows = Block::Texts(vec![column(&[Some("a"), Some("b"), Some("c"), Some("d"), None, Some("z")])]);
        let Block::Numbers(columns) = encoder.transform(rows, &mut context).unwrap() else { panic!("not numbers") };
        assert_eq!(columns[0][..3], [0.0, 1.0, 2.0]);
        assert!(columns[0][3..].iter().all(|code| code.is_nan()), "{columns:?}");
        assert_eq!(context.unknown_categories["colour"], 2);
    }

    #[test]
    fn ordinal_positions_follow_sorted_order() {
        let training = [column(&[Some("b"), Some("a"), Some("c")])];
        let encoder = CategoryEncoder::fit(Encoding::Ordinal, UnknownPolicy::Ignore, &training);
        let rows = Block::Texts(vec![column(&[Some("c"), Some("a"), Some("z")])]);
        let Block::Numbers(columns) = encoder.transform(rows, &mut context()).unwrap() else { panic!("not numbers") };
        assert_eq!(columns[0].as_ref(), [2.0, 0.0, -1.0]);
    }
}
