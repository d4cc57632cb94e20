//! Fitted steps from columns to columns.

mod bins;
mod date_parts;
mod encode;
mod hash_encode;
mod impute;
mod pca;
mod polynomial;
mod quantile;
mod scale;
mod sentiment;
mod target_encode;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{PredictError, TrainError};
use crate::estimator::Target;
use crate::matrix::CsrMatrix;
use crate::spec::StepSpec;
use crate::text::TfidfModel;

pub use bins::Binner;
pub use date_parts::DateParts;
pub use encode::{CategoryEncoder, Encoding};
pub use hash_encode::HashEncoder;
pub use impute::Imputer;
pub use pca::PrincipalComponents;
pub use polynomial::Polynomial;
pub use scale::{ElementwiseStep, Scaler};
pub(crate) use sentiment::N_SCORES as SENTIMENT_SCORES;
pub use sentiment::SentimentStep;
pub use target_encode::TargetEncoder;

/// Columns on their way to features; all have one value per row.
#[derive(Debug, Clone)]
pub enum Block<'a> {
    /// Columns of numbers; `NaN` is missing.
    Numbers(Vec<Cow<'a, [f64]>>),
    /// Columns of text or categories; `None` is missing.
    Texts(Vec<TextColumn<'a>>),
    /// Columns of times; `None` is missing.
    Times(Vec<Vec<Option<DateTime<Utc>>>>),
    /// Features, most of them 0.
    Features(CsrMatrix),
}

/// A column of text; `None` is missing.
pub type TextColumn<'a> = Vec<Option<Cow<'a, str>>>;

/// What a transformer reads besides the block, and where it notes what it met.
#[derive(Debug, Default)]
pub struct TransformContext {
    /// The names of the columns of the block.
    pub columns: Vec<String>,
    /// How many values per column were categories that the training rows do not have.
    pub unknown_categories: BTreeMap<String, u64>,
}

/// What a step may learn from besides the columns.
#[derive(Clone, Copy)]
pub(crate) struct FitTruth<'a> {
    /// What is predicted, one value per row.
    pub(crate) target: &'a Target,
    /// Where all randomness comes from.
    pub(crate) seed: u64,
}

/// A fitted column-to-column step. What it learnt does not change by use.
pub trait Transformer: Send + Sync {
    /// Returns how many columns or features come out of `n_inputs` columns.
    fn n_outputs(&self, n_inputs: usize) -> usize;

    /// Returns what the columns that come out are called, for steps that give other columns than they get.
    fn name_outputs(&self, inputs: Vec<String>) -> Vec<String> {
        inputs
    }

    /// Applies the step.
    ///
    /// # Errors
    /// [`PredictError`] for categories that the pipeline does not allow, and for a block of another kind or width than the
    /// one it was fitted on.
    fn transform<'a>(&self, block: Block<'a>, context: &mut TransformContext) -> Result<Block<'a>, PredictError>;
}

/// A fitted step as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FittedStep {
    /// Fills missing values.
    Impute(Imputer),
    /// Shifts and scales each column.
    Scale(Scaler),
    /// Maps each number on its own.
    Elementwise(ElementwiseStep),
    /// Cuts numbers into bins.
    Bins(Binner),
    /// Adds products of columns.
    Polynomial(Polynomial),
    /// Gives the directions in which rows differ most.
    Pca(PrincipalComponents),
    /// Takes parts of times.
    DateParts(DateParts),
    /// Makes numbers of categories.
    Encode(CategoryEncoder),
    /// Makes means of the target of categories.
    TargetEncode(TargetEncoder),
    /// Makes features of categories by their hash.
    HashEncode(HashEncoder),
    /// Makes weighted counts of terms of texts.
    Tfidf(TfidfModel),
    /// Rates texts by a word list and rules.
    Sentiment(SentimentStep),
}

impl FittedStep {
    /// Fits `step` on the columns of `block`, called `columns`, and returns with it the block that it makes of them.
    ///
    /// # Errors
    /// [`TrainError::Data`] when there is nothing to learn from, such as a column without any value.
    pub(crate) fn fit<'a>(
        step: &StepSpec,
        block: Block<'a>,
        truth: FitTruth<'_>,
        context: &mut TransformContext,
    ) -> Result<(FittedStep, Block<'a>), TrainError> {
        let fitted = match step {
            StepSpec::Impute(impute) => FittedStep::Impute(Imputer::fit(impute, &block, &context.columns)?),
            StepSpec::Standardise => FittedStep::Scale(Scaler::standardise(block.numbers()?)),
            StepSpec::MinMax => FittedStep::Scale(Scaler::min_max(block.numbers()?)),
            StepSpec::Log1p => FittedStep::Elementwise(ElementwiseStep::Log1p),
            StepSpec::FlagPositive => FittedStep::Elementwise(ElementwiseStep::FlagPositive),
            StepSpec::Clip(clip) => FittedStep::Elementwise(ElementwiseStep::Clip { min: clip.min, max: clip.max }),
            StepSpec::RobustScale(scale) => FittedStep::Scale(Scaler::robust(scale.quantiles, block.numbers()?)),
            StepSpec::Bins(bins) => FittedStep::Bins(Binner::fit(bins, block.numbers()?)),
            StepSpec::Polynomial(polynomial) => FittedStep::Polynomial(Polynomial::fit(polynomial, block.numbers()?)?),
            StepSpec::Pca(pca) => FittedStep::Pca(PrincipalComponents::fit(pca, block.numbers()?)?),
            StepSpec::DateParts(parts) => FittedStep::DateParts(parts.into()),
            StepSpec::HashEncode(hash) => FittedStep::HashEncode(HashEncoder::new(hash, &context.columns)),
            StepSpec::TargetEncode(encode) => {
                // The training rows are encoded otherwise than rows to be scored, by rows other than themselves.
                let (encoder, block) = TargetEncoder::fit(encode, block.texts()?, truth.target, truth.seed, context)?;
                context.columns = encoder.name_outputs(std::mem::take(&mut context.columns));
                return Ok((FittedStep::TargetEncode(encoder), block));
            }
            StepSpec::OneHot(encode) => {
                FittedStep::Encode(CategoryEncoder::fit(Encoding::OneHot, encode.unknown, block.texts()?))
            }
            StepSpec::Ordinal(encode) => {
                FittedStep::Encode(CategoryEncoder::fit(Encoding::Ordinal, encode.unknown, block.texts()?))
            }
            StepSpec::Category(category) => {
                FittedStep::Encode(CategoryEncoder::fit_codes(category.max_categories, block.texts()?))
            }
            StepSpec::Sentiment(scorer) => FittedStep::Sentiment(SentimentStep::new(*scorer)),
            StepSpec::Tfidf(tfidf) => {
                let (model, features) = TfidfModel::fit(tfidf, &documents(block.texts()?))?;
                return Ok((FittedStep::Tfidf(model), Block::Features(features)));
            }
        };
        let block = fitted.apply(block, context)?;
        Ok((fitted, block))
    }

    /// Applies the step, and names the columns that come out.
    ///
    /// # Errors
    /// Those of [`Transformer::transform`].
    pub(crate) fn apply<'a>(
        &self,
        block: Block<'a>,
        context: &mut TransformContext,
    ) -> Result<Block<'a>, PredictError> {
        let block = self.as_transformer().transform(block, context)?;
        context.columns = self.as_transformer().name_outputs(std::mem::take(&mut context.columns));
        Ok(block)
    }

    /// Returns the step as what it does.
    pub fn as_transformer(&self) -> &dyn Transformer {
        match self {
            FittedStep::Impute(step) => step,
            FittedStep::Scale(step) => step,
            FittedStep::Elementwise(step) => step,
            FittedStep::Bins(step) => step,
            FittedStep::Polynomial(step) => step,
            FittedStep::Pca(step) => step,
            FittedStep::DateParts(step) => step,
            FittedStep::Encode(step) => step,
            FittedStep::TargetEncode(step) => step,
            FittedStep::HashEncode(step) => step,
            FittedStep::Tfidf(step) => step,
            FittedStep::Sentiment(step) => step,
        }
    }

    /// Returns what makes terms of texts, if this step does.
    pub(crate) fn as_tfidf(&self) -> Option<&TfidfModel> {
        match self {
            FittedStep::Tfidf(model) => Some(model),
            _ => None,
        }
    }

    /// Returns how many features there are of each column, for the step that makes one of each category.
    pub(crate) fn one_hot_counts(&self) -> Option<Vec<usize>> {
        match self {
            FittedStep::Encode(step) => step.one_hot_counts(),
            _ => None,
        }
    }

    /// Returns whether columns of numbers come out, one for each name, and no sparse features.
    pub(crate) fn gives_numbers(&self) -> bool {
        let is_sparse = matches!(self, FittedStep::Tfidf(_) | FittedStep::HashEncode(_));
        !is_sparse && self.one_hot_counts().is_none()
    }

    /// Returns how many categories there are in each column, for the step that makes codes of categories.
    pub(crate) fn category_counts(&self) -> Option<Vec<usize>> {
        match self {
            FittedStep::Encode(step) => step.code_counts(),
            _ => None,
        }
    }

    /// Returns why the stored parts of the step do not fit each other or `n_inputs` columns, if so.
    pub(crate) fn inconsistency(&self, n_inputs: usize) -> Option<String> {
        let n_fitted = match self {
            FittedStep::Impute(step) => step.n_columns(),
            FittedStep::Scale(step) => return step.inconsistency(n_inputs),
            FittedStep::Encode(step) => return step.inconsistency(n_inputs),
            FittedStep::Bins(step) => return step.inconsistency(n_inputs),
            FittedStep::Polynomial(step) => return step.inconsistency(n_inputs),
            FittedStep::Pca(step) => return step.inconsistency(n_inputs),
            FittedStep::TargetEncode(step) => return step.inconsistency(n_inputs),
            FittedStep::HashEncode(step) => return step.inconsistency(n_inputs),
            FittedStep::Elementwise(_) | FittedStep::DateParts(_) => n_inputs,
            FittedStep::Sentiment(step) => return step.inconsistency(),
            FittedStep::Tfidf(step) => return step.inconsistency(),
        };
        (n_fitted != n_inputs).then(|| format!("a step for {n_fitted} columns is applied to {n_inputs}"))
    }
}

impl<'a> Block<'a> {
    /// Returns the columns of numbers.
    ///
    /// # Errors
    /// [`PredictError::Failed`] for any other block; the order of steps is checked before anything is fitted.
    fn numbers(&self) -> Result<&[Cow<'a, [f64]>], PredictError> {
        match self {
            Block::Numbers(columns) => Ok(columns),
            _ => Err(wrong_block("numbers")),
        }
    }

    fn texts(&self) -> Result<&[TextColumn<'a>], PredictError> {
        match self {
            Block::Texts(columns) => Ok(columns),
            _ => Err(wrong_block("categories")),
        }
    }

    fn into_numbers(self, n_columns: usize) -> Result<Vec<Cow<'a, [f64]>>, PredictError> {
        match self {
            Block::Numbers(columns) if columns.len() == n_columns => Ok(columns),
            _ => Err(wrong_block("numbers")),
        }
    }
}

fn wrong_block(needed: &str) -> PredictError {
    PredictError::Failed { kind: "step", reason: format!("it was fitted on other columns: {needed} are needed") }
}

/// Returns the texts of each row.
fn documents<'b>(columns: &'b [TextColumn<'_>]) -> Vec<Vec<&'b str>> {
    let n_rows = columns.first().map_or(0, Vec::len);
    (0..n_rows).map(|row| columns.iter().filter_map(|column| column[row].as_deref()).collect()).collect()
}

impl Transformer for TfidfModel {
    fn n_outputs(&self, _n_inputs: usize) -> usize {
        self.n_terms()
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        Ok(Block::Features(TfidfModel::transform(self, &documents(block.texts()?))))
    }
}
