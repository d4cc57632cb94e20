//! From columns to one feature matrix, by the fitted steps of each group of columns.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use ml_core::table::{Column, ColumnValues};
use serde::{Deserialize, Serialize};

use crate::error::{PredictError, TrainError};
use crate::frame::Frame;
use crate::matrix::{CsrBuilder, CsrMatrix, DenseMatrix, FeatureMatrix};
use crate::spec::{FeatureSpec, Reads};
use crate::transform::{Block, FitTruth, FittedStep, SENTIMENT_SCORES, TransformContext};
use crate::unfit::read_time;

/// The fitted preprocessing of a pipeline; the default makes no features at all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preprocessor {
    groups: Vec<FittedGroup>,
}

/// A group of columns with its fitted steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FittedGroup {
    columns: Vec<String>,
    reads: ReadsAs,
    steps: Vec<FittedStep>,
    n_features: usize,
}

/// What columns are read as, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReadsAs {
    Numbers,
    Texts,
    Times,
}

/// What becomes of a missing value that no step fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingValues {
    /// Its row has no features.
    Refuse,
    /// It is `NaN` among the features.
    Keep,
}

/// Features, and which rows have none.
#[derive(Debug)]
pub(crate) struct Features {
    /// One row per row that is not in `invalid`, in the same order.
    pub(crate) matrix: FeatureMatrix,
    /// Rows with a value that is infinite or, unless such are kept, missing, and the first such column.
    pub(crate) invalid: BTreeMap<usize, InvalidValue>,
    /// How many values per column were categories that the training rows do not have.
    pub(crate) unknown_categories: BTreeMap<String, u64>,
}

/// A value that the estimator cannot use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidValue {
    pub(crate) column: String,
    pub(crate) is_missing: bool,
}

impl Preprocessor {
    /// Fits the steps of `specs` on the rows of `frame`, and returns the features of those rows.
    pub(crate) fn fit(
        specs: &[FeatureSpec],
        frame: &Frame<'_>,
        truth: FitTruth<'_>,
        missing: MissingValues,
    ) -> Result<(Preprocessor, Features), TrainError> {
        let mut groups = Vec::with_capacity(specs.len());
        let mut blocks = Vec::with_capacity(specs.len());
        let mut unknown_categories = BTreeMap::new();
        for spec in specs {
            let reads = match spec.reads() {
                Reads::Numbers => ReadsAs::Numbers,
                Reads::Times => ReadsAs::Times,
                Reads::Categories | Reads::Texts => ReadsAs::Texts,
            };
            let mut context = TransformContext { columns: spec.columns.clone(), ..TransformContext::default() };
            let mut block = read_block(&spec.columns, reads, frame)?;
            let mut steps = Vec::with_capacity(spec.steps.len());
            for step in &spec.steps {
                let (fitted, transformed) = FittedStep::fit(step, block, truth, &mut context)?;
                steps.push(fitted);
                block = transformed;
            }
            let n_features = n_features(&block);
            groups.push(FittedGroup { columns: spec.columns.clone(), reads, steps, n_features });
            unknown_categories.append(&mut context.unknown_categories);
            blocks.push((context.columns, block));
        }
        let features = assemble(blocks, frame.n_rows(), missing, unknown_categories);
        Ok((Preprocessor { groups }, features))
    }

    /// Returns the features of the rows of `frame`.
    pub(crate) fn transform(&self, frame: &Frame<'_>, missing: MissingValues) -> Result<Features, PredictError> {
        let mut blocks = Vec::with_capacity(self.groups.len());
        let mut unknown_categories = BTreeMap::new();
        for group in &self.groups {
            let mut context = TransformContext { columns: group.columns.clone(), ..TransformContext::default() };
            let mut block = read_block(&group.columns, group.reads, frame)?;
            for step in &group.steps {
                block = step.apply(block, &mut context)?;
            }
            unknown_categories.append(&mut context.unknown_categories);
            blocks.push((context.columns, block));
        }
        Ok(assemble(blocks, frame.n_rows(), missing, unknown_categories))
    }

    /// Returns the preprocessing of a model that reads the columns themselves.
    pub(crate) fn none() -> Preprocessor {
        Preprocessor { groups: Vec::new() }
    }

    /// Returns the number of features.
    pub fn n_features(&self) -> usize {
        self.groups.iter().map(|group| group.n_features).sum()
    }

    /// Returns the fitted steps of each group of columns.
    pub fn groups(&self) -> impl Iterator<Item = (&[String], &[FittedStep])> {
        self.groups.iter().map(|group| (group.columns.as_slice(), group.steps.as_slice()))
    }

    /// Returns the features that are the compound sentiment of a text, as the step `sentiment` gives it.
    pub(crate) fn compound_features(&self) -> Vec<usize> {
        let mut features = Vec::new();
        let mut first_feature = 0;
        for group in &self.groups {
            let mut steps = group.steps.iter().rev().skip_while(|step| matches!(step, FittedStep::Impute(_)));
            if matches!(steps.next(), Some(FittedStep::Sentiment(_))) {
                features.extend((0..group.n_features).step_by(SENTIMENT_SCORES).map(|feature| first_feature + feature));
            }
            first_feature += group.n_features;
        }
        features
    }

    /// Returns what features are called, and which ones are: each by itself where it is a column of numbers or what the steps made
    /// of one, those of a column together where each is one of its categories, else those of a group.
    pub(crate) fn named_features(&self) -> Vec<(Range<usize>, String)> {
        let mut named = Vec::new();
        let mut first = 0;
        for group in &self.groups {
            let name = |names: Vec<String>, step: &FittedStep| step.as_transformer().name_outputs(names);
            let names = group.steps.iter().fold(group.columns.clone(), name);
            let last = group.steps.last();
            let widths = match last.and_then(FittedStep::one_hot_counts) {
                Some(counts) if counts.len() == names.len() => counts,
                _ if names.len() == group.n_features && last.is_none_or(FittedStep::gives_numbers) => {
                    vec![1; names.len()]
                }
                _ => {
                    named.push((first..first + group.n_features, names.join("`, `")));
                    first += group.n_features;
                    continue;
                }
            };
            for (name, width) in names.into_iter().zip(widths) {
                named.push((first..first + width, name));
                first += width;
            }
        }
        named
    }

    /// Returns the columns, the fitted steps and the number of features of each group, in the order of the features.
    pub(crate) fn sized_groups(&self) -> impl Iterator<Item = (&[String], &[FittedStep], usize)> {
        self.groups.iter().map(|group| (group.columns.as_slice(), group.steps.as_slice(), group.n_features))
    }

    /// Returns for each feature how many categories its codes stand for; `None` for those that are no codes of the step
    /// `category`.
    pub(crate) fn categories_by_feature(&self) -> Vec<Option<usize>> {
        let mut features = Vec::with_capacity(self.n_features());
        for group in &self.groups {
            match group.steps.last().and_then(FittedStep::category_counts) {
                Some(counts) => features.extend(counts.into_iter().map(Some)),
                None => features.extend(std::iter::repeat_n(None, group.n_features)),
            }
        }
        features
    }

    /// Returns the feature that is the value of `column`, if there is one.
    pub(crate) fn feature_of_column(&self, column: &str) -> Option<usize> {
        let mut first_feature = 0;
        for group in &self.groups {
            if group.n_features == group.columns.len()
                && let Some(position) = group.columns.iter().position(|name| name == column)
            {
                return Some(first_feature + position);
            }
            first_feature += group.n_features;
        }
        None
    }

    /// Returns why the stored parts do not fit each other, if so.
    pub(crate) fn inconsistency(&self) -> Option<String> {
        for group in &self.groups {
            let mut width = group.columns.len();
            for step in &group.steps {
                if let Some(reason) = step.inconsistency(width) {
                    return Some(reason);
                }
                width = step.as_transformer().n_outputs(width);
            }
            if width != group.n_features {
                return Some(format!("steps that give {width} features are said to give {}", group.n_features));
            }
        }
        None
    }
}

fn read_block<'f>(columns: &[String], reads: ReadsAs, frame: &'f Frame<'_>) -> Result<Block<'f>, PredictError> {
    let columns = columns.iter().map(|name| frame.get(name));
    Ok(match reads {
        ReadsAs::Numbers => Block::Numbers(columns.map(|column| numbers(column?)).collect::<Result<_, _>>()?),
        ReadsAs::Texts => {
            Block::Texts(columns.map(|column| Ok(column?.as_texts())).collect::<Result<_, PredictError>>()?)
        }
        ReadsAs::Times => Block::Times(columns.map(|column| times(column?)).collect::<Result<_, _>>()?),
    })
}

/// Returns the values of a column; one of another kind that holds no value at all is a column of missing numbers.
fn numbers(column: &Column) -> Result<Cow<'_, [f64]>, PredictError> {
    let is_empty = column.values.n_missing() == column.values.len();
    if is_empty && !column.values.kind().is_numeric() {
        return Ok(Cow::Owned(vec![f64::NAN; column.values.len()]));
    }
    Ok(column.as_numbers()?)
}

/// Returns the values of a column of times; a text that is none is missing.
fn times(column: &Column) -> Result<Vec<Option<DateTime<Utc>>>, PredictError> {
    match &column.values {
        ColumnValues::Text(texts) => Ok(texts.iter().map(|text| read_time(text.as_deref()?)).collect()),
        values if values.n_missing() == values.len() => Ok(vec![None; values.len()]),
        _ => Ok(column.as_times()?.to_vec()),
    }
}

fn n_features(block: &Block<'_>) -> usize {
    match block {
        Block::Numbers(columns) => columns.len(),
        Block::Texts(columns) => columns.len(),
        Block::Times(columns) => columns.len(),
        Block::Features(features) => features.n_columns(),
    }
}

/// Puts the blocks side by side: dense when all are columns of numbers, else sparse.
fn assemble(
    blocks: Vec<(Vec<String>, Block<'_>)>,
    n_rows: usize,
    missing: MissingValues,
    unknown_categories: BTreeMap<String, u64>,
) -> Features {
    let invalid = invalid_rows(&blocks, missing);
    let mut blocks: Vec<Block<'_>> = blocks.into_iter().map(|(_, block)| block).collect();
    let valid_rows = || (0..n_rows).filter(|row| !invalid.contains_key(row));
    let matrix = match blocks.as_mut_slice() {
        [Block::Features(features)] if invalid.is_empty() => {
            FeatureMatrix::Sparse(std::mem::replace(features, CsrBuilder::new(0).finish()))
        }
        blocks if blocks.iter().any(|block| matches!(block, Block::Features(_))) => {
            FeatureMatrix::Sparse(side_by_side(blocks, &valid_rows().collect::<Vec<_>>()))
        }
        blocks => {
            let columns: Vec<&[f64]> = blocks.iter().flat_map(number_columns).map(AsRef::as_ref).collect();
            let cells = valid_rows().flat_map(|row| columns.iter().map(move |column| column[row])).collect();
            FeatureMatrix::Dense(DenseMatrix::new(n_rows - invalid.len(), columns.len(), cells))
        }
    };
    Features { matrix, invalid, unknown_categories }
}

fn number_columns<'b, 'a>(block: &'b Block<'a>) -> &'b [Cow<'a, [f64]>] {
    match block {
        Block::Numbers(columns) => columns,
        // Text that no step made numbers of cannot be: such a pipeline is refused before it is fitted.
        Block::Texts(_) | Block::Times(_) | Block::Features(_) => &[],
    }
}

fn invalid_rows(blocks: &[(Vec<String>, Block<'_>)], missing: MissingValues) -> BTreeMap<usize, InvalidValue> {
    let is_invalid = |value: f64| value.is_infinite() || (value.is_nan() && missing == MissingValues::Refuse);
    let mut invalid = BTreeMap::new();
    for (names, block) in blocks {
        for (name, column) in names.iter().zip(number_columns(block)) {
            for (row, value) in column.iter().enumerate().filter(|(_, value)| is_invalid(**value)) {
                let reason = InvalidValue { column: name.clone(), is_missing: value.is_nan() };
                invalid.entry(row).or_insert(reason);
            }
        }
    }
    invalid
}

fn side_by_side(blocks: &[Block<'_>], rows: &[usize]) -> CsrMatrix {
    CsrMatrix::by_rows(blocks.iter().map(n_features).sum(), rows.len(), |position, features| {
        let row = rows[position];
        let n_cells = |block: &Block<'_>| match block {
            Block::Features(part) => part.row(row).0.len(),
            block => n_features(block),
        };
        features.reserve(1, blocks.iter().map(n_cells).sum());
        let mut first_feature = 0;
        for block in blocks {
            match block {
                Block::Features(part) => {
                    let (columns, values) = part.row(row);
                    for (&column, &value) in columns.iter().zip(values) {
                        features.push(first_feature + column as usize, value);
                    }
                }
                block => {
                    for (position, column) in number_columns(block).iter().enumerate() {
                        features.push(first_feature + position, column[row]);
                    }
                }
            }
            first_feature += n_features(block);
        }
    })
}
