//! Folds: which rows a candidate is fitted on, and on which of the others it is scored.
//!
//! Without shuffling, folds are those of scikit-learn's splitter of the same kind. A fold names rows of one table, so that
//! derived columns are computed over the whole of it: they look back over the edge of a fold, and never forward.

mod group;
mod k_fold;
mod stratified;
mod stratified_group;
mod time;

use std::collections::BTreeMap;

use ml_core::table::{Column, Table};
use serde::{Deserialize, Serialize};

use crate::derive::derive_for;
use crate::error::TrainError;
use crate::frame::Frame;
use crate::random::SplitMix64;
use crate::spec::{Fault, PipelineSpec, Task, suggestion};

/// The number of folds where none is given.
const DEFAULT_FOLDS: usize = 5;

/// The column that rows of a dataset are ordered by.
const EVENT_TIME: &str = "event_time";

/// Rows to fit on and rows to score on, as ascending row numbers of one table; no row is in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows to fit on.
    pub training: Vec<usize>,
    /// Rows to score on.
    pub validation: Vec<usize>,
}

/// How rows are divided into folds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum SplitSpec {
    /// Parts of equal size, whatever is in the rows.
    KFold {
        /// How many.
        #[serde(default = "default_folds")]
        folds: usize,
        /// Whether rows are put in random order first.
        #[serde(default = "default_shuffle")]
        shuffle: bool,
    },
    /// Parts with the same share of each class of the target.
    Stratified {
        /// How many.
        #[serde(default = "default_folds")]
        folds: usize,
        /// Whether the rows of each class are put in random order first.
        #[serde(default = "default_shuffle")]
        shuffle: bool,
    },
    /// All rows of a group are in one part, and parts are of similar size.
    Group {
        /// What tells groups apart, such as a user or a symbol.
        column: String,
        /// How many.
        #[serde(default = "default_folds")]
        folds: usize,
        /// Whether groups are dealt out at random, and not by their size.
        #[serde(default)]
        shuffle: bool,
    },
    /// As `Group`, with shares of classes as alike as whole groups allow.
    StratifiedGroup {
        /// What tells groups apart.
        column: String,
        /// How many.
        #[serde(default = "default_folds")]
        folds: usize,
        /// Whether groups whose classes are spread alike are dealt out in random order.
        #[serde(default)]
        shuffle: bool,
    },
    /// Earlier rows to fit on, later ones to score on. Sizes are counted in instants, and rows of one stay together.
    Time {
        /// What rows are ordered by.
        #[serde(default = "default_column")]
        column: String,
        /// How many.
        #[serde(default = "default_folds")]
        folds: usize,
        /// The most instants to fit on, the latest ones; without it, all that came before.
        #[serde(default)]
        window: Option<usize>,
        /// How many instants are scored in each fold; without it, as many as make all parts alike.
        #[serde(default)]
        validation: Option<usize>,
        /// How many instants between both are left out.
        #[serde(default)]
        gap: usize,
    },
}

fn default_folds() -> usize {
    DEFAULT_FOLDS
}

fn default_shuffle() -> bool {
    true
}

fn default_column() -> String {
    EVENT_TIME.to_owned()
}

impl SplitSpec {
    pub(super) const NAMES: [&'static str; 5] = ["k_fold", "stratified", "group", "stratified_group", "time"];

    /// Returns the folds that suit `spec`: by time where it derives columns over an order, else with the same share of
    /// classes, else of equal size.
    pub fn for_pipeline(spec: &PipelineSpec) -> SplitSpec {
        if let Some(column) = spec.derive.iter().find_map(|derive| derive.order.clone()) {
            return SplitSpec::Time { column, folds: DEFAULT_FOLDS, window: None, validation: None, gap: 0 };
        }
        match spec.task {
            Task::Classification => SplitSpec::Stratified { folds: DEFAULT_FOLDS, shuffle: true },
            _ => SplitSpec::KFold { folds: DEFAULT_FOLDS, shuffle: true },
        }
    }

    /// Returns the name in search files.
    pub fn name(&self) -> &'static str {
        match self {
            SplitSpec::KFold { .. } => "k_fold",
            SplitSpec::Stratified { .. } => "stratified",
            SplitSpec::Group { .. } => "group",
            SplitSpec::StratifiedGroup { .. } => "stratified_group",
            SplitSpec::Time { .. } => "time",
        }
    }

    /// Returns the number of folds.
    pub fn n_folds(&self) -> usize {
        match self {
            SplitSpec::KFold { folds, .. }
            | SplitSpec::Stratified { folds, .. }
            | SplitSpec::Group { folds, .. }
            | SplitSpec::StratifiedGroup { folds, .. }
            | SplitSpec::Time { folds, .. } => *folds,
        }
    }

    /// Returns the same rule with another number of folds.
    #[must_use]
    pub fn with_folds(mut self, n_folds: usize) -> SplitSpec {
        match &mut self {
            SplitSpec::KFold { folds, .. }
            | SplitSpec::Stratified { folds, .. }
            | SplitSpec::Group { folds, .. }
            | SplitSpec::StratifiedGroup { folds, .. }
            | SplitSpec::Time { folds, .. } => *folds = n_folds,
        }
        self
    }

    fn is_by_class(&self) -> bool {
        matches!(self, SplitSpec::Stratified { .. } | SplitSpec::StratifiedGroup { .. })
    }

    /// Adds what is wrong whatever the rows.
    pub(super) fn faults(&self, key: &str, task: Task, faults: &mut Vec<Fault>) {
        let mut fault = |setting: &str, message: String| faults.push(Fault::new(format!("{key}.{setting}"), message));
        let least = if matches!(self, SplitSpec::Time { .. }) { 1 } else { 2 };
        if self.n_folds() < least {
            fault("folds", format!("must be at least {least}, not {}", self.n_folds()));
        }
        if self.is_by_class() && task != Task::Classification {
            fault("by", format!("`{}` divides classes: use `k_fold`, `group` or `time` for a regression", self.name()));
        }
        if let SplitSpec::Time { window, validation, .. } = self {
            for (setting, size) in [("window", window), ("validation", validation)] {
                if *size == Some(0) {
                    fault(setting, "must be at least 1".to_owned());
                }
            }
        }
    }

    /// Divides `rows` of `table`, the rows to learn from, into folds. `seed` decides what is shuffled.
    ///
    /// A fold by time leaves out training rows whose target looks ahead, by `lead`, into the rows that are scored or later.
    ///
    /// # Errors
    /// [`TrainError::Data`] when there are too few rows, classes, groups or instants, [`TrainError::Table`] for a column that
    /// is absent.
    ///
    /// # Panics
    /// If a row is not below [`Table::n_rows`].
    pub fn folds(
        &self,
        spec: &PipelineSpec,
        table: &Table,
        rows: &[usize],
        seed: u64,
    ) -> Result<Vec<Fold>, TrainError> {
        let mut random = SplitMix64::new(seed, FOLD_STREAM);
        let parts = match self {
            SplitSpec::KFold { folds, shuffle } => {
                check_count(*folds, rows.len(), "rows")?;
                k_fold::parts(rows.len(), *folds, shuffle.then_some(&mut random))
            }
            SplitSpec::Stratified { folds, shuffle } => {
                check_count(*folds, rows.len(), "rows")?;
                stratified::parts(&labels(spec, table, rows)?, *folds, shuffle.then_some(&mut random))?
            }
            SplitSpec::Group { column, folds, shuffle } => {
                let groups = groups(table, column, rows)?;
                check_count(*folds, n_distinct(&groups), &format!("groups of `{column}`"))?;
                group::parts(&groups, *folds, shuffle.then_some(&mut random))
            }
            SplitSpec::StratifiedGroup { column, folds, shuffle } => {
                let groups = groups(table, column, rows)?;
                check_count(*folds, n_distinct(&groups), &format!("groups of `{column}`"))?;
                let classes = stratified::sorted_classes(&labels(spec, table, rows)?);
                stratified_group::parts(&groups, &classes, *folds, shuffle.then_some(&mut random))
            }
            SplitSpec::Time { column, folds, window, validation, gap } => {
                let sizes = time::Sizes { folds: *folds, window: *window, validation: *validation, gap: *gap };
                return time::folds(spec, table, rows, column, sizes);
            }
        };
        Ok(folds_of_parts(rows, &parts, self.n_folds()))
    }
}

/// Keeps the randomness of folds apart from that of estimators with the same seed.
const FOLD_STREAM: u64 = 0x666f_6c64;

fn check_count(n_folds: usize, n_found: usize, of: &str) -> Result<(), TrainError> {
    if n_found >= n_folds {
        return Ok(());
    }
    Err(TrainError::data(format!("{n_found} {of} cannot be divided into {n_folds} folds"), "ask for fewer `folds`"))
}

/// Makes of the part of each row a fold for each part: its rows are scored, all others are fitted on.
fn folds_of_parts(rows: &[usize], parts: &[usize], n_folds: usize) -> Vec<Fold> {
    let mut folds = vec![Fold { training: Vec::new(), validation: Vec::new() }; n_folds];
    for (&row, &part) in rows.iter().zip(parts) {
        for (fold, rows) in folds.iter_mut().enumerate() {
            if fold == part { rows.validation.push(row) } else { rows.training.push(row) }
        }
    }
    folds
}

/// Returns the class of each row. Rows without a target, which nothing learns from, are a class of their own, so that they are
/// spread too.
pub(crate) fn labels(spec: &PipelineSpec, table: &Table, rows: &[usize]) -> Result<Vec<Option<String>>, TrainError> {
    let mut frame = Frame::new(table);
    derive_for(spec, &[&spec.target], &mut frame)?;
    let labels = frame.get(&spec.target)?.as_texts();
    Ok(rows.iter().map(|&row| labels[row].as_deref().map(str::to_owned)).collect())
}

/// Returns the class of every row of `table`, counted from 0.
pub(super) fn class_numbers(spec: &PipelineSpec, table: &Table) -> Result<Vec<usize>, TrainError> {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    Ok(stratified::sorted_classes(&labels(spec, table, &rows)?))
}

/// Returns the group of each row: its place among the distinct values, sorted.
fn groups(table: &Table, column: &str, rows: &[usize]) -> Result<Vec<usize>, TrainError> {
    let values = find_column(table, column)?;
    let texts = values.as_texts();
    let mut group_of: BTreeMap<&str, usize> = BTreeMap::new();
    for &row in rows {
        let Some(group) = &texts[row] else {
            return Err(TrainError::data(
                format!("column `{column}` is missing in row {}", row + 1),
                "folds by group need the group of every row: leave such rows out, or name another column",
            ));
        };
        group_of.insert(group, 0);
    }
    // Numbers are sorted as numbers, so that groups come in the order that NumPy gives them.
    let mut names: Vec<&str> = group_of.keys().copied().collect();
    if values.values.kind().is_numeric() {
        let number = |name: &str| name.parse::<f64>().unwrap_or(f64::INFINITY);
        names.sort_by(|left, right| number(left).total_cmp(&number(right)));
    }
    for (index, name) in names.into_iter().enumerate() {
        group_of.insert(name, index);
    }
    Ok(rows.iter().filter_map(|&row| texts[row].as_deref()).map(|group| group_of[group]).collect())
}

fn n_distinct(groups: &[usize]) -> usize {
    groups.iter().max().map_or(0, |greatest| greatest + 1)
}

fn find_column<'t>(table: &'t Table, name: &str) -> Result<&'t Column, TrainError> {
    table.find(name).ok_or_else(|| {
        let known = table.columns().iter().map(|column| column.name.as_str());
        TrainError::data(format!("no column `{name}` to divide by"), suggestion(name, known))
    })
}
