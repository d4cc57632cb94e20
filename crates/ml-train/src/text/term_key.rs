//! What a table of terms knows a term by: short terms by their bytes, long ones by a hash.

use std::hash::{BuildHasher, Hasher};

use hashbrown::DefaultHashBuilder;

use super::terms::Term;

/// The most bytes of a term that a key holds. Of the words of English texts it is more than nine in ten.
const MAX_SHORT: usize = 11;

/// What a table compares before it looks at the text of a term.
///
/// A short term is its key: the first eight bytes, and behind them up to three with the length above, 1 added, so that
/// no term has the key of nothing. A long one has its hash in the upper half of `head`; its lower half is room for where
/// the term begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TermKey {
    pub(super) head: u64,
    pub(super) tail: u32,
}

/// Where the length of a short term is in `tail`.
const LENGTH_SHIFT: u32 = 24;

/// In place of the length, for long terms; below it is their length as far as it fits.
const LONG: u32 = 0xff << LENGTH_SHIFT;

impl TermKey {
    pub(super) fn is_long(self) -> bool {
        self.tail >= LONG
    }

    pub(super) fn is_nothing(self) -> bool {
        self.tail == 0
    }

    /// Returns the key of a long term with where it begins.
    pub(super) fn beginning_at(self, begin: u32) -> TermKey {
        TermKey { head: self.head | u64::from(begin), ..self }
    }

    /// Returns where the long term begins that a table holds by this key.
    pub(super) fn begin(self) -> u32 {
        self.head as u32
    }

    /// Returns whether two long terms may be the same.
    #[inline]
    pub(super) fn resembles(self, other: TermKey) -> bool {
        self.tail == other.tail && self.head >> u32::BITS == other.head >> u32::BITS
    }

    /// Packs a short term.
    #[inline]
    fn short(term: Term<'_>) -> TermKey {
        let length = term.len();
        // With enough behind the term its bytes are read in one go, whatever its length.
        let Some(bytes) = term.first_bytes::<12>() else { return TermKey::short_at_end(term) };
        let [head, tail] = MASKS[length];
        let last = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], 0]);
        TermKey { head: first_eight(bytes) & head, tail: last & tail as u32 | length_code(length) }
    }

    #[cold]
    fn short_at_end(term: Term<'_>) -> TermKey {
        let mut bytes = [0; 12];
        bytes[..term.len()].copy_from_slice(term.as_str().as_bytes());
        let last = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], 0]);
        TermKey { head: first_eight(&bytes), tail: last | length_code(term.len()) }
    }
}

#[inline]
fn first_eight(bytes: &[u8; 12]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes are eight bytes"))
}

#[inline]
fn length_code(length: usize) -> u32 {
    (length as u32 + 1) << LENGTH_SHIFT
}

/// For each length, the bits of `head` and of `tail` that are of a term.
const MASKS: [[u64; 2]; MAX_SHORT + 1] = {
    let mut masks = [[0; 2]; MAX_SHORT + 1];
    let mut length = 0;
    while length <= MAX_SHORT {
        let bits = (1_u128 << (8 * length)) - 1;
        masks[length] = [bits as u64, (bits >> u64::BITS) as u64];
        length += 1;
    }
    masks
};

/// Makes keys and hashes of terms, other ones in each process: nobody can make texts whose terms have hashes alike.
#[derive(Debug, Clone)]
pub(super) struct TermHasher {
    seeds: [u64; 2],
    of_long: DefaultHashBuilder,
}

impl Default for TermHasher {
    fn default() -> TermHasher {
        let of_long = DefaultHashBuilder::default();
        TermHasher { seeds: [0, 1].map(|number: u64| of_long.hash_one(number)), of_long }
    }
}

impl TermHasher {
    /// Returns the key of a term.
    #[inline]
    pub(super) fn key(&self, term: Term<'_>) -> TermKey {
        if term.len() <= MAX_SHORT { TermKey::short(term) } else { self.long_key(term.as_str()) }
    }

    fn long_key(&self, term: &str) -> TermKey {
        let mut hasher = self.of_long.build_hasher();
        hasher.write(term.as_bytes());
        let length = term.len().min((1 << LENGTH_SHIFT) - 1) as u32;
        TermKey { head: hasher.finish() << u32::BITS, tail: LONG | length }
    }

    /// Returns the hash of the term that a key is of.
    #[inline]
    pub(super) fn hash(&self, key: TermKey) -> u32 {
        if key.is_long() {
            return (key.head >> u32::BITS) as u32;
        }
        // Both halves of a long product depend on all bits of both factors, which nobody can choose.
        let product = u128::from(key.head ^ self.seeds[0]) * u128::from(u64::from(key.tail) ^ self.seeds[1]);
        (product as u64 ^ (product >> u64::BITS) as u64) as u32
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terms_that_differ_in_length_alone_differ() {
        let hasher = TermHasher::default();
        let texts: Vec<String> = (0..40).map(|length| "\0".repeat(length)).collect();
        let keys: HashSet<(u64, u32)> =
            texts.iter().map(|text| hasher.key(text.as_str().into())).map(|key| (key.head, key.tail)).collect();
        assert_eq!(keys.len(), texts.len());
        assert!(!hasher.key("".into()).is_nothing());
    }

    proptest! {
        #[test]
        fn a_short_key_has_all_bytes_in_order(term in "[a-z]{0,11}|[é語]{0,3}", behind in "[a-z]{0,20}") {
            let text = format!(" {term}{behind}");
            let key = TermHasher::default().key(Term::new(&text, 1, 1 + term.len()));
            let mut expected = [0; 12];
            expected[..term.len()].copy_from_slice(term.as_bytes());
            expected[MAX_SHORT] = term.len() as u8 + 1;
            prop_assert_eq!([&key.head.to_le_bytes()[..], &key.tail.to_le_bytes()].concat(), expected);
        }
    }
}
