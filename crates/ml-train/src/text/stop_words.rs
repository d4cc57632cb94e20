//! Words that say little about what a text is about.

use std::sync::LazyLock;

use hashbrown::HashSet;

use crate::spec::StopWords;

/// scikit-learn's `ENGLISH_STOP_WORDS`, from the Glasgow Information Retrieval Group; one word a line, sorted.
static ENGLISH: LazyLock<HashSet<&'static str>> = LazyLock::new(|| include_str!("english.txt").lines().collect());

/// Returns whether `word` is among `stop_words`.
#[inline]
pub(super) fn contains(stop_words: &StopWords, word: &str) -> bool {
    match stop_words {
        StopWords::None => false,
        StopWords::English => ENGLISH.contains(word),
        StopWords::List(words) => words.binary_search_by(|stop_word| stop_word.as_str().cmp(word)).is_ok(),
    }
}
