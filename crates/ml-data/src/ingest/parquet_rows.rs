//! Rows of Parquet files, as the fields of records.

use std::fs::File;
use std::io;

use chrono::{DateTime, NaiveDate, TimeDelta};
use parquet::data_type::Decimal;
use parquet::errors::ParquetError;
use parquet::file::reader::SerializedFileReader;
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use serde_json::{Number, Value};

use super::input::Opened;
use super::report::RejectReason;
use crate::field::Fields;
use crate::instant::print_instant;

/// How many rows make a block.
const BLOCK_ROWS: usize = 5_000;

/// The fields of rows, numbered from 1.
pub(super) type RowBlock = Vec<(u64, Result<Fields, RejectReason>)>;

/// Reads rows block by block.
pub(super) struct ParquetRows {
    rows: RowIter<'static>,
    n_rows: u64,
}

impl ParquetRows {
    /// Reads the metadata of `file`.
    pub(super) fn new(file: File) -> Result<ParquetRows, ParquetError> {
        let reader = SerializedFileReader::new(file)?;
        Ok(ParquetRows { rows: RowIter::from_file_into(Box::new(reader)), n_rows: 0 })
    }

    /// Returns the next rows, or nothing at the end.
    pub(super) fn next_block(&mut self) -> Result<Option<RowBlock>, ParquetError> {
        let mut block = Vec::new();
        for row in self.rows.by_ref().take(BLOCK_ROWS) {
            self.n_rows += 1;
            block.push((self.n_rows, fields_of(row?)));
        }
        Ok((!block.is_empty()).then_some(block))
    }
}

/// Returns the input as a file that can be read from any place: itself, or a copy that vanishes when it is closed.
pub(super) fn seekable(opened: &mut Opened) -> io::Result<File> {
    if let Some(path) = &opened.plain_file {
        return File::open(path);
    }
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut opened.content, &mut copy)?;
    Ok(copy)
}

fn fields_of(row: Row) -> Result<Fields, RejectReason> {
    let mut fields = Fields::new();
    for (name, field) in row.into_columns() {
        match value_of(field) {
            Ok(value) => drop(fields.insert(name, value)),
            Err(message) => return Err(RejectReason::UnfitColumn { column: name, message }),
        }
    }
    Ok(fields)
}

/// Returns the value as JSON has it: dates and times as RFC 3339, decimals as numbers, bytes that are text as text.
fn value_of(field: Field) -> Result<Value, String> {
    Ok(match field {
        Field::Null => Value::Null,
        Field::Bool(truth) => Value::Bool(truth),
        Field::Byte(number) => Value::from(number),
        Field::Short(number) => Value::from(number),
        Field::Int(number) => Value::from(number),
        Field::Long(number) => Value::from(number),
        Field::UByte(number) => Value::from(number),
        Field::UShort(number) => Value::from(number),
        Field::UInt(number) => Value::from(number),
        Field::ULong(number) => Value::from(number),
        // By way of text, so that 0.1 stays 0.1.
        Field::Float(number) => finite(number.to_string().parse().unwrap_or(f64::NAN))?,
        Field::Float16(number) => finite(f64::from(number.to_f32()))?,
        Field::Double(number) => finite(number)?,
        Field::Decimal(decimal) => finite(decimal_number(&decimal))?,
        Field::Str(text) => Value::String(text),
        Field::Bytes(bytes) => text_of(bytes.data())?,
        Field::Date(days) => date(days)?,
        Field::TimestampMillis(millis) => instant(DateTime::from_timestamp_millis(millis))?,
        Field::TimestampMicros(micros) => instant(DateTime::from_timestamp_micros(micros))?,
        Field::Group(row) => Value::Object(fields_of(row).map_err(|reason| reason.to_string())?),
        Field::ListInternal(list) => {
            Value::Array(list.elements().iter().cloned().map(value_of).collect::<Result<_, _>>()?)
        }
        other => Value::String(other.to_string().trim_matches('"').to_owned()),
    })
}

fn finite(number: f64) -> Result<Value, String> {
    Number::from_f64(number).map(Value::Number).ok_or_else(|| format!("`{number}` is not a finite number"))
}

fn text_of(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| format!("{} bytes that are not text", bytes.len()))?;
    Ok(Value::from(text))
}

fn date(days: i32) -> Result<Value, String> {
    let date = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(days)));
    date.map(|date| Value::from(date.to_string())).ok_or_else(|| format!("day {days} is not a date"))
}

fn instant(instant: Option<DateTime<chrono::Utc>>) -> Result<Value, String> {
    instant.map(|instant| Value::from(print_instant(instant))).ok_or_else(|| "a time out of range".to_owned())
}

fn decimal_number(decimal: &Decimal) -> f64 {
    let unscaled = decimal.data().iter().enumerate().fold(0_i128, |number, (at, byte)| {
        let byte = if at == 0 { i128::from(i8::from_be_bytes([*byte])) } else { i128::from(*byte) };
        (number << 8) | byte
    });
    format!("{unscaled}e{}", -decimal.scale()).parse().unwrap_or(f64::NAN)
}
