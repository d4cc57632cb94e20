//! Terms and their numbers.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::packed;

/// Distinct terms, numbered from 0 in the order in which they came; they lie in one block of text.
///
/// The hasher is seeded anew in each process. That never shows: terms are looked up by hash, and listed by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    text: String,
    /// Where each term ends in `text`.
    ends: Vec<u32>,
    by_term: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Vocabulary {
    /// Makes an empty vocabulary that hashes as `hasher` does.
    pub(super) fn with_hasher(hasher: DefaultHashBuilder) -> Vocabulary {
        Vocabulary { hasher, ..Vocabulary::default() }
    }

    /// Makes a vocabulary of distinct terms, numbered as they come.
    pub(super) fn from_distinct<'t>(terms: impl IntoIterator<Item = &'t str>) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        for term in terms {
            vocabulary.insert(term);
        }
        vocabulary
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn term(&self, number: u32) -> &str {
        term(&self.text, &self.ends, number)
    }

    /// Returns the number of `term`, if it has one.
    pub(super) fn find(&self, term: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(term);
        self.by_term.find(hash, |&number| self.term(number) == term).copied()
    }

    /// Returns the number of `term`, which it is given if it has none.
    pub(super) fn insert(&mut self, term: &str) -> u32 {
        let Vocabulary { text, ends, by_term, hasher } = self;
        let hash = hasher.hash_one(term);
        let next = ends.len() as u32;
        let entry = by_term.entry(
            hash,
            |&number| self::term(text, ends, number) == term,
            |&number| hasher.hash_one(self::term(text, ends, number)),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => *entry.get(),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                entry.insert(next);
                text.push_str(term);
                ends.push(text.len() as u32);
                next
            }
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
        let vocabulary = Vocabulary::from_distinct((0..ends.len()).map(|number| term(&text, &ends, number as u32)));
        if vocabulary.len() != ends.len() {
            return Err(D::Error::custom("a term stands twice in a vocabulary"));
        }
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_keep_their_numbers() {
        let mut vocabulary = Vocabulary::default();
        assert_eq!(vocabulary.insert("cat"), 0);
        assert_eq!(vocabulary.insert("dog"), 1);
        assert_eq!(vocabulary.insert("cat"), 0);
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
}
