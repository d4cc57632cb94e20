//! Many classes by one binary problem for each, in parallel.

use rayon::prelude::*;

use super::lanes::{DualLoss, Separation, Solution};
use super::problem::{Problem, Source};
use super::{LinearPredictor, Link};
use crate::error::TrainError;
use crate::estimator::{Fitted, FittedPredictor, TrainingData};
use crate::progress::Progress;

/// What the learners have in common.
pub(super) struct Settings {
    pub(super) kind: &'static str,
    pub(super) link: Link,
    pub(super) cost: f64,
    /// How much a row of each class counts.
    pub(super) class_weights: Vec<f64>,
    pub(super) max_passes: usize,
}

/// Solves a binary problem for each class, or one for two classes.
pub(super) fn fit<L: DualLoss>(
    settings: &Settings,
    loss: &L,
    data: TrainingData<'_>,
    progress: &dyn Progress,
) -> Result<Fitted, TrainError> {
    let (_, n_classes) = data.target.classes(settings.kind)?;
    match n_classes {
        0..=2 => fit_lanes::<L, 1>(settings, loss, data, progress),
        // More lanes would read rows less often, but their weights would fit the processor's caches less well, and there
        // would be fewer blocks to share out to the threads.
        _ => fit_lanes::<L, 2>(settings, loss, data, progress),
    }
}

fn fit_lanes<L: DualLoss, const LANES: usize>(
    settings: &Settings,
    loss: &L,
    data: TrainingData<'_>,
    progress: &dyn Progress,
) -> Result<Fitted, TrainError> {
    let (classes, n_classes) = data.target.classes(settings.kind)?;
    let problem = Problem::new(data.features);
    let class_weights = &settings.class_weights;
    // Of two classes the second is separated from the first, each with its weight; of more, each from all others, which
    // then count as they are.
    let (separated, rest_weight): (Vec<usize>, f64) =
        if n_classes == 2 { (vec![1], class_weights[0]) } else { ((0..n_classes).collect(), 1.0) };
    let solutions: Vec<Solution<LANES>> = separated
        .par_chunks(LANES)
        .map(|block| {
            let class_of = |lane: usize| block.get(lane).copied();
            let separation = Separation {
                problem: &problem,
                classes,
                positive: std::array::from_fn(class_of),
                positive_costs: std::array::from_fn(|lane| {
                    settings.cost * class_of(lane).map_or(1.0, |class| class_weights[class])
                }),
                rest_cost: settings.cost * rest_weight,
                seed: data.seed,
                max_passes: settings.max_passes,
            };
            let solution = separation.solve(loss, progress);
            progress.advance(separated.len().div_ceil(LANES) as u64);
            solution
        })
        .collect();
    if progress.is_cancelled() {
        return Err(TrainError::Cancelled);
    }
    let warnings = convergence_warning(settings.kind, separated.len(), &solutions);
    let predictor = predictor(settings.link, &problem, &solutions, separated.len());
    Ok(Fitted { predictor: FittedPredictor::Linear(predictor), warnings })
}

fn convergence_warning<const LANES: usize>(kind: &str, n_outputs: usize, solutions: &[Solution<LANES>]) -> Vec<String> {
    let n_unfinished =
        solutions.iter().flat_map(|solution| solution.has_converged).filter(|converged| !converged).count();
    if n_unfinished == 0 {
        return Vec::new();
    }
    vec![format!(
        "`{kind}` did not converge for {n_unfinished} of {n_outputs} classes: raise `max_iterations`, lower `c`, or \
         standardise the features"
    )]
}

/// Puts the weights of all lanes feature by feature.
fn predictor<const LANES: usize>(
    link: Link,
    problem: &Problem,
    solutions: &[Solution<LANES>],
    n_outputs: usize,
) -> LinearPredictor {
    let mut weights = vec![0.0; problem.sources.len() * n_outputs];
    weights.par_chunks_mut(n_outputs).zip(&problem.sources).with_min_len(1024).for_each(|(weights, &source)| {
        for (weights, solution) in weights.chunks_mut(LANES).zip(solutions) {
            let lanes = match source {
                Source::Nowhere => [0.0; LANES],
                Source::Shared(place) => *solution.weights.at_place(place),
                Source::Private { row, value } => solution.contributions[row as usize].map(|times| times * value),
            };
            weights.copy_from_slice(&lanes[..weights.len()]);
        }
    });
    let mut intercepts: Vec<f64> = solutions.iter().flat_map(|solution| solution.weights.intercepts).collect();
    intercepts.truncate(n_outputs);
    LinearPredictor::new(link, intercepts, weights)
}
