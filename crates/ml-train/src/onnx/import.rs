//! From an ONNX file to a model like any other.

use ml_core::model::{Signature, SignatureColumn};
use ml_core::table::{Column, ColumnKind, Table};

use super::classes;
use super::columns::InputColumns;
use super::error::OnnxError;
use super::graph::Graph;
use super::predictor::{OnnxPredictor, Output};
use super::proto::Model;
use super::tensor::{ElementKind, Tensor};
use crate::error::PredictError;
use crate::estimator::{EstimatorSpec, External, FittedPredictor};
use crate::model::{Framework, TrainedModel};
use crate::package::{GoldenRows, Package, Papers};
use crate::preprocess::Preprocessor;
use crate::spec::{FeatureSpec, PipelineSpec, Task};

/// What an ONNX file does not say of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxImport {
    /// What the model is called.
    pub name: String,
    /// The column that it predicts.
    pub target: String,
    /// Whether that is a category or a number; guessed from the outputs where it is not said.
    pub task: Option<Task>,
    /// The pipeline that it was trained by, which the model keeps; without one it keeps what is said here.
    pub pipeline: Option<PipelineSpec>,
    /// The columns that it reads, in the order of its inputs; called after the inputs where they are not said.
    pub columns: Vec<String>,
    /// The classes in the order of the scores; taken from the graph where they are not said.
    pub classes: Vec<String>,
}

/// Reads an ONNX model, tries it on a few rows, and packs it with those as its golden rows.
///
/// # Errors
/// [`OnnxError`] when it is no ONNX model, needs what is not there, or does not give one class or number for each row.
pub fn import(onnx: Vec<u8>, wanted: &OnnxImport) -> Result<Package, OnnxError> {
    let decoded = Model::decode(&onnx)?;
    let graph = Graph::of(&decoded, &onnx)?;
    let inputs = InputColumns::choose(graph.inputs(), &wanted.columns)?;
    let samples: Vec<Column> = inputs.iter().flat_map(InputColumns::samples).collect();
    let samples = Table::new(samples).map_err(|err| OnnxError::Inconsistent(err.to_string()))?;
    let (output, classes) = choose_output(&decoded, &graph, &inputs, &samples, wanted)?;

    let task = if classes.is_empty() { Task::Regression } else { Task::Classification };
    let columns: Vec<String> = inputs.iter().flat_map(|input| input.columns.clone()).collect();
    if columns.contains(&wanted.target) {
        let what = format!("`{}` is both read and predicted", wanted.target);
        return Err(OnnxError::unfit(what, "name another target"));
    }
    let signature = signature(&inputs, &wanted.target, task);
    let producer = if decoded.producer.is_empty() { "onnx".to_owned() } else { decoded.producer };
    let bare = || PipelineSpec::bare(&wanted.name, task, &wanted.target, EstimatorSpec::External(External::default()));
    let spec = wanted.pipeline.clone().unwrap_or_else(bare);
    let model = TrainedModel {
        // It reads the columns of the graph, whichever of those of the pipeline these are.
        spec: PipelineSpec { features: vec![FeatureSpec { columns, steps: Vec::new() }], ..spec },
        framework: Framework { name: producer, version: decoded.producer_version },
        signature,
        classes,
        preprocessor: Preprocessor::none(),
        predictor: FittedPredictor::Onnx(OnnxPredictor { onnx, inputs, output, graph }),
        decision: None,
    };
    if let Some(reason) = model.inconsistency() {
        return Err(OnnxError::Inconsistent(reason));
    }
    let failed = |err: PredictError| OnnxError::Failed { operator: "predict".to_owned(), reason: err.to_string() };
    let tried = model.predict(&samples).map_err(failed)?;
    if let (Some(reason), true) = (tried.missing_reason(0), tried.missing.len() == samples.n_rows()) {
        let what = format!("none of the rows that it was tried on has a prediction: {reason}");
        return Err(OnnxError::unfit(what, "name its classes as it does"));
    }
    let rows: Vec<usize> = (0..samples.n_rows()).collect();
    let golden = GoldenRows::record(&model, &samples, &rows);
    let golden = golden.map_err(failed)?;
    Ok(Package { model, papers: Papers { golden, ..Papers::default() } })
}

fn signature(inputs: &[InputColumns], target: &str, task: Task) -> Signature {
    let column = |name: &str, kind| SignatureColumn { name: name.to_owned(), kind, required: true };
    let read = inputs.iter().flat_map(|input| input.columns.iter().map(|name| column(name, input.kind())));
    let kind = if task == Task::Classification { ColumnKind::Text } else { ColumnKind::Number };
    Signature { inputs: read.collect(), outputs: vec![column(target, kind)] }
}

/// An output as it came out of the trial.
struct Tried<'a> {
    name: &'a String,
    kind: ElementKind,
    width: usize,
    values: Tensor,
}

fn choose_output(
    decoded: &Model,
    graph: &Graph,
    inputs: &[InputColumns],
    samples: &Table,
    wanted: &OnnxImport,
) -> Result<(Output, Vec<String>), OnnxError> {
    let tried = try_out(graph, inputs, samples)?;
    let classes = if wanted.classes.is_empty() { classes::of_graph(decoded) } else { wanted.classes.clone() };
    let task = wanted.task.unwrap_or(if classes.is_empty() { Task::Regression } else { Task::Classification });
    let is_number = |kind| matches!(kind, ElementKind::Float | ElementKind::Double);
    if task == Task::Regression {
        let number = tried.iter().find(|tried| tried.width == 1 && is_number(tried.kind));
        return match number {
            Some(tried) => Ok((Output::Numbers(tried.name.clone()), Vec::new())),
            None => Err(OnnxError::unfit(
                format!("no output is one number for each row; the outputs are {}", listed(&tried)),
                "name the classes if it tells classes apart; vectors, such as embeddings, are not predictions",
            )),
        };
    }
    if classes.len() < 2 {
        return Err(OnnxError::unfit("the model does not name its classes", "name them, in the order of its scores"));
    }
    let fits = |width: usize| width == classes.len() || (width == 1 && classes.len() == 2);
    if let Some(scores) = tried.iter().find(|tried| is_number(tried.kind) && fits(tried.width)) {
        let name = scores.name.clone();
        let output = if are_shares(scores)? { Output::Probabilities(name) } else { Output::DecisionScores(name) };
        return Ok((output, classes));
    }
    match tried.iter().find(|tried| tried.width == 1 && !is_number(tried.kind)) {
        Some(labels) => Ok((Output::Labels(labels.name.clone()), classes)),
        None => Err(OnnxError::unfit(
            format!(
                "no output is a class, or a score for each of {} classes; the outputs are {}",
                classes.len(),
                listed(&tried)
            ),
            "name as many classes as there are scores",
        )),
    }
}

fn listed(tried: &[Tried<'_>]) -> String {
    let shown: Vec<String> =
        tried.iter().map(|tried| format!("`{}` of shape {:?}", tried.name, tried.values.shape)).collect();
    shown.join(", ")
}

/// Runs the sample rows one by one, and returns each output with what it gave for all of them.
fn try_out<'a>(graph: &'a Graph, inputs: &[InputColumns], samples: &Table) -> Result<Vec<Tried<'a>>, OnnxError> {
    let cells = inputs.iter().map(|input| input.read(samples)).collect::<Result<Vec<_>, _>>();
    let cells = cells.map_err(|err| OnnxError::Inconsistent(err.to_string()))?;
    let names: Vec<&str> = graph.outputs().iter().map(String::as_str).collect();
    let mut tried: Vec<Tried<'a>> = Vec::new();
    for row in 0..samples.n_rows() {
        let given = cells.iter().zip(graph.inputs()).map(|(cells, input)| cells.tensor(input, &[row]));
        let outputs = graph.run(given.collect::<Result<_, _>>()?, &names)?;
        if tried.is_empty() {
            let output = |(name, values): (&'a String, Tensor)| Tried {
                name,
                kind: values.kind(),
                width: values.data.len(),
                values,
            };
            tried = graph.outputs().iter().zip(outputs).map(output).collect();
        } else {
            for (tried, output) in tried.iter_mut().zip(outputs) {
                tried.append(&output)?;
            }
        }
    }
    Ok(tried)
}

impl Tried<'_> {
    fn append(&mut self, more: &Tensor) -> Result<(), OnnxError> {
        if self.kind != ElementKind::Text && more.data.len() == self.width {
            let values = [self.values.as_numbers()?, more.as_numbers()?].concat();
            self.values = Tensor::numbers(self.kind, vec![values.len() / self.width.max(1), self.width], values)?;
        }
        Ok(())
    }
}

/// Returns whether the scores of every row tried are shares of 1.
fn are_shares(tried: &Tried<'_>) -> Result<bool, OnnxError> {
    let is_share = |share: &f64| (-1e-6..=1.0 + 1e-6).contains(share);
    let numbers = tried.values.as_numbers()?;
    let sums_to_1 = |row: &[f64]| row.len() == 1 || (row.iter().sum::<f64>() - 1.0).abs() < 1e-3;
    Ok(numbers.iter().all(is_share) && numbers.chunks(tried.width.max(1)).all(sums_to_1))
}
