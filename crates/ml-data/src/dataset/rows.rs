//! An input as a table, read whole: rows that are to be scored, not kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use ml_core::clock::SystemClock;
use ml_core::record::{DataType, RawRecord, SourceApp};
use ml_core::table::{Column, ColumnValues, Table, TableError};
use serde_json::Value;

use crate::field::Fields;
use crate::ingest::{IngestError, IngestRequest, Input, InputFormat, Rejection, read_records};
use crate::instant::parse_instant;
use crate::pipeline::RowForm;

use super::cells::{Cell, ColumnCells};
use super::{EVENT_TIME_COLUMN, ID_COLUMN};

/// Why an input is not a table.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// It cannot be read.
    #[error(transparent)]
    Input(#[from] IngestError),
    /// Its columns do not make a table.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Reads every row of `input`, in order, and the rows that were rejected.
///
/// The columns are the fields of all rows by name; a row without a field has a missing value there. Kinds are unified as in
/// datasets. A column `event_time` becomes instants where every value reads as one. With a `form`, each row is brought into it
/// first.
///
/// # Errors
/// [`RowsError`] for an input that is unfit as a whole.
pub fn read_table(
    input: Input,
    format: Option<InputFormat>,
    form: Option<&RowForm>,
) -> Result<(Table, Vec<Rejection>), RowsError> {
    let data_type = DataType::parse("rows").expect("a fixed name that follows the rules");
    let source_app = SourceApp::parse("rows").expect("a fixed name that follows the rules");
    let request = IngestRequest { format, ..IngestRequest::new(data_type, source_app) };
    let (records, rejections) = read_records(input, request, Arc::new(SystemClock))?;
    Ok((table_of(records, form)?, rejections))
}

fn table_of(records: Vec<RawRecord>, form: Option<&RowForm>) -> Result<Table, TableError> {
    let fields = records.into_iter().map(|record| match (record.raw_content, form) {
        (Value::Object(fields), Some(form)) => form.apply(fields),
        (Value::Object(fields), None) => fields,
        _ => Fields::new(),
    });
    table_of_fields(fields.collect())
}

/// Makes a table of the fields of rows, as [`read_table`] does.
///
/// # Errors
/// [`TableError`] for columns that do not make a table.
pub fn table_of_fields(rows: Vec<Fields>) -> Result<Table, TableError> {
    let n_rows = rows.len();
    let mut times = Vec::with_capacity(n_rows);
    let mut columns: BTreeMap<String, ColumnCells> = BTreeMap::new();
    for (row, fields) in rows.into_iter().enumerate() {
        times.push(fields.get(EVENT_TIME_COLUMN).and_then(|value| parse_instant(value, &[]).ok()));
        for (name, value) in fields {
            let cell = if name == ID_COLUMN { id_cell(value) } else { Cell::from_json(value) };
            columns.entry(name).or_insert_with(ColumnCells::new).set(row, cell);
        }
    }
    let mut table = Table::default();
    for (name, cells) in columns {
        let mut values = cells.finish(n_rows);
        let is_time =
            name == EVENT_TIME_COLUMN && values.n_missing() == times.iter().filter(|time| time.is_none()).count();
        if is_time {
            values = ColumnValues::Time(std::mem::take(&mut times));
        }
        table.push(Column { name, values })?;
    }
    Ok(table)
}

/// Ids are names, also where they are written as numbers.
fn id_cell(value: Value) -> Cell {
    if value.is_number() { Cell::Text(value.to_string()) } else { Cell::from_json(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> (Table, Vec<Rejection>) {
        read_table(Input::stream("test", text.as_bytes()), None, None).unwrap()
    }

    #[test]
    fn rows_keep_their_order_and_fill_what_they_lack() {
        let (table, rejections) = read("{\"id\": 7, \"a\": 1}\n{\"id\": 8, \"b\": \"x\"}\n");
        assert!(rejections.is_empty());
        assert_eq!(table.get("id").unwrap(), &Column::texts("id", ["7", "8"]));
        assert_eq!(table.get("a").unwrap().values, ColumnValues::Integer(vec![Some(1), None]));
        assert_eq!(table.get("b").unwrap().values, ColumnValues::Text(vec![None, Some("x".to_owned())]));
    }

    #[test]
    fn event_times_are_instants_where_all_of_them_read_as_such() {
        let (table, _) = read("a,event_time\n1,2024-01-02\n2,\n");
        assert_eq!(table.get("event_time").unwrap().as_times().unwrap().len(), 2);
        let (table, _) = read("a,event_time\n1,2024-01-02\n2,soon\n");
        assert!(table.get("event_time").unwrap().as_times().is_err());
    }

    #[test]
    fn equal_rows_stay_apart() {
        let (table, _) = read("{\"a\": 1}\n{\"a\": 1}\n");
        assert_eq!(table.n_rows(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let (table, rejections) = read("{\"a\": 1}\n{\"a\": \n{\"a\": 2}\n");
        assert_eq!((table.n_rows(), rejections.len()), (2, 1));
    }
}
