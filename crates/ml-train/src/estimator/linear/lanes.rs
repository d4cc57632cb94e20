//! Dual coordinate descent on several binary problems side by side.
//!
//! A row is read once for all lanes, and the lanes fill the processor's vector registers. Each lane takes the steps that it
//! would take alone: the lanes share the order of the rows and nothing else.

use super::problem::{Problem, Weights};
use super::teller::Teller;
use crate::progress::Progress;
use crate::random::SplitMix64;

/// The loss of a binary problem, as dual coordinate descent sees it.
pub(super) trait DualLoss: Sync {
    /// The dual variable of a row.
    type Dual: Copy;
    /// What a lane remembers between rows and passes.
    type Memory: Clone;

    /// Returns what a lane remembers before the first pass.
    fn memory(&self) -> Self::Memory;

    /// Returns the dual variable of a row before the first pass.
    fn initial_dual(&self, cost: f64) -> Self::Dual;

    /// Returns how often the row is added to the weights, but for its sign.
    fn contribution(&self, dual: &Self::Dual) -> f64;

    /// Returns the loss of a row that counts once.
    fn loss(&self, margin: f64) -> f64;

    /// Improves the dual variable of a row, or leaves the row out until the lane takes all rows again.
    fn visit(&self, memory: &mut Self::Memory, dual: &mut Self::Dual, row: RowOfLane) -> Visit;

    /// Says how a lane goes on after a pass over `n_rows` rows, of which some may have been left out.
    fn end_pass(&self, memory: &mut Self::Memory, n_rows: usize, has_left_out: bool) -> Verdict;
}

/// A row as one lane sees it.
#[derive(Clone, Copy)]
pub(super) struct RowOfLane {
    /// The weighted sum times the sign of the row: positive when it is on the right side.
    pub(super) margin: f64,
    /// Squared length, with the 1 of the intercept.
    pub(super) squared_length: f64,
    /// How much the loss of the row counts.
    pub(super) cost: f64,
}

/// What became of a row in a lane.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// The dual variable may have changed.
    Taken,
    /// The row is left out until the lane takes all rows again.
    LeftOut,
}

/// How a lane goes on after a pass.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// With the rows it has.
    Continue,
    /// With all rows.
    TakeAllRows,
    /// Not at all: it has converged.
    Done,
}

/// Which class each row is of, and what the lanes separate.
pub(super) struct Separation<'a, const LANES: usize> {
    pub(super) problem: &'a Problem,
    /// The class of each row.
    pub(super) classes: &'a [usize],
    /// The class of each lane, separated from the rest; unused lanes have none.
    pub(super) positive: [Option<usize>; LANES],
    /// How much the loss of rows of the class counts, by lane.
    pub(super) positive_costs: [f64; LANES],
    /// How much the loss of the other rows counts.
    pub(super) rest_cost: f64,
    /// The order of the rows, the same for every lane of every block.
    pub(super) seed: u64,
    pub(super) max_passes: usize,
}

/// The weights of all lanes, and whether each came to its end.
pub(super) struct Solution<const LANES: usize> {
    pub(super) weights: Weights<LANES>,
    /// How often each row is added to the weights, with its sign.
    pub(super) contributions: Vec<[f64; LANES]>,
    pub(super) has_converged: [bool; LANES],
}

/// One bit per lane, set for the lanes that take a row.
type LaneSet = u8;

impl<const LANES: usize> Separation<'_, LANES> {
    /// Solves the problems of all lanes; those that `progress` cuts short have not converged.
    pub(super) fn solve<L: DualLoss>(&self, loss: &L, progress: &dyn Progress) -> Solution<LANES> {
        let n_rows = self.problem.n_rows();
        let mut weights = Weights::zero(self.problem);
        let mut duals = self.initial_duals(loss, &mut weights);
        let mut memories: Vec<L::Memory> = vec![loss.memory(); LANES];
        let mut unfinished = self.used_lanes();
        let mut takers: Vec<LaneSet> = vec![unfinished; n_rows];
        let mut order: Vec<u32> = (0..n_rows as u32).collect();
        let mut random = SplitMix64::new(self.seed, 0);
        let mut teller = Teller::new(progress);
        for pass in 0..self.max_passes {
            if unfinished == 0 || progress.is_cancelled() {
                break;
            }
            teller.tell(pass, || self.mean_loss(loss, &weights, &duals));
            random.shuffle(&mut order);
            let mut left_out: LaneSet = 0;
            for &row in &order {
                let row = row as usize;
                left_out |= unfinished & !takers[row];
                if takers[row] != 0 {
                    left_out |=
                        self.visit_row(loss, row, &mut takers[row], &mut memories, &mut duals[row], &mut weights);
                }
            }
            for lane in lanes_of(unfinished) {
                let bit = 1 << lane;
                let verdict = loss.end_pass(&mut memories[lane], n_rows, left_out & bit != 0);
                if verdict == Verdict::Continue {
                    continue;
                }
                for takers in &mut takers {
                    *takers = if verdict == Verdict::TakeAllRows { *takers | bit } else { *takers & !bit };
                }
                if verdict == Verdict::Done {
                    unfinished &= !bit;
                }
            }
        }
        let has_converged = std::array::from_fn(|lane| unfinished & (1 << lane) == 0);
        let contributions = duals.iter().enumerate().map(|(row, duals)| self.contributions(loss, row, duals)).collect();
        Solution { weights, contributions, has_converged }
    }

    /// Visits a row in the lanes that take it, and returns the lanes that leave it out from now on.
    #[inline]
    fn visit_row<L: DualLoss>(
        &self,
        loss: &L,
        row: usize,
        takers: &mut LaneSet,
        memories: &mut [L::Memory],
        duals: &mut [L::Dual; LANES],
        weights: &mut Weights<LANES>,
    ) -> LaneSet {
        let sums = weights.dot(self.problem, row);
        let lengths = self.problem.lengths(row);
        let mut steps = [0.0; LANES];
        let mut left_out: LaneSet = 0;
        for lane in lanes_of(*takers) {
            let (sign, cost) = self.sign_and_cost(row, lane);
            let before = loss.contribution(&duals[lane]);
            let margin = sign * sums[lane] + before * lengths.private;
            let row_of_lane = RowOfLane { margin, squared_length: lengths.whole, cost };
            if loss.visit(&mut memories[lane], &mut duals[lane], row_of_lane) == Visit::LeftOut {
                left_out |= 1 << lane;
            }
            steps[lane] = sign * (loss.contribution(&duals[lane]) - before);
        }
        *takers &= !left_out;
        if steps.iter().any(|&step| step != 0.0) {
            weights.add(self.problem, row, &steps);
        }
        left_out
    }

    /// Returns the mean loss of the rows over all lanes.
    fn mean_loss<L: DualLoss>(&self, loss: &L, weights: &Weights<LANES>, duals: &[[L::Dual; LANES]]) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (row, duals) in duals.iter().enumerate() {
            let sums = weights.dot(self.problem, row);
            let private = self.problem.lengths(row).private;
            for lane in lanes_of(self.used_lanes()) {
                let (sign, _) = self.sign_and_cost(row, lane);
                sum += loss.loss(sign * sums[lane] + loss.contribution(&duals[lane]) * private);
                count += 1.0;
            }
        }
        sum / count
    }

    fn initial_duals<L: DualLoss>(&self, loss: &L, weights: &mut Weights<LANES>) -> Vec<[L::Dual; LANES]> {
        let mut all_duals = Vec::with_capacity(self.problem.n_rows());
        for row in 0..self.problem.n_rows() {
            let duals = std::array::from_fn(|lane| loss.initial_dual(self.sign_and_cost(row, lane).1));
            let contributions = self.contributions(loss, row, &duals);
            if contributions.iter().any(|&contribution| contribution != 0.0) {
                weights.add(self.problem, row, &contributions);
            }
            all_duals.push(duals);
        }
        all_duals
    }

    fn contributions<L: DualLoss>(&self, loss: &L, row: usize, duals: &[L::Dual; LANES]) -> [f64; LANES] {
        std::array::from_fn(|lane| self.sign_and_cost(row, lane).0 * loss.contribution(&duals[lane]))
    }

    #[inline]
    fn sign_and_cost(&self, row: usize, lane: usize) -> (f64, f64) {
        if self.positive[lane] == Some(self.classes[row]) {
            (1.0, self.positive_costs[lane])
        } else {
            (-1.0, self.rest_cost)
        }
    }

    fn used_lanes(&self) -> LaneSet {
        (0..LANES).filter(|&lane| self.positive[lane].is_some()).fold(0, |set, lane| set | (1 << lane))
    }
}

fn lanes_of(mut set: LaneSet) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = set.trailing_zeros() as usize;
        (set != 0).then(|| {
            set &= set - 1;
            lane
        })
    })
}
