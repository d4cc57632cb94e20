//! Which words of a text made a linear model predict what it did.
//!
//! A linear model adds up the weight of each feature times its value. What a feature adds to the sum of the predicted class is
//! its contribution; the terms with the greatest ones are told, with how the text writes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ml_core::table::Table;
use serde::{Deserialize, Serialize};

use crate::error::ExplainError;
use crate::estimator::{FittedPredictor, LinearPredictor};
use crate::model::TrainedModel;
use crate::predict::{PredictedValues, Predictions};
use crate::text::{Document, TfidfModel, WrittenText};

/// Why a row has the prediction that it has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// What speaks for the predicted class, or raises the predicted number; the greatest contribution first.
    pub towards: Vec<Contribution>,
    /// What speaks against it, or lowers the number; the greatest first.
    pub against: Vec<Contribution>,
    /// What the score begins with, whatever the text: with it, all contributions add up to the score of the predicted class.
    #[serde(default)]
    pub intercept: f64,
}

/// What a term adds to a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// The term in the form that the model knows; the columns, where a feature is made of other things than text.
    pub term: String,
    /// How the text writes it, where it comes first; absent where no words of the text are the term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_written: Option<String>,
    /// How often the text has it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: usize,
    /// Weight times value: above 0 among what speaks for the prediction, below 0 among what speaks against it.
    pub contribution: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl TrainedModel {
    /// Returns whether predictions of this model can be explained by words.
    ///
    /// # Errors
    /// [`ExplainError`], which says why not.
    pub fn check_explainable(&self) -> Result<(), ExplainError> {
        self.explainable().map(drop)
    }

    /// Explains the predictions for the rows of `table` at `rows` by up to `n_terms` terms for and as many against each; a row
    /// without a prediction has no explanation.
    ///
    /// # Errors
    /// [`ExplainError`] for a model that is not linear or reads no terms, and those of [`TrainedModel::predict_rows`].
    ///
    /// # Panics
    /// If `predictions` are not those of `rows`.
    pub fn explain_rows(
        &self,
        table: &Table,
        rows: &[usize],
        predictions: &Predictions,
        n_terms: usize,
    ) -> Result<Vec<Option<Explanation>>, ExplainError> {
        let linear = self.explainable()?;
        let features = self.preprocess(table, rows)?;
        let names = self.term_groups();
        let mut explanations = vec![None; rows.len()];
        // Rows that have no features are left out of the matrix.
        let scored = (0..rows.len()).filter(|row| !features.invalid.contains_key(row));
        for (position, row) in scored.enumerate() {
            let class = match &predictions.values {
                PredictedValues::Classes(classes) => classes[row],
                PredictedValues::Numbers(numbers) => numbers[row].map(|_| 0),
            };
            let Some(class) = class else { continue };
            let mut contributions = Vec::new();
            features.matrix.for_each_in_row(position, |feature, value| {
                contributions.push((feature, value * linear.weight_for(feature, class)));
            });
            let explained = explanation(&names, contributions, n_terms, |columns| {
                columns.iter().filter_map(|column| text_at(table, column, rows[row])).collect()
            });
            explanations[row] = Some(Explanation { intercept: linear.intercept_for(class), ..explained });
        }
        Ok(explanations)
    }

    fn explainable(&self) -> Result<&LinearPredictor, ExplainError> {
        let kind = self.spec.estimator.kind();
        let FittedPredictor::Linear(linear) = &self.predictor else {
            return Err(ExplainError::NotLinear { kind });
        };
        if self.term_groups().iter().all(|group| group.terms.is_none()) {
            return Err(ExplainError::NoTerms { kind });
        }
        Ok(linear)
    }

    fn term_groups(&self) -> Vec<FeatureGroup<'_>> {
        let mut groups = Vec::new();
        let mut first_feature = 0;
        for (columns, steps, n_features) in self.preprocessor.sized_groups() {
            let terms = steps.last().and_then(crate::transform::FittedStep::as_tfidf);
            groups.push(FeatureGroup { first_feature, columns, terms });
            first_feature += n_features;
        }
        groups
    }
}

/// The features of a group of columns.
struct FeatureGroup<'m> {
    first_feature: usize,
    columns: &'m [String],
    /// What the features are, if they are terms.
    terms: Option<&'m TfidfModel>,
}

impl FeatureGroup<'_> {
    fn name(&self, feature: usize) -> Cow<'_, str> {
        match self.terms {
            Some(terms) => terms.term(feature - self.first_feature),
            None => Cow::Owned(self.columns.join(", ")),
        }
    }
}

fn text_at<'t>(table: &'t Table, column: &str, row: usize) -> Option<&'t str> {
    match &table.find(column)?.values {
        ml_core::table::ColumnValues::Text(texts) => texts[row].as_deref(),
        _ => None,
    }
}

fn explanation<'t>(
    groups: &[FeatureGroup<'_>],
    contributions: Vec<(usize, f64)>,
    n_terms: usize,
    document_of: impl Fn(&[String]) -> Document<'t>,
) -> Explanation {
    // A group of other things than terms counts as one.
    let mut by_name: BTreeMap<(usize, Option<usize>), f64> = BTreeMap::new();
    for (feature, contribution) in contributions {
        let group = groups.partition_point(|group| group.first_feature <= feature) - 1;
        let term = groups[group].terms.map(|_| feature);
        *by_name.entry((group, term)).or_default() += contribution;
    }
    let mut sorted: Vec<((usize, Option<usize>), f64)> = by_name.into_iter().collect();
    // Stable, so that equals are in the order of the features.
    sorted.sort_by(|left, right| right.1.abs().total_cmp(&left.1.abs()));
    let mut texts: BTreeMap<usize, WrittenText<'t>> = BTreeMap::new();
    let mut explanation = Explanation::default();
    for ((index, term), contribution) in sorted {
        let group = &groups[index];
        let list = if contribution > 0.0 { &mut explanation.towards } else { &mut explanation.against };
        if contribution == 0.0 || list.len() == n_terms {
            continue;
        }
        let name = group.name(term.unwrap_or(group.first_feature));
        let (as_written, count) = match group.terms {
            Some(terms) => texts.entry(index).or_insert_with(|| terms.written(&document_of(group.columns))).find(&name),
            None => (None, 0),
        };
        list.push(Contribution { term: name.into_owned(), as_written, count, contribution });
    }
    explanation
}
