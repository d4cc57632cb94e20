//! A window of data compared with the reference of the model that reads it, column by column.

use ml_core::table::{Column, ColumnValues, Table};
use serde::{Deserialize, Serialize};

use crate::profile::{ColumnProfile, ReferenceProfile};

mod tests_of_column;

/// How large a change has to be, and how unlikely to be chance, before a column is called drifted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DriftThresholds {
    /// The least population stability index.
    pub psi: f64,
    /// The least Kolmogorov–Smirnov statistic.
    pub ks_statistic: f64,
    /// The least total variation distance between categories.
    pub total_variation: f64,
    /// The least change of the share of missing values, either way.
    pub missing_share_change: f64,
    /// The p-value that a test has to be below, whatever its statistic.
    pub p_value: f64,
    /// The fewest rows that are compared.
    pub min_rows: u64,
}

impl Default for DriftThresholds {
    fn default() -> DriftThresholds {
        DriftThresholds {
            psi: 0.2,
            ks_statistic: 0.1,
            total_variation: 0.1,
            missing_share_change: 0.1,
            p_value: 0.01,
            min_rows: 50,
        }
    }
}

/// Which drift a column tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftScope {
    /// The inputs of the model: data drift.
    Data,
    /// Its outputs: prediction drift.
    Prediction,
}

/// What became of a column or a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Compared, and no change is both large and unlikely to be chance.
    Stable,
    /// At least one change is.
    Drifted,
    /// There are too few values in the reference or the window to tell.
    NotEnoughRows,
    /// The window has no such column.
    Absent,
    /// The window has another kind of values in the column.
    NotComparable,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftMethod {
    /// The population stability index, with the p-value of its approximate distribution.
    Psi,
    /// The Kolmogorov–Smirnov statistic, with its asymptotic p-value.
    KolmogorovSmirnov,
    /// The total variation distance, with the p-value of Pearson's χ² test.
    TotalVariation,
    /// The change of the share of missing values, with the p-value of Pearson's χ² test.
    MissingShare,
}

/// What of a column was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftSubject {
    /// Its values.
    Values,
    /// Which values are missing.
    Missing,
    /// The lengths of its texts in characters.
    Characters,
    /// The lengths of its texts in words.
    WordCounts,
    /// How often the words of its texts occur.
    Words,
}

/// One measurement of a column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DriftTest {
    /// How it was measured.
    pub method: DriftMethod,
    /// What was measured.
    pub subject: DriftSubject,
    /// How large the change is.
    pub statistic: f64,
    /// How likely chance alone gives a change as large.
    pub p_value: f64,
    /// The statistic from which on it counts as drift, given a small p-value.
    pub threshold: f64,
    /// Whether the change is both large and unlikely to be chance.
    pub drifted: bool,
}

/// How one column compares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnDrift {
    /// The name of the column.
    pub column: String,
    /// Whether it is an input or the output of the model.
    pub scope: DriftScope,
    /// How its values were taken: `numeric`, `categorical`, `text` or `time`.
    pub kind: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What was measured; empty when nothing could be.
    pub tests: Vec<DriftTest>,
    /// How many values the reference has.
    pub n_reference: u64,
    /// How many values the window has.
    pub n_current: u64,
    /// The share of values that are missing from the reference, in `0..=1`.
    pub missing_share_reference: f64,
    /// The share of values that are missing from the window.
    pub missing_share_current: f64,
}

/// How a window compares with the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftFindings {
    /// `drifted` when any column is, else `not_enough_rows` when the window is too small, else `stable`.
    pub verdict: Verdict,
    /// How many rows the reference has.
    pub n_reference: u64,
    /// How many rows the window has.
    pub n_current: u64,
    /// What was taken for a large change.
    pub thresholds: DriftThresholds,
    /// The columns of the reference in their order, then the predictions.
    pub columns: Vec<ColumnDrift>,
}

impl DriftFindings {
    /// Returns whether any column drifted.
    pub fn is_drifted(&self) -> bool {
        self.verdict == Verdict::Drifted
    }

    /// Returns the columns with this verdict.
    pub fn columns_that_are(&self, verdict: Verdict) -> impl Iterator<Item = &ColumnDrift> {
        self.columns.iter().filter(move |column| column.verdict == verdict)
    }
}

/// Compares the columns of `current` with those of `reference`, by name.
///
/// Columns that the reference does not have are left out. Infinite numbers count as missing. `predictions` are what the model gave for the window; they are compared
/// with the predictions of the reference, or with the true values of the target when it has none.
pub fn drift_report(
    reference: &ReferenceProfile,
    current: &Table,
    predictions: Option<&Column>,
    thresholds: &DriftThresholds,
) -> DriftFindings {
    let mut columns: Vec<ColumnDrift> = reference
        .columns
        .iter()
        .map(|profile| compare_column(profile, current.find(&profile.name), DriftScope::Data, thresholds))
        .collect();
    let predicted = reference.predictions.as_ref().or(reference.target.as_ref());
    if let (Some(profile), Some(predictions)) = (predicted, predictions) {
        columns.push(compare_column(profile, Some(predictions), DriftScope::Prediction, thresholds));
    }
    let n_current = current.n_rows().max(predictions.map_or(0, |column| column.values.len())) as u64;
    let verdict = if columns.iter().any(|column| column.verdict == Verdict::Drifted) {
        Verdict::Drifted
    } else if n_current < thresholds.min_rows || reference.n_rows < thresholds.min_rows {
        Verdict::NotEnoughRows
    } else {
        Verdict::Stable
    };
    DriftFindings { verdict, n_reference: reference.n_rows, n_current, thresholds: *thresholds, columns }
}

fn compare_column(
    profile: &ColumnProfile,
    current: Option<&Column>,
    scope: DriftScope,
    thresholds: &DriftThresholds,
) -> ColumnDrift {
    let (n_missing, n_values) = profile.values.n_missing_of();
    let mut drift = ColumnDrift {
        column: profile.name.clone(),
        scope,
        kind: profile.values.kind_name().to_owned(),
        verdict: Verdict::Absent,
        tests: Vec::new(),
        n_reference: n_values - n_missing,
        n_current: 0,
        missing_share_reference: profile.values.missing_share(),
        missing_share_current: 0.0,
    };
    if let Some(current) = current {
        let n_missing = count_missing(current);
        let n_values = current.values.len() as u64;
        drift.n_current = n_values - n_missing;
        drift.missing_share_current = crate::numbers::share(n_missing, n_values);
        (drift.verdict, drift.tests) = tests_of_column::run(&profile.values, current, thresholds);
    }
    drift
}

fn count_missing(column: &Column) -> u64 {
    match &column.values {
        ColumnValues::Number(values) => values.iter().filter(|value| !value.is_finite()).count() as u64,
        values => values.n_missing() as u64,
    }
}
