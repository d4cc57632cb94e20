//! Words that say little about what a text is about.

use std::sync::LazyLock;

use hashbrown::HashSet;

/// scikit-learn's `ENGLISH_STOP_WORDS`, from the Glasgow Information Retrieval Group; one word a line, sorted.
static ENGLISH: LazyLock<HashSet<&'static str>> = LazyLock::new(|| include_str!("english.txt").lines().collect());

/// Returns whether `word`, in lower case, is an English stop word.
pub(super) fn is_english(word: &str) -> bool {
    ENGLISH.contains(word)
}
