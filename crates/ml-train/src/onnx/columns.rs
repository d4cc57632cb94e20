//! Which columns of a table the inputs of a graph are made of.

use std::collections::BTreeSet;

use ml_core::table::{Column, ColumnKind, ColumnValues, Table, TableError};
use serde::{Deserialize, Serialize};

use super::error::OnnxError;
use super::graph::GraphInput;
use super::tensor::{ElementKind, Tensor};

/// What columns become an input, and how they are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InputColumns {
    pub(super) columns: Vec<String>,
    pub(super) reads: Reads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reads {
    /// Each column is a number; a missing one is `NaN`.
    Numbers,
    /// Each column is a whole number.
    Integers,
    Texts,
    /// One column of whole numbers in a text, separated by white space: the tokens of a sequence.
    Tokens,
}

impl InputColumns {
    /// Chooses the columns for `inputs`, called `names` in this order if any are given, else after the inputs.
    pub(super) fn choose(inputs: &[GraphInput], names: &[String]) -> Result<Vec<InputColumns>, OnnxError> {
        let mut unused = names.iter().cloned();
        let mut chosen = Vec::with_capacity(inputs.len());
        for input in inputs {
            let (width, reads) = width_of(input, if inputs.len() == 1 { names.len() } else { 0 })?;
            let own = |position: usize| {
                if width == 1 { input.name.clone() } else { format!("{}_{}", input.name, position + 1) }
            };
            let columns: Vec<String> =
                if names.is_empty() { (0..width).map(own).collect() } else { unused.by_ref().take(width).collect() };
            chosen.push(InputColumns { columns, reads });
        }
        let n_columns: usize = chosen.iter().map(|input| input.columns.len()).sum();
        let wanted: Vec<String> = inputs.iter().map(|input| format!("`{}`", input.name)).collect();
        if !names.is_empty()
            && (n_columns < names.len() || chosen.iter().zip(inputs).any(|(chosen, input)| is_short(chosen, input)))
        {
            let what = format!("{} columns are named, which do not fit the inputs {}", names.len(), wanted.join(", "));
            return Err(OnnxError::unfit(what, "name one column for each feature, in the order of the inputs"));
        }
        let distinct: BTreeSet<&String> = chosen.iter().flat_map(|input| &input.columns).collect();
        if distinct.len() != n_columns {
            return Err(OnnxError::unfit("a column is named twice", "give each feature a column of its own"));
        }
        Ok(chosen)
    }

    /// Returns what the columns hold, as a signature says it.
    pub(super) fn kind(&self) -> ColumnKind {
        match self.reads {
            Reads::Numbers => ColumnKind::Number,
            Reads::Integers => ColumnKind::Integer,
            Reads::Texts | Reads::Tokens => ColumnKind::Text,
        }
    }

    /// Makes a few rows that try the graph out.
    pub(super) fn samples(&self) -> Vec<Column> {
        let column = |(position, name): (usize, &String)| {
            let shift = position as f64 / 4.0;
            let values = match self.reads {
                Reads::Numbers => ColumnValues::Number(vec![0.0, 1.0 + shift, -0.5 - shift]),
                Reads::Integers => ColumnValues::Integer(vec![Some(0), Some(1), Some(2)]),
                Reads::Texts => ColumnValues::Text(
                    ["a", "two words", "A third, of more words"].map(|text| Some(text.to_owned())).to_vec(),
                ),
                Reads::Tokens => ColumnValues::Text(["1 2 3", "2 1", "3"].map(|text| Some(text.to_owned())).to_vec()),
            };
            Column { name: name.clone(), values }
        };
        self.columns.iter().enumerate().map(column).collect()
    }

    /// Reads the columns out of `table`.
    pub(super) fn read<'a>(&'a self, table: &'a Table) -> Result<InputCells<'a>, TableError> {
        let columns = self.columns.iter().map(|name| table.get(name));
        let cells = match self.reads {
            Reads::Numbers | Reads::Integers => {
                Cells::Numbers(columns.map(|column| numbers(column?)).collect::<Result<_, _>>()?)
            }
            Reads::Texts | Reads::Tokens => {
                let texts =
                    columns.map(|column| Ok(column?.as_texts().into_iter().map(|text| text.map(Into::into)).collect()));
                Cells::Texts(texts.collect::<Result<_, TableError>>()?)
            }
        };
        Ok(InputCells { input: self, cells })
    }
}

/// A column of another kind that holds no value at all is one of missing numbers.
fn numbers(column: &Column) -> Result<Vec<f64>, TableError> {
    if column.values.n_missing() == column.values.len() {
        return Ok(vec![f64::NAN; column.values.len()]);
    }
    Ok(column.as_numbers()?.into_owned())
}

fn is_short(chosen: &InputColumns, input: &GraphInput) -> bool {
    width_of(input, chosen.columns.len()).is_ok_and(|(width, _)| chosen.columns.len() != width)
        || chosen.columns.is_empty()
}

/// Returns how many columns an input takes; `n_named` where the graph leaves it open.
fn width_of(input: &GraphInput, n_named: usize) -> Result<(usize, Reads), OnnxError> {
    let reads = match input.kind {
        ElementKind::Float | ElementKind::Double => Reads::Numbers,
        ElementKind::Integer | ElementKind::Boolean => Reads::Integers,
        ElementKind::Text => Reads::Texts,
    };
    match input.shape.as_deref() {
        None | Some([] | [_]) => Ok((1, reads)),
        Some([_, Some(width)]) if (1..=100_000).contains(width) => Ok((*width as usize, reads)),
        Some([_, None]) if reads == Reads::Texts => Ok((n_named.max(1), reads)),
        Some([_, None]) if n_named > 0 => Ok((n_named, reads)),
        Some([_, None]) if reads == Reads::Integers => Ok((1, Reads::Tokens)),
        Some([_, None]) => {
            let what = format!("input `{}` does not say how many features it has", input.name);
            Err(OnnxError::unfit(what, "name the columns that it reads"))
        }
        Some(shape) => Err(OnnxError::Unsupported(format!(
            "input `{}` of {} dimensions, where the rows of a table give two",
            input.name,
            shape.len()
        ))),
    }
}

/// The cells of an input, by column.
pub(super) struct InputCells<'a> {
    input: &'a InputColumns,
    cells: Cells,
}

enum Cells {
    Numbers(Vec<Vec<f64>>),
    Texts(Vec<Vec<Option<String>>>),
}

impl InputCells<'_> {
    /// Says why `row` cannot be scored, if it cannot.
    pub(super) fn fault(&self, row: usize) -> Option<String> {
        for (position, name) in self.input.columns.iter().enumerate() {
            let fault = match (&self.cells, self.input.reads) {
                (Cells::Numbers(columns), Reads::Integers) if columns[position][row].is_nan() => "is missing",
                (Cells::Numbers(columns), Reads::Integers) if columns[position][row].fract() != 0.0 => {
                    "is not a whole number"
                }
                (Cells::Numbers(columns), _) if columns[position][row].is_infinite() => "is not a finite number",
                (Cells::Texts(columns), _) if columns[position][row].is_none() => "is missing",
                (Cells::Texts(columns), Reads::Tokens) if tokens(columns[position][row].as_deref()).is_none() => {
                    "is not a list of whole numbers"
                }
                _ => continue,
            };
            return Some(format!("`{name}` {fault}"));
        }
        None
    }

    /// Makes the input of some rows without faults.
    pub(super) fn tensor(&self, input: &GraphInput, rows: &[usize]) -> Result<Tensor, OnnxError> {
        let is_list = input.shape.as_ref().is_some_and(|shape| shape.len() == 1);
        let shape = if is_list { vec![rows.len()] } else { vec![rows.len(), self.input.columns.len()] };
        match (&self.cells, self.input.reads) {
            (Cells::Texts(columns), Reads::Tokens) => {
                let lists: Vec<Vec<f64>> =
                    rows.iter().map(|&row| tokens(columns[0][row].as_deref()).unwrap_or_default()).collect();
                let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
                let padded = lists.into_iter().flat_map(|mut list| {
                    list.resize(longest, 0.0);
                    list
                });
                Tensor::numbers(input.kind, vec![rows.len(), longest], padded.collect())
            }
            (Cells::Texts(columns), _) => {
                let texts = rows
                    .iter()
                    .flat_map(|&row| columns.iter().map(move |column| column[row].clone().unwrap_or_default()));
                Tensor::texts(shape, texts.collect())
            }
            (Cells::Numbers(columns), _) => {
                let cells = rows.iter().flat_map(|&row| columns.iter().map(move |column| column[row]));
                Tensor::numbers(input.kind, shape, cells.collect())
            }
        }
    }
}

fn tokens(text: Option<&str>) -> Option<Vec<f64>> {
    let tokens: Vec<f64> = text?
        .split_whitespace()
        .map(|token| token.parse::<i64>().map(|token| token as f64).ok())
        .collect::<Option<_>>()?;
    (!tokens.is_empty()).then_some(tokens)
}
