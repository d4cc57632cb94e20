//! Cutting texts into words, as scikit-learn's default `(?u)\b\w\w+\b` does on lower-cased text.

use std::sync::LazyLock;

use super::stop_words;
use crate::spec::StopWords;

/// Cuts texts into words of at least two word characters.
#[derive(Debug, Clone, Copy)]
pub struct Tokenizer {
    lowercase: bool,
    stop_words: StopWords,
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

impl Tokenizer {
    /// Makes a tokenizer that lowers case or not, and leaves out stop words or not.
    pub fn new(lowercase: bool, stop_words: StopWords) -> Tokenizer {
        Tokenizer { lowercase, stop_words }
    }

    /// Puts the words of the texts in `texts` into `words`, replacing what was there; no word spans two texts.
    pub fn words<'t>(&self, texts: impl IntoIterator<Item = &'t str>, words: &mut Words) {
        words.joined.clear();
        words.spans.clear();
        for text in texts {
            if self.lowercase {
                let mut lowered = std::mem::take(&mut words.lowered);
                lower(text, &mut lowered);
                self.cut(&lowered, words);
                words.lowered = lowered;
            } else {
                self.cut(text, words);
            }
        }
    }

    fn cut(self, text: &str, words: &mut Words) {
        let bytes = text.as_bytes();
        let mut position = 0;
        while position < bytes.len() {
            let begin = position;
            let mut n_chars = 0;
            while let Some(width) = word_char_width(text, position) {
                position += width;
                n_chars += 1;
            }
            if n_chars >= 2 {
                self.keep(&text[begin..position], words);
            }
            position += char_width(bytes, position);
        }
    }

    fn keep(self, word: &str, words: &mut Words) {
        if self.stop_words == StopWords::English && stop_words::is_english(word) {
            return;
        }
        if !words.joined.is_empty() {
            words.joined.push(' ');
        }
        let begin = words.joined.len() as u32;
        words.joined.push_str(word);
        words.spans.push((begin, words.joined.len() as u32));
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
        self.spans.windows(n_words).map(move |span| &self.joined[span[0].0 as usize..span[n_words - 1].1 as usize])
    }
}

fn lower(text: &str, lowered: &mut String) {
    lowered.clear();
    if text.is_ascii() {
        lowered.push_str(text);
        lowered.make_ascii_lowercase();
    } else {
        *lowered = text.to_lowercase();
    }
}

/// Returns the width in bytes of the word character at `position`, if there is one.
#[inline]
fn word_char_width(text: &str, position: usize) -> Option<usize> {
    let &byte = text.as_bytes().get(position)?;
    if byte < 0x80 {
        return ASCII_WORD[byte as usize].then_some(1);
    }
    let character = text[position..].chars().next()?;
    is_wide_word_char(character).then(|| character.len_utf8())
}

/// Returns the width in bytes of the character at `position`; 1 at the end.
#[inline]
fn char_width(bytes: &[u8], position: usize) -> usize {
    match bytes.get(position) {
        Some(0xc0..0xe0) => 2,
        Some(0xe0..0xf0) => 3,
        Some(0xf0..) => 4,
        _ => 1,
    }
}

const ASCII_WORD: [bool; 128] = {
    let mut table = [false; 128];
    let mut byte = 0;
    while byte < 128 {
        let character = byte as u8;
        table[byte] = character.is_ascii_alphanumeric() || character == b'_';
        byte += 1;
    }
    table
};

/// Python's `\w` is a letter, a number or an underscore. `char::is_alphanumeric` takes combining marks for letters too,
/// hence a table of its own.
static WIDE_WORD_RANGES: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let class = regex_syntax::parse(r"[\p{L}\p{N}]").expect("the pattern is fixed and valid");
    let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) = class.into_kind() else {
        unreachable!("a class of letters is a class")
    };
    class.ranges().iter().map(|range| (range.start(), range.end())).collect()
});

fn is_wide_word_char(character: char) -> bool {
    let ranges = &*WIDE_WORD_RANGES;
    let after = ranges.partition_point(|&(begin, _)| begin <= character);
    after > 0 && character <= ranges[after - 1].1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, n_words: usize, expected: &[&str]) {
        let mut words = Words::default();
        Tokenizer::new(true, StopWords::None).words([text], &mut words);
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
        Tokenizer::new(true, StopWords::English).words(["The cat and THE dog"], &mut words);
        assert_eq!(words.terms(2).collect::<Vec<_>>(), ["cat dog"]);
    }

    #[test]
    fn no_word_spans_two_texts() {
        let mut words = Words::default();
        Tokenizer::new(true, StopWords::None).words(["ab", "cd"], &mut words);
        assert_eq!(words.terms(1).collect::<Vec<_>>(), ["ab", "cd"]);
    }
}
