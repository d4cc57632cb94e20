//! Finding the words of a text that a term stands for.

use super::Document;
use super::tfidf::TfidfModel;
use super::tokenizer::{Tokenizer, Words};

/// The words of a text, in the form that terms are made of and as they are written.
pub(crate) struct WrittenText<'t>(Vec<WrittenWord<'t>>);

/// A word as the tokenizer gives it, and the part of the text that it was made of.
struct WrittenWord<'t> {
    word: String,
    written: &'t str,
}

impl TfidfModel {
    /// Returns the words of `document`.
    pub(crate) fn written<'t>(&self, document: &Document<'t>) -> WrittenText<'t> {
        let tokenizer = Tokenizer::new(self.spec().lowercase, &self.spec().stop_words, self.spec().stem);
        let mut words = Words::default();
        let mut found = Vec::new();
        for text in document {
            // Runs may be longer than words, for marks are taken for letters here, and never shorter.
            for written in text.split(|sign: char| !(sign.is_alphanumeric() || sign == '_')) {
                tokenizer.words([written], &mut words);
                found.extend(words.terms(1).map(|word| WrittenWord { word: word.to_owned(), written }));
            }
        }
        WrittenText(found)
    }
}

impl WrittenText<'_> {
    /// Returns how the text writes `term` where it has it first, and how often it has it.
    pub(crate) fn find(&self, term: &str) -> (Option<String>, usize) {
        let n_words = term.split(' ').count();
        let is_term = |window: &&[WrittenWord<'_>]| window.iter().map(|word| word.word.as_str()).eq(term.split(' '));
        let mut found = self.0.windows(n_words).filter(is_term);
        let Some(first) = found.next() else { return (None, 0) };
        let written = first.iter().map(|word| word.written).collect::<Vec<_>>().join(" ");
        (Some(written), 1 + found.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{StopWords, TfidfSpec};

    #[test]
    fn terms_are_found_as_they_are_written() {
        let spec = TfidfSpec { ngrams: (1, 2), stop_words: StopWords::English, ..TfidfSpec::default() };
        let document: Document<'_> = vec!["Fake NEWS, the fake of the News!", "Élan; ÉLAN"];
        let (model, _) = TfidfModel::fit(&spec, std::slice::from_ref(&document)).unwrap();
        let written = model.written(&document);
        let found = |term| written.find(term);
        assert_eq!(found("fake"), (Some("Fake".to_owned()), 2));
        assert_eq!(found("fake news"), (Some("Fake NEWS".to_owned()), 2));
        assert_eq!(found("élan"), (Some("Élan".to_owned()), 2));
        assert_eq!(found("the"), (None, 0));
    }
}
