//! Networks, run by the crate `rten`. Its types are named in here and nowhere else.
//!
//! It computes in single precision and with 32-bit integers; what it panics on becomes an error.

use std::collections::BTreeMap;

use rten::{Model, NodeId, Value, ValueOrView};
use rten_tensor::{AsView as _, Layout as _};

use super::error::OnnxError;
use super::tensor::{ElementKind, Tensor};
use crate::estimator::guarded;

const NAME: &str = "rten";

pub(super) struct Network(Model);

fn failed(reason: String) -> OnnxError {
    OnnxError::Failed { operator: NAME.to_owned(), reason }
}

impl Network {
    pub(super) fn load(bytes: Vec<u8>) -> Result<Network, OnnxError> {
        let load = || Model::load(bytes).map_err(|err| error_chain(&err));
        guarded(load)
            .map(Network)
            .map_err(|reason| OnnxError::Unsupported(format!("what `{NAME}` does not have: {reason}")))
    }

    pub(super) fn run(&self, given: BTreeMap<String, Tensor>, wanted: &[&str]) -> Result<Vec<Tensor>, OnnxError> {
        let inputs = given.into_iter().map(|(name, tensor)| Ok((self.node(&name)?, into_value(tensor)?)));
        let inputs = inputs.collect::<Result<Vec<_>, OnnxError>>()?;
        let outputs = wanted.iter().map(|name| self.node(name)).collect::<Result<Vec<_>, _>>()?;
        let run = || self.0.run(inputs, &outputs, None).map_err(|err| error_chain(&err));
        guarded(run).map_err(failed)?.into_iter().map(from_value).collect()
    }

    fn node(&self, name: &str) -> Result<NodeId, OnnxError> {
        self.0.find_node(name).ok_or_else(|| failed(format!("it has no value `{name}`")))
    }
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn into_value(tensor: Tensor) -> Result<ValueOrView<'static>, OnnxError> {
    let numbers = tensor.as_numbers()?;
    let value = match tensor.kind() {
        ElementKind::Float | ElementKind::Double => {
            let floats: Vec<f32> = numbers.iter().map(|&number| number as f32).collect();
            Value::from_shape(&tensor.shape, floats).map_err(|err| failed(err.to_string()))
        }
        _ => {
            let in_range = |number: &&f64| (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(*number);
            if let Some(number) = numbers.iter().find(|number| !in_range(number)) {
                return Err(failed(format!("the integer {number} is beyond 32 bits")));
            }
            let integers: Vec<i32> = numbers.iter().map(|&number| number as i32).collect();
            Value::from_shape(&tensor.shape, integers).map_err(|err| failed(err.to_string()))
        }
    };
    value.map(ValueOrView::from)
}

fn from_value(value: Value) -> Result<Tensor, OnnxError> {
    match value {
        Value::FloatTensor(tensor) => {
            let shape = tensor.shape().to_vec();
            Tensor::floats(shape, tensor.to_vec().into_iter().map(f64::from).collect())
        }
        Value::Int32Tensor(tensor) => {
            let shape = tensor.shape().to_vec();
            Tensor::integers(shape, tensor.to_vec().into_iter().map(f64::from).collect())
        }
        _ => Err(OnnxError::Unsupported("outputs of other types than floats and integers".to_owned())),
    }
}
