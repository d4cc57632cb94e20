//! The steps from columns to features.

mod bins;
mod date_parts;
mod hash_encode;
mod pca;
mod polynomial;
mod robust;
mod target_encode;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::tfidf::TfidfSpec;
use crate::estimator::MAX_BINS;
use crate::text::SentimentScorer;

pub use bins::{BinEncoding, BinStrategy, BinsSpec};
pub use date_parts::{DatePart, DatePartsSpec};
pub use hash_encode::HashEncodeSpec;
pub use pca::PcaSpec;
pub use polynomial::PolynomialSpec;
pub use robust::RobustScaleSpec;
pub use target_encode::{FoundSmoothing, Smoothing, TargetEncodeSpec};

/// One step; what it learns, it learns from the training rows alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepSpec {
    /// Fills missing values.
    Impute(ImputeSpec),
    /// Subtracts the mean and divides by the standard deviation; a constant column becomes 0.
    Standardise,
    /// Maps the range of the training rows to `[0, 1]`; a constant column becomes 0.
    MinMax,
    /// The natural logarithm of `1 + x`; missing below −1.
    Log1p,
    /// 1 for a positive number, else 0.
    FlagPositive,
    /// Moves numbers outside of a range to its nearest end.
    Clip(ClipSpec),
    /// Subtracts the median and divides by the distance of two quantiles; a constant column becomes 0.
    RobustScale(RobustScaleSpec),
    /// The bin of a number.
    Bins(BinsSpec),
    /// The columns and products of them.
    Polynomial(PolynomialSpec),
    /// The directions in which the rows differ most.
    Pca(PcaSpec),
    /// Year, month, weekday and so on of a time.
    DateParts(DatePartsSpec),
    /// The mean of the target among the rows of a category, of the training rows by rows other than themselves.
    TargetEncode(TargetEncodeSpec),
    /// A feature by the hash of column and category; a missing value is in none.
    HashEncode(HashEncodeSpec),
    /// One feature per category; a missing value is a category of its own.
    OneHot(EncodeSpec),
    /// The position of a category in sorted order, from 0; unknown ones are −1.
    Ordinal(EncodeSpec),
    /// Codes of categories, for estimators that tell categories from numbers; unknown ones are missing, and counted.
    Category(CategorySpec),
    /// Weighted counts of terms in texts; several text columns are joined by a newline, missing texts are empty.
    Tfidf(TfidfSpec),
    /// How positive and negative texts are: compound, positive, neutral and negative of each column; a missing text stays missing.
    Sentiment(SentimentScorer),
}

/// What fills missing values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImputeSpec {
    /// The mean of the training rows.
    Mean,
    /// The median of the training rows.
    Median,
    /// The most frequent value of the training rows, the least of them if several are.
    MostFrequent,
    /// A given value.
    Constant(ConstantSpec),
}

/// A given value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConstantSpec {
    /// For columns of numbers.
    Number(f64),
    /// For columns of categories.
    Text(String),
}

/// A range of numbers; at least one end is given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipSpec {
    /// The least number.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest number.
    #[serde(default)]
    pub max: Option<f64>,
}

/// How categories become numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncodeSpec {
    /// What happens to a category that the training rows do not have.
    pub unknown: UnknownPolicy,
}

/// What happens to a category that the training rows do not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPolicy {
    /// It is none of the known ones, and is counted.
    #[default]
    Ignore,
    /// Scoring fails.
    Error,
}

/// How categories become codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CategorySpec {
    /// Keeps only this many categories, the most frequent ones; ties go to the first in sorted order. Others are missing.
    pub max_categories: usize,
}

impl Default for CategorySpec {
    fn default() -> CategorySpec {
        CategorySpec { max_categories: MAX_BINS }
    }
}

/// What a group of columns is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Numbers; text is refused.
    Numbers,
    /// The printed form of any kind.
    Categories,
    /// Text alone.
    Texts,
    /// Times, also as text.
    Times,
}

impl StepSpec {
    pub(super) const NAMES: [&'static str; 18] = [
        "impute",
        "standardise",
        "min_max",
        "log1p",
        "flag_positive",
        "clip",
        "robust_scale",
        "bins",
        "polynomial",
        "pca",
        "date_parts",
        "target_encode",
        "hash_encode",
        "one_hot",
        "ordinal",
        "category",
        "tfidf",
        "sentiment",
    ];

    /// The steps that may be written as a bare name although they have settings.
    pub(super) const BARE: [&'static str; 11] = [
        "robust_scale",
        "bins",
        "polynomial",
        "pca",
        "date_parts",
        "target_encode",
        "hash_encode",
        "one_hot",
        "ordinal",
        "category",
        "tfidf",
    ];

    /// Returns the name in pipeline files.
    pub fn name(&self) -> &'static str {
        match self {
            StepSpec::Impute(_) => "impute",
            StepSpec::Standardise => "standardise",
            StepSpec::MinMax => "min_max",
            StepSpec::Log1p => "log1p",
            StepSpec::FlagPositive => "flag_positive",
            StepSpec::Clip(_) => "clip",
            StepSpec::RobustScale(_) => "robust_scale",
            StepSpec::Bins(_) => "bins",
            StepSpec::Polynomial(_) => "polynomial",
            StepSpec::Pca(_) => "pca",
            StepSpec::DateParts(_) => "date_parts",
            StepSpec::TargetEncode(_) => "target_encode",
            StepSpec::HashEncode(_) => "hash_encode",
            StepSpec::OneHot(_) => "one_hot",
            StepSpec::Ordinal(_) => "ordinal",
            StepSpec::Category(_) => "category",
            StepSpec::Tfidf(_) => "tfidf",
            StepSpec::Sentiment(_) => "sentiment",
        }
    }

    /// Returns what the step needs, or `None` if it takes numbers and categories alike.
    pub(crate) fn reads(&self) -> Option<Reads> {
        match self {
            StepSpec::Impute(ImputeSpec::MostFrequent) => None,
            StepSpec::Impute(ImputeSpec::Constant(ConstantSpec::Text(_)))
            | StepSpec::OneHot(_)
            | StepSpec::Ordinal(_)
            | StepSpec::Category(_)
            | StepSpec::TargetEncode(_)
            | StepSpec::HashEncode(_) => Some(Reads::Categories),
            StepSpec::Tfidf(_) | StepSpec::Sentiment(_) => Some(Reads::Texts),
            StepSpec::DateParts(_) => Some(Reads::Times),
            _ => Some(Reads::Numbers),
        }
    }

    /// Returns whether it fills missing values, or has a place for them.
    pub(crate) fn takes_missing(&self) -> bool {
        match self {
            StepSpec::Impute(_)
            | StepSpec::OneHot(_)
            | StepSpec::Ordinal(_)
            | StepSpec::TargetEncode(_)
            | StepSpec::HashEncode(_) => true,
            StepSpec::Bins(bins) => bins.encode == BinEncoding::OneHot,
            _ => false,
        }
    }

    /// Returns whether it makes numbers of something else.
    pub(super) fn makes_numbers(&self) -> bool {
        matches!(
            self,
            StepSpec::Ordinal(_)
                | StepSpec::Category(_)
                | StepSpec::TargetEncode(_)
                | StepSpec::DateParts(_)
                | StepSpec::Sentiment(_)
        )
    }

    /// Returns whether it gives features, or codes, which no other step takes.
    pub(super) fn is_last(&self) -> bool {
        match self {
            StepSpec::OneHot(_) | StepSpec::Category(_) | StepSpec::HashEncode(_) | StepSpec::Tfidf(_) => true,
            StepSpec::Bins(bins) => bins.encode == BinEncoding::OneHot,
            _ => false,
        }
    }

    pub(super) fn faults(&self, key: &str, faults: &mut Vec<Fault>) {
        match self {
            StepSpec::Clip(clip) => clip.faults(key, faults),
            StepSpec::Tfidf(tfidf) => tfidf.faults(key, faults),
            StepSpec::RobustScale(scale) => scale.faults(key, faults),
            StepSpec::Bins(bins) => bins.faults(key, faults),
            StepSpec::Polynomial(polynomial) => polynomial.faults(key, faults),
            StepSpec::Pca(pca) => pca.faults(key, faults),
            StepSpec::DateParts(parts) => parts.faults(key, faults),
            StepSpec::TargetEncode(encode) => encode.faults(key, faults),
            StepSpec::HashEncode(hash) => hash.faults(key, faults),
            StepSpec::Category(category) if !(1..=MAX_BINS).contains(&category.max_categories) => {
                let message = format!("must be from 1 to {MAX_BINS}, not {}", category.max_categories);
                faults.push(Fault::new(format!("{key}.max_categories"), message));
            }
            StepSpec::Impute(ImputeSpec::Constant(ConstantSpec::Number(number))) if !number.is_finite() => {
                faults.push(Fault::new(key, "`constant` must be a finite number"));
            }
            _ => {}
        }
    }
}

impl ClipSpec {
    fn faults(self, key: &str, faults: &mut Vec<Fault>) {
        let (min, max) = (self.min.unwrap_or(f64::NEG_INFINITY), self.max.unwrap_or(f64::INFINITY));
        if self.min.is_none() && self.max.is_none() {
            faults.push(Fault::new(key, "`clip` needs `min`, `max` or both"));
        }
        if min.is_nan() || max.is_nan() || min > max {
            faults.push(Fault::new(key, format!("`min` {min} must not be above `max` {max}")));
        }
    }
}
