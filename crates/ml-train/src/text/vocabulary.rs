//! Terms and their numbers.

use std::hash::{BuildHasher, Hasher};

use hashbrown::DefaultHashBuilder;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::packed;

/// Distinct terms, numbered from 0 in the order in which they came; they lie in one block of text.
///
/// The hasher is seeded anew in each process. That never shows: terms are looked up by hash, and listed by number.
///
/// Looking a term up waits for memory most of the time. So a slot of the table has all that is needed to compare the term,
/// and a term that is not there is mostly known by its slot alone.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    text: String,
    /// Where each term ends in `text`.
    ends: Vec<u32>,
    /// The hash of each term.
    tags: Vec<u32>,
    /// A power of two, or none at all; a term is in the first free slot from that of its hash.
    slots: Vec<Slot>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    tag: u32,
    /// [`NOBODY`] in a free slot.
    number: u32,
    begin: u32,
    end: u32,
}

const NOBODY: u32 = u32::MAX;

const FREE: Slot = Slot { tag: 0, number: NOBODY, begin: 0, end: 0 };

/// The terms are too many, or too long: in all they may have 2³² bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Vocabulary {
    /// Makes an empty vocabulary that hashes as `hasher` does.
    pub(super) fn with_hasher(hasher: DefaultHashBuilder) -> Vocabulary {
        Vocabulary { hasher, ..Vocabulary::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn term(&self, number: u32) -> &str {
        term(&self.text, &self.ends, number)
    }

    /// Returns the hash of the term at `number`.
    pub(super) fn tag(&self, number: u32) -> u32 {
        self.tags[number as usize]
    }

    /// Returns the hash of any term.
    #[inline]
    pub(super) fn tag_of(&self, term: &str) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(term.as_bytes());
        hasher.finish() as u32
    }

    /// Returns the number of `term`, if it has one.
    #[inline]
    pub(super) fn find(&self, term: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let number = self.slots[self.place(self.tag_of(term), term)].number;
        (number != NOBODY).then_some(number)
    }

    /// Returns the number of `term`, which it is given if it has none.
    #[inline]
    pub(super) fn insert(&mut self, term: &str) -> Result<u32, Full> {
        self.insert_tagged(self.tag_of(term), term)
    }

    /// Does the same for a term whose hash is known.
    #[inline]
    pub(super) fn insert_tagged(&mut self, tag: u32, term: &str) -> Result<u32, Full> {
        // At most two thirds are taken, so that a free slot is never far.
        if self.ends.len() * 3 >= self.slots.len() * 2 {
            self.grow();
        }
        let place = self.place(tag, term);
        let number = self.slots[place].number;
        if number == NOBODY { self.append(place, tag, term) } else { Ok(number) }
    }

    /// Reserves room for `n_terms` terms.
    pub(super) fn reserve(&mut self, n_terms: usize) {
        while n_terms * 3 >= self.slots.len() * 2 {
            self.grow();
        }
    }

    fn append(&mut self, place: usize, tag: u32, term: &str) -> Result<u32, Full> {
        let number = self.ends.len() as u32;
        let end = u32::try_from(self.text.len() + term.len()).map_err(|_| Full)?;
        self.slots[place] = Slot { tag, number, begin: self.text.len() as u32, end };
        self.text.push_str(term);
        self.ends.push(end);
        self.tags.push(tag);
        Ok(number)
    }

    /// Returns the slot of a term, or the free one where it belongs. There are slots.
    #[inline]
    fn place(&self, tag: u32, term: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = tag as usize & mask;
        loop {
            let slot = &self.slots[place];
            let is_it =
                slot.tag == tag && self.text.as_bytes()[slot.begin as usize..slot.end as usize] == *term.as_bytes();
            if slot.number == NOBODY || is_it {
                return place;
            }
            place = (place + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let n_slots = (2 * self.slots.len()).max(64);
        let former = std::mem::replace(&mut self.slots, vec![FREE; n_slots]);
        for slot in former.into_iter().filter(|slot| slot.number != NOBODY) {
            let mut place = slot.tag as usize & (n_slots - 1);
            while self.slots[place].number != NOBODY {
                place = (place + 1) & (n_slots - 1);
            }
            self.slots[place] = slot;
        }
    }
}

fn term<'t>(text: &'t str, ends: &[u32], number: u32) -> &'t str {
    let number = number as usize;
    let begin = if number == 0 { 0 } else { ends[number - 1] as usize };
    &text[begin..ends[number] as usize]
}

impl PartialEq for Vocabulary {
    fn eq(&self, other: &Vocabulary) -> bool {
        self.text == other.text && self.ends == other.ends
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    text: String,
    #[serde(with = "packed::u32s")]
    ends: Vec<u32>,
}

impl Serialize for Vocabulary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored { text: self.text.clone(), ends: self.ends.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Vocabulary, D::Error> {
        let Stored { text, ends } = Stored::deserialize(deserializer)?;
        let ascends = ends.is_sorted() && ends.last().is_none_or(|&end| end as usize == text.len());
        if !ascends || ends.iter().any(|&end| !text.is_char_boundary(end as usize)) {
            return Err(D::Error::custom("the ends of terms do not cut the text of a vocabulary"));
        }
        let mut vocabulary = Vocabulary::default();
        vocabulary.reserve(ends.len());
        for number in 0..ends.len() as u32 {
            if vocabulary.insert(term(&text, &ends, number)) != Ok(number) {
                return Err(D::Error::custom("a term stands twice in a vocabulary"));
            }
        }
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terms_keep_their_numbers() {
        let mut vocabulary = Vocabulary::default();
        assert_eq!(vocabulary.find("cat"), None);
        assert_eq!(vocabulary.insert("cat"), Ok(0));
        assert_eq!(vocabulary.insert("dog"), Ok(1));
        assert_eq!(vocabulary.insert("cat"), Ok(0));
        assert_eq!(vocabulary.find("dog"), Some(1));
        assert_eq!(vocabulary.find("do"), None);

        let bytes = rmp_serde::to_vec_named(&vocabulary).unwrap();
        let back: Vocabulary = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(back, vocabulary);
        assert_eq!(back.find("dog"), Some(1));
    }

    #[test]
    fn ends_that_do_not_cut_the_text_are_refused() {
        for (text, ends) in [("ab", vec![3]), ("ab", vec![2, 1]), ("é", vec![1, 2]), ("aa", vec![1, 2])] {
            let bytes = rmp_serde::to_vec_named(&Stored { text: text.to_owned(), ends }).unwrap();
            assert!(rmp_serde::from_slice::<Vocabulary>(&bytes).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_a_map(terms in prop::collection::vec("[a-c]{0,4}", 0..300)) {
            let mut vocabulary = Vocabulary::default();
            let mut map = std::collections::HashMap::new();
            for term in &terms {
                let next = map.len() as u32;
                let expected = *map.entry(term.clone()).or_insert(next);
                prop_assert_eq!(vocabulary.insert(term), Ok(expected));
            }
            prop_assert_eq!(vocabulary.len(), map.len());
            for (term, number) in map {
                prop_assert_eq!(vocabulary.find(&term), Some(number));
                prop_assert_eq!(vocabulary.term(number), term);
            }
        }
    }
}
