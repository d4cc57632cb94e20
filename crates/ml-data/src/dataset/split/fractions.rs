//! How large each split is to be.

use ml_core::dataset::Split;
use serde::{Deserialize, Serialize};

use crate::dataset::error::DatasetError;

/// How far the sum of the parts may be from one: what is lost when decimal fractions are added.
const SUM_TOLERANCE: f64 = 1e-9;

/// The parts of a whole: each at least 0, together 1, and something to train on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Fractions {
    train: f64,
    validation: f64,
    test: f64,
}

/// The serialised form, not yet checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    train: f64,
    #[serde(default)]
    validation: f64,
    #[serde(default)]
    test: f64,
}

impl Fractions {
    /// Accepts finite parts of at least 0, with a positive one for training, that add up to 1.
    ///
    /// # Errors
    /// [`DatasetError::InvalidSpec`], which says what is wrong with the parts.
    pub fn new(train: f64, validation: f64, test: f64) -> Result<Fractions, DatasetError> {
        match fault([train, validation, test], 1.0) {
            None => Ok(Fractions { train, validation, test }),
            Some(fault) => Err(DatasetError::InvalidSpec { reason: format!("the fractions of the splits {fault}") }),
        }
    }

    /// Reads `train/test` or `train/validation/test`, as fractions or in per cent: `0.8/0.2`, `80/10/10`.
    ///
    /// # Errors
    /// [`DatasetError::InvalidSpec`] for anything else.
    pub fn parse(text: &str) -> Result<Fractions, DatasetError> {
        let parts: Result<Vec<f64>, _> = text.split(['/', ',']).map(|part| part.trim().parse::<f64>()).collect();
        let (train, validation, test) = match parts.as_deref() {
            Ok([train, test]) => (*train, 0.0, *test),
            Ok([train, validation, test]) => (*train, *validation, *test),
            _ => {
                let reason = format!("`{text}` is not how rows are split: write `80/20` or `80/10/10`");
                return Err(DatasetError::InvalidSpec { reason });
            }
        };
        let parts = [train, validation, test];
        let sum: f64 = parts.iter().sum();
        let whole = if sum > 1.0 + SUM_TOLERANCE { 100.0 } else { 1.0 };
        match fault(parts, whole) {
            None => Ok(Fractions { train: train / whole, validation: validation / whole, test: test / whole }),
            Some(fault) => {
                let reason =
                    format!("`{text}` is not how rows are split, for its parts {fault}: write `80/20` or `80/10/10`");
                Err(DatasetError::InvalidSpec { reason })
            }
        }
    }

    /// Returns the fraction of `split`.
    pub fn of(&self, split: Split) -> f64 {
        match split {
            Split::Train => self.train,
            Split::Validation => self.validation,
            Split::Test => self.test,
        }
    }

    /// Returns the split in which `position` falls when the splits lie one after another on `[0, 1)`.
    pub(super) fn split_at(&self, position: f64) -> Split {
        // The last split that has any share takes what rounding leaves beyond the sum.
        let last = Split::ALL.into_iter().rfind(|split| self.of(*split) > 0.0).unwrap_or(Split::Train);
        let mut end = 0.0;
        for split in Split::ALL {
            end += self.of(split);
            if position < end {
                return split;
            }
        }
        last
    }

    /// Returns how many of `n` go to each split: the whole parts, and the rest to the largest remainders, earlier split first.
    pub(super) fn shares_of(&self, n: usize) -> [usize; 3] {
        let exact = Split::ALL.map(|split| self.of(split) * n as f64);
        // A share such as 0.8 · 5 may come out just below the whole number that it is.
        let mut shares = exact.map(|share| (share + SUM_TOLERANCE).floor() as usize);
        let remainders: Vec<f64> = exact.iter().zip(shares).map(|(exact, share)| exact - share as f64).collect();
        let mut by_remainder = [0, 1, 2];
        by_remainder.sort_by(|&one, &other| remainders[other].total_cmp(&remainders[one]).then(one.cmp(&other)));
        let rest = n - shares.iter().sum::<usize>().min(n);
        for &split in by_remainder.iter().filter(|&&split| exact[split] > 0.0).cycle().take(rest) {
            shares[split] += 1;
        }
        shares
    }
}

/// Returns what is wrong with the parts of `whole` for train, validation and test.
fn fault(parts: [f64; 3], whole: f64) -> Option<String> {
    let [train, validation, test] = parts;
    let sum = train + validation + test;
    if let Some(part) = parts.iter().find(|part| !part.is_finite() || **part < 0.0) {
        let found = if part.is_finite() { "which is negative" } else { "which is no share" };
        return Some(format!("have {part} among them, {found}"));
    }
    if train == 0.0 {
        return Some("leave nothing to train on".to_owned());
    }
    ((sum - whole).abs() > whole * SUM_TOLERANCE).then(|| format!("add up to {sum}, not to {whole}"))
}

impl TryFrom<Parts> for Fractions {
    type Error = DatasetError;

    fn try_from(parts: Parts) -> Result<Fractions, DatasetError> {
        Fractions::new(parts.train, parts.validation, parts.test)
    }
}

impl From<Fractions> for Parts {
    fn from(fractions: Fractions) -> Parts {
        Parts { train: fractions.train, validation: fractions.validation, test: fractions.test }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fractions_and_per_cent_are_the_same() {
        assert_eq!(Fractions::parse("80/20").unwrap(), Fractions::new(0.8, 0.0, 0.2).unwrap());
        assert_eq!(Fractions::parse("0.8, 0.1, 0.1").unwrap(), Fractions::new(0.8, 0.1, 0.1).unwrap());
        assert_eq!(Fractions::parse("1/0").unwrap(), Fractions::new(1.0, 0.0, 0.0).unwrap());
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        for text in ["", "80", "80/10", "0.5/0.6", "-10/110", "0/100", "NaN/1", "inf/0", "1/0/0/0", "a/b"] {
            assert!(Fractions::parse(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Fractions>(r#"{"train": 0.5, "test": 0.6}"#).is_err());
    }

    #[test]
    fn a_refusal_says_what_is_wrong() {
        let check = |text: &str, expected: &str| {
            let message = Fractions::parse(text).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(text), "{text}: {message}");
        };
        check("-1/2", "-1 among them, which is negative");
        check("-10/110", "-10 among them, which is negative");
        check("0/100", "leave nothing to train on");
        check("80/10", "add up to 90, not to 100");
        check("0.5/0.4", "add up to 0.9, not to 1");
        check("NaN/1", "NaN among them, which is no share");
    }

    #[test]
    fn nothing_falls_into_an_empty_split() {
        let fractions = Fractions::new(0.7, 0.3, 0.0).unwrap();
        assert_eq!(fractions.split_at(1.0 - f64::EPSILON), Split::Validation);
        let fractions = Fractions::new(0.5, 0.0, 0.5).unwrap();
        assert_eq!(fractions.split_at(0.5), Split::Test);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_within_one_of_exact(n in 0usize..5000, train in 1u32..100, validation in 0u32..100) {
            let total = f64::from(train + validation + 7);
            let fractions =
                Fractions::new(f64::from(train) / total, f64::from(validation) / total, 7.0 / total).unwrap();
            let shares = fractions.shares_of(n);
            prop_assert_eq!(shares.iter().sum::<usize>(), n);
            for (split, share) in Split::ALL.into_iter().zip(shares) {
                prop_assert!((share as f64 - fractions.of(split) * n as f64).abs() < 1.0);
            }
        }
    }
}
