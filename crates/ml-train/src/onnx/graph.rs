//! A graph that can be run, by whichever engine knows its operators.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::error::OnnxError;
use super::network::Network;
use super::ops::{self, Operator};
use super::proto::{Model, Node, ValueInfo};
use super::tensor::{ElementKind, Tensor};

/// What a graph reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphInput {
    /// The name.
    pub name: String,
    /// What its elements are.
    pub kind: ElementKind,
    /// The sizes, `None` for those that are not fixed; `None` when nothing is known of them.
    pub shape: Option<Vec<Option<u64>>>,
}

/// An ONNX graph, checked and ready. It does not change by use.
pub struct Graph {
    inputs: Vec<GraphInput>,
    outputs: Vec<String>,
    engine: Engine,
}

enum Engine {
    Classical(Classical),
    Network(Box<Network>),
}

/// Steps in an order in which each finds what it reads.
struct Classical {
    constants: BTreeMap<String, Tensor>,
    steps: Vec<Step>,
}

struct Step {
    name: String,
    operator: Box<dyn Operator>,
    /// Empty names are inputs that are left out.
    inputs: Vec<String>,
    outputs: Vec<String>,
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match &self.engine {
            Engine::Classical(_) => "classical",
            Engine::Network(_) => "network",
        };
        f.debug_struct("Graph")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .field("engine", &engine)
            .finish()
    }
}

impl Graph {
    /// Reads an ONNX model and prepares it.
    ///
    /// # Errors
    /// [`OnnxError`] when the bytes are no ONNX model, or neither engine can run it.
    pub fn from_onnx(bytes: &[u8]) -> Result<Graph, OnnxError> {
        Graph::of(&Model::decode(bytes)?, bytes)
    }

    pub(super) fn of(model: &Model, bytes: &[u8]) -> Result<Graph, OnnxError> {
        let constants: BTreeSet<&str> = model.graph.constants.iter().map(|(name, _)| name.as_str()).collect();
        let given = model.graph.inputs.iter().filter(|input| !constants.contains(input.name.as_str()));
        let inputs: Vec<GraphInput> = given.map(GraphInput::of).collect::<Result<_, _>>()?;
        let outputs: Vec<String> = model.graph.outputs.iter().map(|output| output.name.clone()).collect();
        let engine = choose_engine(model, bytes, &inputs)?;
        Ok(Graph { inputs, outputs, engine })
    }

    /// Returns what the graph reads.
    pub fn inputs(&self) -> &[GraphInput] {
        &self.inputs
    }

    /// Returns the names of what the graph gives.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Runs the graph on `inputs`, in the order of [`Graph::inputs`], and returns the outputs called `wanted`.
    ///
    /// # Errors
    /// [`OnnxError`] when the inputs do not fit the graph, or an operator fails on them.
    pub fn run(&self, inputs: Vec<Tensor>, wanted: &[&str]) -> Result<Vec<Tensor>, OnnxError> {
        if inputs.len() != self.inputs.len() {
            let message = format!("{} inputs are given, the graph has {}", inputs.len(), self.inputs.len());
            return Err(OnnxError::Inconsistent(message));
        }
        let named = self.inputs.iter().map(|input| input.name.clone()).zip(inputs);
        match &self.engine {
            Engine::Classical(classical) => classical.run(named.collect(), wanted),
            Engine::Network(network) => network.run(named.collect(), wanted),
        }
    }
}

impl GraphInput {
    fn of(info: &ValueInfo) -> Result<GraphInput, OnnxError> {
        let kind = info.element.and_then(ElementKind::of_number);
        let kind = kind.ok_or_else(|| OnnxError::Unsupported(format!("the type of input `{}`", info.name)))?;
        Ok(GraphInput { name: info.name.clone(), kind, shape: info.shape.clone() })
    }
}

/// Chooses `rten` for what it may know better, and the engine here for all else that it knows.
fn choose_engine(model: &Model, bytes: &[u8], inputs: &[GraphInput]) -> Result<Engine, OnnxError> {
    let nodes = &model.graph.nodes;
    let strange = strange_operators(nodes);
    let is_network = nodes.iter().all(|node| ops::is_standard(&node.domain) && !ops::is_of_texts(node))
        && inputs.iter().all(|input| input.kind != ElementKind::Text);
    let network = || Network::load(bytes.to_vec()).map(|network| Engine::Network(Box::new(network)));
    let classical = || Classical::of(model).map(Engine::Classical);
    match (is_network, strange.is_empty()) {
        (true, true) => network().or_else(|_| classical()),
        (true, false) => network(),
        (false, true) => classical(),
        (false, false) => {
            let list = strange.into_iter().collect::<Vec<_>>().join("`, `");
            Err(OnnxError::Unsupported(format!("the operators `{list}`, which are not known here")))
        }
    }
}

/// Returns the operators that the engine here does not know.
fn strange_operators(nodes: &[Node]) -> BTreeSet<String> {
    let strange = nodes.iter().filter(|node| !ops::is_known(node));
    strange
        .map(
            |node| {
                if node.domain.is_empty() {
                    node.operator.clone()
                } else {
                    format!("{}.{}", node.domain, node.operator)
                }
            },
        )
        .collect()
}

impl Classical {
    fn of(model: &Model) -> Result<Classical, OnnxError> {
        let constants: BTreeMap<String, Tensor> = model.graph.constants.iter().cloned().collect();
        let mut steps = Vec::with_capacity(model.graph.nodes.len());
        for node in &model.graph.nodes {
            let operator = ops::prepare(node)?;
            let (inputs, outputs) = (node.inputs.clone(), node.outputs.clone());
            steps.push(Step { name: node.operator.clone(), operator, inputs, outputs });
        }
        Ok(Classical { constants, steps })
    }

    /// The standard puts nodes in the order in which they can run.
    fn run(&self, given: BTreeMap<String, Tensor>, wanted: &[&str]) -> Result<Vec<Tensor>, OnnxError> {
        let mut values = given;
        for step in &self.steps {
            let mut inputs: Vec<Option<&Tensor>> = Vec::with_capacity(step.inputs.len());
            for name in &step.inputs {
                let value = values.get(name).or_else(|| self.constants.get(name));
                if value.is_none() && !name.is_empty() {
                    return Err(OnnxError::Inconsistent(format!("`{}` reads `{name}` before it is there", step.name)));
                }
                inputs.push(value);
            }
            let failed = |err: OnnxError| OnnxError::Failed { operator: step.name.clone(), reason: err.to_string() };
            let outputs = step.operator.run(&inputs).map_err(failed)?;
            values.extend(step.outputs.iter().cloned().zip(outputs).filter(|(name, _)| !name.is_empty()));
        }
        let find = |name: &&str| {
            let value = values.get(*name).or_else(|| self.constants.get(*name)).cloned();
            value.ok_or_else(|| OnnxError::Inconsistent(format!("there is no output `{name}`")))
        };
        wanted.iter().map(find).collect()
    }
}
