//! How far the probabilities of a model can be believed.

use ml_core::metrics::{MetricError, ReliabilityBin, reliability_curve};
use serde::{Deserialize, Serialize};

use crate::estimator::Scores;

use super::outcome::{ClassOutcome, Outcome, OutcomeValues};

/// How many bins of equal width probabilities are put in.
pub const N_BINS: usize = 10;

/// Probabilities, and how often what they are of came true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The class that the probabilities are of; absent with more than two classes, where they are of the class that the
    /// model holds likeliest in each row.
    pub class: Option<String>,
    /// The bins that have rows.
    pub bins: Vec<ReliabilityBin>,
}

impl Calibration {
    /// Compares the probabilities of `outcome` with what happened; `None` where there are none, or where a true class is
    /// unknown to the model.
    ///
    /// # Errors
    /// [`MetricError::NotFinite`].
    pub fn of(outcome: &Outcome) -> Result<Option<Calibration>, MetricError> {
        let OutcomeValues::Classes(outcome) = &outcome.values else { return Ok(None) };
        let Some(probabilities) = outcome.probabilities() else { return Ok(None) };
        let (is_true, stated) = stated_probabilities(outcome, probabilities);
        let class = (probabilities.n_classes == 2).then(|| outcome.classes[1].clone());
        Ok(Some(Calibration { class, bins: reliability_curve(&is_true, &stated, N_BINS)? }))
    }
}

/// Returns for each row the probability that is judged and whether what it is of came true: the second of two classes, else
/// the class that the model holds likeliest.
pub(super) fn stated_probabilities(outcome: &ClassOutcome, probabilities: &Scores) -> (Vec<bool>, Vec<f64>) {
    let of_row = |row: usize| {
        let class = if probabilities.n_classes == 2 { 1 } else { outcome.predicted[row] };
        (outcome.truth[row] == class, probabilities.row(row)[class])
    };
    (0..outcome.truth.len()).map(of_row).unzip()
}
