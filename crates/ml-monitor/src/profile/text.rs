//! The profile of a column of free text.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::categories::{self, CategoryCount};
use super::numeric::NumericProfile;
use crate::words::words;

/// The most words that are kept apart.
const MAX_WORDS: usize = 100;

/// What a sample of texts is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextProfile {
    /// How many rows have no text.
    pub n_missing: u64,
    /// How many rows have a text, empty ones included.
    pub n_present: u64,
    /// How many texts are empty or only white space.
    pub n_blank: u64,
    /// Lengths in characters.
    pub characters: NumericProfile,
    /// Lengths in words.
    pub words: NumericProfile,
    /// The most frequent words, up to 100, by falling count and then by spelling.
    pub top_words: Vec<CategoryCount>,
    /// How often any other word occurs.
    pub n_other_words: u64,
}

impl TextProfile {
    /// Profiles `texts`; `None` is missing.
    pub fn of(texts: &[Option<Cow<'_, str>>]) -> TextProfile {
        let mut counts: HashMap<String, u64> = HashMap::new();
        for text in texts.iter().flatten() {
            for word in words(text) {
                *counts.entry(word).or_default() += 1;
            }
        }
        let (top_words, n_other_words) = categories::most_frequent(counts, MAX_WORDS);
        let n_present = texts.iter().flatten().count() as u64;
        let lengths = text_lengths(texts);
        TextProfile {
            n_missing: texts.len() as u64 - n_present,
            n_present,
            n_blank: texts.iter().flatten().filter(|text| text.trim().is_empty()).count() as u64,
            characters: NumericProfile::of(&lengths.characters),
            words: NumericProfile::of(&lengths.words),
            top_words,
            n_other_words,
        }
    }

    /// Returns how often each of the top words occurs, and all others together, in that order.
    pub fn word_counts(&self) -> Vec<u64> {
        self.top_words.iter().map(|word| word.count).chain([self.n_other_words]).collect()
    }

    /// Counts the words of `texts` by the top words of this profile, all others together at the end.
    pub(crate) fn count_words(&self, texts: &[Option<Cow<'_, str>>]) -> Vec<u64> {
        categories::count_by(&self.top_words, texts.iter().flatten().flat_map(|text| words(text)))
    }
}

/// The lengths of some texts; those of missing ones are `NaN`.
pub(crate) struct TextLengths {
    pub(crate) characters: Vec<f64>,
    pub(crate) words: Vec<f64>,
}

/// Measures each text in characters and in words.
pub(crate) fn text_lengths(texts: &[Option<Cow<'_, str>>]) -> TextLengths {
    let measure = |length: fn(&str) -> usize| {
        texts.iter().map(|text| text.as_ref().map_or(f64::NAN, |text| length(text) as f64)).collect()
    };
    TextLengths { characters: measure(|text| text.chars().count()), words: measure(|text| words(text).count()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_words_and_blanks_are_counted() {
        let texts = [Some(Cow::Borrowed("the cat saw the dog")), Some(Cow::Borrowed("  ")), None];
        let profile = TextProfile::of(&texts);
        assert_eq!((profile.n_missing, profile.n_present, profile.n_blank), (1, 2, 1));
        assert_eq!(profile.words.summary.max, Some(5.0));
        assert_eq!(profile.characters.summary.max, Some(19.0));
        assert_eq!(profile.top_words[0], CategoryCount { value: "the".to_owned(), count: 2 });
        assert_eq!(profile.word_counts(), profile.count_words(&texts));
    }
}
