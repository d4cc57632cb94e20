//! What is counted beside figures and predictions: rows that were left out, and values that training did not see.

use std::collections::BTreeMap;

use serde::Serialize;

use ml_train::evaluate::Evaluation;

use crate::output::count;

/// What rows that were scored have and figures do not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Counted {
    /// Rows that figures leave out for lack of a truth; none where there is no target.
    pub(crate) n_without_target: u64,
    /// Rows that figures leave out for lack of a prediction.
    pub(crate) n_without_prediction: u64,
    /// By column, values of categories that training did not see.
    pub(crate) unknown_categories: BTreeMap<String, u64>,
}

impl Counted {
    /// Counts what `evaluation` met.
    pub(crate) fn of(evaluation: &Evaluation) -> Counted {
        let n_without_target = if evaluation.task.has_target() { evaluation.n_without_target } else { 0 };
        Counted {
            n_without_target: n_without_target as u64,
            n_without_prediction: evaluation.n_without_prediction as u64,
            unknown_categories: evaluation.unknown_categories.clone(),
        }
    }

    /// Returns names and values for people, of what there is.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut left_out = Vec::new();
        for (n_rows, what) in
            [(self.n_without_target, "without a truth"), (self.n_without_prediction, "without a prediction")]
        {
            if n_rows > 0 {
                left_out.push(format!("{} {what}", rows(n_rows)));
            }
        }
        let left_out = (!left_out.is_empty()).then(|| ("not scored", left_out.join(", ")));
        left_out.into_iter().chain(unknown_text(&self.unknown_categories).map(|text| ("unknown", text))).collect()
    }
}

/// Says how many values of which columns training did not see; `None` where it saw all.
pub(crate) fn unknown_text(unknown: &BTreeMap<String, u64>) -> Option<String> {
    let by_column: Vec<String> = unknown
        .iter()
        .filter(|(_, n_values)| **n_values > 0)
        .map(|(column, n_values)| format!("{} of `{column}`", count(*n_values)))
        .collect();
    (!by_column.is_empty()).then(|| format!("values that training did not see: {}", by_column.join(", ")))
}

/// Says how many of `n_rows` rows were left out of a training, and why; `None` where all were fitted on.
pub(crate) fn left_out_text(left_out: &BTreeMap<String, usize>, n_rows: usize) -> Option<String> {
    let n_left_out: usize = left_out.values().sum();
    let reasons: Vec<String> =
        left_out.iter().map(|(reason, n_rows)| format!("{reason} in {}", count(*n_rows as u64))).collect();
    let share = format!("{} of {}", count(n_left_out as u64), rows(n_rows as u64));
    (n_left_out > 0).then(|| format!("{share}: {}", reasons.join(", ")))
}

fn rows(n_rows: u64) -> String {
    format!("{} {}", count(n_rows), if n_rows == 1 { "row" } else { "rows" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_there_is_is_told() {
        let counted = |n_without_target, n_without_prediction, unknown: &[(&str, u64)]| Counted {
            n_without_target,
            n_without_prediction,
            unknown_categories: unknown.iter().map(|(column, n_values)| ((*column).to_owned(), *n_values)).collect(),
        };
        assert_eq!(counted(0, 0, &[("city", 0)]).pairs(), []);
        assert_eq!(
            counted(1, 1_200, &[("city", 3), ("job", 1_000)]).pairs(),
            [
                ("not scored", "1 row without a truth, 1,200 rows without a prediction".to_owned()),
                ("unknown", "values that training did not see: 3 of `city`, 1,000 of `job`".to_owned())
            ]
        );
        let reasons = BTreeMap::from([("target `y` is missing".to_owned(), 2)]);
        assert_eq!(left_out_text(&reasons, 9).as_deref(), Some("2 of 9 rows: target `y` is missing in 2"));
        assert_eq!(left_out_text(&BTreeMap::new(), 9), None);
    }
}
