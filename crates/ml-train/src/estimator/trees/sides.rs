//! What lies on both sides of a cut through the rows of a node, and how alike the rows of each side are.
//!
//! A cut moves from left to right over the values of a feature, and rows go over to the left side as it passes them.

use crate::estimator::Target;

/// Numbers beyond this, or all of them below one over it, are learnt in another unit, so that their squares are numbers.
const GREATEST: f64 = 1e100;

/// What trees learn.
pub(super) enum Learnt<'a> {
    Classes {
        indices: &'a [usize],
        n_classes: usize,
    },
    Numbers {
        numbers: &'a [f64],
        /// The same in a unit that suits them; `None` where they suit already.
        scaled: Option<Vec<f64>>,
    },
}

impl<'a> Learnt<'a> {
    pub(super) fn new(target: &'a Target) -> Learnt<'a> {
        match target {
            Target::Classes { indices, n_classes } => Learnt::Classes { indices, n_classes: *n_classes },
            Target::Numbers(numbers) => {
                let greatest = numbers.iter().fold(0.0_f64, |greatest, number| greatest.max(number.abs()));
                let suits = greatest == 0.0 || (GREATEST.recip()..GREATEST).contains(&greatest);
                let scaled = (!suits).then(|| numbers.iter().map(|number| number / greatest).collect());
                Learnt::Numbers { numbers, scaled }
            }
        }
    }

    /// Returns the values of a leaf with these rows: the share of each class, or the mean.
    pub(super) fn leaf_values(&self, rows: &[u32], weights: &Weights<'_>) -> Vec<f64> {
        let total: f64 = rows.iter().map(|&row| f64::from(weights.of(row))).sum();
        match self {
            Learnt::Classes { indices, n_classes } => {
                let mut counts = vec![0.0; *n_classes];
                for &row in rows {
                    counts[indices[row as usize]] += f64::from(weights.of(row));
                }
                counts.iter().map(|count| count / total).collect()
            }
            Learnt::Numbers { numbers, .. } => {
                vec![rows.iter().map(|&row| numbers[row as usize] * (f64::from(weights.of(row)) / total)).sum()]
            }
        }
    }
}

/// How often each row counts.
#[derive(Clone, Copy)]
pub(super) enum Weights<'a> {
    Once,
    Times(&'a [u32]),
}

impl Weights<'_> {
    #[inline]
    pub(super) fn of(&self, row: u32) -> u32 {
        match self {
            Weights::Once => 1,
            Weights::Times(times) => times[row as usize],
        }
    }
}

/// Both sides of a cut. At first all rows of the node are on the right.
pub(super) trait Sides: Clone + Send + Sync {
    /// What is counted of rows that have the same value; several of them stand side by side.
    type Cell: Copy + Default + Send;

    /// Returns how many cells one value needs.
    fn n_cells(&self) -> usize;

    /// Counts a row, with its weight, among those that have the same value.
    fn count(&self, cells: &mut [Self::Cell], row: u32, weight: u32);

    /// Returns whether no row was counted.
    fn is_empty(cells: &[Self::Cell]) -> bool;

    /// Moves what was counted to the left.
    fn pass_cells(&mut self, cells: &[Self::Cell]);

    /// Moves a row to the left.
    fn pass(&mut self, row: u32, weight: u32);

    /// Returns how much counts on the left and on the right.
    fn counts(&self) -> [u64; 2];

    /// Returns how alike the rows of each side are, weighted by their number: the higher the better, and comparable between
    /// the cuts of a node.
    fn likeness(&self) -> f64;

    /// Returns whether all rows of the node are the same, so that no cut is needed.
    fn is_pure(&self) -> bool;
}

/// Counts of each class. What is the most alike has the least impurity of Gini.
#[derive(Clone)]
pub(super) struct ClassSides<'a> {
    indices: &'a [usize],
    counts: Vec<[u64; 2]>,
    totals: [u64; 2],
    /// The sums of the squared counts.
    squares: [u64; 2],
}

impl<'a> ClassSides<'a> {
    pub(super) fn new(indices: &'a [usize], n_classes: usize, rows: &[u32], weights: &Weights<'_>) -> ClassSides<'a> {
        let mut counts = vec![[0, 0]; n_classes];
        for &row in rows {
            counts[indices[row as usize]][1] += u64::from(weights.of(row));
        }
        let total = counts.iter().map(|count| count[1]).sum();
        let squares = counts.iter().map(|count| count[1] * count[1]).sum();
        ClassSides { indices, counts, totals: [0, total], squares: [0, squares] }
    }

    fn pass_class(&mut self, class: usize, weight: u64) {
        let [left, right] = &mut self.counts[class];
        self.squares[0] += weight * (2 * *left + weight);
        self.squares[1] -= weight * (2 * *right - weight);
        *left += weight;
        *right -= weight;
        self.totals[0] += weight;
        self.totals[1] -= weight;
    }
}

impl Sides for ClassSides<'_> {
    type Cell = u32;

    fn n_cells(&self) -> usize {
        self.counts.len()
    }

    #[inline]
    fn count(&self, cells: &mut [u32], row: u32, weight: u32) {
        cells[self.indices[row as usize]] += weight;
    }

    fn is_empty(cells: &[u32]) -> bool {
        cells.iter().all(|weight| *weight == 0)
    }

    fn pass_cells(&mut self, cells: &[u32]) {
        for (class, &weight) in cells.iter().enumerate().filter(|(_, weight)| **weight > 0) {
            self.pass_class(class, u64::from(weight));
        }
    }

    #[inline]
    fn pass(&mut self, row: u32, weight: u32) {
        self.pass_class(self.indices[row as usize], u64::from(weight));
    }

    fn counts(&self) -> [u64; 2] {
        self.totals
    }

    fn likeness(&self) -> f64 {
        let of_side = |side: usize| self.squares[side] as f64 / self.totals[side] as f64;
        of_side(0) + of_side(1)
    }

    fn is_pure(&self) -> bool {
        self.counts.iter().filter(|[left, right]| left + right > 0).count() < 2
    }
}

/// Sums of numbers. What is the most alike has the least squared error.
#[derive(Clone)]
pub(super) struct NumberSides<'a> {
    numbers: &'a [f64],
    /// Sums are of differences to one of the numbers, because squares of huge numbers that are alike leave nothing.
    origin: f64,
    sums: [f64; 2],
    totals: [u64; 2],
    is_pure: bool,
}

impl<'a> NumberSides<'a> {
    pub(super) fn new(numbers: &'a [f64], rows: &[u32], weights: &Weights<'_>) -> NumberSides<'a> {
        let origin = rows.first().map_or(0.0, |&row| numbers[row as usize]);
        let mut sides = NumberSides { numbers, origin, sums: [0.0; 2], totals: [0, 0], is_pure: true };
        for &row in rows {
            let difference = numbers[row as usize] - origin;
            sides.sums[1] += f64::from(weights.of(row)) * difference;
            sides.totals[1] += u64::from(weights.of(row));
            sides.is_pure &= difference == 0.0;
        }
        sides
    }

    fn pass_sum(&mut self, sum: f64, weight: u64) {
        self.sums[0] += sum;
        self.sums[1] -= sum;
        self.totals[0] += weight;
        self.totals[1] -= weight;
    }
}

impl Sides for NumberSides<'_> {
    type Cell = (f64, u32);

    fn n_cells(&self) -> usize {
        1
    }

    #[inline]
    fn count(&self, cells: &mut [(f64, u32)], row: u32, weight: u32) {
        let cell = &mut cells[0];
        cell.0 += f64::from(weight) * (self.numbers[row as usize] - self.origin);
        cell.1 += weight;
    }

    fn is_empty(cells: &[(f64, u32)]) -> bool {
        cells[0].1 == 0
    }

    fn pass_cells(&mut self, cells: &[(f64, u32)]) {
        let (sum, weight) = cells[0];
        self.pass_sum(sum, u64::from(weight));
    }

    #[inline]
    fn pass(&mut self, row: u32, weight: u32) {
        let difference = self.numbers[row as usize] - self.origin;
        self.pass_sum(f64::from(weight) * difference, u64::from(weight));
    }

    fn counts(&self) -> [u64; 2] {
        self.totals
    }

    fn likeness(&self) -> f64 {
        let of_side = |side: usize| self.sums[side] * (self.sums[side] / self.totals[side] as f64);
        of_side(0) + of_side(1)
    }

    fn is_pure(&self) -> bool {
        self.is_pure
    }
}
