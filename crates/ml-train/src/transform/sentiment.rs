//! The step from texts to how positive and negative they are.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Block, TextColumn, TransformContext, Transformer};
use crate::error::PredictError;
use crate::text::{SentimentScorer, SentimentScores};

/// How many features the step makes of a column.
pub(crate) const N_SCORES: usize = SentimentScores::NAMES.len();

/// Rates the texts of each column; learns nothing, and remembers which scorer it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentimentStep {
    scorer: SentimentScorer,
    /// The version that the training rows were rated with: another one might rate otherwise.
    version: String,
}

impl SentimentStep {
    pub(super) fn new(scorer: SentimentScorer) -> SentimentStep {
        SentimentStep { scorer, version: scorer.version().to_owned() }
    }

    pub(super) fn inconsistency(&self) -> Option<String> {
        let supported = self.scorer.version();
        (self.version != supported)
            .then(|| format!("its texts were rated with {}, this release has {supported}: train again", self.version))
    }

    /// Returns the four columns of scores of a column of texts.
    fn scores(&self, texts: &TextColumn<'_>) -> Vec<Cow<'static, [f64]>> {
        let score = |text: &Option<Cow<'_, str>>| {
            text.as_deref().map_or([f64::NAN; N_SCORES], |text| self.scorer.score(text).values())
        };
        let rated: Vec<[f64; N_SCORES]> = texts.par_iter().map(score).collect();
        (0..N_SCORES).map(|score| Cow::Owned(rated.iter().map(|scores| scores[score]).collect())).collect()
    }
}

impl Transformer for SentimentStep {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs * N_SCORES
    }

    fn name_outputs(&self, inputs: Vec<String>) -> Vec<String> {
        let names = |input: &String| SentimentScores::NAMES.map(|score| format!("{input}.{score}"));
        inputs.iter().flat_map(names).collect()
    }

    fn transform<'a>(&self, block: Block<'a>, _context: &mut TransformContext) -> Result<Block<'a>, PredictError> {
        Ok(Block::Numbers(block.texts()?.iter().flat_map(|texts| self.scores(texts)).collect()))
    }
}
