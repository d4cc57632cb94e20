//! The figures of an outcome whose rows count more than once or not at all, fast enough to be asked thousands of times.
//!
//! Everything that does not depend on the weights, such as the order of a ranking, is computed once.

mod classes;
mod numbers;
mod ranking;

use super::outcome::{Outcome, OutcomeValues};
use classes::ClassGauge;
use numbers::NumberGauge;

/// What can be measured of an outcome under any weights of its rows.
pub(super) struct Gauge {
    names: Vec<String>,
    n_rows: usize,
    kind: GaugeKind,
}

enum GaugeKind {
    Classes(ClassGauge),
    Numbers(NumberGauge),
}

impl Gauge {
    pub(super) fn new(outcome: &Outcome) -> Gauge {
        let n_rows = outcome.n_samples();
        match &outcome.values {
            OutcomeValues::Classes(outcome) => {
                let gauge = ClassGauge::new(outcome);
                Gauge { names: gauge.names(&outcome.classes), n_rows, kind: GaugeKind::Classes(gauge) }
            }
            OutcomeValues::Numbers(outcome) => {
                let names = numbers::NAMES.iter().map(|&name| name.to_owned()).collect();
                Gauge { names, n_rows, kind: GaugeKind::Numbers(NumberGauge::new(outcome)) }
            }
        }
    }

    /// Returns the names of what is measured, in the order of the measurements. Those of one class are called like
    /// `f1[spam]`.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns how much work one measurement is, in rows looked at.
    pub(super) fn cost(&self) -> usize {
        let n_passes = match &self.kind {
            GaugeKind::Classes(gauge) => gauge.n_passes(),
            GaugeKind::Numbers(_) => 2,
        };
        self.n_rows * n_passes
    }

    /// Measures, with each row counting `weights` times. What is undefined is `NaN`.
    pub(super) fn measure(&self, weights: &[u32]) -> Vec<f64> {
        match &self.kind {
            GaugeKind::Classes(gauge) => gauge.measure(weights),
            GaugeKind::Numbers(gauge) => gauge.measure(weights),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::estimator::Scores;
    use crate::evaluate::figures::figures;
    use crate::evaluate::outcome::{ClassOutcome, NumberOutcome};

    /// Sums in another order, and centred, differ by less.
    const TOLERANCE: f64 = 1e-9;

    fn outcome(values: OutcomeValues, n_rows: usize) -> Outcome {
        Outcome {
            positions: (0..n_rows).collect(),
            n_without_target: 0,
            n_without_prediction: 0,
            unknown_categories: BTreeMap::new(),
            values,
        }
    }

    /// Compares the measurements under `weights` with the figures of rows that are repeated as often.
    fn check(outcome: &Outcome, weights: &[u32]) {
        let rows = weights.iter().enumerate();
        let repeated: Vec<usize> = rows.flat_map(|(row, &times)| (0..times).map(move |_| row)).collect();
        if repeated.is_empty() {
            return;
        }
        let expected = figures(&outcome.take(&repeated)).unwrap().by_name;
        let gauge = Gauge::new(outcome);
        let found = gauge.measure(weights);
        assert_eq!(gauge.names().len(), found.len());
        for (name, found) in gauge.names().iter().zip(found) {
            match expected.get(name) {
                Some(expected) => {
                    let difference = (found - expected).abs() / expected.abs().max(1.0);
                    assert!(difference <= TOLERANCE, "{name}: {found} is not {expected}");
                }
                None => assert!(found.is_nan() || name.contains('['), "{name}: {found} should be undefined"),
            }
        }
        for name in expected.keys().filter(|name| *name != "max_error") {
            assert!(gauge.names().contains(name), "{name} is not measured");
        }
    }

    proptest! {
        #[test]
        fn weights_count_like_repeated_rows_of_classes(
            rows in prop::collection::vec((0_usize..3, prop::array::uniform3(1_u32..6), 0_u32..4), 1..40),
            n_classes in 2_usize..4,
        ) {
            let mut values = Vec::new();
            let mut predicted = Vec::new();
            for (_, scores, _) in &rows {
                let scores = &scores[..n_classes];
                let sum: u32 = scores.iter().sum();
                values.extend(scores.iter().map(|&score| f64::from(score) / f64::from(sum)));
                predicted.push((0..n_classes).max_by_key(|&class| (scores[class], n_classes - class)).unwrap());
            }
            let outcome = outcome(
                OutcomeValues::Classes(ClassOutcome {
                    classes: (0..n_classes).map(|class| class.to_string()).collect(),
                    n_known: n_classes,
                    truth: rows.iter().map(|row| row.0.min(n_classes - 1)).collect(),
                    predicted,
                    scores: Some(Scores { n_classes, values }),
                    are_probabilities: true,
                }),
                rows.len(),
            );
            check(&outcome, &rows.iter().map(|row| row.2).collect::<Vec<_>>());
            check(&outcome, &vec![1; rows.len()]);
        }

        #[test]
        fn weights_count_like_repeated_rows_of_numbers(
            rows in prop::collection::vec((-20_i32..20, -20_i32..20, 0_u32..4), 1..40),
        ) {
            let outcome = outcome(
                OutcomeValues::Numbers(NumberOutcome {
                    truth: rows.iter().map(|row| 1e6 + f64::from(row.0) / 7.0).collect(),
                    predicted: rows.iter().map(|row| 1e6 + f64::from(row.1) / 3.0).collect(),
                }),
                rows.len(),
            );
            check(&outcome, &rows.iter().map(|row| row.2).collect::<Vec<_>>());
            check(&outcome, &vec![1; rows.len()]);
        }
    }
}
