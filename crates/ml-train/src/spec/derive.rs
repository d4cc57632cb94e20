//! Columns computed from other columns.

use serde::{Deserialize, Serialize};

use super::Span;
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
    /// How many rows, the current one included, the `rolling_` operations cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// How long ago, in place of `window`, a row may be for the `rolling_` operations to cover it. The order is a time then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// Whether the `rolling_` operations leave the current row out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclude_current: bool,
    /// What `ratio` divides by and `minus` subtracts.
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
    /// The least of the last rows.
    RollingMin,
    /// The greatest of the last rows.
    RollingMax,
    /// The sum of the last rows.
    RollingSum,
    /// How many of the last rows have a value.
    RollingCount,
    /// The absolute value.
    Abs,
    /// The natural logarithm; missing for values that are not positive.
    Log,
    /// The value divided by that of another column; missing where that is 0.
    Ratio,
    /// The value less that of another column.
    Minus,
}

impl DeriveOp {
    pub(super) const NAMES: [&'static str; 14] = [
        "lag",
        "lead",
        "diff",
        "pct_change",
        "rolling_mean",
        "rolling_std",
        "rolling_min",
        "rolling_max",
        "rolling_sum",
        "rolling_count",
        "abs",
        "log",
        "ratio",
        "minus",
    ];

    /// Returns the name in pipeline files.
    pub fn name(self) -> &'static str {
        DeriveOp::NAMES[self as usize]
    }

    fn shifts(self) -> bool {
        matches!(self, DeriveOp::Lag | DeriveOp::Lead | DeriveOp::Diff | DeriveOp::PctChange)
    }

    fn rolls(self) -> bool {
        matches!(
            self,
            DeriveOp::RollingMean
                | DeriveOp::RollingStd
                | DeriveOp::RollingMin
                | DeriveOp::RollingMax
                | DeriveOp::RollingSum
                | DeriveOp::RollingCount
        )
    }

    fn combines(self) -> bool {
        matches!(self, DeriveOp::Ratio | DeriveOp::Minus)
    }

    /// Returns whether it gives values as they are, of whatever kind.
    pub(crate) fn moves(self) -> bool {
        matches!(self, DeriveOp::Lag | DeriveOp::Lead)
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
            // How many rows a length of time covers, only the data tell; one of them is enough, or two for a deviation.
            op if op.rolls() && self.within.is_some() => {
                usize::from(self.exclude_current) + usize::from(op == DeriveOp::RollingStd)
            }
            DeriveOp::RollingCount => 0,
            op if op.rolls() => self.window.unwrap_or(1) - 1 + usize::from(self.exclude_current),
            _ => 0,
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
            (true, None) if self.within.is_none() => {
                fault("window", format!("`{name}` needs the number of rows it covers, or `within` such as `7d`"));
            }
            (true, Some(_)) if self.within.is_some() => {
                fault("within", "stands in place of `window`: remove one of them".to_owned());
            }
            (true, Some(window)) if window < least_window => {
                fault("window", format!("must be at least {least_window}"));
            }
            (false, Some(_)) => fault("window", format!("`{name}` has no window: remove it")),
            _ => {}
        }
        if !self.op.rolls() && self.within.is_some() {
            fault("within", format!("`{name}` has no window: remove it"));
        }
        if !self.op.rolls() && self.exclude_current {
            fault("exclude_current", format!("`{name}` has no window: remove it"));
        }
        match (self.op.combines(), &self.over) {
            (true, None) if self.op == DeriveOp::Ratio => {
                fault("over", "`ratio` needs the column to divide by".to_owned());
            }
            (true, None) => fault("over", format!("`{name}` needs the column to subtract")),
            (false, Some(_)) => fault("over", format!("`{name}` reads one column only: remove it")),
            _ => {}
        }
    }
}
