//! Texts in lower case.

use super::wide::for_each_wide;

/// Characters from here on are the same in lower case, up to [`NO_CASE_END`]: typographic quotes, dashes and signs of
/// currencies, which are most of what is not ASCII in English.
const NO_CASE_BEGIN: char = '\u{2000}';
const NO_CASE_END: char = '\u{2100}';

/// Puts `text` in lower case, as [`str::to_lowercase`] makes it, into `lowered`, replacing what was there.
///
/// What is not ASCII is looked at by itself, and all between two such characters that change is copied at once.
pub(super) fn lower(text: &str, lowered: &mut String) {
    lowered.clear();
    if text.is_ascii() {
        push_ascii(text, lowered);
        return;
    }
    if text.contains('Σ') {
        // Which of two small letters it becomes depends on those around it.
        *lowered = text.to_lowercase();
        return;
    }
    let mut n_done = 0;
    for_each_wide(text, |place, character| {
        if (NO_CASE_BEGIN..NO_CASE_END).contains(&character) {
            return;
        }
        let small = character.to_lowercase();
        if small.len() > 1 || small.clone().next() != Some(character) {
            push_ascii(&text[n_done..place], lowered);
            lowered.extend(small);
            n_done = place + character.len_utf8();
        }
    });
    push_ascii(&text[n_done..], lowered);
}

/// Appends `text`, with its letters of ASCII in lower case.
fn push_ascii(text: &str, lowered: &mut String) {
    let begin = lowered.len();
    lowered.push_str(text);
    lowered[begin..].make_ascii_lowercase();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str) {
        let mut lowered = "what was there".to_owned();
        lower(text, &mut lowered);
        assert_eq!(lowered, text.to_lowercase(), "{text:?}");
    }

    #[test]
    fn every_character_becomes_what_it_does_elsewhere() {
        for character in char::MIN..=char::MAX {
            check(&format!("A{character}B"));
        }
    }

    #[test]
    fn a_sigma_depends_on_what_is_around_it() {
        check("ΟΔΟΣ ΣΑΣ Σ");
    }

    proptest! {
        #[test]
        fn texts_become_what_they_do_elsewhere(text in "([ -~]{0,9}[ÀßİΣ“”€ŉǅÅ\u{212b}Ⱥé語😀]{0,2}){0,9}") {
            check(&text);
        }
    }
}
