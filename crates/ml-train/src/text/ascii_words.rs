//! Finding the words of ASCII text, 64 characters at a time.
//!
//! A character at a time would be told by a branch whether it is of a word, and the processor would guess wrong where every
//! word begins and ends. Here the places come from bits, and there is one branch per word.

/// How many characters are looked at together: as many as a `u64` has bits.
const BLOCK: usize = u64::BITS as usize;

/// A byte of the same value in each place of eight.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The highest bit of each place, which is 0 in ASCII.
const HIGH: u64 = 0x80 * ONES;

/// Calls `visit` with where each run of word characters in `text`, which is ASCII, begins and ends.
#[inline]
pub(super) fn for_each_run(text: &[u8], mut visit: impl FnMut(usize, usize)) {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    // Where the current run began, and whether the character before is of a word.
    let (mut begin, mut is_in_word) = (0, 0);
    for (index, block) in blocks.iter().chain([&last]).enumerate() {
        let bits = word_bits(block);
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

/// Returns a bit for each character, set for letters, digits and the underscore.
#[inline]
fn word_bits(block: &[u8; BLOCK]) -> u64 {
    let (eights, _) = block.as_chunks::<8>();
    let mut bits = 0;
    for (index, eight) in eights.iter().enumerate() {
        bits |= word_bits_of_eight(u64::from_le_bytes(*eight)) << (8 * index);
    }
    bits
}

/// Does the same for eight characters, the first one lowest, by arithmetic on all at once.
#[inline]
fn word_bits_of_eight(characters: u64) -> u64 {
    let lowered = characters | (0x20 * ONES);
    let is_letter = at_least(lowered, b'a') & !at_least(lowered, b'z' + 1);
    let is_digit = at_least(characters, b'0') & !at_least(characters, b'9' + 1);
    let is_underscore = !at_least(characters ^ (u64::from(b'_') * ONES), 1);
    let is_word = (is_letter | is_digit | is_underscore) & HIGH;
    // The product moves the bit of each place to the highest byte, side by side.
    (is_word >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Sets the highest bit of the places whose character is at least `least`; the other bits mean nothing.
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
        for_each_run(text.as_bytes(), |begin, end| runs.push(&text[begin..end]));
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
        let long = "a".repeat(3 * BLOCK);
        for n_before in [0, 1, BLOCK - 1, BLOCK] {
            let text = format!("{}{long} b", " ".repeat(n_before));
            assert_eq!(runs(&text), [&long, "b"]);
        }
        assert_eq!(runs(&long[..BLOCK]), [&long[..BLOCK]]);
        assert_eq!(runs(""), [""; 0]);
    }

    proptest! {
        #[test]
        fn runs_are_those_of_a_split(text in "[ -~\n]{0,300}") {
            let is_other = |character: char| !(character.is_ascii_alphanumeric() || character == '_');
            let expected: Vec<&str> = text.split(is_other).filter(|run| !run.is_empty()).collect();
            prop_assert_eq!(runs(&text), expected);
        }
    }
}
