//! Terms and their numbers.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::term_key::{TermHasher, TermKey};
use super::terms::Term;
use crate::ahead;
use crate::packed;

/// Distinct terms, numbered from 0 in the order in which they came; they lie in one block of text.
///
/// The hasher is seeded anew in each process. That never shows: terms are looked up by hash, and listed by number.
///
/// Looking a term up waits for memory most of the time, and then for a processor that guessed wrong. So the places where a
/// term may be share a cache line, hold all that tells a short term, and are compared without a branch among them.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    text: String,
    /// Where each term ends in `text`.
    ends: Vec<u32>,
    /// A power of two, or none at all; a term is in the first bucket with room from that of its hash.
    buckets: Vec<Bucket>,
    /// Terms that are looked up most often, once more, so close together that they stay near the processor; those whose
    /// bucket is full are left out. A power of two, or none at all.
    frequent: Vec<Bucket>,
    hasher: TermHasher,
}

/// How many terms are kept close together at most: most words of a text are among the most frequent of so many.
pub(super) const MAX_FREQUENT: usize = 1 << 12;

/// A cache line of terms: a place for each, taken from the first one on. A free place has the key of nothing.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Bucket {
    heads: [u64; PLACES],
    tails: [u32; PLACES],
    numbers: [u32; PLACES],
}

const PLACES: usize = 4;

/// The terms are too many, or too long: in all they may have 2³² bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Vocabulary {
    /// Makes an empty vocabulary that hashes as `hasher` does.
    pub(super) fn with_hasher(hasher: TermHasher) -> Vocabulary {
        Vocabulary { hasher, ..Vocabulary::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn term(&self, number: u32) -> &str {
        term(&self.text, &self.ends, number).as_str()
    }

    /// Returns the term at `number` with those behind it.
    #[inline]
    pub(super) fn term_within(&self, number: u32) -> Term<'_> {
        term(&self.text, &self.ends, number)
    }

    /// Returns the hash of any term.
    #[inline]
    pub(super) fn hash_of(&self, term: Term<'_>) -> u32 {
        self.hasher.hash(self.hasher.key(term))
    }

    /// Keeps up to [`MAX_FREQUENT`] terms close together, which are looked up often.
    pub(super) fn favour(&mut self, numbers: &[u32]) {
        self.frequent = vec![Bucket::default(); 2 * MAX_FREQUENT / PLACES];
        for &number in numbers {
            let key = self.hasher.key(self.term_within(number));
            let place = self.hasher.hash(key) as usize & (self.frequent.len() - 1);
            if !key.is_long() && self.frequent[place].has_room() {
                self.frequent[place].push(key, number);
            }
        }
    }

    /// Begins to look up many terms.
    pub(super) fn finder(&self) -> Finder<'_> {
        Finder { vocabulary: self, waiting: Vec::with_capacity(MAX_WAITING) }
    }

    /// Returns the number of `term`, which it is given if it has none.
    #[inline]
    pub(super) fn insert(&mut self, term: Term<'_>) -> Result<u32, Full> {
        if self.is_full_with(self.ends.len()) {
            self.grow();
        }
        let key = self.hasher.key(term);
        self.look_up(key, term).or_else(|bucket| self.append(bucket, key, term))
    }

    /// Reserves room for `n_terms` terms.
    pub(super) fn reserve(&mut self, n_terms: usize) {
        while self.is_full_with(n_terms) {
            self.grow();
        }
    }

    /// Returns whether so many terms are too many for the buckets: at most two thirds of their places are taken, so that few
    /// of them are full.
    fn is_full_with(&self, n_terms: usize) -> bool {
        n_terms * 3 >= self.buckets.len() * PLACES * 2
    }

    fn append(&mut self, bucket: usize, key: TermKey, term: Term<'_>) -> Result<u32, Full> {
        let number = self.ends.len() as u32;
        let end = u32::try_from(self.text.len() + term.len()).map_err(|_| Full)?;
        let key = if key.is_long() { key.beginning_at(self.text.len() as u32) } else { key };
        self.buckets[bucket].push(key, number);
        self.text.push_str(term.as_str());
        self.ends.push(end);
        Ok(number)
    }

    /// Returns the number of a term, or else the bucket where it belongs. There are buckets.
    #[inline]
    fn look_up(&self, key: TermKey, term: Term<'_>) -> Result<u32, usize> {
        if key.is_long() {
            self.look_through(key, |bucket| self.find_long(bucket, key, term))
        } else {
            self.look_through(key, |bucket| bucket.find_short(key))
        }
    }

    #[inline]
    fn look_through(&self, key: TermKey, find: impl Fn(&Bucket) -> Option<u32>) -> Result<u32, usize> {
        let mask = self.buckets.len() - 1;
        let mut place = self.hasher.hash(key) as usize & mask;
        loop {
            let bucket = &self.buckets[place];
            if let Some(number) = find(bucket) {
                return Ok(number);
            }
            if bucket.has_room() {
                return Err(place);
            }
            place = (place + 1) & mask;
        }
    }

    fn find_long(&self, bucket: &Bucket, key: TermKey, term: Term<'_>) -> Option<u32> {
        let is_it = |place: &usize| {
            let (found, number) = bucket.get(*place);
            let begin = found.begin() as usize;
            found.resembles(key)
                && self.text.as_bytes()[begin..].starts_with(term.as_str().as_bytes())
                && self.ends[number as usize] as usize == begin + term.len()
        };
        (0..PLACES).find(is_it).map(|place| bucket.numbers[place])
    }

    #[cold]
    fn grow(&mut self) {
        let n_buckets = (2 * self.buckets.len()).max(16);
        let former = std::mem::replace(&mut self.buckets, vec![Bucket::default(); n_buckets]);
        for bucket in former {
            for (key, number) in (0..PLACES).map(|place| bucket.get(place)).filter(|(key, _)| !key.is_nothing()) {
                let mut place = self.hasher.hash(key) as usize & (n_buckets - 1);
                while !self.buckets[place].has_room() {
                    place = (place + 1) & (n_buckets - 1);
                }
                self.buckets[place].push(key, number);
            }
        }
    }
}

impl Bucket {
    #[inline]
    fn get(&self, place: usize) -> (TermKey, u32) {
        (TermKey { head: self.heads[place], tail: self.tails[place] }, self.numbers[place])
    }

    #[inline]
    fn find_short(&self, key: TermKey) -> Option<u32> {
        let mut found = 0;
        for place in 0..PLACES {
            let is_it = u32::from(self.heads[place] == key.head) & u32::from(self.tails[place] == key.tail);
            found |= is_it << place;
        }
        (found != 0).then(|| self.numbers[found.trailing_zeros() as usize % PLACES])
    }

    #[inline]
    fn has_room(&self) -> bool {
        self.tails[PLACES - 1] == 0
    }

    /// Puts a term into the first free place; there is room.
    fn push(&mut self, key: TermKey, number: u32) {
        if let Some(place) = self.tails.iter().position(|&tail| tail == 0) {
            (self.heads[place], self.tails[place], self.numbers[place]) = (key.head, key.tail, number);
        }
    }
}

/// Looks up many terms: while the memory that one is looked for in is on its way, that of others is asked for.
pub(super) struct Finder<'v> {
    vocabulary: &'v Vocabulary,
    waiting: Vec<TermKey>,
}

/// How many terms are looked up together.
const MAX_WAITING: usize = 64;

impl Finder<'_> {
    /// Looks `term` up, now or later; its number, if it has one, goes to `found`, in any order.
    #[inline]
    pub(super) fn find(&mut self, term: Term<'_>, found: &mut Vec<u32>) {
        let key = self.vocabulary.hasher.key(term);
        if key.is_long() {
            if !self.vocabulary.buckets.is_empty() {
                found.extend(self.vocabulary.look_up(key, term));
            }
            return;
        }
        self.waiting.push(key);
        if self.waiting.len() == MAX_WAITING {
            self.finish(found);
        }
    }

    /// Looks up what is waiting.
    pub(super) fn finish(&mut self, found: &mut Vec<u32>) {
        self.find_frequent(found);
        let Vocabulary { buckets, hasher, .. } = self.vocabulary;
        if !buckets.is_empty() {
            let first = |key: &TermKey| u64::from(buckets[hasher.hash(*key) as usize & (buckets.len() - 1)].numbers[0]);
            ahead::touch(self.waiting.iter().map(first));
            let find = |&key: &TermKey| self.vocabulary.look_through(key, |bucket| bucket.find_short(key)).ok();
            found.extend(self.waiting.iter().filter_map(find));
        }
        self.waiting.clear();
    }

    /// Looks up what is waiting among the frequent terms, and leaves the others waiting.
    fn find_frequent(&mut self, found: &mut Vec<u32>) {
        let Vocabulary { frequent, hasher, .. } = self.vocabulary;
        if frequent.is_empty() {
            return;
        }
        // Whether a term is among them cannot be guessed, and so nothing is done by a branch.
        let (mut n_waiting, mut n_found) = (0, found.len());
        found.resize(n_found + self.waiting.len(), 0);
        for index in 0..self.waiting.len() {
            let key = self.waiting[index];
            let number = frequent[hasher.hash(key) as usize & (frequent.len() - 1)].find_short(key);
            found[n_found] = number.unwrap_or(0);
            n_found += usize::from(number.is_some());
            self.waiting[n_waiting] = key;
            n_waiting += usize::from(number.is_none());
        }
        found.truncate(n_found);
        self.waiting.truncate(n_waiting);
    }
}

#[inline]
fn term<'t>(text: &'t str, ends: &[u32], number: u32) -> Term<'t> {
    let number = number as usize;
    let begin = if number == 0 { 0 } else { ends[number - 1] as usize };
    Term::new(text, begin, ends[number] as usize)
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

    fn find(vocabulary: &Vocabulary, term: &str) -> Option<u32> {
        let (mut finder, mut found) = (vocabulary.finder(), Vec::new());
        finder.find(term.into(), &mut found);
        finder.finish(&mut found);
        assert!(found.len() <= 1);
        found.first().copied()
    }

    #[test]
    fn terms_keep_their_numbers() {
        let mut vocabulary = Vocabulary::default();
        assert_eq!(find(&vocabulary, "cat"), None);
        assert_eq!(vocabulary.insert("cat".into()), Ok(0));
        assert_eq!(vocabulary.insert("dog".into()), Ok(1));
        assert_eq!(vocabulary.insert("cat".into()), Ok(0));
        assert_eq!(find(&vocabulary, "dog"), Some(1));
        assert_eq!(find(&vocabulary, "do"), None);

        let bytes = rmp_serde::to_vec_named(&vocabulary).unwrap();
        let back: Vocabulary = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(back, vocabulary);
        assert_eq!(find(&back, "dog"), Some(1));
    }

    #[test]
    fn long_terms_are_told_from_those_they_begin_with() {
        let mut vocabulary = Vocabulary::default();
        let terms: Vec<String> = (0..100).map(|length| "é".repeat(length)).collect();
        for (number, term) in terms.iter().enumerate() {
            assert_eq!(find(&vocabulary, term), None);
            assert_eq!(vocabulary.insert(term.as_str().into()), Ok(number as u32));
        }
        for (number, term) in terms.iter().enumerate() {
            assert_eq!(find(&vocabulary, term), Some(number as u32));
        }
    }

    #[test]
    fn many_terms_are_found_as_each_is() {
        let mut vocabulary = Vocabulary::default();
        let terms: Vec<String> = (0..1000).map(|number| format!("{}{number}", "term".repeat(number % 4))).collect();
        for term in &terms {
            vocabulary.insert(term.as_str().into()).unwrap();
        }
        vocabulary.favour(&[1, 10, 100, 999]);
        let (mut finder, mut found) = (vocabulary.finder(), Vec::new());
        for term in &terms {
            finder.find(term.as_str().into(), &mut found);
            finder.find("absent".into(), &mut found);
        }
        finder.finish(&mut found);
        found.sort_unstable();
        assert_eq!(found, (0..1000).collect::<Vec<u32>>());
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
        fn numbers_are_those_of_a_map(terms in prop::collection::vec("[a-c]{0,4}|[ab]{10,14}", 0..300)) {
            let mut vocabulary = Vocabulary::default();
            let mut map = std::collections::HashMap::new();
            for term in &terms {
                let next = map.len() as u32;
                let expected = *map.entry(term.clone()).or_insert(next);
                prop_assert_eq!(vocabulary.insert(term.as_str().into()), Ok(expected));
            }
            prop_assert_eq!(vocabulary.len(), map.len());
            let mut favouring = vocabulary.clone();
            favouring.favour(&(0..vocabulary.len() as u32).step_by(2).collect::<Vec<_>>());
            for (term, number) in map {
                prop_assert_eq!(find(&vocabulary, &term), Some(number));
                prop_assert_eq!(find(&favouring, &term), Some(number));
                prop_assert_eq!(vocabulary.term(number), term);
            }
        }
    }
}
