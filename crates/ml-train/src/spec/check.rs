//! What can be wrong with a pipeline that reads well.

use std::collections::BTreeSet;

use ml_core::table::{Column, ColumnKind, Table};

use super::decision;
use super::fault::{Fault, suggestion};
use super::{DeriveOp, FeatureSpec, PipelineSpec, Reads, StepSpec, TargetTransform, Task};
use crate::estimator::EstimatorSpec;
use crate::unfit::{RowName, first_non_number, first_non_time};

/// The most golden rows of a model: they are predicted whenever it is loaded.
const MAX_GOLDEN_ROWS: usize = 1000;

/// Finds what is wrong whatever the data.
pub(super) fn faults(spec: &PipelineSpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    if spec.name.trim().is_empty() {
        faults.push(Fault::new("name", "must not be empty"));
    }
    if spec.target_transform != TargetTransform::None && spec.task != Task::Regression {
        faults.push(Fault::new("target_transform", "is for `task: regression` only: remove it"));
    }
    if spec.golden_rows > MAX_GOLDEN_ROWS {
        faults.push(Fault::new("golden_rows", format!("must be at most {MAX_GOLDEN_ROWS}, not {}", spec.golden_rows)));
    }
    derive_faults(spec, &mut faults);
    for (index, feature) in spec.features.iter().enumerate() {
        feature_faults(spec, feature, &format!("features[{index}]"), &mut faults);
    }
    estimator_faults(spec, &spec.estimator, "estimator", &mut faults);
    category_faults(spec, &mut faults);
    external_faults(spec, &mut faults);
    decision::faults(spec, &mut faults);
    if spec.features.is_empty() && spec.estimator.baseline_columns().is_none() {
        faults.push(Fault::new("features", format!("`{}` needs at least one feature", spec.estimator.kind())));
    }
    for (index, baseline) in spec.declared_baselines.iter().enumerate() {
        estimator_faults(spec, baseline, &format!("baselines[{index}]"), &mut faults);
    }
    faults
}

fn derive_faults(spec: &PipelineSpec, faults: &mut Vec<Fault>) {
    for (index, derive) in spec.derive.iter().enumerate() {
        let key = format!("derive[{index}]");
        if spec.derive[..index].iter().any(|earlier| earlier.column == derive.column) {
            faults.push(Fault::new(format!("{key}.column"), format!("`{}` is derived twice", derive.column)));
        }
        for read in derive.reads() {
            if spec.derive[index..].iter().any(|later| later.column == read) {
                let message = format!("reads `{read}`, which is derived here or later: put it after");
                faults.push(Fault::new(&*key, message));
            }
        }
        derive.faults(&key, faults);
    }
}

fn feature_faults(spec: &PipelineSpec, feature: &FeatureSpec, key: &str, faults: &mut Vec<Fault>) {
    if feature.columns.is_empty() {
        faults.push(Fault::new(format!("{key}.columns"), "needs at least one column"));
    }
    let mut seen = BTreeSet::new();
    for (index, column) in feature.columns.iter().enumerate() {
        let is_new = seen.insert(column);
        let column_key = format!("{key}.columns[{index}]");
        if *column == spec.target {
            faults.push(Fault::new(
                column_key,
                format!("`{column}` is the target: a model cannot read what it predicts"),
            ));
        } else if looks_ahead(spec, column) {
            let message = format!("`{column}` is derived with `lead` and looks ahead: only the target may");
            faults.push(Fault::new(column_key, message));
        } else if let Some(derive) = spec.telling_derive(column) {
            let (target, way_out) = (&spec.target, derive.way_around(&spec.target));
            let message = format!(
                "`{column}` knows the target: `{}` reads `{target}` in the very row that is predicted; {way_out}",
                derive.op.name()
            );
            faults.push(Fault::new(column_key, message));
        } else if !is_new {
            faults.push(Fault::new(column_key, format!("`{column}` is listed twice")));
        }
    }
    let mut before: Option<(&StepSpec, Reads)> = None;
    for (index, step) in feature.steps.iter().enumerate() {
        let step_key = format!("{key}.steps[{index}]");
        step.faults(&step_key, faults);
        if !spec.task.has_target() && matches!(step, StepSpec::TargetEncode(_)) {
            let message = format!("`target_encode` learns from a target, and `task: {}` has none", spec.task.name());
            faults.push(Fault::new(&*step_key, message));
        } else if index > 0 && matches!(step, StepSpec::DateParts(_)) {
            faults.push(Fault::new(&*step_key, "`date_parts` reads times, and must be the first step of its columns"));
        } else if let Some(message) = order_fault(before, step) {
            faults.push(Fault::new(step_key, message));
        }
        let gives =
            if step.makes_numbers() { Some(Reads::Numbers) } else { step.reads().or(before.map(|(_, gives)| gives)) };
        before = gives.map(|gives| (step, gives));
    }
    if let Some((last, Reads::Categories)) = before
        && !last.is_last()
    {
        let message = "the steps end with categories: add `one_hot` or `ordinal`";
        faults.push(Fault::new(format!("{key}.steps"), message));
    }
}

/// A program gets the columns as they are, and what it gives must be scored without this program's steps.
fn external_faults(spec: &PipelineSpec, faults: &mut Vec<Fault>) {
    let EstimatorSpec::External(_) = spec.estimator else { return };
    let for_the_program = "is not for `external`: leave it to the program that fits";
    if !spec.derive.is_empty() {
        faults.push(Fault::new("derive", for_the_program));
    }
    if spec.target_transform != TargetTransform::None {
        faults.push(Fault::new("target_transform", for_the_program));
    }
    for (index, feature) in spec.features.iter().enumerate().filter(|(_, feature)| !feature.steps.is_empty()) {
        let steps = feature.steps.iter().map(StepSpec::name).collect::<Vec<_>>().join("`, `");
        faults.push(Fault::new(format!("features[{index}].steps"), format!("`{steps}` {for_the_program}")));
    }
}

/// Codes of categories are no numbers: the model, and baselines that read its features, must know what they are.
fn category_faults(spec: &PipelineSpec, faults: &mut Vec<Fault>) {
    let baselines = spec.declared_baselines.iter().filter(|baseline| baseline.baseline_columns().is_none());
    let Some(stranger) =
        std::iter::once(&spec.estimator).chain(baselines).find(|estimator| !estimator.reads_categories())
    else {
        return;
    };
    for (index, feature) in spec.features.iter().enumerate() {
        if let Some(step) = feature.steps.iter().position(|step| matches!(step, StepSpec::Category(_))) {
            let message = format!("`category` is for `gradient_boosting` only: `{}` needs `one_hot`", stranger.kind());
            faults.push(Fault::new(format!("features[{index}].steps[{step}]"), message));
        }
    }
}

/// Returns why `step` cannot follow the step before it, which gives values of a kind.
fn order_fault(before: Option<(&StepSpec, Reads)>, step: &StepSpec) -> Option<String> {
    let (earlier, gives) = before?;
    if earlier.is_last() {
        return Some(format!(
            "`{}` cannot follow `{}`, which ends the steps of its columns",
            step.name(),
            earlier.name()
        ));
    }
    let needs = step.reads()?;
    let fits = needs == gives || (needs == Reads::Texts && gives == Reads::Categories);
    (!fits).then(|| {
        let given = if gives == Reads::Numbers { "numbers" } else { "categories" };
        format!("`{}` cannot follow `{}`, which gives {given}", step.name(), earlier.name())
    })
}

fn looks_ahead(spec: &PipelineSpec, column: &str) -> bool {
    spec.derived_for(&[column]).iter().any(|derive| derive.op == DeriveOp::Lead)
}

fn estimator_faults(spec: &PipelineSpec, estimator: &EstimatorSpec, key: &str, faults: &mut Vec<Fault>) {
    if !estimator.tasks().contains(&spec.task) {
        let message = format!("`{}` is not for `task: {}`; {}", estimator.kind(), spec.task.name(), {
            suggestion("", EstimatorSpec::kinds_for(spec.task))
        });
        faults.push(Fault::new(format!("{key}.kind"), message));
    }
    for (setting, message) in estimator.setting_faults() {
        faults.push(Fault::new(format!("{key}.{setting}"), message));
    }
    for column in estimator.baseline_columns().unwrap_or_default() {
        if column == spec.target || looks_ahead(spec, &column) || spec.telling_derive(&column).is_some() {
            let message = format!("`{column}` is or holds the target: a baseline cannot read what it predicts");
            faults.push(Fault::new(format!("{key}.column"), message));
        }
    }
}

/// Finds what does not fit the columns of `table`: absent ones, and ones of the wrong kind.
pub(crate) fn check_columns(spec: &PipelineSpec, table: &Table) -> Vec<Fault> {
    let mut check = ColumnCheck { spec, table, faults: Vec::new() };
    for (index, derive) in spec.derive.iter().enumerate() {
        let key = format!("derive[{index}]");
        if table.find(&derive.column).is_some() {
            let message = format!("the data has a column `{}` already: choose another name", derive.column);
            check.faults.push(Fault::new(format!("{key}.column"), message));
        }
        let reads = if derive.op.moves() { Reads::Categories } else { Reads::Numbers };
        check.column(&format!("{key}.of"), &derive.of, reads);
        if let (Some(_), Some(order)) = (&derive.within, &derive.order) {
            check.column(&format!("{key}.order"), order, Reads::Times);
        }
        for (setting, name, reads) in [
            ("over", &derive.over, Reads::Numbers),
            ("by", &derive.by, Reads::Categories),
            ("order", &derive.order, Reads::Categories),
        ] {
            if let Some(name) = name {
                check.column(&format!("{key}.{setting}"), name, reads);
            }
        }
    }
    for (index, feature) in spec.features.iter().enumerate() {
        for (position, column) in feature.columns.iter().enumerate() {
            check.column(&format!("features[{index}].columns[{position}]"), column, feature.reads());
        }
    }
    if spec.task.has_target() {
        check.column("target", &spec.target, Reads::Categories);
    }
    check.faults
}

struct ColumnCheck<'a> {
    spec: &'a PipelineSpec,
    table: &'a Table,
    faults: Vec<Fault>,
}

impl ColumnCheck<'_> {
    fn column(&mut self, key: &str, name: &str, reads: Reads) {
        let moved = if self.spec.is_derived(name) { self.spec.moved_column(name) } else { None };
        let moved_text = moved
            .and_then(|column| self.table.find(column))
            .filter(|column| matches!(column.values.kind(), ColumnKind::Text | ColumnKind::Time));
        let message = if let Some(column) = moved_text {
            kind_fault(self.table, column, reads)
        } else if self.spec.is_derived(name) {
            let needed = if reads == Reads::Times { "times are" } else { "text is" };
            matches!(reads, Reads::Texts | Reads::Times)
                .then(|| format!("derived column `{name}` holds numbers, {needed} needed"))
        } else if let Some(column) = self.table.find(name) {
            let is_empty = column.values.n_missing() == column.values.len();
            (!is_empty).then(|| kind_fault(self.table, column, reads)).flatten()
        } else {
            let known = self.table.columns().iter().map(|column| column.name.as_str());
            let known = suggestion(name, known);
            Some(format!("no column `{name}`; {known}; a field without a value in any row makes no column"))
        };
        self.faults.extend(message.map(|message| Fault::new(key, message)));
    }
}

fn kind_fault(table: &Table, column: &Column, reads: Reads) -> Option<String> {
    let kind = column.values.kind();
    let has = format!("column `{}` holds {} values", column.name, kind.name());
    match reads {
        Reads::Numbers if kind == ColumnKind::Text => {
            let example = first_non_number(column)
                .map_or_else(String::new, |(row, value)| format!(" (`{value}` in {})", RowName::of(table, row)));
            Some(format!(
                "{has}{example}, numbers are needed: begin its steps with `one_hot`, `ordinal` or `tfidf`, or cast it"
            ))
        }
        Reads::Numbers if !kind.is_numeric() => Some(format!("{has}, numbers are needed")),
        Reads::Texts if kind != ColumnKind::Text => Some(format!("{has}, text is needed")),
        Reads::Times if kind == ColumnKind::Text => first_non_time(column).map(|(row, value)| {
            let row = RowName::of(table, row);
            format!("{has} (`{value}` in {row}), times are needed, such as `2026-11-27T16:30:00Z` or `2026-11-27`")
        }),
        Reads::Times if kind != ColumnKind::Time => Some(format!("{has}, times are needed")),
        _ => None,
    }
}

impl FeatureSpec {
    /// Returns what the columns are read as: what the first step asks for that is not content with anything.
    pub(crate) fn reads(&self) -> Reads {
        self.steps.iter().find_map(StepSpec::reads).unwrap_or(Reads::Numbers)
    }
}
