//! Columns computed from other columns.

use serde::{Deserialize, Serialize};

use super::fault::Fault;

/// A column computed from another one, row by row or over the earlier rows of the same entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeriveSpec {
    /// The name of the new column.
    pub column: String,
    /// How it is computed.
    pub op: DeriveOp,
    /// The column it is computed from.
    pub of: String,
    /// The column that tells entities apart; without it all rows are one entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The column that puts the rows of an entity in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// How many rows apart `lag`, `lead`, `diff` and `pct_change` look; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<usize>,
    /// How many rows, the current one included, `rolling_mean` and `rolling_std` cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// The denominator of `ratio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
}

/// How a derived column is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeriveOp {
    /// The value some rows before.
    Lag,
    /// The value some rows after; only for the target.
    Lead,
    /// The value minus the one some rows before.
    Diff,
    /// The value divided by the one some rows before, minus 1.
    PctChange,
    /// The mean of the last rows.
    RollingMean,
    /// The sample standard deviation of the last rows.
    RollingStd,
    /// The absolute value.
    Abs,
    /// The natural logarithm; missing for values that are not positive.
    Log,
    /// The value divided by that of another column; missing where that is 0.
    Ratio,
}

impl DeriveOp {
    pub(super) const NAMES: [&'static str; 9] =
        ["lag", "lead", "diff", "pct_change", "rolling_mean", "rolling_std", "abs", "log", "ratio"];

    /// Returns the name in pipeline files.
    pub fn name(self) -> &'static str {
        DeriveOp::NAMES[self as usize]
    }

    fn shifts(self) -> bool {
        matches!(self, DeriveOp::Lag | DeriveOp::Lead | DeriveOp::Diff | DeriveOp::PctChange)
    }

    fn rolls(self) -> bool {
        matches!(self, DeriveOp::RollingMean | DeriveOp::RollingStd)
    }

    /// Returns whether a value depends on other rows.
    pub(crate) fn needs_order(self) -> bool {
        self.shifts() || self.rolls()
    }
}

impl DeriveSpec {
    /// Returns the columns it is computed from.
    pub(crate) fn reads(&self) -> impl Iterator<Item = &str> {
        [Some(&self.of), self.over.as_ref(), self.by.as_ref(), self.order.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// Returns how many rows apart it looks.
    pub(crate) fn periods(&self) -> usize {
        self.periods.unwrap_or(1)
    }

    /// Returns how many earlier rows of the entity a value needs.
    pub(crate) fn warm_up(&self) -> usize {
        match self.op {
            DeriveOp::Lag | DeriveOp::Diff | DeriveOp::PctChange => self.periods(),
            DeriveOp::RollingMean | DeriveOp::RollingStd => self.window.unwrap_or(1) - 1,
            DeriveOp::Lead | DeriveOp::Abs | DeriveOp::Log | DeriveOp::Ratio => 0,
        }
    }

    pub(super) fn faults(&self, key: &str, faults: &mut Vec<Fault>) {
        let name = self.op.name();
        let mut fault = |setting: &str, message: String| faults.push(Fault::new(format!("{key}.{setting}"), message));
        if self.op.needs_order() && self.order.is_none() {
            fault("order", format!("`{name}` needs the column that puts rows in order"));
        }
        if !self.op.needs_order() && (self.order.is_some() || self.by.is_some()) {
            fault("order", format!("`{name}` looks at one row only: remove `by` and `order`"));
        }
        match (self.op.shifts(), self.periods) {
            (true, Some(0)) => fault("periods", "must be at least 1".to_owned()),
            (false, Some(_)) => fault("periods", format!("`{name}` has no periods: remove it")),
            _ => {}
        }
        let least_window = if self.op == DeriveOp::RollingStd { 2 } else { 1 };
        match (self.op.rolls(), self.window) {
            (true, None) => fault("window", format!("`{name}` needs the number of rows it covers")),
            (true, Some(window)) if window < least_window => {
                fault("window", format!("must be at least {least_window}"));
            }
            (false, Some(_)) => fault("window", format!("`{name}` has no window: remove it")),
            _ => {}
        }
        match (self.op == DeriveOp::Ratio, &self.over) {
            (true, None) => fault("over", "`ratio` needs the column to divide by".to_owned()),
            (false, Some(_)) => fault("over", format!("`{name}` does not divide by a column: remove it")),
            _ => {}
        }
    }
}
