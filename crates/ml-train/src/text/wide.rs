//! The characters of a text that are not ASCII, and which of them are of words.

use std::sync::LazyLock;

/// A byte of the same value in each place of eight.
pub(super) const ONES: u64 = 0x0101_0101_0101_0101;

/// The highest bit of each place, which is 0 in ASCII.
pub(super) const HIGH: u64 = 0x80 * ONES;

/// Calls `visit` with the place and the character of all in `text` that are not ASCII, which are mostly few.
#[inline]
pub(super) fn for_each_wide(text: &str, mut visit: impl FnMut(usize, char)) {
    let mut visit_at = |place: usize| {
        if let Some(character) = text.get(place..).and_then(|rest| rest.chars().next()) {
            visit(place, character);
        }
    };
    let (eights, rest) = text.as_bytes().as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        let mut leads = lead_bytes(u64::from_le_bytes(*eight));
        while leads != 0 {
            visit_at(index * 8 + leads.trailing_zeros() as usize / 8);
            leads &= leads - 1;
        }
    }
    for (index, _) in rest.iter().enumerate().filter(|(_, byte)| **byte >= 0xc0) {
        visit_at(eights.len() * 8 + index);
    }
}

/// Sets the highest bit of the places where a character of several bytes begins: such a byte has its two highest bits set.
#[inline]
pub(super) fn lead_bytes(eight: u64) -> u64 {
    eight & (eight << 1) & HIGH
}

/// A bit for each character as far as there are any to be told, set for those of words.
///
/// Python's `\w` is a letter, a number or an underscore. `char::is_alphanumeric` takes combining marks for letters too,
/// hence a table of its own.
static WORD_BITS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let class = regex_syntax::parse(r"[\p{L}\p{N}]").expect("the pattern is fixed and valid");
    let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) = class.into_kind() else {
        unreachable!("a class of letters is a class")
    };
    let mut bits = Vec::new();
    for code in class.ranges().iter().flat_map(|range| u32::from(range.start())..=u32::from(range.end())) {
        let word = code as usize / 64;
        bits.resize(bits.len().max(word + 1), 0);
        bits[word] |= 1 << (code % 64);
    }
    bits
});

/// Returns whether a character that is not ASCII is one of words.
#[inline]
pub(super) fn is_wide_word_char(character: char) -> bool {
    let code = u32::from(character);
    WORD_BITS.get(code as usize / 64).is_some_and(|bits| bits >> (code % 64) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_and_numbers_are_of_words_and_marks_are_not() {
        for (character, expected) in
            [('é', true), ('²', true), ('語', true), ('𝒳', true), ('\u{93f}', false), ('’', false), ('😀', false)]
        {
            assert_eq!(is_wide_word_char(character), expected, "{character}");
        }
        assert!(!is_wide_word_char(char::MAX));
    }

    proptest! {
        #[test]
        fn wide_characters_are_found_in_their_places(text in "([ -~]{0,9}[\u{80}-\u{10ffff}]{0,3}){0,9}") {
            let mut found = Vec::new();
            for_each_wide(&text, |place, character| found.push((place, character)));
            let expected: Vec<(usize, char)> = text.char_indices().filter(|(_, character)| !character.is_ascii()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
