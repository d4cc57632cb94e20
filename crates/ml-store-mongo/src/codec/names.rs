//! Field names that MongoDB cannot query or hold, in a form that it can.
//!
//! As MongoDB's own documentation once advised, a full-width twin stands for the character: `．` for `.`, `＄` for a leading
//! `$`, and `␀` for NUL. Where a name has such a twin itself, a `＼` goes before it; a lone `＼` is the empty name.

use std::borrow::Cow;

const DOT: char = '．';
const DOLLAR: char = '＄';
const NUL: char = '␀';
const ESCAPE: char = '＼';

/// Returns `name` as it is written.
pub(crate) fn encoded(name: &str) -> Cow<'_, str> {
    if is_ordinary(name) { Cow::Borrowed(name) } else { Cow::Owned(encode_odd(name)) }
}

fn is_ordinary(name: &str) -> bool {
    let begins_well = name.bytes().next().is_some_and(|byte| byte != b'$');
    begins_well && name.bytes().all(|byte| byte.is_ascii() && byte != b'.' && byte != 0)
}

fn encode_odd(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    if name.is_empty() {
        text.push(ESCAPE);
    }
    for (position, char) in name.char_indices() {
        match char {
            '.' => text.push(DOT),
            '\0' => text.push(NUL),
            '$' if position == 0 => text.push(DOLLAR),
            DOT | NUL | ESCAPE => text.extend([ESCAPE, char]),
            DOLLAR if position == 0 => text.extend([ESCAPE, char]),
            _ => text.push(char),
        }
    }
    text
}

/// Returns the name that is written as `text`; a name that was not written by [`encoded`] is taken as it is where it can be.
pub(crate) fn decoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut name = String::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((position, char)) = chars.next() {
        match char {
            DOT => name.push('.'),
            NUL => name.push('\0'),
            DOLLAR if position == 0 => name.push('$'),
            ESCAPE => name.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => name.push(char),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(name: &str, expected: &str) {
        assert_eq!(encoded(name), expected);
        assert_eq!(decoded(expected), name);
    }

    #[test]
    fn ordinary_names_stay() {
        for name in ["a", "a b", "10", "a$", "growth %", "日本語", "é"] {
            check(name, name);
        }
    }

    #[test]
    fn odd_names_have_a_form() {
        check("", "＼");
        check("a.b", "a．b");
        check("$where", "＄where");
        check("a\0b", "a␀b");
        check("a．b", "a＼．b");
        check("＄", "＼＄");
        check("a＄", "a＄");
        check("＼json", "＼＼json");
    }

    proptest! {
        #[test]
        fn names_come_back(name in "[.$\0．＄␀＼a]{0,8}|\\PC*") {
            let text = encoded(&name).into_owned();
            prop_assert!(!text.is_empty() && !text.contains(['.', '\0']) && !text.starts_with('$'), "{}", text);
            prop_assert_ne!(&text, super::super::JSON_TEXT_FIELD);
            prop_assert_eq!(decoded(&text), name);
        }
    }
}
