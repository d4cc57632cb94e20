//! Cutting documents into the terms that a step asks for.

use super::characters::Characters;
use super::tokenizer::{Tokenizer, Words};
use crate::spec::{Analyzer, TfidfSpec};

/// A term, and the text that it is a part of, so that what comes behind it may be read along.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term<'t> {
    within: &'t str,
    begin: usize,
    end: usize,
}

impl<'t> Term<'t> {
    #[inline]
    pub(super) fn new(within: &'t str, begin: usize, end: usize) -> Term<'t> {
        Term { within, begin, end }
    }

    #[inline]
    pub(super) fn as_str(self) -> &'t str {
        &self.within[self.begin..self.end]
    }

    /// Returns the number of bytes.
    #[inline]
    pub(super) fn len(self) -> usize {
        self.end - self.begin
    }

    /// Returns the first `N` bytes of the term and what comes behind it, if there are so many.
    #[inline]
    pub(super) fn first_bytes<const N: usize>(self) -> Option<&'t [u8; N]> {
        self.within.as_bytes().get(self.begin..)?.first_chunk()
    }
}

impl<'t> From<&'t str> for Term<'t> {
    fn from(term: &'t str) -> Term<'t> {
        Term::new(term, 0, term.len())
    }
}

/// Cuts documents into terms.
pub(super) struct TermReader<'s> {
    spec: &'s TfidfSpec,
    tokenizer: Tokenizer<'s>,
    room: &'s mut TermRoom,
}

/// Room to cut a document in. It is meant to be used again for the next document, which saves its allocations.
#[derive(Debug, Default)]
pub(super) struct TermRoom {
    words: Words,
    lowered: String,
    characters: Characters,
}

impl<'s> TermReader<'s> {
    pub(super) fn new(spec: &'s TfidfSpec, room: &'s mut TermRoom) -> TermReader<'s> {
        TermReader { spec, tokenizer: Tokenizer::new(spec.lowercase, &spec.stop_words, spec.stem), room }
    }

    /// Calls `visit` with each term of a document that is joined from parts, as often as it is there.
    #[inline]
    pub(super) fn for_each(&mut self, document: &[&str], mut visit: impl FnMut(Term<'_>)) {
        let TfidfSpec { lowercase, ngrams, .. } = *self.spec;
        let TermRoom { words, lowered, characters } = &mut *self.room;
        match self.spec.analyzer {
            Analyzer::Word if ngrams == (1, 1) => {
                self.tokenizer.for_each_word(document.iter().copied(), lowered, visit);
            }
            Analyzer::Word => {
                self.tokenizer.words(document.iter().copied(), words);
                for n_words in ngrams.0..=ngrams.1.min(words.len()) {
                    words.terms_within(n_words).for_each(&mut visit);
                }
            }
            Analyzer::Char => characters.for_each_across_words(document, lowercase, ngrams, &mut visit),
            Analyzer::CharWb => characters.for_each_within_words(document, lowercase, ngrams, &mut visit),
        }
    }
}
