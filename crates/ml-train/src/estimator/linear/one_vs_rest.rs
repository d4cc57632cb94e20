//! Many classes by one binary problem for each, in parallel.

use rayon::prelude::*;

use super::problem::{Problem, Weights};
use super::{LinearPredictor, Link};
use crate::error::TrainError;
use crate::estimator::{ClassWeight, Fitted, FittedPredictor, TrainingData};
use crate::progress::Progress;
use crate::random::SplitMix64;

/// One class against the rest.
pub(super) struct Binary<'a> {
    pub(super) problem: &'a Problem,
    /// 1 for rows of the class, −1 for the rest.
    pub(super) signs: Vec<f64>,
    /// How much the loss of each row counts.
    pub(super) costs: Vec<f64>,
    pub(super) random: SplitMix64,
    pub(super) progress: &'a dyn Progress,
}

/// The weights of a binary problem, and whether the iteration came to its end.
pub(super) struct Solution {
    pub(super) weights: Weights,
    pub(super) has_converged: bool,
}

/// Solves a binary problem for each class, or one for two classes.
pub(super) fn fit(
    kind: &'static str,
    link: Link,
    data: TrainingData<'_>,
    progress: &dyn Progress,
    (cost, class_weight): (f64, ClassWeight),
    solve: impl Fn(Binary<'_>) -> Solution + Sync,
) -> Result<Fitted, TrainError> {
    let (classes, n_classes) = data.target.classes(kind)?;
    let problem = Problem::new(data.features);
    let class_weights = class_weight.weights(classes, n_classes);
    let n_outputs = if n_classes == 2 { 1 } else { n_classes };
    let solutions: Vec<Solution> = (0..n_outputs)
        .into_par_iter()
        .map(|output| {
            let (positive, rest_weight) = if n_outputs == 1 { (1, class_weights[0]) } else { (output, 1.0) };
            let is_positive = |&class: &usize| class == positive;
            let binary = Binary {
                problem: &problem,
                signs: classes.iter().map(|class| if is_positive(class) { 1.0 } else { -1.0 }).collect(),
                costs: classes
                    .iter()
                    .map(|class| cost * if is_positive(class) { class_weights[positive] } else { rest_weight })
                    .collect(),
                random: SplitMix64::new(data.seed, output as u64),
                progress,
            };
            let solution = solve(binary);
            progress.advance(n_outputs as u64);
            solution
        })
        .collect();
    if progress.is_cancelled() {
        return Err(TrainError::Cancelled);
    }
    let n_unfinished = solutions.iter().filter(|solution| !solution.has_converged).count();
    let mut warnings = Vec::new();
    if n_unfinished > 0 {
        warnings.push(format!(
            "`{kind}` did not converge for {n_unfinished} of {n_outputs} classes: raise `max_iterations`, lower `c`, or \
             standardise the features"
        ));
    }
    Ok(Fitted { predictor: FittedPredictor::Linear(predictor(link, &problem, &solutions)), warnings })
}

fn predictor(link: Link, problem: &Problem, solutions: &[Solution]) -> LinearPredictor {
    let n_outputs = solutions.len();
    let mut weights = vec![0.0; problem.n_features() * n_outputs];
    weights.par_chunks_mut(n_outputs).zip(problem.places()).for_each(|(weights, &place)| {
        for (weight, solution) in weights.iter_mut().zip(solutions) {
            *weight = solution.weights.at_place(place);
        }
    });
    LinearPredictor::new(link, solutions.iter().map(|solution| solution.weights.intercept).collect(), weights)
}
