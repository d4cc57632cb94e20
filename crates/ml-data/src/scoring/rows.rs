//! Scoring the fields of documents, whatever is in them.

use ml_core::error::BoxError;
use ml_core::table::{Column, ColumnKind, ColumnValues, Table};
use serde_json::{Map, Value};

use super::{DocumentScorer, Score};
use crate::backoff::in_one_line;
use crate::dataset::rows::table_of_fields;
use crate::field::Fields;

/// Why there is no value, among the details.
const MISSING: &str = "missing";

/// Returns a score for each of `rows`; one that cannot be scored says why.
pub(super) fn scores(scorer: &dyn DocumentScorer, rows: Vec<Fields>) -> Vec<Score> {
    let texts = scorer.text_columns();
    let has_text = |row: &Fields| texts.is_empty() || texts.iter().any(|column| is_text(row.get(column)));
    let without_text =
        format!("no text in {}", texts.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
    let with_text: Vec<bool> = rows.iter().map(has_text).collect();
    let scored = rows.into_iter().zip(&with_text).filter(|(_, has_text)| **has_text).map(|(row, _)| row).collect();
    let mut scored = score_rows(scorer, scored).into_iter();
    let missing = || missing(without_text.clone());
    with_text.iter().map(|&has_text| if has_text { scored.next().unwrap_or_else(missing) } else { missing() }).collect()
}

fn is_text(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(_) => true,
    }
}

fn missing(reason: String) -> Score {
    let details = Map::from_iter([(MISSING.to_owned(), Value::from(reason))]);
    Score { value: Value::Null, probability: None, details }
}

/// Scores all rows at once, or, where one of them stands in the way of the others, one by one.
fn score_rows(scorer: &dyn DocumentScorer, rows: Vec<Fields>) -> Vec<Score> {
    if rows.is_empty() {
        return Vec::new();
    }
    let scored = table(scorer, rows.clone()).and_then(|table| scorer.score(&table));
    match scored {
        Ok(scores) => scores,
        Err(error) if rows.len() == 1 => vec![missing(in_one_line(&*error))],
        Err(_) => rows.into_iter().flat_map(|row| score_rows(scorer, vec![row])).collect(),
    }
}

/// Makes a table with every column that the scorer reads; text is text, also where it looks like a number.
fn table(scorer: &dyn DocumentScorer, rows: Vec<Fields>) -> Result<Table, BoxError> {
    let n_rows = rows.len();
    let mut found = table_of_fields(rows)?.into_columns();
    let mut table = Table::default();
    for input in scorer.inputs() {
        let is_text = scorer.text_columns().contains(&input.name);
        let values = match found.iter().position(|column| column.name == input.name) {
            Some(position) => {
                let column = found.swap_remove(position);
                if is_text && column.values.kind() != ColumnKind::Text { printed(&column) } else { column.values }
            }
            None => ColumnValues::Text(vec![None; n_rows]),
        };
        table.push(Column { name: input.name.clone(), values })?;
    }
    Ok(table)
}

fn printed(column: &Column) -> ColumnValues {
    ColumnValues::Text(column.as_texts().into_iter().map(|text| text.map(std::borrow::Cow::into_owned)).collect())
}
