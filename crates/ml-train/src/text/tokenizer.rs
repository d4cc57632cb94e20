//! Cutting texts into words, as scikit-learn's default `(?u)\b\w\w+\b` does on lower-cased text.

use super::lower::lower;
use super::stem::StemLanguage;
use super::stop_words;
use super::terms::Term;
use super::word_runs::for_each_run;
use crate::spec::StopWords;

/// Cuts texts into words of at least two word characters.
#[derive(Debug, Clone, Copy)]
pub struct Tokenizer<'s> {
    lowercase: bool,
    stop_words: &'s StopWords,
    stem: Option<StemLanguage>,
}

/// The words of one text. It is meant to be used again for the next text, which saves its allocations.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// The words, with one space between two.
    joined: String,
    /// Where each word begins and ends in `joined`.
    spans: Vec<(u32, u32)>,
    lowered: String,
}

impl<'s> Tokenizer<'s> {
    /// Makes a tokenizer that lowers case or not, leaves out stop words, and cuts words to their stems or not.
    pub fn new(lowercase: bool, stop_words: &'s StopWords, stem: Option<StemLanguage>) -> Tokenizer<'s> {
        Tokenizer { lowercase, stop_words, stem }
    }

    /// Puts the words of the texts in `texts` into `words`, replacing what was there; no word spans two texts.
    pub fn words<'t>(&self, texts: impl IntoIterator<Item = &'t str>, words: &mut Words) {
        let Words { joined, spans, lowered } = words;
        joined.clear();
        spans.clear();
        self.for_each_word(texts, lowered, |word| {
            let word = word.as_str();
            if !joined.is_empty() {
                joined.push(' ');
            }
            let begin = joined.len() as u32;
            joined.push_str(word);
            spans.push((begin, joined.len() as u32));
        });
    }

    /// Calls `visit` with each word of the texts in `texts`; `lowered` is room for one text.
    pub(super) fn for_each_word<'t>(
        &self,
        texts: impl IntoIterator<Item = &'t str>,
        lowered: &mut String,
        mut visit: impl FnMut(Term<'_>),
    ) {
        for text in texts {
            if self.lowercase {
                lower(text, lowered);
                self.cut(lowered, &mut visit);
            } else {
                self.cut(text, &mut visit);
            }
        }
    }

    #[inline]
    fn cut(&self, text: &str, visit: &mut impl FnMut(Term<'_>)) {
        if *self.stop_words == StopWords::None && self.stem.is_none() {
            return for_each_span(text, |begin, end| visit(Term::new(text, begin, end)));
        }
        for_each_span(text, |begin, end| {
            let word = &text[begin..end];
            if stop_words::contains(self.stop_words, word) {
                return;
            }
            match self.stem {
                Some(language) => visit(Term::from(&*language.stem(word))),
                None => visit(Term::new(text, begin, end)),
            }
        });
    }
}

impl Words {
    /// Returns the number of words.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Returns whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Returns the terms of `n_words` successive words, in order, with one space between two words.
    pub fn terms(&self, n_words: usize) -> impl Iterator<Item = &str> {
        self.terms_within(n_words).map(Term::as_str)
    }

    /// Does the same with what comes behind each term.
    pub(super) fn terms_within(&self, n_words: usize) -> impl Iterator<Item = Term<'_>> {
        let term = move |span: &[(u32, u32)]| Term::new(&self.joined, span[0].0 as usize, span[n_words - 1].1 as usize);
        self.spans.windows(n_words).map(term)
    }
}

/// Calls `visit` with where each word of `text` begins and ends.
#[inline]
fn for_each_span(text: &str, mut visit: impl FnMut(usize, usize)) {
    for_each_run(text, |begin, end| {
        // Of at least two characters: it does not end with its first.
        if end - begin > char_width(text.as_bytes()[begin]) {
            visit(begin, end);
        }
    });
}

/// Returns the width in bytes of the character that begins with `byte`.
#[inline]
fn char_width(byte: u8) -> usize {
    byte.leading_ones().max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, n_words: usize, expected: &[&str]) {
        let mut words = Words::default();
        Tokenizer::new(true, &StopWords::None, None).words([text], &mut words);
        assert_eq!(words.terms(n_words).collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn words_have_at_least_two_word_characters() {
        check("I'm at U.S. HQ, e-mail_me 42!", 1, &["at", "hq", "mail_me", "42"]);
        check("", 1, &[]);
        check("a b c", 1, &[]);
    }

    #[test]
    fn letters_of_all_scripts_are_word_characters_and_marks_are_not() {
        check("Élan Straße ΟΔΟΣ", 1, &["élan", "straße", "οδος"]);
        check("日本語 x² ½½", 1, &["日本語", "x²", "½½"]);
        check("हिन्दी", 1, &[]);
    }

    #[test]
    fn terms_span_what_was_left_out_between_words() {
        check("the cat, a dog; ran", 2, &["the cat", "cat dog", "dog ran"]);
        check("one", 2, &[]);
    }

    #[test]
    fn stop_words_are_gone_before_terms_are_made() {
        let mut words = Words::default();
        Tokenizer::new(true, &StopWords::English, None).words(["The cat and THE dog"], &mut words);
        assert_eq!(words.terms(2).collect::<Vec<_>>(), ["cat dog"]);
        let own = StopWords::list(["dog".to_owned(), "cat".to_owned()]);
        Tokenizer::new(true, &own, None).words(["The cat and THE dog"], &mut words);
        assert_eq!(words.terms(1).collect::<Vec<_>>(), ["the", "and", "the"]);
    }

    #[test]
    fn stems_are_made_of_what_stop_words_leave() {
        let mut words = Words::default();
        let tokenizer = Tokenizer::new(true, &StopWords::English, Some(StemLanguage::English));
        tokenizer.words(["The running dogs have run"], &mut words);
        assert_eq!(words.terms(1).collect::<Vec<_>>(), ["run", "dog", "run"]);
    }

    #[test]
    fn no_word_spans_two_texts() {
        let mut words = Words::default();
        Tokenizer::new(true, &StopWords::None, None).words(["ab", "cd"], &mut words);
        assert_eq!(words.terms(1).collect::<Vec<_>>(), ["ab", "cd"]);
    }
}
