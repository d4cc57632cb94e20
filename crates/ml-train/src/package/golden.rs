//! A few training rows with what the model made of them, by which a loaded model shows that it is still the same.

use ml_core::table::{Column, ColumnValues, Table};
use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::error::{ModelFormatError, PredictError};
use crate::model::TrainedModel;
use crate::packed;
use crate::predict::Predictions;
use crate::spec::PipelineSpec;

/// Longer texts are cut to this many characters before they become golden.
pub const MAX_GOLDEN_CHARS: usize = 1000;

/// The most rows that are kept where derived columns look back.
const MAX_ROWS_WITH_HISTORY: usize = 256;

/// How far a number may be from the one that was recorded, as a share of it: other machines round elsewhere, and a model
/// that is not the same is further off.
const TOLERANCE: f64 = 1e-6;

/// Rows of the inputs, and the outputs that belong to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoldenRows {
    inputs: Vec<StoredColumn>,
    outputs: StoredOutputs,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredColumn {
    name: String,
    values: StoredValues,
}

/// Values of a column; instants are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredValues {
    #[serde(with = "packed::f64s")]
    Number(Vec<f64>),
    Integer(Vec<Option<i64>>),
    Boolean(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
    Time(Vec<Option<i64>>),
}

/// What the model gives for each row: a label or a number, where it gives one, and a score for each class, where there are any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredOutputs {
    labels: Vec<Option<String>>,
    numbers: Vec<Option<f64>>,
    #[serde(with = "packed::f64s")]
    scores: Vec<f64>,
}

impl GoldenRows {
    /// Takes as many of the rows of `table` at `rows` as the pipeline says, with the earlier ones that derived columns need, and
    /// has `model` predict them. The same rows give the same choice; `None` where the pipeline wants none.
    ///
    /// # Errors
    /// [`PredictError`] when the model cannot score its own training rows.
    pub fn record(model: &TrainedModel, table: &Table, rows: &[usize]) -> Result<Option<GoldenRows>, PredictError> {
        if model.spec().golden_rows == 0 {
            return Ok(None);
        }
        let names: Vec<&str> = model.signature().inputs.iter().map(|input| input.name.as_str()).collect();
        let inputs = table.select(&names)?.take(&choose(model.spec(), table, rows));
        let inputs: Vec<StoredColumn> = inputs.into_columns().into_iter().map(StoredColumn::from).collect();
        let cut_inputs = to_table(&inputs).expect("columns of a table make a table");
        let outputs = StoredOutputs::of(&model.predict(&cut_inputs)?);
        Ok(Some(GoldenRows { inputs, outputs }))
    }

    /// Returns the inputs as a table; `None` when the columns differ in length or share a name.
    pub fn inputs(&self) -> Option<Table> {
        to_table(&self.inputs)
    }

    /// Compares what `model` predicts with what was recorded.
    pub(super) fn check(&self, model: &TrainedModel) -> Result<(), ModelFormatError> {
        let no_table = || ModelFormatError::Inconsistent("the golden rows do not make a table".to_owned());
        let inputs = self.inputs().ok_or_else(no_table)?;
        let predictions = model.predict(&inputs).map_err(ModelFormatError::GoldenUnscored)?;
        match self.outputs.difference(&StoredOutputs::of(&predictions), model.decision()) {
            Some(reason) => Err(ModelFormatError::GoldenDiffers { reason }),
            None => Ok(()),
        }
    }
}

/// Chooses among `rows`: some evenly spread ones; or, where derived columns look back, the last ones of one entity.
fn choose(spec: &PipelineSpec, table: &Table, rows: &[usize]) -> Vec<usize> {
    let n_wanted = spec.golden_rows;
    let history: usize = spec.derive.iter().map(crate::spec::DeriveSpec::warm_up).sum();
    if history == 0 {
        let n_chosen = rows.len().min(n_wanted);
        return (0..n_chosen).map(|position| rows[position * rows.len() / n_chosen]).collect();
    }
    let entities = spec.derive.iter().find_map(|derive| table.find(derive.by.as_ref()?)).map(Column::as_texts);
    let of_first_entity = |row: &&usize| match (&entities, rows.first()) {
        (Some(entities), Some(&first)) => entities[**row] == entities[first],
        _ => true,
    };
    let mut chosen: Vec<usize> = rows.iter().filter(of_first_entity).copied().collect();
    let n_kept = history.saturating_add(n_wanted).min(MAX_ROWS_WITH_HISTORY);
    chosen.drain(..chosen.len().saturating_sub(n_kept));
    chosen
}

fn to_table(columns: &[StoredColumn]) -> Option<Table> {
    let columns =
        columns.iter().map(|column| Some(Column { name: column.name.clone(), values: column.values.to_values()? }));
    Table::new(columns.collect::<Option<_>>()?).ok()
}

impl From<Column> for StoredColumn {
    fn from(column: Column) -> StoredColumn {
        let values = match column.values {
            ColumnValues::Number(values) => StoredValues::Number(values),
            ColumnValues::Integer(values) => StoredValues::Integer(values),
            ColumnValues::Boolean(values) => StoredValues::Boolean(values),
            ColumnValues::Text(values) => StoredValues::Text(values.into_iter().map(|text| text.map(cut)).collect()),
            ColumnValues::Time(values) => {
                StoredValues::Time(values.iter().map(|time| time.map(|time| time.timestamp_micros())).collect())
            }
        };
        StoredColumn { name: column.name, values }
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_GOLDEN_CHARS) {
        text.truncate(end);
    }
    text
}

impl StoredValues {
    fn to_values(&self) -> Option<ColumnValues> {
        Some(match self {
            StoredValues::Number(values) => ColumnValues::Number(values.clone()),
            StoredValues::Integer(values) => ColumnValues::Integer(values.clone()),
            StoredValues::Boolean(values) => ColumnValues::Boolean(values.clone()),
            StoredValues::Text(values) => ColumnValues::Text(values.clone()),
            StoredValues::Time(values) => {
                let time = |micros: &Option<i64>| match micros {
                    Some(micros) => chrono::DateTime::from_timestamp_micros(*micros).map(Some),
                    None => Some(None),
                };
                ColumnValues::Time(values.iter().map(time).collect::<Option<_>>()?)
            }
        })
    }
}

impl StoredOutputs {
    fn of(predictions: &Predictions) -> StoredOutputs {
        let rows = 0..predictions.n_rows();
        StoredOutputs {
            labels: rows.clone().map(|row| predictions.label(row).map(str::to_owned)).collect(),
            numbers: rows.map(|row| predictions.number(row)).collect(),
            scores: predictions.class_scores().map_or_else(Vec::new, |scores| scores.values.clone()),
        }
    }

    /// Says in what `found` differs from what was recorded, if it does.
    fn difference(&self, found: &StoredOutputs, decision: Option<Decision>) -> Option<String> {
        if self.labels.len() != found.labels.len() || self.scores.len() != found.scores.len() {
            return Some("there is not the same number of predictions".to_owned());
        }
        let n_classes = self.scores.len().checked_div(self.labels.len()).unwrap_or(0);
        for (position, (recorded, now)) in self.scores.iter().zip(&found.scores).enumerate() {
            if !is_close(*recorded, *now) {
                let row = position / n_classes.max(1) + 1;
                return Some(format!("row {row} has the score {now} in place of {recorded}"));
            }
        }
        for (row, (recorded, now)) in self.numbers.iter().zip(&found.numbers).enumerate() {
            if !is_close(recorded.unwrap_or(f64::NAN), now.unwrap_or(f64::NAN)) {
                return Some(format!("row {} is {} in place of {}", row + 1, shown(*now), shown(*recorded)));
            }
        }
        for (row, (recorded, now)) in self.labels.iter().zip(&found.labels).enumerate() {
            if recorded != now && !self.is_a_tie(row, n_classes, decision) {
                let label = |label: &Option<String>| label.clone().unwrap_or_else(|| "nothing".to_owned());
                return Some(format!("row {} is `{}` in place of `{}`", row + 1, label(now), label(recorded)));
            }
        }
        None
    }

    /// Returns whether the two best scores of a row, or one and its threshold, are so close that rounding may decide.
    fn is_a_tie(&self, row: usize, n_classes: usize, decision: Option<Decision>) -> bool {
        let mut scores: Vec<f64> = self.scores.iter().skip(row * n_classes).take(n_classes).copied().collect();
        if let Some(Decision { positive, threshold }) = decision {
            return scores.get(positive).is_some_and(|score| is_close(*score, threshold));
        }
        scores.sort_by(|left, right| right.total_cmp(left));
        matches!(scores.as_slice(), [best, second, ..] if is_close(*best, *second))
    }
}

fn shown(number: Option<f64>) -> String {
    number.map_or_else(|| "nothing".to_owned(), |number| number.to_string())
}

fn is_close(left: f64, right: f64) -> bool {
    let tolerance = TOLERANCE * left.abs().max(right.abs()).max(1.0);
    left == right || (left.is_nan() && right.is_nan()) || (left - right).abs() <= tolerance
}
