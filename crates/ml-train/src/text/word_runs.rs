//! Finding the words of a text, 64 bytes at a time.
//!
//! A character at a time would be told by a branch whether it is of a word, and the processor would guess wrong where every
//! word begins and ends. Here the places come from bits, and there is one branch per word. What is not ASCII is looked up,
//! a character at a time, and sets the bits of all its bytes.

use super::wide::{HIGH, ONES, is_wide_word_char, lead_bytes};

/// How many bytes are looked at together: as many as a `u64` has bits.
const BLOCK: usize = u64::BITS as usize;

/// Calls `visit` with where each run of word characters in `text` begins and ends.
#[inline]
pub(super) fn for_each_run(text: &str, mut visit: impl FnMut(usize, usize)) {
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    // Where the current run began, and whether the byte before is of a word.
    let (mut begin, mut is_in_word) = (0, 0);
    // The bits of a character that reaches over into the next block.
    let mut reaching_over = 0;
    for (index, block) in blocks.iter().chain([&last]).enumerate() {
        let mut bits = std::mem::take(&mut reaching_over) | ascii_word_bits(block);
        if !block.is_ascii() {
            let wide = wide_word_bits(text, index * BLOCK, block);
            bits |= wide as u64;
            reaching_over = (wide >> BLOCK) as u64;
        }
        // Set where a run begins, or where one is over, by turns.
        let mut edges = bits ^ ((bits << 1) | is_in_word);
        let mut is_open = is_in_word == 1;
        while edges != 0 {
            let place = index * BLOCK + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            if is_open {
                visit(begin, place);
            } else {
                begin = place;
            }
            is_open = !is_open;
        }
        is_in_word = bits >> (BLOCK - 1);
    }
    if is_in_word == 1 {
        visit(begin, text.len());
    }
}

/// Returns a bit for each byte, set for letters and digits of ASCII and the underscore.
#[inline]
fn ascii_word_bits(block: &[u8; BLOCK]) -> u64 {
    let (eights, _) = block.as_chunks::<8>();
    let mut bits = 0;
    for (index, eight) in eights.iter().enumerate() {
        bits |= gathered(word_bytes(u64::from_le_bytes(*eight))) << (8 * index);
    }
    bits
}

/// Returns a bit for each byte from `begin` in `text`, where `block` is, set for those of word characters that begin in the
/// block and are not ASCII.
#[inline]
fn wide_word_bits(text: &str, begin: usize, block: &[u8; BLOCK]) -> u128 {
    let (eights, _) = block.as_chunks::<8>();
    let mut bits = 0;
    for (index, eight) in eights.iter().enumerate() {
        let mut leads = lead_bytes(u64::from_le_bytes(*eight));
        while leads != 0 {
            let place = 8 * index + leads.trailing_zeros() as usize / 8;
            leads &= leads - 1;
            if let Some(character) = text[begin + place..].chars().next()
                && is_wide_word_char(character)
            {
                bits |= ((1 << character.len_utf8()) - 1) << place;
            }
        }
    }
    bits
}

/// Sets the highest bit of the places of word characters of ASCII, by arithmetic on all eight at once.
#[inline]
fn word_bytes(eight: u64) -> u64 {
    let characters = eight & !HIGH;
    let lowered = characters | (0x20 * ONES);
    let is_letter = at_least(lowered, b'a') & !at_least(lowered, b'z' + 1);
    let is_digit = at_least(characters, b'0') & !at_least(characters, b'9' + 1);
    let is_underscore = !at_least(characters ^ (u64::from(b'_') * ONES), 1);
    (is_letter | is_digit | is_underscore) & HIGH & !eight
}

/// Moves the highest bit of each place to the lowest byte, side by side, the first one lowest.
#[inline]
fn gathered(high_bits: u64) -> u64 {
    (high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Sets the highest bit of the places whose character, one of ASCII, is at least `least`; the other bits mean nothing.
#[inline]
fn at_least(characters: u64, least: u8) -> u64 {
    // No sum is above 255, so that no place carries into the next.
    characters + u64::from(0x80 - least) * ONES
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runs(text: &str) -> Vec<&str> {
        let mut runs = Vec::new();
        for_each_run(text, |begin, end| runs.push(&text[begin..end]));
        runs
    }

    #[test]
    fn every_character_is_told() {
        for byte in 0..128_u8 {
            let is_word = byte.is_ascii_alphanumeric() || byte == b'_';
            assert_eq!(runs(std::str::from_utf8(&[b' ', byte]).unwrap()).len(), usize::from(is_word), "{byte}");
        }
    }

    #[test]
    fn runs_go_on_over_blocks() {
        for letter in ["a", "é", "語", "𝒳"] {
            let long = letter.repeat(3 * BLOCK);
            for n_before in [0, 1, 2, 3, BLOCK - 1, BLOCK] {
                let text = format!("{}{long} b", " ".repeat(n_before));
                assert_eq!(runs(&text), [&long, "b"]);
            }
            assert_eq!(runs(&long[..2 * BLOCK / letter.len() * letter.len()]).len(), 1);
        }
        assert_eq!(runs(""), [""; 0]);
    }

    proptest! {
        #[test]
        fn runs_are_those_of_a_split(text in "([ -~\n]{0,60}[éß²日\u{301}’“😀𝒳\u{10ffff}]{0,3}){0,6}") {
            let is_word = |character: char| {
                character.is_ascii_alphanumeric() || character == '_' || (!character.is_ascii() && is_wide_word_char(character))
            };
            let expected: Vec<&str> = text.split(|character| !is_word(character)).filter(|run| !run.is_empty()).collect();
            prop_assert_eq!(runs(&text), expected);
        }
    }
}
