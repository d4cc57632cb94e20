//! What scores rows: a registered model, or the word list that is in the program.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use ml_core::error::BoxError;
use ml_core::model::{ModelName, ModelVersion, SignatureColumn};
use ml_core::table::{ColumnKind, Table};
use ml_data::scoring::{DocumentScorer, Score};
use ml_train::explain::Explanation;
use ml_train::model::TrainedModel;
use ml_train::predict::Predictions;
use ml_train::text::{RatedWord, SentimentScorer};

use crate::compose::App;
use crate::training::load_model;

/// The name that predictions of the word list have.
const VADER_NAME: &str = "builtin.vader";

/// Raised when the same text might get another score, so that documents are scored again.
const VADER_REVISION: u32 = 1;

/// What the word list predicts.
const SENTIMENT: &str = "sentiment";

/// A scorer with its name and version.
pub(crate) struct Scorer {
    name: ModelName,
    version: u32,
    description: String,
    inputs: Vec<SignatureColumn>,
    text_columns: Vec<String>,
    /// How many words a prediction is explained by, if it is.
    explain: Option<usize>,
    rule: Rule,
    /// By column, how many values of all rows scored so far were of categories that training did not see.
    unknown_categories: Mutex<BTreeMap<String, u64>>,
}

enum Rule {
    Model(Arc<TrainedModel>),
    Lexicon(SentimentScorer),
}

impl Scorer {
    /// Scores with a registered version, and explains each prediction by up to `explain` words for and against it.
    pub(crate) async fn of_model(app: &App, version: &ModelVersion, explain: Option<usize>) -> anyhow::Result<Scorer> {
        let model = load_model(app, version).await?;
        if explain.is_some() {
            model.check_explainable().with_context(|| format!("--explain does not go with {}", version.reference()))?;
        }
        Ok(Scorer {
            name: version.content.name.clone(),
            version: version.version,
            description: version.reference(),
            inputs: model.signature().inputs.clone(),
            text_columns: model.text_columns().into_iter().map(str::to_owned).collect(),
            explain,
            rule: Rule::Model(model),
            unknown_categories: Mutex::default(),
        })
    }

    /// Scores the sentiment of the texts in `columns`, joined by line breaks.
    pub(crate) fn of_lexicon(scorer: SentimentScorer, columns: Vec<String>, explain: Option<usize>) -> Scorer {
        let input = |name: &String| SignatureColumn { name: name.clone(), kind: ColumnKind::Text, required: true };
        Scorer {
            name: ModelName::parse(VADER_NAME).expect("a fixed name that follows the rules"),
            version: VADER_REVISION,
            description: scorer.version().to_owned(),
            inputs: columns.iter().map(input).collect(),
            text_columns: columns,
            explain,
            rule: Rule::Lexicon(scorer),
            unknown_categories: Mutex::default(),
        }
    }

    /// Returns how many values of the rows scored so far were of categories that training did not see, by column.
    pub(crate) fn unknown_categories(&self) -> BTreeMap<String, u64> {
        self.unknown_categories.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether the prediction for a row depends on other rows.
    pub(crate) fn reads_other_rows(&self) -> bool {
        matches!(&self.rule, Rule::Model(model) if model.reads_other_rows())
    }

    /// Scores the rows of `table` at `rows`. Windows reach back over the edge of a split, so a model is given the whole table; it
    /// derives its columns from all of it and scores these rows alone.
    pub(crate) fn score_rows(&self, table: &Table, rows: &[usize]) -> anyhow::Result<Vec<Score>> {
        match &self.rule {
            Rule::Model(model) => self.score_with_model(model, table, rows),
            Rule::Lexicon(scorer) => self.score_with_lexicon(*scorer, table, rows),
        }
    }

    fn score_with_model(&self, model: &TrainedModel, table: &Table, rows: &[usize]) -> anyhow::Result<Vec<Score>> {
        let scored = model.predict_rows(table, rows)?;
        for (column, n_values) in &scored.unknown_categories {
            let mut unknown = self.unknown_categories.lock().unwrap_or_else(PoisonError::into_inner);
            *unknown.entry(column.clone()).or_default() += n_values;
        }
        let explanations = match self.explain {
            Some(n_terms) => model.explain_rows(table, rows, &scored, n_terms)?,
            None => vec![None; rows.len()],
        };
        let score = |(position, explanation): (usize, Option<Explanation>)| {
            let mut details = details(&scored, position);
            if let Some(explanation) = explanation {
                details.insert("explanation".to_owned(), json!(explanation));
            }
            Score { value: value(&scored, position), probability: probability(&scored, position), details }
        };
        Ok(explanations.into_iter().enumerate().map(score).collect())
    }

    fn score_with_lexicon(&self, scorer: SentimentScorer, table: &Table, rows: &[usize]) -> anyhow::Result<Vec<Score>> {
        let texts = |name: &String| {
            let column = table.get(name).context("--scorer reads texts: name their columns with --text-column")?;
            anyhow::Ok(column.as_texts())
        };
        let columns = self.text_columns.iter().map(texts);
        let columns = columns.collect::<anyhow::Result<Vec<_>>>()?;
        let score = |&row: &usize| {
            let texts: Vec<&str> = columns.iter().filter_map(|column| column[row].as_deref()).collect();
            if texts.is_empty() {
                let missing = format!("`{}` is missing", self.text_columns.join("`, `"));
                let details = Map::from_iter([("missing".to_owned(), Value::from(missing))]);
                return Score { value: Value::Null, probability: None, details };
            }
            let text = texts.join("\n");
            let scores = scorer.score(&text);
            let mut details = Map::new();
            details.insert("scores".to_owned(), json!(scores));
            if let Some(n_words) = self.explain {
                let words = strongest(scorer.rated_words(&text), n_words);
                details.insert("explanation".to_owned(), json!({ "words": words }));
            }
            Score { value: Value::from(scores.label()), probability: None, details }
        };
        Ok(rows.iter().map(score).collect())
    }
}

impl DocumentScorer for Scorer {
    fn model_name(&self) -> &ModelName {
        &self.name
    }

    fn model_version(&self) -> u32 {
        self.version
    }

    fn description(&self) -> String {
        self.description.clone()
    }

    fn target(&self) -> &str {
        match &self.rule {
            Rule::Model(model) => &model.spec().target,
            Rule::Lexicon(_) => SENTIMENT,
        }
    }

    fn inputs(&self) -> &[SignatureColumn] {
        &self.inputs
    }

    fn text_columns(&self) -> &[String] {
        &self.text_columns
    }

    fn score(&self, table: &Table) -> Result<Vec<Score>, BoxError> {
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        Ok(self.score_rows(table, &rows)?)
    }
}

/// Returns the `n_words` that say most, the strongest first.
fn strongest(mut words: Vec<RatedWord>, n_words: usize) -> Vec<RatedWord> {
    words.sort_by(|left, right| right.valence.abs().total_cmp(&left.valence.abs()));
    words.truncate(n_words);
    words
}

fn value(scored: &Predictions, row: usize) -> Value {
    match (scored.label(row), scored.number(row)) {
        (Some(label), _) => Value::from(label),
        (None, Some(number)) => Value::from(number),
        (None, None) => Value::Null,
    }
}

fn probability(scored: &Predictions, row: usize) -> Option<f64> {
    let label = scored.label(row)?;
    let class = scored.classes.iter().position(|class| class == label)?;
    Some(scored.probabilities.as_ref()?.row(row)[class])
}

fn details(scored: &Predictions, row: usize) -> Map<String, Value> {
    let mut details = Map::new();
    if let Some(reason) = scored.missing_reason(row) {
        details.insert("missing".to_owned(), Value::from(reason));
        return details;
    }
    let scores = [("probabilities", &scored.probabilities), ("decision_scores", &scored.decision_scores)];
    for (name, scores) in scores {
        if let Some(scores) = scores {
            let by_class = scored.classes.iter().zip(scores.row(row));
            let by_class: Map<String, Value> =
                by_class.map(|(class, score)| (class.clone(), Value::from(*score))).collect();
            details.insert(name.to_owned(), Value::Object(by_class));
        }
    }
    details
}
