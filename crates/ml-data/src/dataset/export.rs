//! Datasets written for others: CSV and Parquet, into any sink.

use std::io::Write;

use ml_core::table::{ColumnValues, Table};

use super::error::DatasetError;
use super::parquet;

/// A file format that a dataset can be exported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// RFC 4180: a header, a record a line, times as RFC 3339. Missing and empty text look alike.
    Csv,
    /// Exactly the table: kinds, missing values and bits of numbers are kept.
    Parquet,
}

impl ExportFormat {
    /// All formats.
    pub const ALL: [ExportFormat; 2] = [ExportFormat::Csv, ExportFormat::Parquet];

    /// Returns the name, which is also the file extension.
    pub fn name(self) -> &'static str {
        match self {
            ExportFormat::Csv => "csv",
            ExportFormat::Parquet => "parquet",
        }
    }

    /// Returns the format called `name`, in any case.
    pub fn find_by_name(name: &str) -> Option<ExportFormat> {
        ExportFormat::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(name))
    }
}

/// Writes `table` to `sink` in `format`, and flushes it. Equal tables give equal bytes.
///
/// # Errors
/// [`DatasetError::Unwritable`] when the sink fails; it may then have taken a part of the file.
pub fn export(table: &Table, format: ExportFormat, sink: impl Write + Send) -> Result<(), DatasetError> {
    match format {
        ExportFormat::Csv => write_csv(table, sink),
        ExportFormat::Parquet => parquet::write_parquet(table, sink),
    }
}

/// Writes `table` as CSV after RFC 4180, lines ended by CRLF.
///
/// Missing is empty. Numbers have the fewest digits that read back to the same bits.
///
/// # Errors
/// [`DatasetError::Unwritable`] when the sink fails.
pub fn write_csv(table: &Table, sink: impl Write) -> Result<(), DatasetError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(sink);
    writer.write_record(table.columns().iter().map(|column| &column.name)).map_err(unwritable)?;
    let mut field = Vec::new();
    for row in 0..table.n_rows() {
        for column in table.columns() {
            field.clear();
            print(&mut field, &column.values, row).map_err(unwritable)?;
            writer.write_field(&field).map_err(unwritable)?;
        }
        writer.write_record(None::<&[u8]>).map_err(unwritable)?;
    }
    writer.flush().map_err(unwritable)
}

fn print(field: &mut Vec<u8>, values: &ColumnValues, row: usize) -> std::io::Result<()> {
    match values {
        ColumnValues::Number(values) if values[row].is_nan() => Ok(()),
        // Debug, because Display writes 1e300 with three hundred zeros.
        ColumnValues::Number(values) => write!(field, "{:?}", values[row]),
        ColumnValues::Integer(values) => values[row].map_or(Ok(()), |value| write!(field, "{value}")),
        ColumnValues::Boolean(values) => values[row].map_or(Ok(()), |value| write!(field, "{value}")),
        ColumnValues::Text(values) => field.write_all(values[row].as_deref().unwrap_or_default().as_bytes()),
        ColumnValues::Time(values) => {
            let seconds = chrono::SecondsFormat::AutoSi;
            values[row].map_or(Ok(()), |time| write!(field, "{}", time.to_rfc3339_opts(seconds, true)))
        }
    }
}

fn unwritable(source: impl Into<ml_core::error::BoxError>) -> DatasetError {
    DatasetError::Unwritable { format: "CSV", source: source.into() }
}

#[cfg(test)]
mod tests {
    use ml_core::table::Column;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn csv_reads_back_to_the_same_values(rows in prop::collection::vec((any::<f64>(), any::<String>()), 0..20)) {
            let (numbers, texts): (Vec<f64>, Vec<String>) = rows.into_iter().unzip();
            let table =
                Table::new(vec![Column::numbers("number", numbers.clone()), Column::texts("text", texts.clone())]).unwrap();
            let mut bytes = Vec::new();
            write_csv(&table, &mut bytes).unwrap();

            let mut reader = csv::Reader::from_reader(bytes.as_slice());
            let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(records.len(), texts.len());
            for ((record, number), text) in records.iter().zip(numbers).zip(texts) {
                if number.is_nan() {
                    prop_assert_eq!(&record[0], "");
                } else {
                    prop_assert_eq!(record[0].parse::<f64>().unwrap().to_bits(), number.to_bits());
                }
                prop_assert_eq!(&record[1], text);
            }
        }
    }

    #[test]
    fn csv_follows_rfc_4180() {
        let time: chrono::DateTime<chrono::Utc> = "2024-01-02T03:04:05.25Z".parse().unwrap();
        let column = |name: &str, values| Column { name: name.to_owned(), values };
        let table = Table::new(vec![
            column("text, long", ColumnValues::Text(vec![Some("say \"hi\"\r\nthere".into()), None])),
            column("number", ColumnValues::Number(vec![0.1, 1e300])),
            column("integer", ColumnValues::Integer(vec![Some(-1), None])),
            column("flag", ColumnValues::Boolean(vec![Some(true), None])),
            column("time", ColumnValues::Time(vec![Some(time), None])),
        ])
        .unwrap();
        let mut bytes = Vec::new();
        export(&table, ExportFormat::Csv, &mut bytes).unwrap();
        let expected = "\"text, long\",number,integer,flag,time\r\n\
                        \"say \"\"hi\"\"\r\nthere\",0.1,-1,true,2024-01-02T03:04:05.250Z\r\n\
                        ,1e300,,,\r\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn a_sink_that_fails_is_an_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let table = Table::new(vec![Column::numbers("a", vec![1.0])]).unwrap();
        for format in ExportFormat::ALL {
            let err = export(&table, format, Full).unwrap_err();
            assert!(matches!(err, DatasetError::Unwritable { .. }), "{err:?}");
        }
    }

    #[test]
    fn formats_are_found_by_their_names() {
        assert_eq!(ExportFormat::find_by_name("CSV"), Some(ExportFormat::Csv));
        assert_eq!(ExportFormat::find_by_name("parquet"), Some(ExportFormat::Parquet));
        assert_eq!(ExportFormat::find_by_name("xlsx"), None);
    }
}
