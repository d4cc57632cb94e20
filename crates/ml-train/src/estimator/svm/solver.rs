//! The quadratic problem of support vectors, two variables at a time.
//!
//! Sources: Fan, Chen and Lin, *Working set selection using second order information for training support vector machines*
//! (2005); Chang and Lin, *LIBSVM: A library for support vector machines* (2011), sections 4.1 and 4.2.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rayon::prelude::*;

use super::kernel::FittedKernel;

use crate::error::TrainError;
use crate::matrix::DenseMatrix;
use crate::progress::Progress;

/// How many likenesses are kept at most (256 MiB).
const MAX_KEPT: usize = 1 << 25;

/// Keeps curvatures from 0.
const TINY: f64 = 1e-12;

/// From this many cells on, the likenesses of a row are computed by several threads.
const MIN_PARALLEL_CELLS: usize = 1 << 16;

/// After how many steps it is looked whether to stop.
const STEPS_PER_LOOK: usize = 1000;

/// Half of `aᵀQa` plus `pᵀa` is made small, with `a` between 0 and `c`, and `yᵀa` 0. A row has one variable, or two.
pub(super) struct Problem {
    n_rows: usize,
    c: f64,
    /// 1 or −1 per variable.
    signs: Vec<f64>,
    linear: Vec<f64>,
}

/// What comes of a problem.
pub(super) struct Solution {
    /// One per row; 0 for those that do not support the margin.
    pub(super) weights: Vec<f64>,
    pub(super) intercept: f64,
    pub(super) converged: bool,
}

impl Problem {
    pub(super) fn classification(is_positive: impl Iterator<Item = bool>, c: f64) -> Problem {
        let signs: Vec<f64> = is_positive.map(|is_positive| if is_positive { 1.0 } else { -1.0 }).collect();
        Problem { n_rows: signs.len(), c, linear: vec![-1.0; signs.len()], signs }
    }

    /// A row has a variable for being too low, and one for being too high.
    pub(super) fn regression(numbers: &[f64], c: f64, epsilon: f64) -> Problem {
        let n_rows = numbers.len();
        let signs = [vec![1.0; n_rows], vec![-1.0; n_rows]].concat();
        let low = numbers.iter().map(|number| epsilon - number);
        let high = numbers.iter().map(|number| epsilon + number);
        Problem { n_rows, c, linear: low.chain(high).collect(), signs }
    }
}

/// The likenesses of rows to all rows, the last ones used.
struct Likenesses<'a> {
    features: &'a DenseMatrix,
    kernel: &'a FittedKernel,
    kept: BTreeMap<usize, Arc<Vec<f64>>>,
    order: VecDeque<usize>,
}

impl Likenesses<'_> {
    fn of(&mut self, index: usize) -> Arc<Vec<f64>> {
        if let Some(likenesses) = self.kept.get(&index) {
            return Arc::clone(likenesses);
        }
        let n_rows = self.features.n_rows();
        let cells = self.features.row(index);
        let likeness = |other: usize| self.kernel.of(cells, self.features.row(other));
        let likenesses: Vec<f64> = if self.features.cells().len() < MIN_PARALLEL_CELLS {
            (0..n_rows).map(likeness).collect()
        } else {
            (0..n_rows).into_par_iter().with_min_len(256).map(likeness).collect()
        };
        let likenesses = Arc::new(likenesses);
        if (self.kept.len() + 1) * n_rows > MAX_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.kept.remove(&oldest);
        }
        self.kept.insert(index, Arc::clone(&likenesses));
        self.order.push_back(index);
        likenesses
    }
}

/// How far the variables are.
struct State<'a> {
    problem: &'a Problem,
    variables: Vec<f64>,
    gradient: Vec<f64>,
    /// The likeness of each row to itself.
    diagonal: Vec<f64>,
}

pub(super) fn solve(
    problem: &Problem,
    features: &DenseMatrix,
    kernel: &FittedKernel,
    (tolerance, max_iterations): (f64, usize),
    progress: &dyn Progress,
) -> Result<Solution, TrainError> {
    let mut likenesses = Likenesses { features, kernel, kept: BTreeMap::new(), order: VecDeque::new() };
    let mut state = State {
        problem,
        variables: vec![0.0; problem.signs.len()],
        gradient: problem.linear.clone(),
        diagonal: (0..problem.n_rows).map(|index| kernel.of(features.row(index), features.row(index))).collect(),
    };
    let mut converged = false;
    for step in 0..max_iterations {
        if step.is_multiple_of(STEPS_PER_LOOK) && progress.is_cancelled() {
            return Err(TrainError::Cancelled);
        }
        let Some(first) = state.most_violating() else {
            converged = true;
            break;
        };
        let of_first = likenesses.of(first % problem.n_rows);
        let Some(second) = state.partner(first, &of_first, tolerance) else {
            converged = true;
            break;
        };
        let of_second = likenesses.of(second % problem.n_rows);
        state.step(first, second, &of_first, &of_second);
    }
    Ok(state.solution(converged))
}

impl State<'_> {
    fn may_rise(&self, index: usize) -> bool {
        let is_positive = self.problem.signs[index] > 0.0;
        if is_positive { self.variables[index] < self.problem.c } else { self.variables[index] > 0.0 }
    }

    fn may_fall(&self, index: usize) -> bool {
        let is_positive = self.problem.signs[index] > 0.0;
        if is_positive { self.variables[index] > 0.0 } else { self.variables[index] < self.problem.c }
    }

    /// Returns how much the sum falls when a variable moves along its sign.
    fn pull(&self, index: usize) -> f64 {
        -self.problem.signs[index] * self.gradient[index]
    }

    fn most_violating(&self) -> Option<usize> {
        let mut best: Option<usize> = None;
        for index in (0..self.variables.len()).filter(|&index| self.may_rise(index)) {
            if best.is_none_or(|best| self.pull(index) >= self.pull(best)) {
                best = Some(index);
            }
        }
        best
    }

    /// Returns the variable that gains most together with `first`, by second derivatives; `None` when what is left to gain is
    /// within the tolerance.
    fn partner(&self, first: usize, of_first: &[f64], tolerance: f64) -> Option<usize> {
        let (greatest, n_rows) = (self.pull(first), self.problem.n_rows);
        let mut least = f64::INFINITY;
        let mut best: Option<(f64, usize)> = None;
        for index in (0..self.variables.len()).filter(|&index| self.may_fall(index)) {
            let pull = self.pull(index);
            least = least.min(pull);
            let difference = greatest - pull;
            if difference > 0.0 {
                let curvature = self.curvature(first, index, of_first[index % n_rows]);
                let gain = difference * difference / curvature;
                if best.is_none_or(|(most, _)| gain >= most) {
                    best = Some((gain, index));
                }
            }
        }
        // NaN, of features without measure, ends it too.
        if greatest - least >= tolerance { best.map(|(_, index)| index) } else { None }
    }

    fn curvature(&self, first: usize, second: usize, likeness: f64) -> f64 {
        let n_rows = self.problem.n_rows;
        let curvature = self.diagonal[first % n_rows] + self.diagonal[second % n_rows] - 2.0 * likeness;
        if curvature > 0.0 { curvature } else { TINY }
    }

    /// Moves both variables to where the sum is least, within their bounds.
    fn step(&mut self, first: usize, second: usize, of_first: &[f64], of_second: &[f64]) {
        let (c, n_rows) = (self.problem.c, self.problem.n_rows);
        let (sign_first, sign_second) = (self.problem.signs[first], self.problem.signs[second]);
        let curvature = self.curvature(first, second, of_first[second % n_rows]);
        let mut length = (self.pull(first) - self.pull(second)) / curvature;
        // The first moves along its sign, the second against it: how far each may go.
        let room = |variable: f64, direction: f64| if direction > 0.0 { c - variable } else { variable };
        length = length.min(room(self.variables[first], sign_first)).min(room(self.variables[second], -sign_second));
        let moved = |variable: f64, by: f64| (variable + by).clamp(0.0, c);
        let before = [self.variables[first], self.variables[second]];
        self.variables[first] = snapped(moved(before[0], sign_first * length), c);
        self.variables[second] = snapped(moved(before[1], -sign_second * length), c);
        let by_first = (self.variables[first] - before[0]) * sign_first;
        let by_second = (self.variables[second] - before[1]) * sign_second;
        for (index, gradient) in self.gradient.iter_mut().enumerate() {
            let row = index % n_rows;
            *gradient += self.problem.signs[index] * (by_first * of_first[row] + by_second * of_second[row]);
        }
    }

    fn solution(&self, converged: bool) -> Solution {
        let n_rows = self.problem.n_rows;
        let mut weights = vec![0.0; n_rows];
        for (index, variable) in self.variables.iter().enumerate() {
            weights[index % n_rows] += self.problem.signs[index] * variable;
        }
        let is_free = |&index: &usize| self.variables[index] > 0.0 && self.variables[index] < self.problem.c;
        let free: Vec<usize> = (0..self.variables.len()).filter(is_free).collect();
        let intercept = if free.is_empty() {
            let pulls = |may: &dyn Fn(usize) -> bool| -> Vec<f64> {
                (0..self.variables.len()).filter(|&index| may(index)).map(|index| self.pull(index)).collect()
            };
            let greatest = pulls(&|index| self.may_rise(index)).into_iter().fold(f64::NEG_INFINITY, f64::max);
            let least = pulls(&|index| self.may_fall(index)).into_iter().fold(f64::INFINITY, f64::min);
            f64::midpoint(greatest, least)
        } else {
            free.iter().map(|&index| self.pull(index)).sum::<f64>() / free.len() as f64
        };
        Solution { weights, intercept, converged }
    }
}

/// A variable that rounding left just inside of its bounds is at them.
fn snapped(variable: f64, c: f64) -> f64 {
    let near = c * 1e-14;
    if variable < near {
        0.0
    } else if variable > c - near {
        c
    } else {
        variable
    }
}
