//! What a pipeline declares: which columns become features, and what is fitted on them.

mod card;
mod check;
mod decision;
mod derive;
mod fault;
mod reader;
mod same_row;
mod span;
mod step;
mod tfidf;
mod value;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::estimator::EstimatorSpec;

pub use card::CardSpec;
pub use derive::{DeriveOp, DeriveSpec};
pub use fault::{Fault, SpecError};
pub use span::Span;
pub use step::{
    BinEncoding, BinStrategy, BinsSpec, DatePart, DatePartsSpec, FoundSmoothing, HashEncodeSpec, PcaSpec,
    PolynomialSpec, RobustScaleSpec, Smoothing, TargetEncodeSpec,
};
pub use step::{CategorySpec, ClipSpec, ConstantSpec, EncodeSpec, ImputeSpec, StepSpec, UnknownPolicy};
pub use tfidf::{Analyzer, DocumentFrequency, HashSpec, Norm, StopWords, TfidfSpec};

pub use decision::DecisionSpec;

pub(crate) use check::check_columns;
pub(crate) use fault::suggestion;
pub(crate) use step::Reads;
pub(crate) use tfidf::MAX_HASHED_FEATURES;

/// The version of the format of pipeline files.
pub const PIPELINE_VERSION: u64 = 1;

/// A pipeline, as declared in YAML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineSpec {
    /// What the model is called.
    pub name: String,
    /// Whether the target is a category or a number.
    pub task: Task,
    /// The column to predict. Where there is none to learn from, what predictions are called; a column of that name in the data
    /// is what they are compared with.
    pub target: String,
    /// What is done to the target before fitting, and undone after predicting.
    #[serde(default)]
    pub target_transform: TargetTransform,
    /// Where all randomness comes from.
    #[serde(default)]
    pub seed: u64,
    /// Columns computed from other columns before anything else, in order.
    #[serde(default)]
    pub derive: Vec<DeriveSpec>,
    /// Groups of columns, each with the steps that make features of them.
    #[serde(default)]
    pub features: Vec<FeatureSpec>,
    /// What is fitted.
    pub estimator: EstimatorSpec,
    /// From where on a row is taken for one of two classes; the likelier one is predicted where that is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionSpec>,
    /// What the model is measured against; when none is given, [`PipelineSpec::baselines`] chooses.
    #[serde(default, rename = "baselines")]
    pub declared_baselines: Vec<EstimatorSpec>,
    /// What people should know before they use the model.
    #[serde(default, skip_serializing_if = "CardSpec::is_empty")]
    pub card: CardSpec,
    /// How many training rows are kept inside the model, to see at load that it still predicts what it did.
    #[serde(default = "default_golden_rows", skip_serializing_if = "is_default_golden_rows")]
    pub golden_rows: usize,
}

/// How many golden rows a model has unless its pipeline says otherwise.
pub(crate) fn default_golden_rows() -> usize {
    8
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_default_golden_rows(n_rows: &usize) -> bool {
    *n_rows == default_golden_rows()
}

/// What kind of target a pipeline has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The target is a category.
    Classification,
    /// The target is a number.
    Regression,
    /// There is no target: rows are grouped.
    Clustering,
    /// There is no target: unusual rows are told from the others.
    Anomaly,
}

impl Task {
    /// Returns the name in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Task::Classification => "classification",
            Task::Regression => "regression",
            Task::Clustering => "clustering",
            Task::Anomaly => "anomaly",
        }
    }

    /// Returns whether there is a target to learn from.
    pub fn has_target(self) -> bool {
        matches!(self, Task::Classification | Task::Regression)
    }

    /// Returns what predictions are called if the pipeline does not say; `None` where it has to.
    pub(crate) fn default_target(self) -> Option<&'static str> {
        match self {
            Task::Classification | Task::Regression => None,
            Task::Clustering => Some("cluster"),
            Task::Anomaly => Some("anomaly"),
        }
    }
}

/// What is done to a target of numbers before fitting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetTransform {
    /// Nothing.
    #[default]
    None,
    /// The natural logarithm; predictions are the exponential of what the estimator gives.
    Log,
}

/// A group of columns and the steps that make features of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// The columns, of the input or derived.
    pub columns: Vec<String>,
    /// The steps, each applied to what the one before gives.
    #[serde(default)]
    pub steps: Vec<StepSpec>,
}

impl PipelineSpec {
    /// Reads a pipeline file.
    ///
    /// # Errors
    /// [`SpecError`] with every fault of the file, each with its key.
    pub fn from_yaml(text: &str) -> Result<PipelineSpec, SpecError> {
        let spec = reader::read(text)?;
        spec.check()?;
        Ok(spec)
    }

    /// Returns the pipeline without features and all else that has a default.
    pub(crate) fn bare(name: &str, task: Task, target: &str, estimator: EstimatorSpec) -> PipelineSpec {
        PipelineSpec {
            name: name.to_owned(),
            task,
            target: target.to_owned(),
            target_transform: TargetTransform::None,
            seed: 0,
            derive: Vec::new(),
            features: Vec::new(),
            estimator,
            decision: None,
            declared_baselines: Vec::new(),
            card: CardSpec::default(),
            golden_rows: default_golden_rows(),
        }
    }

    /// Checks what can be known without data: names, order of steps, looks ahead, ranges of settings.
    ///
    /// # Errors
    /// [`SpecError`] with every fault.
    pub fn check(&self) -> Result<(), SpecError> {
        let faults = check::faults(self);
        if faults.is_empty() { Ok(()) } else { Err(SpecError { faults }) }
    }

    /// Returns what the model is measured against: the declared baselines, else the majority class or the mean.
    pub fn baselines(&self) -> Vec<EstimatorSpec> {
        if !self.declared_baselines.is_empty() {
            return self.declared_baselines.clone();
        }
        vec![match self.task {
            Task::Classification => EstimatorSpec::majority_class(),
            Task::Regression => EstimatorSpec::mean(),
            Task::Clustering | Task::Anomaly => return Vec::new(),
        }]
    }

    /// Returns the pipeline that fits `baseline` on the same target.
    ///
    /// It keeps only the features that the baseline reads, so that it costs next to nothing to fit.
    #[must_use]
    pub fn for_baseline(&self, baseline: &EstimatorSpec) -> PipelineSpec {
        let mut spec = self.clone();
        spec.name = format!("{}-{}", self.name, baseline.kind());
        spec.declared_baselines.clear();
        spec.decision = None;
        spec.estimator = baseline.clone();
        match baseline.baseline_columns() {
            Some(columns) if columns.is_empty() => spec.features.clear(),
            Some(columns) => {
                // Classes are told by any value, numbers by numbers alone.
                let steps = match self.task {
                    Task::Classification => vec![StepSpec::Ordinal(EncodeSpec::default())],
                    _ => Vec::new(),
                };
                spec.features = vec![FeatureSpec { columns, steps }];
            }
            None => {}
        }
        if baseline.predicts_in_target_units() {
            spec.target_transform = TargetTransform::None;
        }
        spec
    }

    /// Returns the derived columns that `columns` need, in the order in which they are computed.
    pub(crate) fn derived_for(&self, columns: &[&str]) -> Vec<&DeriveSpec> {
        let mut needed: Vec<&str> = columns.to_vec();
        let mut derived = Vec::new();
        for derive in self.derive.iter().rev() {
            if needed.contains(&derive.column.as_str()) {
                needed.extend(derive.reads());
                derived.push(derive);
            }
        }
        derived.reverse();
        derived
    }

    /// Returns the columns that features are made of, each once, in order.
    pub(crate) fn feature_columns(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let columns = self.features.iter().flat_map(|feature| &feature.columns).map(String::as_str);
        columns.filter(|column| seen.insert(*column)).collect()
    }

    /// Returns the column of the data that a derived column holds values of as they are, if so.
    pub(crate) fn moved_column<'s>(&'s self, column: &'s str) -> Option<&'s str> {
        let mut column = column;
        // A column is derived from earlier ones, so that there are no more steps than derived columns.
        for _ in 0..=self.derive.len() {
            match self.derive.iter().find(|derive| derive.column == column) {
                None => return Some(column),
                Some(derive) if derive.op.moves() => column = &derive.of,
                Some(_) => return None,
            }
        }
        None
    }

    /// Returns whether `column` is computed by this pipeline.
    pub(crate) fn is_derived(&self, column: &str) -> bool {
        self.derive.iter().any(|derive| derive.column == column)
    }
}
