//! Fitting a pipeline on a table.

use std::collections::{BTreeMap, BTreeSet};

use ml_core::model::{Signature, SignatureColumn};
use ml_core::table::{Column, ColumnKind, ColumnValues, Table};
use serde::{Deserialize, Serialize};

use crate::decision::{self, Decision};
use crate::derive::derive_for;
use crate::error::TrainError;
use crate::estimator::{Fitted, Outputs, Target, TrainingData};
use crate::frame::Frame;
use crate::matrix::FeatureMatrix;
use crate::model::{Framework, TrainedModel};
use crate::preprocess::{Features, MissingValues, Preprocessor};
use crate::progress::{Progress, Stage};
use crate::spec::{PipelineSpec, SpecError, StepSpec, TargetTransform, Task, check_columns};
use crate::transform::FitTruth;
use crate::unfit::RowName;

/// The most classes of a target; beyond it the target is hardly a category.
pub const MAX_CLASSES: usize = 1000;

/// On how many rows a fitted model is tried.
const MAX_ROWS_TRIED: usize = 64;

/// A trained model, and what the training met.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: TrainedModel,
    /// What the training met.
    pub summary: TrainingSummary,
}

/// What a training met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// How many rows were given.
    pub n_rows: usize,
    /// How many of them the model was fitted on.
    pub n_rows_used: usize,
    /// How many of them were left out, by reason.
    pub dropped: BTreeMap<String, usize>,
    /// The number of features.
    pub n_features: usize,
    /// How many rows each class has; empty for a regression.
    pub class_counts: BTreeMap<String, usize>,
    /// What the user should know, such as that an iteration did not converge.
    pub warnings: Vec<String>,
}

/// Fits `spec` on all rows of `table`.
///
/// # Errors
/// Those of [`train_rows`].
pub fn train(spec: &PipelineSpec, table: &Table, progress: &dyn Progress) -> Result<Trained, TrainError> {
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    train_rows(spec, table, &rows, progress)
}

/// Fits `spec` on the rows of `table` at `rows`.
///
/// Derived columns are computed on the whole table, so that windows reach back over the edge of a split; everything that
/// is learnt is learnt from `rows` alone. Rows whose target is missing, or whose derived features are and are neither
/// imputed nor taken by the estimator as they are, are left out and counted.
///
/// # Errors
/// [`TrainError::Spec`] when the pipeline does not fit the columns, [`TrainError::Data`] when there is nothing to learn
/// from, and what the estimator fails with.
///
/// # Panics
/// If a row is not below [`Table::n_rows`].
pub fn train_rows(
    spec: &PipelineSpec,
    table: &Table,
    rows: &[usize],
    progress: &dyn Progress,
) -> Result<Trained, TrainError> {
    let prepared = PreparedRows::new(spec, table, rows, progress)?;
    let decision = Decision::of(spec, &prepared.classes, table, &prepared.kept, progress)?;
    let fitted = prepared.fit(spec, progress)?;
    let PreparedRows { kept, dropped, target, classes, preprocessor, features } = prepared;

    let mut warnings = constant_features(&features.matrix, &preprocessor);
    warnings.extend(features.unknown_categories.iter().map(|(column, n_values)| {
        format!("{n_values} values of column `{column}` are of categories that are too rare to have a code: they count as missing")
    }));
    warnings.extend(fitted.warnings);
    let classes = fitted.predictor.found_classes().unwrap_or(classes);
    let summary = TrainingSummary {
        n_rows: rows.len(),
        n_rows_used: kept.len(),
        dropped,
        n_features: preprocessor.n_features(),
        class_counts: class_counts(&target, &classes),
        warnings,
    };
    let model = TrainedModel {
        spec: spec.clone(),
        framework: Framework::current(),
        signature: signature(spec, table),
        classes,
        preprocessor,
        predictor: fitted.predictor,
        decision,
    };
    Ok(Trained { model, summary })
}

/// Training rows as an estimator sees them. Pipelines that differ in their estimator alone share them.
pub(crate) struct PreparedRows {
    /// The rows that are fitted on.
    pub(crate) kept: Vec<usize>,
    /// How many rows were left out, by reason.
    dropped: BTreeMap<String, usize>,
    target: Target,
    /// The names of the classes; none for a regression.
    pub(crate) classes: Vec<String>,
    /// The fitted preprocessing.
    pub(crate) preprocessor: Preprocessor,
    /// What it makes of the rows.
    pub(crate) features: Features,
}

impl PreparedRows {
    /// Derives columns, chooses the rows that can be learnt from, and fits the preprocessing on them.
    ///
    /// # Errors
    /// Those of [`train_rows`] but for those of the estimator.
    pub(crate) fn new(
        spec: &PipelineSpec,
        table: &Table,
        rows: &[usize],
        progress: &dyn Progress,
    ) -> Result<PreparedRows, TrainError> {
        spec.check()?;
        let faults = check_columns(spec, table);
        if !faults.is_empty() {
            return Err(SpecError { faults }.into());
        }

        progress.begin(Stage::Derive);
        let mut columns = spec.feature_columns();
        if spec.task.has_target() {
            columns.push(&spec.target);
        }
        let mut frame = Frame::new(table);
        derive_for(spec, &columns, &mut frame)?;
        let (kept, dropped) = usable_rows(spec, &frame, rows)?;
        check_row_count(spec, kept.len(), rows.len(), &dropped)?;
        let frame = frame.take(&columns, &kept);
        let (target, classes) = if spec.task.has_target() {
            read_target(spec, frame.get(&spec.target)?)?
        } else {
            // There is nothing to predict, and no estimator for such a task looks at it.
            (Target::Numbers(vec![0.0; kept.len()]), Vec::new())
        };
        stop_if_cancelled(progress)?;

        progress.begin(Stage::Preprocess);
        let truth = FitTruth { target: &target, seed: spec.seed };
        let missing = spec.estimator.missing_values();
        let (preprocessor, features) = Preprocessor::fit(&spec.features, &frame, truth, missing)?;
        if let Some((&position, value)) = features.invalid.first_key_value() {
            let n_rows = features.invalid.len();
            let state = if value.is_missing { "missing" } else { "not finite" };
            let row = RowName::of(table, kept[position]);
            let more = if n_rows > 1 { format!(" and {} more", n_rows - 1) } else { String::new() };
            return Err(TrainError::data(
                format!("column `{}` is {state} after its steps in {row}{more}", value.column),
                "begin its steps with `{impute: median}` or another fill, or `clip` it",
            ));
        }
        stop_if_cancelled(progress)?;
        Ok(PreparedRows { kept, dropped, target, classes, preprocessor, features })
    }

    /// Fits the estimator of `spec`.
    ///
    /// # Errors
    /// What the estimator fails with.
    pub(crate) fn fit(&self, spec: &PipelineSpec, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        progress.begin(Stage::Fit);
        let data = TrainingData {
            features: &self.features.matrix,
            target: &self.target,
            seed: spec.seed,
            preprocessor: &self.preprocessor,
        };
        let fitted = spec.estimator.as_estimator().fit(data, progress)?;
        stop_if_cancelled(progress)?;
        check_predicts(spec, &fitted, &self.features.matrix)?;
        Ok(fitted)
    }
}

/// Sees to it that a model which lost its way among huge numbers is none: what it makes of some rows that it was fitted on must
/// be finite; and that there are scores where a decision is to be made by them.
fn check_predicts(spec: &PipelineSpec, fitted: &Fitted, features: &FeatureMatrix) -> Result<(), TrainError> {
    let n_rows = features.n_rows();
    let n_tried = n_rows.min(MAX_ROWS_TRIED);
    let tried: Vec<usize> = (0..n_tried).map(|place| place * n_rows / n_tried).collect();
    let (predictor, tried) = (fitted.predictor.as_predictor(), features.take(&tried));
    if let Some(threshold) = spec.decision.as_ref().and_then(|decision| decision.threshold)
        && !(0.0..=1.0).contains(&threshold)
        && predictor.predict_proba(&tried)?.is_some()
    {
        let kind = spec.estimator.kind();
        return Err(TrainError::data(
            format!("`decision.threshold` is {threshold}, and `{kind}` gives probabilities, which no row has so"),
            "state one between 0 and 1",
        ));
    }
    let numbers = match (predictor.scores(&tried)?, predictor.predict(&tried)?) {
        (Some(scores), _) => scores.values,
        (None, _) if spec.decision.is_some() => {
            return Err(decision::no_scores("the model gives classes without scores"));
        }
        (None, Outputs::Numbers(numbers)) => numbers,
        (None, Outputs::Classes(_)) => Vec::new(),
    };
    if numbers.iter().all(|number| number.is_finite()) {
        return Ok(());
    }
    let scale_target = if spec.task == Task::Regression { ", and give the target in a larger unit" } else { "" };
    Err(TrainError::Fit {
        kind: spec.estimator.kind(),
        reason: format!(
            "what it predicts for the rows it was fitted on is not finite, as happens with huge numbers: standardise the \
             features{scale_target}"
        ),
    })
}

fn stop_if_cancelled(progress: &dyn Progress) -> Result<(), TrainError> {
    if progress.is_cancelled() { Err(TrainError::Cancelled) } else { Ok(()) }
}

/// Returns the rows that can be learnt from, and how many cannot by reason.
fn usable_rows(
    spec: &PipelineSpec,
    frame: &Frame<'_>,
    rows: &[usize],
) -> Result<(Vec<usize>, BTreeMap<String, usize>), TrainError> {
    let mut must_be_present: Vec<(String, Vec<bool>)> = Vec::new();
    if spec.task.has_target() {
        let target = frame.get(&spec.target)?;
        must_be_present.push((format!("target `{}` is missing", target.name), is_missing(target)));
    }
    for column in derived_without_fill(spec) {
        let reason = format!("derived feature `{column}` is missing");
        must_be_present.push((reason, is_missing(frame.get(column)?)));
    }
    let mut kept = Vec::with_capacity(rows.len());
    let mut dropped: BTreeMap<String, usize> = BTreeMap::new();
    for &row in rows {
        match must_be_present.iter().find(|(_, missing)| missing[row]) {
            Some((reason, _)) => *dropped.entry(reason.clone()).or_default() += 1,
            None => kept.push(row),
        }
    }
    Ok((kept, dropped))
}

/// Returns the derived columns whose missing values nothing takes or fills.
fn derived_without_fill(spec: &PipelineSpec) -> BTreeSet<&str> {
    if spec.estimator.missing_values() == MissingValues::Keep {
        return BTreeSet::new();
    }
    let without_fill = spec.features.iter().filter(|feature| !feature.steps.iter().any(StepSpec::takes_missing));
    without_fill
        .flat_map(|feature| &feature.columns)
        .map(String::as_str)
        .filter(|column| spec.is_derived(column))
        .collect()
}

fn is_missing(column: &Column) -> Vec<bool> {
    match &column.values {
        ColumnValues::Number(values) => values.iter().map(|value| value.is_nan()).collect(),
        ColumnValues::Integer(values) => values.iter().map(Option::is_none).collect(),
        ColumnValues::Boolean(values) => values.iter().map(Option::is_none).collect(),
        ColumnValues::Text(values) => values.iter().map(Option::is_none).collect(),
        ColumnValues::Time(values) => values.iter().map(Option::is_none).collect(),
    }
}

fn check_row_count(
    spec: &PipelineSpec,
    n_usable: usize,
    n_rows: usize,
    dropped: &BTreeMap<String, usize>,
) -> Result<(), TrainError> {
    let needed = if spec.estimator.baseline_columns().is_some() { 1 } else { 2 };
    if n_usable >= needed {
        return Ok(());
    }
    let reasons: Vec<String> = dropped.iter().map(|(reason, count)| format!("{reason} in {count}")).collect();
    let left_out = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    Err(TrainError::data(
        format!("{n_usable} of {n_rows} rows can be learnt from{left_out}"),
        format!("`{}` needs at least {needed}", spec.estimator.kind()),
    ))
}

/// Reads the target, which has no missing value, and the names of its classes in order.
fn read_target(spec: &PipelineSpec, column: &Column) -> Result<(Target, Vec<String>), TrainError> {
    match spec.task {
        Task::Classification => read_classes(spec, column),
        _ => Ok((Target::Numbers(read_numbers(spec, column)?), Vec::new())),
    }
}

/// Numbers are categories by their printed form. Classes of numbers are in numeric order, others in that of their text.
fn read_classes(spec: &PipelineSpec, column: &Column) -> Result<(Target, Vec<String>), TrainError> {
    let labels = column.as_texts();
    let distinct: BTreeSet<&str> = labels.iter().flatten().map(AsRef::as_ref).collect();
    let mut classes: Vec<&str> = distinct.into_iter().collect();
    if classes.len() > MAX_CLASSES {
        return Err(TrainError::data(
            format!("target `{}` has {} distinct values, more than {MAX_CLASSES}", spec.target, classes.len()),
            "use `task: regression` for a number, or group the categories",
        ));
    }
    if classes.len() < 2 && spec.estimator.baseline_columns().is_none() {
        return Err(TrainError::data(
            format!("target `{}` is `{}` in every row that can be learnt from", spec.target, classes.concat()),
            "give rows of at least two classes",
        ));
    }
    if column.values.kind().is_numeric() {
        let number = |label: &str| label.parse::<f64>().unwrap_or(f64::INFINITY);
        classes.sort_by(|left, right| number(left).total_cmp(&number(right)));
    }
    let index_of: BTreeMap<&str, usize> = classes.iter().enumerate().map(|(index, &class)| (class, index)).collect();
    let indices = labels.iter().flatten().map(|label| index_of[label.as_ref()]).collect();
    let classes: Vec<String> = classes.into_iter().map(str::to_owned).collect();
    Ok((Target::Classes { indices, n_classes: classes.len() }, classes))
}

fn read_numbers(spec: &PipelineSpec, column: &Column) -> Result<Vec<f64>, TrainError> {
    if !column.values.kind().is_numeric() {
        return Err(TrainError::data(
            format!(
                "target `{}` holds {} values, `task: regression` needs numbers",
                spec.target,
                column.values.kind().name()
            ),
            "use `task: classification`, or cast the column",
        ));
    }
    let mut numbers = column.as_numbers()?.into_owned();
    if spec.target_transform == TargetTransform::Log {
        if let Some(number) = numbers.iter().find(|number| **number <= 0.0) {
            return Err(TrainError::data(
                format!("target `{}` has the value {number}, which has no logarithm", spec.target),
                "use `target_transform: none`, or leave such rows out",
            ));
        }
        for number in &mut numbers {
            *number = number.ln();
        }
    }
    if numbers.iter().any(|number| !number.is_finite()) {
        let what = format!("target `{}` has an infinite value", spec.target);
        return Err(TrainError::data(what, "correct it, or leave such rows out"));
    }
    Ok(numbers)
}

fn class_counts(target: &Target, classes: &[String]) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    if let Target::Classes { indices, .. } = target {
        for &index in indices {
            *counts.entry(classes[index].clone()).or_default() += 1;
        }
    }
    counts
}

/// Names the columns that are the same, or missing, in every row. They do no harm, and are seldom meant.
fn constant_features(features: &FeatureMatrix, preprocessor: &Preprocessor) -> Vec<String> {
    if features.n_rows() < 2 {
        return Vec::new();
    }
    let is_constant = features.constant_columns();
    let named = preprocessor.named_features().into_iter();
    named
        .filter(|(features, _)| !features.is_empty() && is_constant[features.clone()].iter().all(|is| *is))
        .map(|(_, name)| format!("feature `{name}` is the same in every row: it says nothing about the target"))
        .collect()
}

/// Returns the columns that scoring reads, and what it gives.
fn signature(spec: &PipelineSpec, table: &Table) -> Signature {
    let features = spec.feature_columns();
    let mut seen = BTreeSet::new();
    let derived = spec.derived_for(&features);
    let read = features.iter().copied().chain(derived.iter().flat_map(|derive| derive.reads()));
    let inputs = read
        .filter(|name| !spec.is_derived(name) && seen.insert(*name))
        .filter_map(|name| table.find(name))
        .map(|column| SignatureColumn { name: column.name.clone(), kind: column.values.kind(), required: true })
        .collect();
    let kind = match spec.task {
        Task::Regression => ColumnKind::Number,
        Task::Classification | Task::Clustering | Task::Anomaly => ColumnKind::Text,
    };
    Signature { inputs, outputs: vec![SignatureColumn { name: spec.target.clone(), kind, required: true }] }
}
