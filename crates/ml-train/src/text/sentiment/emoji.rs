//! Emoji as words: each is read as its name.

use std::borrow::Cow;
use std::sync::LazyLock;

/// Emoji of one code point and their names, one a line, by ascending code point. Made by `tests/golden/sentiment.py`.
static NAMES: LazyLock<Vec<(char, &'static str)>> = LazyLock::new(|| {
    let lines = include_str!("emoji.txt").lines().filter_map(|line| line.split_once('\t'));
    lines.filter_map(|(sign, name)| Some((sign.chars().next()?, name))).collect()
});

fn name(sign: char) -> Option<&'static str> {
    NAMES.binary_search_by_key(&sign, |&(known, _)| known).ok().map(|position| NAMES[position].1)
}

/// Returns `text` with each emoji as its name, with a space before it unless there is one.
pub(super) fn named(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(|sign| !sign.is_ascii() && name(sign).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut named = String::with_capacity(text.len() + 64);
    let mut after_space = true;
    for sign in text.chars() {
        let name = if sign.is_ascii() { None } else { name(sign) };
        match name {
            Some(name) => {
                if !after_space {
                    named.push(' ');
                }
                named.push_str(name);
                after_space = false;
            }
            None => {
                named.push(sign);
                after_space = sign == ' ';
            }
        }
    }
    Cow::Owned(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_read_as_their_names() {
        for (text, expected) in [
            ("fine", "fine"),
            ("schön", "schön"),
            ("😀", "grinning face"),
            ("so😀 😀😀!", "so grinning face grinning face grinning face!"),
        ] {
            assert_eq!(named(text), expected);
        }
    }

    #[test]
    fn names_are_sorted_and_no_sign_is_ascii() {
        assert!(NAMES.len() > 1_200 && NAMES.is_sorted_by(|left, right| left.0 < right.0));
        assert!(NAMES.iter().all(|(sign, _)| !sign.is_ascii()));
    }
}
