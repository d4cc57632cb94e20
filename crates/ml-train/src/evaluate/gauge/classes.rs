//! Figures of predicted classes, of their probabilities and of their rankings, under weights.

use ml_core::metrics::{ClassTotals, reliability_bin};

use crate::estimator::Scores;
use crate::evaluate::calibration::{N_BINS, stated_probabilities};
use crate::evaluate::outcome::ClassOutcome;

use super::ranking::{Areas, Ranking};

/// With more classes, the scores of each are not measured one by one.
const MAX_CLASSES_ONE_BY_ONE: usize = 100;

const OF_CLASSES: &[&str] = &[
    "accuracy",
    "balanced_accuracy",
    "cohen_kappa",
    "mcc",
    "f1_macro",
    "f1_micro",
    "f1_weighted",
    "precision_macro",
    "precision_micro",
    "precision_weighted",
    "recall_macro",
    "recall_micro",
    "recall_weighted",
];
const OF_PROBABILITIES: &[&str] = &["brier", "expected_calibration_error", "log_loss"];
const OF_TWO_RANKED: &[&str] = &["average_precision", "roc_auc"];
const OF_MANY_RANKED: &[&str] = &["average_precision_macro", "roc_auc_ovr_macro", "roc_auc_ovr_weighted"];

pub(super) struct ClassGauge {
    n_classes: usize,
    truth: Vec<u32>,
    predicted: Vec<u32>,
    probabilities: Option<ProbabilityGauge>,
    /// Of the second of two classes, else of each.
    rankings: Vec<Ranking>,
}

/// The loss of each row, and where it stands in the reliability curve.
struct ProbabilityGauge {
    log_losses: Vec<f64>,
    squared_distances: Vec<f64>,
    bins: Vec<u8>,
    /// How far the probability of each row is above what happened, 0 or 1.
    excesses: Vec<f64>,
}

impl ClassGauge {
    pub(super) fn new(outcome: &ClassOutcome) -> ClassGauge {
        let ranked = match &outcome.scores {
            Some(scores) if outcome.knows_all_classes() && scores.n_classes == 2 => 1..2,
            Some(scores) if outcome.knows_all_classes() => 0..scores.n_classes,
            _ => 0..0,
        };
        ClassGauge {
            n_classes: outcome.classes.len(),
            truth: outcome.truth.iter().map(|&class| class as u32).collect(),
            predicted: outcome.predicted.iter().map(|&class| class as u32).collect(),
            probabilities: outcome.probabilities().map(|probabilities| ProbabilityGauge::new(outcome, probabilities)),
            rankings: ranked
                .filter_map(|class| outcome.ranking_of(class))
                .map(|(truth, scores)| Ranking::new(&truth, &scores))
                .collect(),
        }
    }

    pub(super) fn names(&self, classes: &[String]) -> Vec<String> {
        let mut names: Vec<String> = OF_CLASSES.iter().map(|&name| name.to_owned()).collect();
        if self.probabilities.is_some() {
            names.extend(OF_PROBABILITIES.iter().map(|&name| name.to_owned()));
        }
        names.extend(self.ranked_names().iter().map(|&name| name.to_owned()));
        if self.n_classes <= MAX_CLASSES_ONE_BY_ONE {
            for class in classes {
                names.extend(["precision", "recall", "f1"].map(|name| format!("{name}[{class}]")));
            }
        }
        names
    }

    fn ranked_names(&self) -> &'static [&'static str] {
        match self.rankings.len() {
            0 => &[],
            1 => OF_TWO_RANKED,
            _ => OF_MANY_RANKED,
        }
    }

    pub(super) fn n_passes(&self) -> usize {
        2 + self.rankings.len()
    }

    pub(super) fn measure(&self, weights: &[u32]) -> Vec<f64> {
        let mut totals = ClassTotals::new(self.n_classes);
        for ((&truth, &predicted), &weight) in self.truth.iter().zip(&self.predicted).zip(weights) {
            if weight > 0 {
                totals.add(truth as usize, predicted as usize, u64::from(weight));
            }
        }
        if totals.n_rows() == 0 {
            let n_of_classes = if self.n_classes <= MAX_CLASSES_ONE_BY_ONE { 3 * self.n_classes } else { 0 };
            let n_of_probabilities = self.probabilities.as_ref().map_or(0, |_| OF_PROBABILITIES.len());
            let n_names = OF_CLASSES.len() + n_of_probabilities + self.ranked_names().len() + n_of_classes;
            return vec![f64::NAN; n_names];
        }
        let mut measured = of_classes(&totals);
        if let Some(probabilities) = &self.probabilities {
            measured.extend(probabilities.measure(weights, totals.n_rows() as f64));
        }
        self.measure_rankings(weights, &mut measured);
        if self.n_classes <= MAX_CLASSES_ONE_BY_ONE {
            for class in totals.per_class() {
                measured.extend([class.scores.precision, class.scores.recall, class.scores.f1]);
            }
        }
        measured
    }

    fn measure_rankings(&self, weights: &[u32], measured: &mut Vec<f64>) {
        let areas: Vec<Areas> = self.rankings.iter().map(|ranking| ranking.measure(weights)).collect();
        match areas.as_slice() {
            [] => {}
            [area] => {
                // As for whole rows, precision is defined whenever there is a row of the class.
                measured.extend([area.average_precision, area.roc_auc]);
            }
            areas => {
                let n_classes = areas.len() as f64;
                let n_rows = areas.iter().map(|area| area.n_positive).sum::<u64>() as f64;
                let mean = |figure: fn(&Areas) -> f64| areas.iter().map(figure).sum::<f64>() / n_classes;
                let roc_auc = mean(|area| area.roc_auc);
                let weighted: f64 = areas.iter().map(|area| area.roc_auc * area.n_positive as f64).sum();
                // A mean over classes is left out as a whole where one of them is undefined.
                let precision = mean(|area| area.average_precision);
                let precision = if roc_auc.is_nan() { f64::NAN } else { precision };
                measured.extend([precision, roc_auc, weighted / n_rows]);
            }
        }
    }
}

/// Returns the figures of [`OF_CLASSES`].
fn of_classes(totals: &ClassTotals) -> Vec<f64> {
    let averages = totals.averages();
    let (of_macro, of_micro, of_weighted) = (averages.macro_average, averages.micro_average, averages.weighted_average);
    vec![
        totals.accuracy(),
        totals.balanced_accuracy(),
        totals.cohen_kappa().unwrap_or(f64::NAN),
        totals.matthews_correlation(),
        of_macro.f1,
        of_micro.f1,
        of_weighted.f1,
        of_macro.precision,
        of_micro.precision,
        of_weighted.precision,
        of_macro.recall,
        of_micro.recall,
        of_weighted.recall,
    ]
}

impl ProbabilityGauge {
    fn new(outcome: &ClassOutcome, probabilities: &Scores) -> ProbabilityGauge {
        let (is_true, stated) = stated_probabilities(outcome, probabilities);
        let happened = is_true.iter().map(|&is_true| f64::from(u8::from(is_true)));
        let excesses: Vec<f64> = stated.iter().zip(happened).map(|(stated, happened)| stated - happened).collect();
        let squared_distances = if probabilities.n_classes == 2 {
            excesses.iter().map(|excess| excess * excess).collect()
        } else {
            let distance = |(row, &truth): (usize, &usize)| {
                let row = probabilities.row(row);
                row.iter().map(|probability| probability * probability).sum::<f64>() - 2.0 * row[truth] + 1.0
            };
            outcome.truth.iter().enumerate().map(distance).collect()
        };
        let log_loss = |(row, &truth): (usize, &usize)| {
            -probabilities.row(row)[truth].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
        };
        ProbabilityGauge {
            log_losses: outcome.truth.iter().enumerate().map(log_loss).collect(),
            squared_distances,
            bins: stated.iter().map(|&stated| reliability_bin(stated, N_BINS) as u8).collect(),
            excesses,
        }
    }

    /// Returns the figures of [`OF_PROBABILITIES`].
    fn measure(&self, weights: &[u32], n_rows: f64) -> [f64; 3] {
        let (mut log_loss, mut squared_distance) = (0.0, 0.0);
        let mut excess_by_bin = [0.0; N_BINS];
        for (row, &weight) in weights.iter().enumerate() {
            if weight == 0 {
                continue;
            }
            let weight = f64::from(weight);
            log_loss += weight * self.log_losses[row];
            squared_distance += weight * self.squared_distances[row];
            excess_by_bin[usize::from(self.bins[row])] += weight * self.excesses[row];
        }
        // The distance of a bin's mean probability from its observed share, times its rows, is the sum of its excesses.
        let calibration_error: f64 = excess_by_bin.iter().map(|excess| excess.abs()).sum();
        [squared_distance / n_rows, calibration_error / n_rows, log_loss / n_rows]
    }
}
