//! Weights of a linear model by quasi-Newton steps, for losses that are smooth in the sums of a row.
//!
//! Without absolute penalty these are L-BFGS steps; with it, steps stay within an orthant, so that weights become exactly 0.
//! Work is cut into parts that do not depend on the number of threads, and what the parts give is added up in their order.
//!
//! Sources: Liu and Nocedal, *On the limited memory BFGS method for large scale optimization* (1989); Andrew and Gao,
//! *Scalable training of L1-regularized log-linear models* (2007).

use std::collections::VecDeque;

use rayon::prelude::*;

use super::teller::Teller;
use crate::matrix::CsrMatrix;
use crate::progress::Progress;

/// What a row loses by its weighted sums.
pub(super) trait SmoothLoss: Sync {
    /// Returns the loss of `row`, and replaces its sums, one per output, by the derivatives of the loss.
    fn lose(&self, row: usize, sums: &mut [f64]) -> f64;
}

/// What large weights cost: `l2 / 2 · w²` and `l1 · |w|` each.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightCost {
    pub(super) l1: f64,
    pub(super) l2: f64,
    /// Whether intercepts cost the same.
    pub(super) with_intercepts: bool,
}

/// The losses of all rows and the cost of the weights.
pub(super) struct Objective<'a, L> {
    pub(super) rows: &'a CsrMatrix,
    /// The same cells by feature.
    pub(super) by_feature: &'a CsrMatrix,
    pub(super) loss: &'a L,
    pub(super) n_outputs: usize,
    pub(super) cost: WeightCost,
}

/// When steps end.
pub(super) struct Stop {
    /// No derivative is larger.
    pub(super) gradient: f64,
    pub(super) max_steps: usize,
}

/// Weights feature by feature, one per output, then the intercepts.
pub(super) struct Solution {
    pub(super) weights: Vec<f64>,
    pub(super) has_converged: bool,
}

/// How many earlier steps tell the curvature.
const N_REMEMBERED: usize = 8;

const ROWS_PER_PART: usize = 256;

const WEIGHTS_PER_PART: usize = 1 << 13;

/// How often a step is halved before there is none.
const MAX_HALVINGS: usize = 40;

/// The share of the promised decrease that a step must reach.
const SUFFICIENT_DECREASE: f64 = 1e-4;

/// Near the minimum the objective falls by less than it is rounded by; only the gradient tells then.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// The weights at one point, and what is known there.
struct Point {
    weights: Vec<f64>,
    /// The objective.
    value: f64,
    /// The derivatives of all but the absolute penalty.
    gradient: Vec<f64>,
}

/// An earlier step and the change of the gradient over it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// One over their product.
    scale: f64,
}

impl<L: SmoothLoss> Objective<'_, L> {
    /// Finds the weights with the least objective, from zero.
    pub(super) fn minimise(&self, stop: &Stop, progress: &dyn Progress) -> Solution {
        let n_weights = (self.rows.n_columns() + 1) * self.n_outputs;
        let mut point = self.at(vec![0.0; n_weights]);
        let mut pairs: VecDeque<Pair> = VecDeque::with_capacity(N_REMEMBERED);
        let mut teller = Teller::new(progress);
        for step in 0..stop.max_steps {
            teller.tell(step, || point.value / self.rows.n_rows() as f64);
            let slope = self.steepest(&point);
            if slope.iter().all(|derivative| derivative.abs() <= stop.gradient) {
                return Solution { weights: point.weights, has_converged: true };
            }
            if progress.is_cancelled() {
                break;
            }
            let direction = self.direction(&pairs, &slope);
            let Some(next) = self.step(&point, &slope, &direction, pairs.is_empty()) else {
                if pairs.is_empty() {
                    break;
                }
                // What is remembered misleads: the next step goes straight down.
                pairs.clear();
                continue;
            };
            remember(&mut pairs, &point, &next);
            point = next;
        }
        Solution { weights: point.weights, has_converged: false }
    }

    /// Computes objective and gradient at `weights`.
    fn at(&self, weights: Vec<f64>) -> Point {
        let n_outputs = self.n_outputs;
        let (of_features, intercepts) = weights.split_at(weights.len() - n_outputs);
        let mut derivatives = intercepts.repeat(self.rows.n_rows());
        let losses: Vec<f64> = derivatives
            .par_chunks_mut(ROWS_PER_PART * n_outputs)
            .enumerate()
            .map(|(part, sums)| self.lose(part * ROWS_PER_PART, of_features, sums))
            .collect();
        let mut gradient = vec![0.0; weights.len()];
        let (of_features_gradient, intercept_gradient) = gradient.split_at_mut(of_features.len());
        of_features_gradient
            .par_chunks_mut(n_outputs)
            .enumerate()
            .with_min_len(256)
            .for_each(|(feature, gradient)| self.gather(feature, &derivatives, gradient));
        for row in derivatives.chunks(n_outputs) {
            intercept_gradient.iter_mut().zip(row).for_each(|(sum, derivative)| *sum += derivative);
        }
        let n_costly = if self.cost.with_intercepts { weights.len() } else { of_features.len() };
        add(&mut gradient[..n_costly], self.cost.l2, &weights[..n_costly]);
        let costly = &weights[..n_costly];
        let mut value: f64 = losses.iter().sum::<f64>() + 0.5 * self.cost.l2 * dot(costly, costly);
        if self.cost.l1 > 0.0 {
            value += self.cost.l1 * costly.iter().map(|weight| weight.abs()).sum::<f64>();
        }
        Point { weights, value, gradient }
    }

    /// Completes the sums of some rows, and replaces them by derivatives; returns the losses of the rows in sum.
    fn lose(&self, first_row: usize, weights: &[f64], all_sums: &mut [f64]) -> f64 {
        let mut loss = 0.0;
        for (index, sums) in all_sums.chunks_mut(self.n_outputs).enumerate() {
            let (features, values) = self.rows.row(first_row + index);
            for (&feature, &value) in features.iter().zip(values) {
                let begin = feature as usize * self.n_outputs;
                let weights = &weights[begin..begin + self.n_outputs];
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
            }
            loss += self.loss.lose(first_row + index, sums);
        }
        loss
    }

    /// Adds what the rows of a feature give to its gradient.
    fn gather(&self, feature: usize, derivatives: &[f64], gradient: &mut [f64]) {
        let (rows, values) = self.by_feature.row(feature);
        for (&row, &value) in rows.iter().zip(values) {
            let begin = row as usize * self.n_outputs;
            let of_row = &derivatives[begin..begin + self.n_outputs];
            gradient.iter_mut().zip(of_row).for_each(|(sum, derivative)| *sum += value * derivative);
        }
    }

    /// Returns the derivatives in the direction of steepest descent, those of the absolute penalty among them: at 0 it has
    /// a kink, and holds a weight there that gains less by leaving it.
    fn steepest(&self, point: &Point) -> Vec<f64> {
        let mut slope = point.gradient.clone();
        if self.cost.l1 == 0.0 {
            return slope;
        }
        let n_costly = self.n_costly(slope.len());
        slope[..n_costly].par_iter_mut().zip(&point.weights).with_min_len(WEIGHTS_PER_PART).for_each(
            |(derivative, &weight)| {
                let l1 = self.cost.l1;
                *derivative = if weight > 0.0 {
                    *derivative + l1
                } else if weight < 0.0 {
                    *derivative - l1
                } else {
                    (*derivative + l1).min(0.0) + (*derivative - l1).max(0.0)
                };
            },
        );
        slope
    }

    fn n_costly(&self, n_weights: usize) -> usize {
        if self.cost.with_intercepts { n_weights } else { n_weights - self.n_outputs }
    }

    /// Returns the direction that the remembered curvature makes of the slope.
    fn direction(&self, pairs: &VecDeque<Pair>, slope: &[f64]) -> Vec<f64> {
        let mut direction: Vec<f64> =
            slope.par_iter().with_min_len(WEIGHTS_PER_PART).map(|derivative| -derivative).collect();
        let mut factors = Vec::with_capacity(pairs.len());
        for pair in pairs.iter().rev() {
            let factor = pair.scale * dot(&pair.step, &direction);
            add(&mut direction, -factor, &pair.change);
            factors.push(factor);
        }
        if let Some(last) = pairs.back() {
            let curvature = 1.0 / (last.scale * dot(&last.change, &last.change));
            direction.par_iter_mut().with_min_len(WEIGHTS_PER_PART).for_each(|value| *value *= curvature);
        }
        for (pair, factor) in pairs.iter().zip(factors.into_iter().rev()) {
            let other = pair.scale * dot(&pair.change, &direction);
            add(&mut direction, factor - other, &pair.step);
        }
        if self.cost.l1 > 0.0 {
            // No weight moves against its own slope.
            let n_costly = self.n_costly(direction.len());
            for (value, derivative) in direction[..n_costly].iter_mut().zip(slope) {
                if *value * derivative >= 0.0 {
                    *value = 0.0;
                }
            }
        }
        direction
    }

    /// Goes along `direction` as far as the objective falls enough; `None` if it falls nowhere.
    fn step(&self, from: &Point, slope: &[f64], direction: &[f64], is_first: bool) -> Option<Point> {
        let descent = dot(slope, direction);
        if descent >= 0.0 || !descent.is_finite() {
            return None;
        }
        let mut length = if is_first { 1.0 / dot(slope, slope).sqrt().max(1e-12) } else { 1.0 };
        for _ in 0..MAX_HALVINGS {
            let weights = self.moved(from, slope, direction, length);
            // Where a weight was held at 0, it went less far than the direction says.
            let promised: f64 = if self.cost.l1 > 0.0 {
                weights.iter().zip(&from.weights).zip(slope).map(|((to, from), slope)| (to - from) * slope).sum()
            } else {
                length * descent
            };
            let to = self.at(weights);
            let enough = from.value + SUFFICIENT_DECREASE * promised + ROUNDING * from.value.abs();
            if to.value.is_finite() && to.value <= enough && promised < 0.0 {
                return Some(to);
            }
            length *= 0.5;
        }
        None
    }

    /// Returns the weights after a step; those that would change their sign against the absolute penalty become 0.
    fn moved(&self, from: &Point, slope: &[f64], direction: &[f64], length: f64) -> Vec<f64> {
        let mut weights = from.weights.clone();
        add(&mut weights, length, direction);
        if self.cost.l1 > 0.0 {
            let n_costly = self.n_costly(weights.len());
            for ((to, &from), &derivative) in weights[..n_costly].iter_mut().zip(&from.weights).zip(slope) {
                let orthant = if from == 0.0 { -derivative } else { from };
                if *to * orthant <= 0.0 {
                    *to = 0.0;
                }
            }
        }
        weights
    }
}

/// Remembers the step between two points, unless it says nothing of the curvature.
fn remember(pairs: &mut VecDeque<Pair>, from: &Point, to: &Point) {
    let difference = |to: &[f64], from: &[f64]| -> Vec<f64> {
        to.par_iter().zip(from).with_min_len(WEIGHTS_PER_PART).map(|(to, from)| to - from).collect()
    };
    let step = difference(&to.weights, &from.weights);
    let change = difference(&to.gradient, &from.gradient);
    let product = dot(&step, &change);
    if product <= 1e-10 * dot(&step, &step) {
        return;
    }
    if pairs.len() == N_REMEMBERED {
        pairs.pop_front();
    }
    pairs.push_back(Pair { step, change, scale: 1.0 / product });
}

/// Returns the sum of products, added up part by part.
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let of_part =
        |(left, right): (&[f64], &[f64])| left.iter().zip(right).map(|(left, right)| left * right).sum::<f64>();
    let parts: Vec<f64> =
        left.par_chunks(WEIGHTS_PER_PART).zip(right.par_chunks(WEIGHTS_PER_PART)).map(of_part).collect();
    parts.iter().sum()
}

/// Adds `times` the right to the left.
fn add(left: &mut [f64], times: f64, right: &[f64]) {
    left.par_iter_mut().zip(right).with_min_len(WEIGHTS_PER_PART).for_each(|(left, right)| *left += times * right);
}
