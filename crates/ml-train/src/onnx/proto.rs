//! The parts of an ONNX model that are used, decoded. Nesting is limited, so that no file can exhaust the stack.
//!
//! Source: `onnx.proto` of the ONNX standard.

use super::error::OnnxError;
use super::tensor::{Data, ElementKind, Tensor, n_elements};
use super::wire::{self, Fields, Value};

/// Graphs in attributes of nodes, and types in types, may be this deep.
const MAX_DEPTH: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) producer: String,
    pub(super) producer_version: String,
    pub(super) metadata: Vec<(String, String)>,
    pub(super) graph: GraphProto,
}

#[derive(Debug, Default)]
pub(super) struct GraphProto {
    pub(super) nodes: Vec<Node>,
    pub(super) constants: Vec<(String, Tensor)>,
    pub(super) inputs: Vec<ValueInfo>,
    pub(super) outputs: Vec<ValueInfo>,
}

#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) operator: String,
    pub(super) domain: String,
    pub(super) attributes: Vec<Attribute>,
}

#[derive(Debug, Default)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) float: Option<f64>,
    pub(super) integer: Option<i64>,
    pub(super) text: Option<String>,
    pub(super) tensor: Option<Tensor>,
    pub(super) floats: Vec<f64>,
    pub(super) integers: Vec<i64>,
    pub(super) texts: Vec<String>,
}

/// Name, element type and shape of an input or output; of a shape that is not known, nothing.
#[derive(Debug, Default, Clone)]
pub(super) struct ValueInfo {
    pub(super) name: String,
    /// The number of a tensor's element type; `None` for sequences and maps.
    pub(super) element: Option<i64>,
    /// `None` for sizes that are not fixed.
    pub(super) shape: Option<Vec<Option<u64>>>,
}

impl Model {
    pub(super) fn decode(bytes: &[u8]) -> Result<Model, OnnxError> {
        let mut model = Model::default();
        let mut has_graph = false;
        each_field(bytes, |number, value| {
            match number {
                2 => model.producer = value.text()?,
                3 => model.producer_version = value.text()?,
                7 => {
                    model.graph = GraphProto::decode(value.bytes()?, 0)?;
                    has_graph = true;
                }
                14 => model.metadata.push(decode_entry(value.bytes()?)?),
                _ => {}
            }
            Ok(())
        })?;
        if has_graph { Ok(model) } else { Err(OnnxError::NotOnnx("there is no graph")) }
    }
}

impl GraphProto {
    fn decode(bytes: &[u8], depth: usize) -> Result<GraphProto, OnnxError> {
        check_depth(depth)?;
        let mut graph = GraphProto::default();
        each_field(bytes, |number, value| {
            match number {
                1 => graph.nodes.push(Node::decode(value.bytes()?, depth)?),
                5 => graph.constants.push(decode_tensor(value.bytes()?)?),
                11 => graph.inputs.push(ValueInfo::decode(value.bytes()?)?),
                12 => graph.outputs.push(ValueInfo::decode(value.bytes()?)?),
                13 => {
                    // Only its nesting matters: the other engine reads it.
                    ValueInfo::decode(value.bytes()?)?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(graph)
    }
}

impl Node {
    fn decode(bytes: &[u8], depth: usize) -> Result<Node, OnnxError> {
        let mut node = Node::default();
        each_field(bytes, |number, value| {
            match number {
                1 => node.inputs.push(value.text()?),
                2 => node.outputs.push(value.text()?),
                4 => node.operator = value.text()?,
                5 => node.attributes.push(Attribute::decode(value.bytes()?, depth)?),
                7 => node.domain = value.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(node)
    }
}

impl Attribute {
    fn decode(bytes: &[u8], depth: usize) -> Result<Attribute, OnnxError> {
        let mut attribute = Attribute::default();
        let mut float = Vec::new();
        each_field(bytes, |number, value| {
            match number {
                1 => attribute.name = value.text()?,
                2 => value.extend_floats(&mut float)?,
                3 => attribute.integer = Some(value.integer()?),
                4 => attribute.text = Some(value.text()?),
                5 => attribute.tensor = Some(decode_tensor(value.bytes()?)?.1),
                6 | 11 => {
                    GraphProto::decode(value.bytes()?, depth + 1)?;
                }
                7 => value.extend_floats(&mut attribute.floats)?,
                8 => value.extend_integers(&mut attribute.integers)?,
                9 => attribute.texts.push(value.text()?),
                _ => {}
            }
            Ok(())
        })?;
        attribute.float = float.first().copied();
        Ok(attribute)
    }
}

impl ValueInfo {
    fn decode(bytes: &[u8]) -> Result<ValueInfo, OnnxError> {
        let mut info = ValueInfo::default();
        each_field(bytes, |number, value| {
            match number {
                1 => info.name = value.text()?,
                2 => info.decode_type(value.bytes()?, 0)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(info)
    }

    fn decode_type(&mut self, bytes: &[u8], depth: usize) -> Result<(), OnnxError> {
        check_depth(depth)?;
        each_field(bytes, |number, value| match number {
            1 if depth == 0 => self.decode_tensor_type(value.bytes()?),
            // A sequence, a map and an optional value hold types in turn.
            4 | 5 | 9 => each_field(value.bytes()?, |_, inner| match inner {
                Value::Bytes(inner) => self.decode_type(inner, depth + 1),
                _ => Ok(()),
            }),
            _ => Ok(()),
        })
    }

    fn decode_tensor_type(&mut self, bytes: &[u8]) -> Result<(), OnnxError> {
        each_field(bytes, |number, value| {
            match number {
                1 => self.element = Some(value.integer()?),
                2 => self.shape = Some(decode_shape(value.bytes()?)?),
                _ => {}
            }
            Ok(())
        })
    }
}

fn decode_shape(bytes: &[u8]) -> Result<Vec<Option<u64>>, OnnxError> {
    let mut shape = Vec::new();
    each_field(bytes, |number, value| {
        if number != 1 {
            return Ok(());
        }
        let mut size = None;
        each_field(value.bytes()?, |number, value| {
            if number == 1 {
                size = u64::try_from(value.integer()?).ok().filter(|size| *size > 0);
            }
            Ok(())
        })?;
        shape.push(size);
        Ok(())
    })?;
    Ok(shape)
}

fn decode_entry(bytes: &[u8]) -> Result<(String, String), OnnxError> {
    let mut entry = (String::new(), String::new());
    each_field(bytes, |number, value| {
        match number {
            1 => entry.0 = value.text()?,
            2 => entry.1 = value.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(entry)
}

/// Returns the name and content of a tensor. Elements of a type that is not used become a tensor without any.
fn decode_tensor(bytes: &[u8]) -> Result<(String, Tensor), OnnxError> {
    let (mut name, mut element, mut dimensions) = (String::new(), 0, Vec::new());
    let (mut numbers, mut integers, mut texts, mut raw) = (Vec::new(), Vec::new(), Vec::new(), None);
    each_field(bytes, |number, value| {
        match number {
            1 => value.extend_integers(&mut dimensions)?,
            2 => element = value.integer()?,
            4 => value.extend_floats(&mut numbers)?,
            5 | 7 | 11 => value.extend_integers(&mut integers)?,
            6 => texts.push(value.text()?),
            8 => name = value.text()?,
            9 => raw = Some(value.bytes()?),
            10 => value.extend_doubles(&mut numbers)?,
            13 => {
                return Err(OnnxError::Unsupported("weights in files of their own: export it as one file".to_owned()));
            }
            _ => {}
        }
        Ok(())
    })?;
    let shape = dimensions.iter().map(|&size| usize::try_from(size)).collect::<Result<Vec<_>, _>>();
    let shape = shape.map_err(|_| OnnxError::NotOnnx("a tensor has a negative size"))?;
    numbers.extend(integers.iter().map(|&integer| integer as f64));
    let data = match (ElementKind::of_number(element), raw) {
        (Some(ElementKind::Text), _) => Data::Texts(texts),
        (Some(kind), None) => Data::Numbers(kind, numbers),
        (Some(kind), Some(raw)) => Data::Numbers(kind, decode_raw(element, raw)?),
        (None, _) => return Ok((name, Tensor { shape: vec![0], data: Data::Numbers(ElementKind::Float, Vec::new()) })),
    };
    if n_elements(&shape)? != data.len() {
        return Err(OnnxError::Inconsistent(format!(
            "tensor `{name}` does not have as many elements as its shape says"
        )));
    }
    Ok((name, Tensor { shape, data }))
}

fn decode_raw(element: i64, raw: &[u8]) -> Result<Vec<f64>, OnnxError> {
    Ok(match element {
        1 => wire::f32s(raw)?.collect(),
        6 => wire::i32s(raw)?.collect(),
        7 => wire::i64s(raw)?.collect(),
        11 => wire::f64s(raw)?.collect(),
        3 => raw.iter().map(|&byte| f64::from(byte as i8)).collect(),
        _ => raw.iter().map(|&byte| f64::from(byte)).collect(),
    })
}

fn check_depth(depth: usize) -> Result<(), OnnxError> {
    if depth > MAX_DEPTH { Err(OnnxError::NotOnnx("it is nested too deeply")) } else { Ok(()) }
}

fn each_field<'a>(
    message: &'a [u8],
    mut take: impl FnMut(u64, Value<'a>) -> Result<(), OnnxError>,
) -> Result<(), OnnxError> {
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next()? {
        take(number, value)?;
    }
    Ok(())
}
