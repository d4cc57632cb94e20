//! From a table to a Parquet file.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use ml_core::error::BoxError;
use ml_core::table::{ColumnKind, ColumnSchema, ColumnValues, Table};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::FORMAT;
use crate::dataset::error::DatasetError;

/// Rows per row group: what a reader holds decoded at a time, and large enough to compress well.
pub(super) const ROW_GROUP_ROWS: usize = 50_000;

/// Rows handed to the encoder at a time. It looks at the size of a page only between batches, so that a batch of long
/// documents has to stay far below the two gigabytes that a page can have.
const BATCH_ROWS: usize = 64;

/// What the file says wrote it. Fixed, so that the bytes do not change with the version of a library.
const CREATED_BY: &str = "ml-app";

/// Returns the Parquet file of `table`.
///
/// # Errors
/// [`DatasetError::Unwritable`] for a single text that does not fit into a page.
pub fn table_to_parquet(table: &Table) -> Result<Vec<u8>, DatasetError> {
    let mut bytes = Vec::new();
    write_parquet(table, &mut bytes)?;
    Ok(bytes)
}

/// Writes the Parquet file of `table` to `sink`, a row group at a time, and flushes it.
///
/// # Errors
/// [`DatasetError::Unwritable`] when the sink fails.
pub fn write_parquet(table: &Table, sink: impl Write + Send) -> Result<(), DatasetError> {
    let unwritable = |err| DatasetError::Unwritable { format: FORMAT, source: BoxError::from(err) };
    write(table, sink).map_err(unwritable)
}

fn write(table: &Table, sink: impl Write + Send) -> Result<(), ParquetError> {
    let schema = table.schema();
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_created_by(CREATED_BY.to_owned()).build();
    let mut file = SerializedFileWriter::new(sink, Arc::new(file_schema(&schema)?), Arc::new(properties))?;
    for start in (0..table.n_rows()).step_by(ROW_GROUP_ROWS) {
        let rows = start..table.n_rows().min(start + ROW_GROUP_ROWS);
        let mut group = file.next_row_group()?;
        for (column, schema) in table.columns().iter().zip(&schema) {
            let missing_column = || ParquetError::General("the schema has fewer columns than the table".to_owned());
            let mut writer = group.next_column()?.ok_or_else(missing_column)?;
            write_column(&mut writer, &column.values, schema.nullable, rows.clone())?;
            writer.close()?;
        }
        group.close()?;
    }
    file.finish()?;
    file.inner_mut().flush()?;
    Ok(())
}

fn file_schema(columns: &[ColumnSchema]) -> Result<Type, ParquetError> {
    let fields = columns.iter().map(|column| column_type(column).map(Arc::new)).collect::<Result<_, _>>()?;
    Type::group_type_builder("schema").with_fields(fields).build()
}

fn column_type(column: &ColumnSchema) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.kind {
        ColumnKind::Number => (PhysicalType::DOUBLE, None),
        ColumnKind::Integer => (PhysicalType::INT64, None),
        ColumnKind::Boolean => (PhysicalType::BOOLEAN, None),
        ColumnKind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Time => (PhysicalType::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
    };
    let repetition = if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    Type::primitive_type_builder(&column.name, physical).with_repetition(repetition).with_logical_type(logical).build()
}

fn write_column(
    writer: &mut SerializedColumnWriter<'_>,
    values: &ColumnValues,
    nullable: bool,
    rows: Range<usize>,
) -> Result<(), ParquetError> {
    match values {
        ColumnValues::Number(values) => {
            write_values::<DoubleType, _>(writer, &values[rows], nullable, |value| (!value.is_nan()).then_some(*value))
        }
        ColumnValues::Integer(values) => write_values::<Int64Type, _>(writer, &values[rows], nullable, |value| *value),
        ColumnValues::Boolean(values) => write_values::<BoolType, _>(writer, &values[rows], nullable, |value| *value),
        ColumnValues::Text(values) => {
            let encode = |text: &Option<String>| text.as_deref().map(ByteArray::from);
            write_values::<ByteArrayType, _>(writer, &values[rows], nullable, encode)
        }
        ColumnValues::Time(values) => write_values::<Int64Type, _>(writer, &values[rows], nullable, |time| {
            time.map(|time| time.timestamp_micros())
        }),
    }
}

/// Writes the values in batches; the definition level of a value that is there is 1, of one that is missing 0.
fn write_values<T: DataType, V>(
    writer: &mut SerializedColumnWriter<'_>,
    values: &[V],
    nullable: bool,
    encode: impl Fn(&V) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let writer = writer.typed::<T>();
    let mut present = Vec::with_capacity(BATCH_ROWS);
    let mut levels = Vec::with_capacity(BATCH_ROWS);
    for batch in values.chunks(BATCH_ROWS) {
        present.clear();
        levels.clear();
        for value in batch {
            let encoded = encode(value);
            levels.push(i16::from(encoded.is_some()));
            present.extend(encoded);
        }
        writer.write_batch(&present, nullable.then_some(levels.as_slice()), None)?;
    }
    Ok(())
}
