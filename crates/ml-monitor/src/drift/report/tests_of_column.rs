//! Which tests fit a column, and what they say together.

use ml_core::table::{Column, TableError};

use super::{DriftMethod, DriftSubject, DriftTest, DriftThresholds, Verdict, count_missing};
use crate::drift::{self, DriftError};
use crate::numbers::sorted_finite;
use crate::profile::{CategoryProfile, NumericProfile, TextProfile, ValueProfile, bin_counts, text_lengths};

/// The fewest values that a bin is expected to have before it is compared on its own; the usual rule for Pearson's χ² test.
const MIN_EXPECTED: f64 = 5.0;

/// Runs the tests that fit and returns what they say together.
pub(super) fn run(
    reference: &ValueProfile,
    current: &Column,
    thresholds: &DriftThresholds,
) -> (Verdict, Vec<DriftTest>) {
    let run = Run { thresholds };
    let (n_missing, n_values) = reference.n_missing_of();
    let n_missing_now = count_missing(current);
    let n_values_now = current.values.len() as u64;
    if n_values.min(n_values_now) < thresholds.min_rows {
        return (Verdict::NotEnoughRows, Vec::new());
    }
    let missing = run.missing(&[n_values - n_missing, n_missing], &[n_values_now - n_missing_now, n_missing_now]);
    let mut tests: Vec<DriftTest> = missing.into_iter().collect();
    let has_values = (n_values - n_missing).min(n_values_now - n_missing_now) >= thresholds.min_rows;
    if has_values {
        match run.values(reference, current) {
            Ok(of_values) => tests.extend(of_values),
            Err(_) => return (Verdict::NotComparable, tests),
        }
    }
    let verdict = if tests.iter().any(|test| test.drifted) {
        Verdict::Drifted
    } else if has_values {
        Verdict::Stable
    } else {
        Verdict::NotEnoughRows
    };
    (verdict, tests)
}

struct Run<'a> {
    thresholds: &'a DriftThresholds,
}

impl Run<'_> {
    fn values(&self, reference: &ValueProfile, current: &Column) -> Result<Vec<DriftTest>, TableError> {
        Ok(match reference {
            ValueProfile::Numeric(profile) => {
                let numbers = current.as_numbers()?;
                let psi = self.psi(DriftSubject::Values, &profile.counts, &bin_counts(&profile.edges, &numbers));
                self.ks(DriftSubject::Values, profile, &numbers).into_iter().chain(psi).collect()
            }
            ValueProfile::Categorical(profile) => self.categories(profile, current),
            ValueProfile::Text(profile) => self.texts(profile, current),
            ValueProfile::Time(_) => {
                current.as_times()?;
                Vec::new()
            }
        })
    }

    fn categories(&self, reference: &CategoryProfile, current: &Column) -> Vec<DriftTest> {
        let (reference, current) = pool_rare(reference.counts(), reference.count(&current.as_texts()));
        let psi = self.psi(DriftSubject::Values, &reference, &current);
        self.total_variation(&reference, &current).into_iter().chain(psi).collect()
    }

    fn texts(&self, reference: &TextProfile, current: &Column) -> Vec<DriftTest> {
        let texts = current.as_texts();
        let lengths = text_lengths(&texts);
        let (words, words_now) = pool_rare(reference.word_counts(), reference.count_words(&texts));
        let characters = self.ks(DriftSubject::Characters, &reference.characters, &lengths.characters);
        let word_counts = self.ks(DriftSubject::WordCounts, &reference.words, &lengths.words);
        let psi = self.psi(DriftSubject::Words, &words, &words_now);
        [characters, word_counts, psi].into_iter().flatten().collect()
    }

    fn ks(&self, subject: DriftSubject, reference: &NumericProfile, current: &[f64]) -> Option<DriftTest> {
        let test = drift::ks_two_sample(&reference.sample, &sorted_finite(current)).ok()?;
        let threshold = self.thresholds.ks_statistic;
        Some(self.judge(DriftMethod::KolmogorovSmirnov, subject, test.statistic, test.p_value, threshold))
    }

    fn psi(&self, subject: DriftSubject, reference: &[u64], current: &[u64]) -> Option<DriftTest> {
        let psi = drift::psi(reference, current).ok()?;
        let p_value = drift::psi_p_value(psi, reference, current).ok()?;
        Some(self.judge(DriftMethod::Psi, subject, psi, p_value, self.thresholds.psi))
    }

    fn total_variation(&self, reference: &[u64], current: &[u64]) -> Option<DriftTest> {
        let (distance, p_value) = distance_and_chance(reference, current).ok()?;
        let threshold = self.thresholds.total_variation;
        Some(self.judge(DriftMethod::TotalVariation, DriftSubject::Values, distance, p_value, threshold))
    }

    fn missing(&self, reference: &[u64], current: &[u64]) -> Option<DriftTest> {
        let (change, p_value) = distance_and_chance(reference, current).ok()?;
        let threshold = self.thresholds.missing_share_change;
        Some(self.judge(DriftMethod::MissingShare, DriftSubject::Missing, change, p_value, threshold))
    }

    fn judge(
        &self,
        method: DriftMethod,
        subject: DriftSubject,
        statistic: f64,
        p_value: f64,
        threshold: f64,
    ) -> DriftTest {
        let drifted = statistic >= threshold && p_value < self.thresholds.p_value;
        DriftTest { method, subject, statistic, p_value, threshold, drifted }
    }
}

fn distance_and_chance(reference: &[u64], current: &[u64]) -> Result<(f64, f64), DriftError> {
    Ok((drift::total_variation(reference, current)?, drift::chi_square(reference, current)?.p_value))
}

/// Adds the bins in which either sample is expected to have few values to the last bin, of all other values.
fn pool_rare(mut reference: Vec<u64>, mut current: Vec<u64>) -> (Vec<u64>, Vec<u64>) {
    let (n_reference, n_current) = (reference.iter().sum::<u64>(), current.iter().sum::<u64>());
    let smaller_share = n_reference.min(n_current) as f64 / (n_reference + n_current).max(1) as f64;
    let last = reference.len() - 1;
    for bin in 0..last {
        let expected = (reference[bin] + current[bin]) as f64 * smaller_share;
        if expected < MIN_EXPECTED {
            reference[last] += std::mem::take(&mut reference[bin]);
            current[last] += std::mem::take(&mut current[bin]);
        }
    }
    (reference, current)
}
