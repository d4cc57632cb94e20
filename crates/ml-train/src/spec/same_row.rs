//! What columns say of the very row that they stand in, and not of earlier rows alone.

use std::collections::BTreeSet;

use super::{DeriveOp, DeriveSpec, PipelineSpec};

impl PipelineSpec {
    /// Returns the columns, derived ones and those of the data, whose values in a row become part of `columns` in the same row;
    /// `columns` among them. What only says which rows belong together, or in which order, becomes no part.
    pub(crate) fn made_of_same_row<'s>(&'s self, columns: &[&'s str]) -> BTreeSet<&'s str> {
        let mut read: BTreeSet<&str> = columns.iter().copied().collect();
        // A column is derived from earlier ones.
        for derive in self.derive.iter().rev() {
            if read.contains(derive.column.as_str()) {
                read.extend(derive.values_of_same_row());
            }
        }
        read
    }

    /// Returns the derivation by which `column` would know the target of the row to predict, if there is one.
    pub(super) fn telling_derive(&self, column: &str) -> Option<&DeriveSpec> {
        let read = self.made_of_same_row(&[column]);
        self.derive.iter().find(|derive| read.contains(derive.column.as_str()) && derive.reads_same_row(&self.target))
    }
}

impl DeriveSpec {
    /// Returns the columns whose values in a row are part of the derived value of that row.
    fn values_of_same_row(&self) -> impl Iterator<Item = &str> {
        let is_of_other_rows = self.op.moves() || self.exclude_current;
        let of = (!is_of_other_rows).then_some(&self.of);
        [of, self.over.as_ref()].into_iter().flatten().map(String::as_str)
    }

    /// Returns whether the derived value of a row hangs on `column` in that row, be it for the rows that belong to it.
    fn reads_same_row(&self, column: &str) -> bool {
        let is = |name: &Option<String>| name.as_deref() == Some(column);
        self.values_of_same_row().any(|name| name == column) || is(&self.by) || is(&self.order)
    }

    /// Says how the column can do without `target` in the row to predict.
    pub(super) fn way_around(&self, target: &str) -> String {
        let is_value = self.values_of_same_row().any(|name| name == target);
        match self.op {
            _ if !is_value => "name another column there".to_owned(),
            DeriveOp::Abs
            | DeriveOp::Log
            | DeriveOp::Ratio
            | DeriveOp::Minus
            | DeriveOp::Diff
            | DeriveOp::PctChange => {
                format!("derive a `lag` of `{target}` first, and read that")
            }
            _ => "leave that row out with `exclude_current: true`".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(derive: &str) -> PipelineSpec {
        PipelineSpec::from_yaml(&format!(
            "{{version: 1, name: m, task: regression, target: t, estimator: ridge, features: [{{columns: [x]}}], derive: [{derive}]}}"
        ))
        .unwrap()
    }

    #[test]
    fn lags_and_windows_without_the_row_say_nothing_of_it() {
        let spec = spec(
            "{column: before, op: lag, of: y, by: s, order: at}, {column: change, op: diff, of: before, by: s, order: at}, \
             {column: mean, op: rolling_mean, of: y, window: 3, exclude_current: true, order: at}, \
             {column: now, op: rolling_mean, of: z, window: 3, order: at}, {column: over, op: minus, of: now, over: mean}",
        );
        let read = |column: &'static str| spec.made_of_same_row(&[column]).into_iter().collect::<Vec<_>>();
        assert_eq!(read("change"), ["before", "change"]);
        assert_eq!(read("over"), ["mean", "now", "over", "z"]);
        assert_eq!(read("y"), ["y"]);
    }
}
