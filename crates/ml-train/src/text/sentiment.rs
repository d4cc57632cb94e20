//! Sentiment of short texts by a word list and rules, which needs no training: VADER.
//!
//! Source: Hutto and Gilbert, *VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text* (ICWSM
//! 2014). The scores are those of the Python package vaderSentiment 3.3.2, to its rounding, its oddities included: figures
//! and thresholds that were published for it hold here too. The word list and the names of emoji are from there (MIT licence,
//! see `sentiment/LICENSE`).

mod emoji;
mod lexicon;
mod modifiers;
mod valence;
mod words;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use words::{Word, cut};

/// What a text is rated by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentimentScorer {
    /// The word list and the rules of VADER, for English.
    #[default]
    Vader,
}

/// How positive and negative a text is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SentimentScores {
    /// From −1, most negative, to 1, most positive; 4 decimals.
    pub compound: f64,
    /// The share of what is positive, 3 decimals; with the other two it adds up to 1, or to 0 for a text without words.
    pub positive: f64,
    /// The share of what is neither.
    pub neutral: f64,
    /// The share of what is negative.
    pub negative: f64,
}

/// A word of a text, and what it adds to the sentiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RatedWord {
    /// The word as it is written; emoji are written as their names.
    pub word: String,
    /// Its rating, about −4 to 4, with what the words around it make of it.
    pub valence: f64,
}

/// A text is positive from this compound on, and negative from its opposite down: the bounds that the authors propose.
pub const COMPOUND_THRESHOLD: f64 = 0.05;

/// Brings the sum of valences to −1 … 1: about the greatest sum that is expected, squared.
const NORMALISATION: f64 = 15.0;
/// How much one exclamation mark adds, and how many count.
const EXCLAMATION: f64 = 0.292;
const MAX_EXCLAMATIONS: usize = 4;
/// How much each question mark adds where there are several, and from how many on it is the most.
const QUESTION: f64 = 0.18;
const MANY_QUESTIONS: usize = 4;
const MANY_QUESTIONS_ADD: f64 = 0.96;
/// What counts less before the word `but`, and what counts more after it.
const BEFORE_BUT: f64 = 0.5;
const AFTER_BUT: f64 = 1.5;

impl SentimentScorer {
    /// Returns the name and version of what is in the program, such as `vader 3.3.2`.
    pub fn version(self) -> &'static str {
        match self {
            SentimentScorer::Vader => "vader 3.3.2",
        }
    }

    /// Rates `text`; all is 0 for a text without words.
    pub fn score(self, text: &str) -> SentimentScores {
        let text = emoji::named(text);
        let words = cut(&text);
        scores(&valences(&words), emphasis(&text))
    }

    /// Returns the words of `text` that say something, in order.
    pub fn rated_words(self, text: &str) -> Vec<RatedWord> {
        let text = emoji::named(text);
        let words = cut(&text);
        let valences = valences(&words);
        let rated = words.iter().zip(valences).filter(|(_, valence)| *valence != 0.0);
        rated.map(|(word, valence)| RatedWord { word: word.written.to_owned(), valence }).collect()
    }
}

impl SentimentScores {
    /// The names of the scores in the order of [`SentimentScores::values`].
    pub const NAMES: [&'static str; 4] = ["compound", "positive", "neutral", "negative"];

    /// Returns the scores in the order of their names.
    pub fn values(self) -> [f64; 4] {
        [self.compound, self.positive, self.neutral, self.negative]
    }

    /// Returns `positive`, `neutral` or `negative`, by [`COMPOUND_THRESHOLD`].
    pub fn label(self) -> &'static str {
        if self.compound >= COMPOUND_THRESHOLD {
            "positive"
        } else if self.compound <= -COMPOUND_THRESHOLD {
            "negative"
        } else {
            "neutral"
        }
    }
}

fn valences(words: &[Word<'_>]) -> Vec<f64> {
    let n_capitals = words.iter().filter(|word| word.is_upper).count();
    let capitals_stand_out = 0 < n_capitals && n_capitals < words.len();
    let mut valences: Vec<f64> =
        (0..words.len()).map(|position| valence::valence(words, position, capitals_stand_out)).collect();
    if let Some(but) = words.iter().position(|word| word.lower == "but") {
        weigh_around(but, &mut valences);
    }
    valences
}

/// Makes what stands before `but` count less and what stands after it more.
///
/// The package goes through the valences and each time scales the first one that is equal to that at hand, which mostly is
/// that one itself, and otherwise one before it. The set finds it without going through them all.
fn weigh_around(but: usize, valences: &mut [f64]) {
    let with_position = |(position, valence): (usize, &f64)| (valence.to_bits(), position);
    let said = valences.iter().enumerate().filter(|(_, valence)| **valence != 0.0);
    let mut by_valence: BTreeSet<(u64, usize)> = said.map(with_position).collect();
    for at_hand in 0..valences.len() {
        let bits = valences[at_hand].to_bits();
        // Zeros are in no set, and stay zero.
        let Some(&(_, first)) = by_valence.range((bits, 0)..=(bits, at_hand)).next() else { continue };
        let factor = match first.cmp(&but) {
            std::cmp::Ordering::Less => BEFORE_BUT,
            std::cmp::Ordering::Equal => continue,
            std::cmp::Ordering::Greater => AFTER_BUT,
        };
        by_valence.remove(&(bits, first));
        valences[first] *= factor;
        by_valence.insert((valences[first].to_bits(), first));
    }
}

/// Returns how much the punctuation of `text` adds to what it says.
fn emphasis(text: &str) -> f64 {
    let count = |mark: u8| text.bytes().filter(|&byte| byte == mark).count();
    let exclamations = count(b'!').min(MAX_EXCLAMATIONS) as f64 * EXCLAMATION;
    let questions = match count(b'?') {
        0 | 1 => 0.0,
        several if several < MANY_QUESTIONS => several as f64 * QUESTION,
        _ => MANY_QUESTIONS_ADD,
    };
    exclamations + questions
}

fn scores(valences: &[f64], emphasis: f64) -> SentimentScores {
    if valences.is_empty() {
        return SentimentScores::default();
    }
    let mut sum: f64 = valences.iter().sum();
    if sum > 0.0 {
        sum += emphasis;
    } else if sum < 0.0 {
        sum -= emphasis;
    }
    let compound = (sum / (sum * sum + NORMALISATION).sqrt()).clamp(-1.0, 1.0);

    // A word that says nothing counts as 1, hence the 1 for each that says something.
    let (mut positive, mut negative, mut n_neutral) = (0.0, 0.0, 0_usize);
    for &valence in valences {
        if valence > 0.0 {
            positive += valence + 1.0;
        } else if valence < 0.0 {
            negative += valence - 1.0;
        } else {
            n_neutral += 1;
        }
    }
    if positive > f64::abs(negative) {
        positive += emphasis;
    } else if positive < f64::abs(negative) {
        negative -= emphasis;
    }
    let neutral = n_neutral as f64;
    let total = positive + f64::abs(negative) + neutral;
    SentimentScores {
        compound: rounded(compound, 4),
        positive: rounded(positive / total, 3),
        neutral: rounded(neutral / total, 3),
        negative: rounded(f64::abs(negative / total), 3),
    }
}

/// Rounds as Python does: to the nearest decimal of the exact value, and to the even one of two that are as near.
fn rounded(value: f64, n_decimals: usize) -> f64 {
    let rounded: f64 = format!("{value:.n_decimals$}").parse().expect("a printed number reads as one");
    // −0 is told as 0.
    rounded + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_python_rounds() {
        for (value, expected) in [(0.0625, 0.062), (0.1875, 0.188), (0.0005, 0.001), (0.0015, 0.002), (0.3125, 0.312)] {
            assert_eq!(rounded(value, 3), expected, "{value}");
        }
        assert!(rounded(-0.000_01, 4).is_sign_positive());
    }

    #[test]
    fn labels_follow_the_bounds() {
        let label = |compound| SentimentScores { compound, ..SentimentScores::default() }.label();
        assert_eq!(
            [label(0.05), label(0.0499), label(-0.0499), label(-0.05)],
            ["positive", "neutral", "neutral", "negative"]
        );
    }

    #[test]
    fn words_that_say_something_are_told_as_written() {
        let words = SentimentScorer::Vader.rated_words("Not GREAT, but the rest is awful 😀");
        let told: Vec<(&str, bool)> = words.iter().map(|word| (word.word.as_str(), word.valence > 0.0)).collect();
        assert_eq!(told, [("GREAT", false), ("awful", false), ("grinning", true)]);
    }

    #[test]
    fn a_long_text_of_one_word_takes_no_square_of_its_length() {
        let text = format!("{}but {}", "good ".repeat(200_000), "bad ".repeat(200_000));
        let scores = SentimentScorer::Vader.score(&text);
        assert_eq!(scores.compound, -1.0);
    }
}
