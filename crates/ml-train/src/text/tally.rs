//! Adding counts up by column, without sorting them.

/// How many bits a word has.
const BITS: u32 = u64::BITS;

/// Adds up the counts of a document by column. It is meant to be used again for the next document, which saves its
/// allocations.
///
/// A bit per column says which are there, and listing the bits puts the columns in order. How many bits are set before one
/// is the place of its sum: so what is read and written for a document is small, however many columns there are.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// A bit for each column.
    columns: Vec<u64>,
    /// A bit for each word of `columns`, set for those that are not 0.
    words: Vec<u64>,
    /// For each word of `columns` that is not 0, how many bits are set in those before.
    ranks: Vec<u32>,
    sums: Vec<(u32, i32)>,
}

impl Tally {
    /// Makes room for `n_columns`.
    pub(super) fn reserve(&mut self, n_columns: usize) {
        let n_words = n_columns.div_ceil(BITS as usize);
        if n_words > self.columns.len() {
            self.columns.resize(n_words, 0);
            self.ranks.resize(n_words, 0);
            self.words.resize(n_words.div_ceil(BITS as usize), 0);
        }
    }

    /// Returns the columns of `counts`, which there is room for, in order, each with the sum of its counts.
    #[inline]
    pub(super) fn add_up(&mut self, counts: impl Iterator<Item = (u32, i32)> + Clone) -> &[(u32, i32)] {
        let Tally { columns, words, ranks, sums } = self;
        for (column, _) in counts.clone() {
            let word = column / BITS;
            columns[word as usize] |= 1 << (column % BITS);
            words[(word / BITS) as usize] |= 1 << (word % BITS);
        }
        sums.clear();
        for (index, words) in words.iter_mut().enumerate() {
            for_each_bit(std::mem::take(words), |bit| {
                let word = index as u32 * BITS + bit;
                ranks[word as usize] = sums.len() as u32;
                for_each_bit(columns[word as usize], |bit| sums.push((word * BITS + bit, 0)));
            });
        }
        for (column, count) in counts {
            let word = (column / BITS) as usize;
            let before = columns[word] & ((1 << (column % BITS)) - 1);
            sums[(ranks[word] + before.count_ones()) as usize].1 += count;
        }
        for &(column, _) in &*sums {
            columns[(column / BITS) as usize] = 0;
        }
        sums
    }
}

/// Calls `visit` with the place of each bit that is set, the lowest first.
#[inline]
fn for_each_bit(mut bits: u64, mut visit: impl FnMut(u32)) {
    while bits != 0 {
        visit(bits.trailing_zeros());
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_are_those_of_a_map(documents in prop::collection::vec(prop::collection::vec((0..9_000_u32, -1..=3), 0..200), 0..5)) {
            let mut tally = Tally::default();
            tally.reserve(9_000);
            for document in documents {
                let mut expected = BTreeMap::new();
                for &(column, count) in &document {
                    *expected.entry(column).or_insert(0) += count;
                }
                prop_assert_eq!(tally.add_up(document.iter().copied()), expected.into_iter().collect::<Vec<_>>());
            }
        }
    }
}
