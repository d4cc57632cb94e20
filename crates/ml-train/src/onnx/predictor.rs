//! An ONNX model as the predictor of a trained model: from columns to scores or numbers.

use ml_core::table::Table;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{InputCells, InputColumns, Reads};
use super::error::OnnxError;
use super::graph::Graph;
use super::tensor::{Data, Tensor};
use crate::error::PredictError;
use crate::estimator::{Outputs, Predictor, Scores};
use crate::matrix::FeatureMatrix;
use crate::packed;

/// How many rows are run at a time: few, for what is sparse elsewhere is dense in a graph.
const ROWS_PER_RUN: usize = 128;

/// An ONNX model with the columns that it reads and the outputs that are used. What is stored is the file itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "StoredPredictor")]
pub struct OnnxPredictor {
    #[serde(with = "packed::u8s")]
    pub(super) onnx: Vec<u8>,
    pub(super) inputs: Vec<InputColumns>,
    pub(super) output: Output,
    #[serde(skip)]
    pub(super) graph: Graph,
}

#[derive(Deserialize)]
struct StoredPredictor {
    #[serde(with = "packed::u8s")]
    onnx: Vec<u8>,
    inputs: Vec<InputColumns>,
    output: Output,
}

/// Which output is used, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Output {
    /// One number for each row.
    Numbers(String),
    /// A share for each class; or one share, of the second of two classes.
    Probabilities(String),
    /// A score for each class; or one score, of the second of two classes.
    DecisionScores(String),
    /// The class itself, by name.
    Labels(String),
}

impl TryFrom<StoredPredictor> for OnnxPredictor {
    type Error = OnnxError;

    fn try_from(stored: StoredPredictor) -> Result<OnnxPredictor, OnnxError> {
        let StoredPredictor { onnx, inputs, output } = stored;
        let graph = Graph::from_onnx(&onnx)?;
        let fits = inputs.len() == graph.inputs().len() && inputs.iter().all(InputColumns::is_whole);
        if !fits || !graph.outputs().contains(output.name()) {
            return Err(OnnxError::Inconsistent("its columns and output are not those of the graph".to_owned()));
        }
        Ok(OnnxPredictor { onnx, inputs, output, graph })
    }
}

impl InputColumns {
    fn is_whole(&self) -> bool {
        !self.columns.is_empty() && (self.reads != Reads::Tokens || self.columns.len() == 1)
    }
}

impl Output {
    pub(super) fn name(&self) -> &String {
        let (Output::Numbers(name) | Output::Probabilities(name) | Output::DecisionScores(name) | Output::Labels(name)) =
            self;
        name
    }
}

/// What the model gives for the rows that it can score, and why it cannot score the others.
pub(crate) struct OnnxScored {
    pub(crate) outputs: Outputs,
    pub(crate) probabilities: Option<Scores>,
    pub(crate) decision_scores: Option<Scores>,
    /// By position among the rows that were asked for.
    pub(crate) faults: Vec<(usize, String)>,
}

impl OnnxPredictor {
    pub(crate) fn inconsistency(&self, n_classes: usize) -> Option<String> {
        let predicts_numbers = matches!(self.output, Output::Numbers(_));
        (predicts_numbers != (n_classes == 0)).then(|| "the output of the ONNX model does not fit the task".to_owned())
    }

    /// Scores the rows of `table` at `rows`.
    pub(crate) fn score(&self, table: &Table, rows: &[usize], classes: &[String]) -> Result<OnnxScored, PredictError> {
        let cells = self.inputs.iter().map(|input| input.read(table)).collect::<Result<Vec<_>, _>>()?;
        let fault =
            |(position, &row): (usize, &usize)| Some((position, cells.iter().find_map(|cells| cells.fault(row))?));
        let mut faults: Vec<(usize, String)> = rows.iter().enumerate().filter_map(fault).collect();
        let is_faulty = |position: &usize| faults.binary_search_by_key(position, |(position, _)| *position).is_ok();
        let scored: Vec<usize> = (0..rows.len()).filter(|position| !is_faulty(position)).collect();
        let given: Vec<usize> = scored.iter().map(|&position| rows[position]).collect();
        let runs: Vec<Vec<RowOutput>> = given
            .par_chunks(self.rows_per_run())
            .map(|rows| self.run(&cells, rows, classes))
            .collect::<Result<_, OnnxError>>()?;
        let mut collected = Collected::default();
        for (&position, output) in scored.iter().zip(runs.into_iter().flatten()) {
            match output {
                RowOutput::Fault(reason) => faults.push((position, reason)),
                RowOutput::Number(number) => collected.numbers.push(number),
                RowOutput::Label(class) => collected.classes.push(class),
                RowOutput::Scores(scores) => collected.scores.extend(scores),
            }
        }
        faults.sort_by_key(|(position, _)| *position);
        Ok(self.scored(collected, classes.len(), faults))
    }

    /// Sequences differ in length, and a graph may be made for one row at a time.
    fn rows_per_run(&self) -> usize {
        let has_tokens = self.inputs.iter().any(|input| input.reads == Reads::Tokens);
        let is_for_one =
            self.graph.inputs().iter().any(|input| {
                input.shape.as_ref().is_some_and(|shape| shape.len() > 1 && shape.first() == Some(&Some(1)))
            });
        if has_tokens || is_for_one { 1 } else { ROWS_PER_RUN }
    }

    fn run(&self, cells: &[InputCells<'_>], rows: &[usize], classes: &[String]) -> Result<Vec<RowOutput>, OnnxError> {
        let inputs = cells.iter().zip(self.graph.inputs()).map(|(cells, input)| cells.tensor(input, rows));
        let mut outputs = self.graph.run(inputs.collect::<Result<_, _>>()?, &[self.output.name()])?;
        let output = outputs.pop().ok_or_else(|| OnnxError::Inconsistent("there is no output".to_owned()))?;
        let n_rows = rows.len();
        if output.shape.first() != Some(&n_rows) && output.data.len() != n_rows {
            return Err(OnnxError::Inconsistent(format!("{n_rows} rows have an output of shape {:?}", output.shape)));
        }
        let width = output.data.len() / n_rows.max(1);
        match &self.output {
            Output::Labels(_) if width == 1 => Ok(labels(&output, classes)),
            Output::Numbers(_) if width == 1 => {
                Ok(output.as_numbers()?.iter().map(|&number| RowOutput::Number(number)).collect())
            }
            Output::Probabilities(_) => scores(&output, width, classes.len(), |share| 1.0 - share),
            Output::DecisionScores(_) => scores(&output, width, classes.len(), |score| -score),
            _ => Err(OnnxError::Inconsistent(format!("each row has {width} outputs in place of one"))),
        }
    }

    fn scored(&self, collected: Collected, n_classes: usize, faults: Vec<(usize, String)>) -> OnnxScored {
        let Collected { numbers, classes, scores } = collected;
        let (mut probabilities, mut decision_scores) = (None, None);
        let outputs = match self.output {
            Output::Numbers(_) => Outputs::Numbers(numbers),
            Output::Labels(_) => Outputs::Classes(classes),
            Output::Probabilities(_) | Output::DecisionScores(_) => {
                let scores = Scores { n_classes, values: scores };
                let outputs = Outputs::Classes(scores.best_classes());
                match self.output {
                    Output::Probabilities(_) => probabilities = Some(scores),
                    _ => decision_scores = Some(scores),
                }
                outputs
            }
        };
        OnnxScored { outputs, probabilities, decision_scores, faults }
    }
}

#[derive(Default)]
struct Collected {
    numbers: Vec<f64>,
    classes: Vec<usize>,
    scores: Vec<f64>,
}

/// What a run gives for one row.
enum RowOutput {
    Fault(String),
    Number(f64),
    Label(usize),
    Scores(Vec<f64>),
}

fn labels(output: &Tensor, classes: &[String]) -> Vec<RowOutput> {
    let label = |text: &str| match classes.iter().position(|class| class == text) {
        Some(class) => RowOutput::Label(class),
        None => RowOutput::Fault(format!("the model gives `{text}`, which is none of its classes")),
    };
    match &output.data {
        Data::Texts(texts) => texts.iter().map(|text| label(text)).collect(),
        Data::Numbers(_, numbers) => numbers.iter().map(|number| label(&number.to_string())).collect(),
    }
}

/// Returns the scores of each row, those of both classes where there is one of the second alone.
fn scores(
    output: &Tensor,
    width: usize,
    n_classes: usize,
    of_first: fn(f64) -> f64,
) -> Result<Vec<RowOutput>, OnnxError> {
    if width != n_classes && !(width == 1 && n_classes == 2) {
        return Err(OnnxError::Inconsistent(format!("there are {width} scores for {n_classes} classes")));
    }
    let row = |scores: &[f64]| {
        if scores.iter().any(|score| !score.is_finite()) {
            return RowOutput::Fault("a score of the model is not a finite number".to_owned());
        }
        RowOutput::Scores(if width == n_classes { scores.to_vec() } else { vec![of_first(scores[0]), scores[0]] })
    };
    Ok(output.as_numbers()?.chunks(width).map(row).collect())
}

/// It reads columns, not features: [`crate::model::TrainedModel`] hands it the table.
impl Predictor for OnnxPredictor {
    fn n_features(&self) -> usize {
        0
    }

    fn predict(&self, _features: &FeatureMatrix) -> Result<Outputs, PredictError> {
        Err(PredictError::Failed { kind: "onnx", reason: "it reads the columns of a table, not features".to_owned() })
    }

    fn predict_proba(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        self.predict(features).map(|_| None)
    }

    fn decision_scores(&self, features: &FeatureMatrix) -> Result<Option<Scores>, PredictError> {
        self.predict(features).map(|_| None)
    }
}
