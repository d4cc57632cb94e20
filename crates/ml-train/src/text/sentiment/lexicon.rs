//! What is known of words: their ratings, and which of them strengthen, weaken or turn what follows.

use std::sync::LazyLock;

use hashbrown::HashMap;

use super::modifiers::{INTENSIFIERS, NEGATIONS};

/// What is known of a word.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    /// How positive it is, −4 to 4, where it is in the word list.
    pub(super) rating: Option<f64>,
    /// How much it strengthens what follows, or weakens it where it is negative.
    pub(super) intensity: Option<f64>,
    /// Whether it turns what follows into its opposite.
    pub(super) negates: bool,
}

static WORDS: LazyLock<HashMap<&'static str, Known>> = LazyLock::new(|| {
    let mut words: HashMap<&'static str, Known> = HashMap::new();
    for (word, rating) in ratings() {
        words.entry(word).or_default().rating = Some(rating);
    }
    for &(word, intensity) in INTENSIFIERS {
        words.entry(word).or_default().intensity = Some(intensity);
    }
    for &word in NEGATIONS {
        words.entry(word).or_default().negates = true;
    }
    words
});

/// Returns the words with their mean ratings by ten people, one of each a line. Made by `tests/golden/sentiment.py`.
fn ratings() -> impl Iterator<Item = (&'static str, f64)> {
    let lines = include_str!("vader_lexicon.txt").lines().filter_map(|line| line.split_once('\t'));
    lines.filter_map(|(word, rating)| Some((word, rating.parse().ok()?)))
}

/// Returns what is known of `word`, which is in lower case.
pub(super) fn look_up(word: &str) -> Known {
    let mut known = WORDS.get(word).copied().unwrap_or_default();
    known.negates |= word.contains("n't");
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_word_list_is_read() {
        let lines = include_str!("vader_lexicon.txt").lines().count();
        assert_eq!((ratings().count(), lines), (7_488, 7_488));
        assert!(ratings().all(|(word, rating)| word == word.to_lowercase() && (-4.0..=4.0).contains(&rating)));
        assert_eq!(look_up("good").rating, Some(1.9));
    }

    #[test]
    fn contractions_with_not_negate() {
        assert!(look_up("needn't've").negates && look_up("never").negates && !look_up("no").negates);
    }
}
