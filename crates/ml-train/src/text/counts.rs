//! Counting the terms of many documents in parallel, with one result whatever the number of threads.
//!
//! Documents are cut into parts by their length alone, and each part numbers its terms by itself. Then the terms are dealt
//! out by hash, and every share merges its terms of all parts in the order of the parts.

use std::ops::Range;

use rayon::prelude::*;

use super::Document;
use super::term_key::TermHasher;
use super::terms::{TermReader, TermRoom};
use super::vocabulary::{Full, Vocabulary};
use crate::spec::TfidfSpec;

/// How many bytes of text a thread counts at a time; large enough that terms repeat within a part, and small enough that
/// there are several parts in a small collection.
const BYTES_PER_PART: usize = 1 << 17;

/// How many distinct words a part of that length has at least, as a rule.
const USUAL_TERMS: usize = 2048;

/// How many shares the terms are dealt out to by their hash.
const N_SHARES: usize = 1 << SHARE_BITS;

const SHARE_BITS: u32 = 6;

/// The terms of some documents, numbered among themselves, and their counts.
pub(super) struct Part {
    vocabulary: Vocabulary,
    statistics: Vec<TermStatistics>,
    /// The numbers of the terms, share by share, and where each share ends.
    dealt: Vec<u32>,
    share_ends: [usize; N_SHARES],
    pub(super) rows: Rows,
}

/// The counts of some documents: by number of the term, in any order.
#[derive(Default)]
pub(super) struct Rows {
    /// Where the counts of each document end.
    ends: Vec<usize>,
    counts: Vec<(u32, i32)>,
}

/// What is known of a term over several documents.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TermStatistics {
    pub(super) n_documents: u32,
    pub(super) n_occurrences: u64,
}

/// The terms of all documents.
pub(super) struct Terms {
    shares: Vec<Share>,
    hasher: TermHasher,
}

/// The terms of all documents that have hashes alike.
struct Share {
    vocabulary: Vocabulary,
    statistics: Vec<TermStatistics>,
    /// For each part, the numbers that its dealt terms have here.
    numbers: Vec<Vec<u32>>,
}

/// A term that is kept.
pub(super) struct KeptTerm<'t> {
    /// Its first bytes, which are enough to put most terms in order.
    prefix: u64,
    share: u32,
    number: u32,
    pub(super) text: &'t str,
    pub(super) statistics: TermStatistics,
}

/// Cuts documents into parts of about the same length.
pub(super) fn parts_of(documents: &[Document<'_>], bytes_per_part: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut begin, mut n_bytes) = (0, 0);
    for (index, document) in documents.iter().enumerate() {
        n_bytes += document.iter().map(|text| text.len()).sum::<usize>();
        if n_bytes >= bytes_per_part || index + 1 == documents.len() {
            parts.push(begin..index + 1);
            (begin, n_bytes) = (index + 1, 0);
        }
    }
    parts
}

/// Counts the terms of `documents`.
pub(super) fn count(spec: &TfidfSpec, documents: &[Document<'_>]) -> Result<(Vec<Part>, Terms), Full> {
    let hasher = TermHasher::default();
    let parts: Vec<Part> = parts_of(documents, BYTES_PER_PART)
        .into_par_iter()
        .map(|part| Part::count(spec, &documents[part], &hasher))
        .collect::<Result<_, _>>()?;
    let shares =
        (0..N_SHARES).into_par_iter().map(|share| Share::merge(share, &parts, &hasher)).collect::<Result<_, _>>()?;
    Ok((parts, Terms { shares, hasher }))
}

impl Part {
    fn count(spec: &TfidfSpec, documents: &[Document<'_>], hasher: &TermHasher) -> Result<Part, Full> {
        let mut room = TermRoom::default();
        let mut reader = TermReader::new(spec, &mut room);
        let mut vocabulary = Vocabulary::with_hasher(hasher.clone());
        vocabulary.reserve(USUAL_TERMS);
        let mut statistics: Vec<TermStatistics> = Vec::new();
        let mut rows = Rows::default();
        // For each term, the place of its count in the current document, valid if it is not before the document's begin.
        let mut places: Vec<usize> = Vec::new();
        let mut is_full = false;
        for document in documents {
            let begin = rows.counts.len();
            reader.for_each(document, |term| {
                let Ok(number) = vocabulary.insert(term) else {
                    is_full = true;
                    return;
                };
                let index = number as usize;
                if index == places.len() {
                    places.push(rows.counts.len());
                    statistics.push(TermStatistics { n_documents: 1, n_occurrences: 0 });
                    rows.counts.push((number, 1));
                } else if places[index] < begin {
                    places[index] = rows.counts.len();
                    statistics[index].n_documents += 1;
                    rows.counts.push((number, 1));
                } else {
                    rows.counts[places[index]].1 += 1;
                }
            });
            for &(number, count) in &rows.counts[begin..] {
                statistics[number as usize].n_occurrences += u64::from(count.unsigned_abs());
            }
            rows.end_row();
        }
        if is_full {
            return Err(Full);
        }
        let (dealt, share_ends) = deal(&vocabulary);
        Ok(Part { vocabulary, statistics, dealt, share_ends, rows })
    }

    fn dealt_to(&self, share: usize) -> &[u32] {
        let begin = if share == 0 { 0 } else { self.share_ends[share - 1] };
        &self.dealt[begin..self.share_ends[share]]
    }
}

/// Returns the numbers of all terms, share by share, and where each share ends.
fn deal(vocabulary: &Vocabulary) -> (Vec<u32>, [usize; N_SHARES]) {
    // Buckets are found by the low bits of a hash, shares by the high ones, so that a share spreads over its buckets.
    let share_of = |number: u32| (vocabulary.hash_of(vocabulary.term_within(number)) >> (u32::BITS - SHARE_BITS)) as u8;
    let shares: Vec<u8> = (0..vocabulary.len() as u32).map(share_of).collect();
    let mut ends = [0; N_SHARES];
    for &share in &shares {
        ends[share as usize] += 1;
    }
    let mut n_before = 0;
    for end in &mut ends {
        n_before += std::mem::replace(end, n_before);
    }
    // Each end is a begin for now, and moves as its share fills.
    let mut dealt = vec![0; vocabulary.len()];
    for (number, &share) in shares.iter().enumerate() {
        let end = &mut ends[share as usize];
        dealt[*end] = number as u32;
        *end += 1;
    }
    (dealt, ends)
}

impl Share {
    fn merge(share: usize, parts: &[Part], hasher: &TermHasher) -> Result<Share, Full> {
        let mut vocabulary = Vocabulary::with_hasher(hasher.clone());
        let mut statistics: Vec<TermStatistics> = Vec::new();
        let mut numbers = Vec::with_capacity(parts.len());
        for part in parts {
            let mut numbers_of_part = Vec::with_capacity(part.dealt_to(share).len());
            for &local in part.dealt_to(share) {
                let number = vocabulary.insert(part.vocabulary.term_within(local))?;
                if number as usize == statistics.len() {
                    statistics.push(TermStatistics::default());
                }
                let (term, of_part) = (&mut statistics[number as usize], part.statistics[local as usize]);
                term.n_documents += of_part.n_documents;
                term.n_occurrences += of_part.n_occurrences;
                numbers_of_part.push(number);
            }
            numbers.push(numbers_of_part);
        }
        Ok(Share { vocabulary, statistics, numbers })
    }

    fn kept(&self, index: u32, keep: &impl Fn(TermStatistics) -> bool) -> Vec<KeptTerm<'_>> {
        let mut kept = Vec::new();
        for (number, &statistics) in self.statistics.iter().enumerate() {
            if keep(statistics) {
                let text = self.vocabulary.term(number as u32);
                kept.push(KeptTerm { prefix: prefix_of(text), share: index, number: number as u32, text, statistics });
            }
        }
        kept
    }
}

impl Terms {
    pub(super) fn len(&self) -> usize {
        self.shares.iter().map(|share| share.vocabulary.len()).sum()
    }

    /// Returns the terms that `keep` keeps, in the order of their text.
    pub(super) fn kept(&self, keep: impl Fn(TermStatistics) -> bool + Sync) -> Vec<KeptTerm<'_>> {
        let by_share: Vec<Vec<KeptTerm<'_>>> =
            self.shares.par_iter().enumerate().map(|(index, share)| share.kept(index as u32, &keep)).collect();
        let mut kept: Vec<KeptTerm<'_>> = by_share.into_iter().flatten().collect();
        sort_by_text(&mut kept);
        kept
    }

    /// Makes a vocabulary of terms, numbered as they come.
    pub(super) fn vocabulary_of(&self, kept: &[KeptTerm<'_>]) -> Result<Vocabulary, Full> {
        let mut vocabulary = Vocabulary::with_hasher(self.hasher.clone());
        vocabulary.reserve(kept.len());
        for term in kept {
            vocabulary.insert(term.text.into())?;
        }
        Ok(vocabulary)
    }

    /// Returns, for each part, the place in `kept` of each of its terms; [`LEFT_OUT`] for those that are not kept.
    pub(super) fn columns(&self, kept: &[KeptTerm<'_>], parts: &[Part]) -> Vec<Vec<u32>> {
        let mut by_share: Vec<Vec<u32>> =
            self.shares.iter().map(|share| vec![LEFT_OUT; share.vocabulary.len()]).collect();
        for (column, term) in kept.iter().enumerate() {
            by_share[term.share as usize][term.number as usize] = column as u32;
        }
        let columns_of = |(index, part): (usize, &Part)| {
            let mut columns = vec![LEFT_OUT; part.vocabulary.len()];
            for (share, columns_of_share) in by_share.iter().enumerate() {
                let numbers = &self.shares[share].numbers[index];
                for (&local, &number) in part.dealt_to(share).iter().zip(numbers) {
                    columns[local as usize] = columns_of_share[number as usize];
                }
            }
            columns
        };
        parts.par_iter().enumerate().map(columns_of).collect()
    }
}

/// The column of a term that is not kept.
pub(super) const LEFT_OUT: u32 = u32::MAX;

/// Puts terms in the order of their text.
pub(super) fn sort_by_text(terms: &mut [KeptTerm<'_>]) {
    terms.par_sort_unstable_by(|left, right| left.prefix.cmp(&right.prefix).then_with(|| left.text.cmp(right.text)));
}

/// Returns the first eight bytes of a text as a number whose order is that of the texts.
fn prefix_of(text: &str) -> u64 {
    let mut bytes = [0; 8];
    let n_bytes = text.len().min(bytes.len());
    bytes[..n_bytes].copy_from_slice(&text.as_bytes()[..n_bytes]);
    u64::from_be_bytes(bytes)
}

impl Rows {
    pub(super) fn end_row(&mut self) {
        self.ends.push(self.counts.len());
    }

    pub(super) fn push(&mut self, number: u32, count: i32) {
        self.counts.push((number, count));
    }

    pub(super) fn n_rows(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn n_counts(&self) -> usize {
        self.counts.len()
    }

    /// Returns the counts of each document.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[(u32, i32)]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, &end)| &self.counts[begin..end])
    }
}
