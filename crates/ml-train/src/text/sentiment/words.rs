//! Cutting a text into words and emoticons, as VADER reads it.

use std::borrow::Cow;

use super::lexicon::{Known, look_up};

/// A word of a text.
#[derive(Debug)]
pub(super) struct Word<'t> {
    /// As it is written, without punctuation around it.
    pub(super) written: &'t str,
    /// In lower case.
    pub(super) lower: Cow<'t, str>,
    /// Whether it has capital letters alone, and at least one.
    pub(super) is_upper: bool,
    /// What is known of it.
    pub(super) known: Known,
}

/// A word that is this short without the punctuation around it may be an emoticon, and keeps it.
const LONGEST_EMOTICON: usize = 2;

/// Cuts `text` at white space.
pub(super) fn cut(text: &str) -> Vec<Word<'_>> {
    text.split(is_space).filter(|token| !token.is_empty()).map(Word::of).collect()
}

impl<'t> Word<'t> {
    fn of(token: &'t str) -> Word<'t> {
        let stripped = token.trim_matches(|sign: char| sign.is_ascii_punctuation());
        let written = if stripped.chars().nth(LONGEST_EMOTICON).is_none() { token } else { stripped };
        let is_lower = written.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        let lower = if is_lower { Cow::Borrowed(written) } else { Cow::Owned(written.to_lowercase()) };
        let known = look_up(&lower);
        Word { written, is_upper: !is_lower && is_upper(written), lower, known }
    }
}

/// Python splits at four control characters too.
fn is_space(sign: char) -> bool {
    sign.is_whitespace() || ('\x1c'..='\x1f').contains(&sign)
}

fn is_upper(word: &str) -> bool {
    let mut has_capital = false;
    for sign in word.chars() {
        if sign.is_uppercase() {
            has_capital = true;
        } else if sign.is_lowercase() || is_title(sign) {
            return false;
        }
    }
    has_capital
}

/// The letters like `ǅ` that are capital in their first half only are the ones that are neither and have another lower case.
fn is_title(sign: char) -> bool {
    !sign.is_ascii() && !sign.to_lowercase().eq([sign])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let words: Vec<&str> = cut(text).iter().map(|word| word.written).collect();
        assert_eq!(words, expected, "{text:?}");
    }

    #[test]
    fn words_lose_the_punctuation_around_them_and_emoticons_keep_it() {
        check(
            "Well, \"good\" (really): it's :-) \u{a0}<3 \x1fok!",
            &["Well", "good", "really", "it's", ":-)", "<3", "ok!"],
        );
        check(" ", &[]);
    }

    #[test]
    fn capitals_are_told_as_python_tells_them() {
        for (word, expected) in [
            ("GOOD", true),
            ("G00D!", true),
            ("Good", false),
            ("123", false),
            ("ÜBER", true),
            ("Ⅷ", true),
            ("ǅX", false),
        ] {
            assert_eq!(cut(word)[0].is_upper, expected, "{word}");
        }
    }
}
