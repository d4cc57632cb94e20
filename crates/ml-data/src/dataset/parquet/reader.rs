//! From a Parquet file to a table.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use ml_core::error::BoxError;
use ml_core::table::{Column, ColumnKind, ColumnValues, Table};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::FORMAT;
use crate::dataset::error::DatasetError;

/// Rows decoded at a time. A text read stays a view of its page until it is copied, so a batch keeps its pages in memory.
const BATCH_ROWS: usize = 1024;

/// Returns the table in a Parquet file: flat columns of numbers, booleans, text and times. A time without a zone is UTC.
///
/// # Errors
/// [`DatasetError::Unreadable`] for bytes that are no such file or were cut, [`DatasetError::UnsupportedColumn`] for nested
/// columns and other types, [`DatasetError::Table`] when two columns share a name.
pub fn parquet_to_table(bytes: Vec<u8>) -> Result<Table, DatasetError> {
    let file = SerializedFileReader::new(Bytes::from(bytes)).map_err(unreadable)?;
    let descriptors = file.metadata().file_metadata().schema_descr_ptr();
    let mut columns = Vec::with_capacity(descriptors.num_columns());
    for (idx, descriptor) in descriptors.columns().iter().enumerate() {
        let stored = StoredAs::of(descriptor)?;
        let mut values = ColumnValues::new(stored.kind());
        for group_idx in 0..file.num_row_groups() {
            let group = file.get_row_group(group_idx).map_err(unreadable)?;
            let n_rows = usize::try_from(group.metadata().num_rows()).map_err(unreadable)?;
            let reader = group.get_column_reader(idx).map_err(unreadable)?;
            let read_all = Rows { n_rows, nullable: descriptor.max_def_level() > 0 };
            stored.read(reader, read_all, &mut values)?;
        }
        columns.push(Column { name: descriptor.name().to_owned(), values });
    }
    Ok(Table::new(columns)?)
}

/// How a column is stored, among the ways that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoredAs {
    Double,
    Float,
    Int64,
    Int32,
    Boolean,
    Text,
    /// Since the epoch.
    Timestamp(TimeUnit),
    /// Days since the epoch; a day is its first instant.
    Date,
}

/// How many rows there are to read, and whether any may be missing.
#[derive(Debug, Clone, Copy)]
struct Rows {
    n_rows: usize,
    nullable: bool,
}

impl StoredAs {
    fn of(descriptor: &Arc<ColumnDescriptor>) -> Result<StoredAs, DatasetError> {
        let logical = descriptor.logical_type_ref();
        let is_flat = descriptor.path().parts().len() == 1 && descriptor.max_rep_level() == 0;
        let stored = match (descriptor.physical_type(), logical) {
            _ if !is_flat => None,
            (PhysicalType::DOUBLE, None) => Some(StoredAs::Double),
            (PhysicalType::FLOAT, None) => Some(StoredAs::Float),
            (PhysicalType::BOOLEAN, None) => Some(StoredAs::Boolean),
            (PhysicalType::INT64, Some(LogicalType::Timestamp(time))) => Some(StoredAs::Timestamp(time.unit)),
            (PhysicalType::INT64, Some(LogicalType::Integer(int))) => int.is_signed.then_some(StoredAs::Int64),
            (PhysicalType::INT32, Some(LogicalType::Integer(int))) => {
                (int.is_signed || int.bit_width < 32).then_some(StoredAs::Int32)
            }
            (PhysicalType::INT32, Some(LogicalType::Date)) => Some(StoredAs::Date),
            (PhysicalType::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json)) => {
                Some(StoredAs::Text)
            }
            (physical, None) => StoredAs::of_converted(physical, descriptor.converted_type()),
            _ => None,
        };
        stored.ok_or_else(|| unsupported(descriptor))
    }

    /// Understands files that have the older annotations only.
    fn of_converted(physical: PhysicalType, converted: ConvertedType) -> Option<StoredAs> {
        match (physical, converted) {
            (PhysicalType::INT64, ConvertedType::TIMESTAMP_MICROS) => Some(StoredAs::Timestamp(TimeUnit::MICROS)),
            (PhysicalType::INT64, ConvertedType::TIMESTAMP_MILLIS) => Some(StoredAs::Timestamp(TimeUnit::MILLIS)),
            (PhysicalType::INT64, ConvertedType::NONE | ConvertedType::INT_64) => Some(StoredAs::Int64),
            (PhysicalType::INT32, ConvertedType::NONE | ConvertedType::INT_32) => Some(StoredAs::Int32),
            (PhysicalType::INT32, ConvertedType::DATE) => Some(StoredAs::Date),
            (PhysicalType::BYTE_ARRAY, ConvertedType::NONE | ConvertedType::UTF8) => Some(StoredAs::Text),
            _ => None,
        }
    }

    fn kind(self) -> ColumnKind {
        match self {
            StoredAs::Double | StoredAs::Float => ColumnKind::Number,
            StoredAs::Int64 | StoredAs::Int32 => ColumnKind::Integer,
            StoredAs::Boolean => ColumnKind::Boolean,
            StoredAs::Text => ColumnKind::Text,
            StoredAs::Timestamp(_) | StoredAs::Date => ColumnKind::Time,
        }
    }

    /// Appends the values of one row group to `column`, which is of [`StoredAs::kind`].
    fn read(self, reader: ColumnReader, rows: Rows, column: &mut ColumnValues) -> Result<(), DatasetError> {
        use ColumnReader as Reader;
        match (self, reader, column) {
            (StoredAs::Double, Reader::DoubleColumnReader(reader), ColumnValues::Number(values)) => {
                read_values(reader, rows, values, |value| Ok(value.copied().unwrap_or(f64::NAN)))
            }
            (StoredAs::Float, Reader::FloatColumnReader(reader), ColumnValues::Number(values)) => {
                read_values(reader, rows, values, |value| Ok(value.map_or(f64::NAN, |value| f64::from(*value))))
            }
            (StoredAs::Int64, Reader::Int64ColumnReader(reader), ColumnValues::Integer(values)) => {
                read_values(reader, rows, values, |value| Ok(value.copied()))
            }
            (StoredAs::Int32, Reader::Int32ColumnReader(reader), ColumnValues::Integer(values)) => {
                read_values(reader, rows, values, |value| Ok(value.map(|value| i64::from(*value))))
            }
            (StoredAs::Boolean, Reader::BoolColumnReader(reader), ColumnValues::Boolean(values)) => {
                read_values(reader, rows, values, |value| Ok(value.copied()))
            }
            (StoredAs::Text, Reader::ByteArrayColumnReader(reader), ColumnValues::Text(values)) => {
                read_values(reader, rows, values, |value| value.map(text_of).transpose())
            }
            (StoredAs::Timestamp(unit), Reader::Int64ColumnReader(reader), ColumnValues::Time(values)) => {
                read_values(reader, rows, values, |value| value.map(|value| instant_of(unit, *value)).transpose())
            }
            (StoredAs::Date, Reader::Int32ColumnReader(reader), ColumnValues::Time(values)) => {
                read_values(reader, rows, values, |value| value.map(|value| day_of(*value)).transpose())
            }
            _ => Err(unreadable("a column changes its type between row groups")),
        }
    }
}

fn text_of(bytes: &ByteArray) -> Result<String, DatasetError> {
    bytes.as_utf8().map(str::to_owned).map_err(unreadable)
}

fn instant_of(unit: TimeUnit, value: i64) -> Result<DateTime<Utc>, DatasetError> {
    let instant = match unit {
        TimeUnit::MILLIS => DateTime::from_timestamp_millis(value),
        TimeUnit::MICROS => DateTime::from_timestamp_micros(value),
        TimeUnit::NANOS => DateTime::from_timestamp_micros(value.div_euclid(1000)),
    };
    instant.ok_or_else(|| unreadable(format!("the instant {value} is out of range")))
}

fn day_of(days: i32) -> Result<DateTime<Utc>, DatasetError> {
    let instant = DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::days(i64::from(days)));
    instant.ok_or_else(|| unreadable(format!("the day {days} is out of range")))
}

/// Appends each of the rows to `column`, as `convert` makes it of the value read; `None` is missing.
fn read_values<T: DataType, V>(
    mut reader: ColumnReaderImpl<T>,
    rows: Rows,
    column: &mut Vec<V>,
    convert: impl Fn(Option<&T::T>) -> Result<V, DatasetError>,
) -> Result<(), DatasetError> {
    let mut present = Vec::with_capacity(BATCH_ROWS);
    let mut levels = Vec::with_capacity(BATCH_ROWS);
    let mut n_read = 0;
    while n_read < rows.n_rows {
        present.clear();
        levels.clear();
        let n_wanted = BATCH_ROWS.min(rows.n_rows - n_read);
        let read = reader.read_records(n_wanted, rows.nullable.then_some(&mut levels), None, &mut present);
        let (n_batch, ..) = read.map_err(unreadable)?;
        if n_batch == 0 {
            return Err(unreadable(format!("a column ends after {n_read} of {} rows", rows.n_rows)));
        }
        let mut present = present.iter();
        for row in 0..n_batch {
            // The definition level of a value that is there is 1, of one that is missing 0; a required column has no levels.
            let is_present = levels.get(row).is_none_or(|level| *level > 0);
            column.push(convert(if is_present { present.next() } else { None })?);
        }
        n_read += n_batch;
    }
    Ok(())
}

fn unsupported(descriptor: &ColumnDescriptor) -> DatasetError {
    let found = match descriptor.logical_type_ref() {
        Some(logical) => format!("{} ({logical:?})", descriptor.physical_type()),
        None => descriptor.physical_type().to_string(),
    };
    DatasetError::UnsupportedColumn { column: descriptor.path().string(), found }
}

fn unreadable(source: impl Into<BoxError>) -> DatasetError {
    DatasetError::Unreadable { format: FORMAT, source: source.into() }
}
