//! Probabilities of margins: a sigmoid per output, fitted on margins of rows that were not learnt from.
//!
//! Sources: Platt, *Probabilistic outputs for support vector machines* (1999); Lin, Lin and Weng, *A note on Platt's
//! probabilistic outputs for support vector machines* (2007), algorithm 1.

use serde::{Deserialize, Serialize};

use super::{LinearPredictor, Link, sigmoid};
use crate::error::TrainError;
use crate::estimator::{Fitted, FittedPredictor, Target, TrainingData};

/// Whether margins become probabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probabilities {
    /// There are margins only.
    #[default]
    None,
    /// A sigmoid of each margin, fitted by cross-validation in five parts, as scikit-learn's `CalibratedClassifierCV` with
    /// `ensemble=False`; of several classes, they are scaled to sum 1.
    Sigmoid,
}

/// The most parts that rows are cut into, each scored by what was learnt from the others.
const N_FOLDS: usize = 5;

/// Fits margins by `fit` and gives them probabilities.
pub(super) fn calibrated(
    kind: &'static str,
    data: TrainingData<'_>,
    fit: impl Fn(TrainingData<'_>) -> Result<Fitted, TrainError>,
) -> Result<Fitted, TrainError> {
    let (classes, n_classes) = data.target.classes(kind)?;
    let Fitted { predictor, mut warnings } = fit(data)?;
    let FittedPredictor::Linear(linear) = predictor else { unreachable!("margins are of a linear model") };
    let folds = deal_to_folds(classes, n_classes);
    let n_folds = folds.iter().max().map_or(0, |last| last + 1);
    let mut margins = vec![0.0; classes.len() * linear.intercepts().len()];
    if n_folds < 2 {
        warnings.push(format!(
            "`{kind}` has a class of one row: its probabilities are fitted on the rows that it learnt from, and too certain"
        ));
        margins = margins_of(kind, &linear, data)?;
    }
    for fold in (0..n_folds).filter(|_| n_folds >= 2) {
        let (held, others): (Vec<usize>, Vec<usize>) = (0..classes.len()).partition(|&row| folds[row] == fold);
        let part = |rows: &[usize]| {
            let indices = rows.iter().map(|&row| classes[row]).collect();
            (data.features.take(rows), Target::Classes { indices, n_classes })
        };
        let (features, target) = part(&others);
        let FittedPredictor::Linear(of_fold) =
            fit(TrainingData { features: &features, target: &target, ..data })?.predictor
        else {
            unreachable!("margins are of a linear model")
        };
        let (features, target) = part(&held);
        let found = margins_of(kind, &of_fold, TrainingData { features: &features, target: &target, ..data })?;
        let n_outputs = of_fold.intercepts().len();
        for (margins_of_row, &row) in found.chunks(n_outputs).zip(&held) {
            margins[row * n_outputs..(row + 1) * n_outputs].copy_from_slice(margins_of_row);
        }
    }
    Ok(Fitted { predictor: FittedPredictor::Linear(with_sigmoids(&linear, classes, &margins)), warnings })
}

/// Returns a fold for each row; the rows of each class are dealt out in turn, so that every fold has some, and a class of
/// fewer rows than folds lowers the number of folds.
fn deal_to_folds(classes: &[usize], n_classes: usize) -> Vec<usize> {
    let mut counts = vec![0; n_classes];
    for &class in classes {
        counts[class] += 1;
    }
    let n_folds = counts.iter().copied().min().unwrap_or(0).clamp(1, N_FOLDS);
    let mut dealt = vec![0; n_classes];
    let fold_of = |&class: &usize| {
        dealt[class] += 1;
        (dealt[class] - 1) % n_folds
    };
    classes.iter().map(fold_of).collect()
}

fn margins_of(kind: &'static str, linear: &LinearPredictor, data: TrainingData<'_>) -> Result<Vec<f64>, TrainError> {
    linear.sums(data.features).map_err(|err| TrainError::Fit { kind, reason: err.to_string() })
}

/// Makes the margins of a model log odds: a sigmoid of a margin is that of a shifted and scaled sum.
fn with_sigmoids(linear: &LinearPredictor, classes: &[usize], margins: &[f64]) -> LinearPredictor {
    let n_outputs = linear.intercepts().len();
    let (mut intercepts, mut weights) = (linear.intercepts().to_vec(), linear.weights().to_vec());
    for (output, intercept) in intercepts.iter_mut().enumerate() {
        let positive = if n_outputs == 1 { 1 } else { output };
        let of_output: Vec<f64> = margins.iter().skip(output).step_by(n_outputs).copied().collect();
        let is_positive: Vec<bool> = classes.iter().map(|&class| class == positive).collect();
        let (slope, shift) = fit_sigmoid(&of_output, &is_positive);
        *intercept = slope * *intercept + shift;
        weights.iter_mut().skip(output).step_by(n_outputs).for_each(|weight| *weight *= slope);
    }
    LinearPredictor::new(Link::LogOdds, intercepts, weights)
}

const MAX_STEPS: usize = 100;

/// Returns slope and shift of the log odds that are likeliest, by Newton steps. Truths are drawn in by what is known before
/// any row is seen, so that margins that separate the classes do not become certainties.
fn fit_sigmoid(margins: &[f64], is_positive: &[bool]) -> (f64, f64) {
    let n_positive = is_positive.iter().filter(|positive| **positive).count() as f64;
    let n_negative = margins.len() as f64 - n_positive;
    let (high, low) = ((n_positive + 1.0) / (n_positive + 2.0), 1.0 / (n_negative + 2.0));
    let truths: Vec<f64> = is_positive.iter().map(|&positive| if positive { high } else { low }).collect();
    let loss_of = |slope: f64, shift: f64| -> f64 {
        margins
            .iter()
            .zip(&truths)
            .map(|(margin, truth)| {
                let odds = slope * margin + shift;
                (-odds.abs()).exp().ln_1p() + odds.max(0.0) - truth * odds
            })
            .sum()
    };
    let (mut slope, mut shift) = (0.0, ((n_positive + 1.0) / (n_negative + 1.0)).ln());
    let mut loss = loss_of(slope, shift);
    for _ in 0..MAX_STEPS {
        let (mut by_slope, mut by_shift) = (0.0, 0.0);
        // A little is added to the curvature, so that it can be divided by.
        let (mut slope_twice, mut both, mut shift_twice) = (1e-12, 0.0, 1e-12);
        for (margin, truth) in margins.iter().zip(&truths) {
            let probability = sigmoid(slope * margin + shift);
            let (error, spread) = (probability - truth, probability * (1.0 - probability));
            by_slope += margin * error;
            by_shift += error;
            slope_twice += margin * margin * spread;
            both += margin * spread;
            shift_twice += spread;
        }
        if by_slope.abs() < 1e-9 && by_shift.abs() < 1e-9 {
            break;
        }
        let determinant = slope_twice * shift_twice - both * both;
        let slope_step = (both * by_shift - shift_twice * by_slope) / determinant;
        let shift_step = (both * by_slope - slope_twice * by_shift) / determinant;
        let descent = by_slope * slope_step + by_shift * shift_step;
        let mut length = 1.0;
        let mut found = None;
        while length >= 1e-10 && found.is_none() {
            let (next_slope, next_shift) = (slope + length * slope_step, shift + length * shift_step);
            let next = loss_of(next_slope, next_shift);
            if next < loss + 1e-4 * length * descent {
                found = Some((next_slope, next_shift, next));
            }
            length /= 2.0;
        }
        let Some(better) = found else { break };
        (slope, shift, loss) = better;
    }
    (slope, shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_each_class_are_dealt_out_in_turn() {
        assert_eq!(deal_to_folds(&[0, 1, 0, 1, 0, 1, 1], 2), [0, 0, 1, 1, 2, 2, 0]);
        assert_eq!(deal_to_folds(&[0, 1, 1], 2), [0, 0, 0]);
    }

    #[test]
    fn a_sigmoid_is_even_where_margins_say_nothing() {
        let (slope, shift) = fit_sigmoid(&[1.0, 1.0, -1.0, -1.0], &[true, false, true, false]);
        assert!(slope.abs() < 1e-6 && shift.abs() < 1e-6, "{slope} {shift}");
        let (slope, _) = fit_sigmoid(&[1.0, 2.0, -1.0, -2.0], &[true, true, false, false]);
        assert!(slope > 0.0 && slope.is_finite(), "{slope}");
    }
}
