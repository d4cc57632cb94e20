//! Which ids an input had before, so that one id with two contents is noticed, and records that repeat one are counted.
//!
//! An id is remembered by 64 bits of its hash and its content by 32, together with the line: 16 bytes a record. Up to
//! [`MAX_IDS`] are remembered, about 70 MB; later ids are not checked against one another, and the store keeps the last of
//! them. That two different ids share a hash has odds below one in a million for a full memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash as _, Hasher};

use ml_core::digest::Digest;

/// How many ids are remembered: somewhat fewer than make the tables double once more.
pub(super) const MAX_IDS: usize = 3_600_000;

/// The memory is cut into parts, so that only a part at a time is copied while it grows.
const N_PARTS: usize = 16;

/// What is known of an id.
#[derive(Clone, Copy)]
struct First {
    content: u32,
    line: u32,
}

/// How an id stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// It was not there before, as far as is remembered.
    First,
    /// It was there before, with the same content.
    Again,
    /// It was there before, with other content.
    Otherwise {
        /// The line that it stands on first.
        first_line: u64,
    },
}

/// The ids of one input.
pub(super) struct SeenIds {
    parts: [HashMap<u64, First, BuildHasherDefault<HashedAlready>>; N_PARTS],
    n_ids: usize,
    max_ids: usize,
}

impl SeenIds {
    /// Remembers up to `max_ids`.
    pub(super) fn new(max_ids: usize) -> SeenIds {
        SeenIds { parts: Default::default(), n_ids: 0, max_ids }
    }

    /// Remembers that `id` stands on `line`, and returns how that stands to its first occurrence.
    pub(super) fn meet(&mut self, id: &str, content: &Digest, line: u64) -> Met {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let hash = hasher.finish();
        let [a, b, c, d, ..] = *content.as_bytes();
        let content = u32::from_be_bytes([a, b, c, d]);
        let is_full = self.n_ids >= self.max_ids;
        // A table looks at the lowest and the highest bits itself.
        match self.parts[(hash >> 40) as usize % N_PARTS].entry(hash) {
            Entry::Occupied(first) if first.get().content == content => Met::Again,
            Entry::Occupied(first) => Met::Otherwise { first_line: u64::from(first.get().line) },
            Entry::Vacant(place) => {
                if !is_full {
                    place.insert(First { content, line: u32::try_from(line).unwrap_or(u32::MAX) });
                    self.n_ids += 1;
                }
                Met::First
            }
        }
    }
}

/// Takes the hash of an id for what it is.
#[derive(Default)]
struct HashedAlready(u64);

impl Hasher for HashedAlready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_id_with_two_contents_is_a_conflict() {
        let mut seen = SeenIds::new(MAX_IDS);
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(seen.meet("a", &one, 1), Met::First);
        assert_eq!(seen.meet("a", &one, 2), Met::Again);
        assert_eq!(seen.meet("a", &other, 3), Met::Otherwise { first_line: 1 });
        assert_eq!(seen.meet("b", &other, 4), Met::First);
    }

    #[test]
    fn a_full_memory_still_knows_what_it_has() {
        let mut seen = SeenIds::new(1);
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(seen.meet("a", &one, 1), Met::First);
        assert_eq!(seen.meet("b", &one, 2), Met::First);
        assert_eq!(seen.meet("b", &other, 3), Met::First);
        assert_eq!(seen.meet("a", &other, 4), Met::Otherwise { first_line: 1 });
    }
}
