//! Sums of gradients and hessians per bin, in whole numbers.
//!
//! Derivatives are rounded to multiples of a power of two before they are added. Sums of whole numbers are exact and do not
//! depend on the order of adding, so that neither threads nor the subtraction of one histogram from another change a bit.
//! With 2ⁿ rows there are 62 − n bits for a gradient and 62 − 2n for a hessian.

use rayon::prelude::*;

use super::bins::{BinnedRows, GROUP_WIDTH, MAX_BINS_WITH_MISSING};

/// Beyond this many rows too few bits are left for a hessian.
pub(super) const MAX_ROWS: usize = 1 << 24;

/// From this many additions on, groups of features are shared between threads.
const MIN_PARALLEL_ADDITIONS: usize = 1 << 15;

/// First and second derivative of the loss of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Derivatives {
    pub(super) gradient: f64,
    /// Not negative.
    pub(super) hessian: f64,
}

/// The sum of the derivatives of some rows, and their number.
///
/// The first word is the sum of gradients, the second has the sum of hessians above the bits of the number of rows: two
/// additions, which processors do at once, are enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums([u64; 2]);

/// What one stands for in the words of [`Sums`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    count_bits: u32,
    gradient_unit: f64,
    units_per_gradient: f64,
    hessian_unit: f64,
    units_per_hessian: f64,
}

impl Sums {
    pub(super) fn add(&mut self, other: Sums) {
        self.0[0] = self.0[0].wrapping_add(other.0[0]);
        self.0[1] = self.0[1].wrapping_add(other.0[1]);
    }

    #[must_use]
    pub(super) fn minus(self, other: Sums) -> Sums {
        Sums([self.0[0].wrapping_sub(other.0[0]), self.0[1].wrapping_sub(other.0[1])])
    }
}

impl Scale {
    /// Makes the scale for sums over `n_rows` rows, at most [`MAX_ROWS`], whose derivatives do not exceed `greatest`.
    pub(super) fn new(n_rows: usize, greatest: Derivatives) -> Scale {
        let count_bits = (n_rows + 1).next_power_of_two().trailing_zeros();
        let gradient_exponent = exponent(greatest.gradient) - (62 - count_bits as i32);
        let hessian_exponent = exponent(greatest.hessian) - (62 - 2 * count_bits as i32);
        Scale {
            count_bits,
            gradient_unit: power_of_two(gradient_exponent),
            units_per_gradient: power_of_two(-gradient_exponent),
            hessian_unit: power_of_two(hessian_exponent),
            units_per_hessian: power_of_two(-hessian_exponent),
        }
    }

    /// Rounds the derivatives of one row.
    pub(super) fn round(&self, derivatives: Derivatives) -> Sums {
        let gradient = (derivatives.gradient * self.units_per_gradient) as i64;
        let hessian = (derivatives.hessian * self.units_per_hessian) as i64 as u64;
        Sums([gradient as u64, (hessian << self.count_bits) | 1])
    }

    pub(super) fn count(&self, sums: Sums) -> usize {
        (sums.0[1] & ((1 << self.count_bits) - 1)) as usize
    }

    /// Returns the sum of gradients in units of [`Scale::gradient_unit`].
    pub(super) fn gradient_units(sums: Sums) -> f64 {
        (sums.0[0] as i64) as f64
    }

    /// Returns the sum of hessians in units of [`Scale::hessian_unit`].
    pub(super) fn hessian_units(&self, sums: Sums) -> f64 {
        // It is below 2⁶³, and signed numbers convert faster.
        ((sums.0[1] >> self.count_bits) as i64) as f64
    }

    pub(super) fn gradient_unit(&self) -> f64 {
        self.gradient_unit
    }

    pub(super) fn hessian_unit(&self) -> f64 {
        self.hessian_unit
    }
}

/// Returns an `e` with `value ≤ 2ᵉ`, hardly more than the least, and not so small that a unit would be subnormal.
fn exponent(value: f64) -> i32 {
    if value > 0.0 { (value.log2().ceil() as i32 + 1).max(-900) } else { 0 }
}

/// Returns 2 to the power of `exponent`, within the range of normal numbers.
pub(super) fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

type FeatureHistogram = [Sums; MAX_BINS_WITH_MISSING];

/// The sums of some rows by bin, for every feature.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    groups: Vec<[FeatureHistogram; GROUP_WIDTH]>,
}

impl Histogram {
    pub(super) fn new(binned: &BinnedRows) -> Histogram {
        Histogram { groups: vec![[[Sums::default(); MAX_BINS_WITH_MISSING]; GROUP_WIDTH]; binned.groups().len()] }
    }

    /// Replaces the sums of the features in `drawn` by those of `rows`, of which each has one of `derivatives`.
    pub(super) fn fill(&mut self, binned: &BinnedRows, drawn: &DrawnFeatures, rows: &[u32], derivatives: &[Sums]) {
        if rows.len() * drawn.features.len() < MIN_PARALLEL_ADDITIONS {
            let groups = self.groups.iter_mut().zip(binned.groups()).zip(&drawn.places);
            groups.for_each(|((group, bins), places)| fill_group(group, places, bins, rows, derivatives));
        } else {
            let groups = self.groups.par_iter_mut().zip(binned.groups()).zip(&drawn.places);
            groups.for_each(|((group, bins), places)| fill_group(group, places, bins, rows, derivatives));
        }
    }

    /// Makes the sums of all rows, for the features in `drawn`, those of the rows that `part` does not have.
    pub(super) fn subtract(&mut self, binned: &BinnedRows, drawn: &DrawnFeatures, part: &Histogram) {
        for &feature in &drawn.features {
            let n_bins = binned.feature(feature).n_bins() + 1;
            let (group, place) = (feature / GROUP_WIDTH, feature % GROUP_WIDTH);
            let whole = &mut self.groups[group][place][..n_bins];
            whole.iter_mut().zip(&part.groups[group][place]).for_each(|(sums, part)| *sums = sums.minus(*part));
        }
    }

    /// Returns the sums of a feature by bin.
    pub(super) fn feature(&self, feature: usize) -> &FeatureHistogram {
        &self.groups[feature / GROUP_WIDTH][feature % GROUP_WIDTH]
    }
}

/// The features that a tree may split by; nobody asks for the sums of others.
pub(super) struct DrawnFeatures {
    pub(super) features: Vec<usize>,
    /// For each group, the places of its features.
    places: Vec<Vec<usize>>,
}

impl DrawnFeatures {
    /// Takes features, each of which is there once.
    pub(super) fn new(binned: &BinnedRows, features: Vec<usize>) -> DrawnFeatures {
        let mut places = vec![Vec::with_capacity(GROUP_WIDTH); binned.groups().len()];
        for feature in &features {
            places[feature / GROUP_WIDTH].push(feature % GROUP_WIDTH);
        }
        DrawnFeatures { features, places }
    }
}

fn fill_group(
    group: &mut [FeatureHistogram; GROUP_WIDTH],
    places: &[usize],
    bins: &[[u8; GROUP_WIDTH]],
    rows: &[u32],
    derivatives: &[Sums],
) {
    match *places {
        [] => {}
        [first] => fill_places(group, [first], bins, rows, derivatives),
        [first, second] => fill_places(group, [first, second], bins, rows, derivatives),
        [first, second, third] => fill_places(group, [first, second, third], bins, rows, derivatives),
        _ => fill_places(group, [0, 1, 2, 3], bins, rows, derivatives),
    }
}

/// Fills the histograms at `places`, which differ.
fn fill_places<const N: usize>(
    group: &mut [FeatureHistogram; GROUP_WIDTH],
    places: [usize; N],
    bins: &[[u8; GROUP_WIDTH]],
    rows: &[u32],
    derivatives: &[Sums],
) {
    let mut histograms = group.get_disjoint_mut(places).expect("the features of a group differ");
    for histogram in &mut histograms {
        histogram.fill(Sums::default());
    }
    let shifts = places.map(|place| u8::BITS * place as u32);
    for (&row, &sums) in rows.iter().zip(derivatives) {
        let bins_of_row = u32::from_le_bytes(bins[row as usize]);
        for (histogram, shift) in histograms.iter_mut().zip(shifts) {
            histogram[usize::from((bins_of_row >> shift) as u8)].add(sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn derivatives(gradient: f64, hessian: f64) -> Derivatives {
        Derivatives { gradient, hessian }
    }

    #[test]
    fn dyadic_derivatives_are_added_without_any_error() {
        let rows: Vec<Derivatives> = (0..1000).map(|row| derivatives(f64::from(row) / 8.0 - 40.0, 1.0)).collect();
        let scale = Scale::new(rows.len(), derivatives(100.0, 1.0));
        let mut sums = Sums::default();
        for row in rows {
            sums.add(scale.round(row));
        }

        assert_eq!(scale.count(sums), 1000);
        assert_eq!(Scale::gradient_units(sums) * scale.gradient_unit(), 499.5 * 1000.0 / 8.0 - 40_000.0);
        assert_eq!(scale.hessian_units(sums) * scale.hessian_unit(), 1000.0);
    }

    #[test]
    fn the_most_rows_of_the_greatest_derivatives_do_not_overflow() {
        for greatest in [1.0, 0.25, 3.0, 1e300, 1e-250] {
            let scale = Scale::new(MAX_ROWS, derivatives(greatest, greatest));
            let one = scale.round(derivatives(-greatest, greatest));
            let mut sums = one;
            for _ in 0..24 {
                sums.add(sums);
            }
            assert_eq!(scale.count(sums), MAX_ROWS);
            let (gradient, hessian) = (Scale::gradient_units(sums), scale.hessian_units(sums));
            let expected = MAX_ROWS as f64 * greatest;
            assert!((gradient * scale.gradient_unit() / expected + 1.0).abs() < 1e-3, "{greatest}: {gradient}");
            assert!((hessian * scale.hessian_unit() / expected - 1.0).abs() < 1e-2, "{greatest}: {hessian}");
        }
    }

    proptest! {
        #[test]
        fn sums_do_not_depend_on_order_and_can_be_taken_back(
            rows in prop::collection::vec((-1.0..1.0, 0.0..0.25), 2..200), cut in any::<prop::sample::Index>()
        ) {
            let scale = Scale::new(rows.len(), derivatives(1.0, 0.25));
            let rounded: Vec<Sums> = rows.iter().map(|&(gradient, hessian)| scale.round(derivatives(gradient, hessian))).collect();
            let sum = |rows: &mut dyn Iterator<Item = &Sums>| rows.fold(Sums::default(), |mut sums, row| {
                sums.add(*row);
                sums
            });
            let (left, right) = rounded.split_at(cut.index(rounded.len()));
            let whole = sum(&mut rounded.iter());
            prop_assert_eq!(whole, sum(&mut rounded.iter().rev()));
            prop_assert_eq!(whole.minus(sum(&mut left.iter())), sum(&mut right.iter()));
        }
    }
}
