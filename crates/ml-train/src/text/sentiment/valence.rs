//! What a word says among the words around it.

use super::modifiers::{IDIOMS, WEAKENING_PHRASES};
use super::words::Word;

/// What a negation makes of a rating.
const NEGATED: f64 = -0.74;
/// What capital letters add among others.
const CAPITALS: f64 = 0.733;
/// What `never so` makes of a rating.
const NEVER_SO: f64 = 1.25;
/// How much of its effect a word keeps at a distance of one, two and three words.
const BY_DISTANCE: [f64; 3] = [1.0, 0.95, 0.9];

/// Returns what the word at `position` adds to the sentiment: its rating, with what the three words before it make of it.
pub(super) fn valence(words: &[Word<'_>], position: usize, capitals_stand_out: bool) -> f64 {
    let word = &words[position];
    let Some(rating) = word.known.rating else { return 0.0 };
    if word.known.intensity.is_some() || (word.lower == "kind" && is_at(words, position + 1, "of")) {
        return 0.0;
    }
    let mut valence = if is_denied(words, position) {
        rating * NEGATED
    } else if word.lower == "no" && words.get(position + 1).is_some_and(|next| next.known.rating.is_some()) {
        0.0
    } else {
        rating
    };
    if word.is_upper && capitals_stand_out {
        valence += if valence > 0.0 { CAPITALS } else { -CAPITALS };
    }
    for distance in 1..=position.min(BY_DISTANCE.len()) {
        let before = &words[position - distance];
        if before.known.rating.is_some() {
            continue;
        }
        valence += intensity(before, valence, capitals_stand_out) * BY_DISTANCE[distance - 1];
        valence *= negation(words, position, distance);
        if distance == BY_DISTANCE.len() {
            valence = with_phrases(words, position, valence);
        }
    }
    if is_least(words, position) { valence * NEGATED } else { valence }
}

fn is_at(words: &[Word<'_>], position: usize, text: &str) -> bool {
    words.get(position).is_some_and(|word| word.lower == text)
}

/// Returns whether the word `distance` words before `position` is `text`.
fn is_before(words: &[Word<'_>], position: usize, distance: usize, text: &str) -> bool {
    position.checked_sub(distance).is_some_and(|before| words[before].lower == text)
}

/// Returns whether a `no` goes with the word: `no fun`, `no real fun`, `no joy or fun`.
fn is_denied(words: &[Word<'_>], position: usize) -> bool {
    let is_before = |distance, text| is_before(words, position, distance, text);
    is_before(1, "no") || is_before(2, "no") || (is_before(3, "no") && (is_before(1, "or") || is_before(1, "nor")))
}

/// Returns how much `before` strengthens or weakens a word of this valence.
fn intensity(before: &Word<'_>, valence: f64, capitals_stand_out: bool) -> f64 {
    let Some(intensity) = before.known.intensity else { return 0.0 };
    let mut intensity = if valence < 0.0 { -intensity } else { intensity };
    if before.is_upper && capitals_stand_out {
        intensity += if valence > 0.0 { CAPITALS } else { -CAPITALS };
    }
    intensity
}

/// Returns what the word at `distance` makes of a valence, as far as it negates.
fn negation(words: &[Word<'_>], position: usize, distance: usize) -> f64 {
    let is = |distance, text| is_before(words, position, distance, text);
    let so_or_this = |distance| is(distance, "so") || is(distance, "this");
    // At a distance of three words, `so` or `this` right before the word is enough, whatever is before it.
    let never_so = match distance {
        2 => is(2, "never") && so_or_this(1),
        3 => (is(3, "never") && so_or_this(2)) || so_or_this(1),
        _ => false,
    };
    let without_doubt = match distance {
        2 => is(2, "without") && is(1, "doubt"),
        3 => is(3, "without") && (is(2, "doubt") || is(1, "doubt")),
        _ => false,
    };
    if never_so {
        NEVER_SO
    } else if !without_doubt && words[position - distance].known.negates {
        NEGATED
    } else {
        1.0
    }
}

/// Returns the valence of a word that has three others before it, with the idioms and phrases that it is near.
fn with_phrases(words: &[Word<'_>], position: usize, valence: f64) -> f64 {
    let find = |phrases: &[(&[&str], f64)], begin: usize, end: usize| {
        words.get(position + begin - 3..=position + end - 3).and_then(|span| find(phrases, span))
    };
    // Places are counted from the third word before.
    let mut valence = [(2, 3), (1, 3), (1, 2), (0, 2), (0, 1)]
        .into_iter()
        .find_map(|(begin, end)| find(IDIOMS, begin, end))
        .unwrap_or(valence);
    for (begin, end) in [(3, 4), (3, 5)] {
        valence = find(IDIOMS, begin, end).unwrap_or(valence);
    }
    for (begin, end) in [(0, 1), (1, 2)] {
        valence += find(WEAKENING_PHRASES, begin, end).unwrap_or(0.0);
    }
    valence
}

fn find(phrases: &[(&[&str], f64)], words: &[Word<'_>]) -> Option<f64> {
    let is = |phrase: &[&str]| {
        phrase.len() == words.len() && phrase.iter().zip(words).all(|(text, word)| word.lower == *text)
    };
    phrases.iter().find(|(phrase, _)| is(phrase)).map(|(_, value)| *value)
}

/// Returns whether `least` turns the word: not so after `at least` and `very least`.
fn is_least(words: &[Word<'_>], position: usize) -> bool {
    let is = |distance, text| is_before(words, position, distance, text);
    is(1, "least") && !is(2, "at") && !is(2, "very")
}
