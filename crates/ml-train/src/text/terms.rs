//! Cutting documents into the terms that a step asks for.

use super::characters::Characters;
use super::tokenizer::{Tokenizer, Words};
use crate::spec::{Analyzer, TfidfSpec};

/// Cuts documents into terms. It is meant to be used again for the next document, which saves its allocations.
pub(super) struct TermReader<'s> {
    spec: &'s TfidfSpec,
    tokenizer: Tokenizer<'s>,
    words: Words,
    lowered: String,
    characters: Characters,
}

impl<'s> TermReader<'s> {
    pub(super) fn new(spec: &'s TfidfSpec) -> TermReader<'s> {
        TermReader {
            spec,
            tokenizer: Tokenizer::new(spec.lowercase, &spec.stop_words, spec.stem),
            words: Words::default(),
            lowered: String::new(),
            characters: Characters::default(),
        }
    }

    /// Calls `visit` with each term of a document that is joined from parts, as often as it is there.
    #[inline]
    pub(super) fn for_each(&mut self, document: &[&str], mut visit: impl FnMut(&str)) {
        let TfidfSpec { lowercase, ngrams, .. } = *self.spec;
        match self.spec.analyzer {
            Analyzer::Word if ngrams == (1, 1) => {
                self.tokenizer.for_each_word(document.iter().copied(), &mut self.lowered, visit);
            }
            Analyzer::Word => {
                self.tokenizer.words(document.iter().copied(), &mut self.words);
                for n_words in ngrams.0..=ngrams.1.min(self.words.len()) {
                    self.words.terms(n_words).for_each(&mut visit);
                }
            }
            Analyzer::Char => self.characters.for_each_across_words(document, lowercase, ngrams, &mut visit),
            Analyzer::CharWb => self.characters.for_each_within_words(document, lowercase, ngrams, &mut visit),
        }
    }
}
