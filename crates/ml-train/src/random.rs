//! The random numbers of training.
//!
//! Kept here, and not taken from a crate, because a model must stay byte-identical for its seed across upgrades, and
//! crates do not promise that of their shuffles.

/// SplitMix64: a fast generator with 64 bits of state.
///
/// Source: Steele, Lea and Flood, *Fast splittable pseudorandom number generators* (2014).
pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// Makes the generator of one of several independent `stream`s under a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> SplitMix64 {
        let mut seeder = SplitMix64 { state: seed };
        let base = seeder.next_u64();
        SplitMix64 { state: base ^ stream.wrapping_mul(0xd134_2543_de82_ef95) }
    }

    /// Returns 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Returns a number below `bound`, which is at least 1; the bias is below 2⁻³² for bounds below 2³².
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Returns a number from 0 up to, and without, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a number of at least `least` and below `most`, which is greater.
    pub(crate) fn between(&mut self, least: f64, most: f64) -> f64 {
        // Weighed, because the difference of huge numbers need not be finite.
        let share = self.unit();
        let drawn = least * (1.0 - share) + most * share;
        if drawn >= least && drawn < most { drawn } else { least }
    }

    /// Puts `items` in random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_keeps_every_item_and_repeats_for_its_seed() {
        let shuffled = |seed, stream| {
            let mut items: Vec<u32> = (0..100).collect();
            SplitMix64::new(seed, stream).shuffle(&mut items);
            items
        };
        let mut sorted = shuffled(7, 0);
        sorted.sort_unstable();

        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(shuffled(7, 0), shuffled(7, 0));
        assert_ne!(shuffled(7, 0), shuffled(7, 1));
        assert_ne!(shuffled(7, 0), shuffled(8, 0));
    }

    #[test]
    fn the_sequence_is_the_published_one() {
        let mut generator = SplitMix64 { state: 1_234_567 };
        assert_eq!(generator.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(generator.next_u64(), 3_203_168_211_198_807_973);
    }
}
