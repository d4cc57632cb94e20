//! Parquet as an input.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::json;

use ml_core::record::Collection;

use crate::fixture::{Fixture, request};

const SCHEMA: &str = "
message records {
  required int64 id;
  optional binary name (STRING);
  required double x;
  required int32 day (DATE);
  required int64 at (TIMESTAMP(MICROS, true));
  required int32 price (DECIMAL(9, 2));
}";

/// Writes three rows; the second has no name, and the third no finite `x`.
fn file(compression: Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    macro_rules! column {
        ($kind:ty, $values:expr, $levels:expr) => {{
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<$kind>().write_batch($values, $levels, None).unwrap();
            column.close().unwrap();
        }};
    }
    column!(Int64Type, &[1, 2, 3], None);
    column!(ByteArrayType, &[ByteArray::from("é"), ByteArray::from("z")], Some(&[1, 0, 1]));
    column!(DoubleType, &[0.1, -2.0, f64::NAN], None);
    column!(Int32Type, &[0, 19_874, 1], None);
    column!(Int64Type, &[0, 1_717_144_200_250_000, 1], None);
    column!(Int32Type, &[1999, -5, 0], None);
    group.close().unwrap();
    writer.into_inner().unwrap()
}

async fn check(name: &str, content: Vec<u8>) {
    let fixture = Fixture::default();
    let report = fixture.ingest(name, content, &request("tabular")).await.unwrap();
    assert_eq!((report.inserted, report.rejected), (2, 1), "{name}");
    let rejection = report.rejections[0].to_string();
    assert_eq!(rejection, format!("{name}:3: column `x`: `NaN` is not a finite number"));
    assert_eq!(
        fixture.contents(Collection::RawRecords).await,
        [
            json!({"id": 1, "name": "é", "x": 0.1, "day": "1970-01-01", "at": "1970-01-01T00:00:00Z", "price": 19.99}),
            json!({"id": 2, "name": null, "x": -2.0, "day": "2024-05-31", "at": "2024-05-31T08:30:00.250Z", "price": -0.05}),
        ]
    );
}

#[tokio::test]
async fn rows_keep_their_types_whatever_the_compression() {
    check("plain.parquet", file(Compression::UNCOMPRESSED)).await;
    check("snappy", file(Compression::SNAPPY)).await;
    check("zstd.parquet", file(Compression::ZSTD(parquet::basic::ZstdLevel::default()))).await;
    check("gzip.parquet", file(Compression::GZIP(parquet::basic::GzipLevel::default()))).await;
}

#[tokio::test]
async fn a_file_on_disk_is_read_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    std::fs::write(&path, file(Compression::SNAPPY)).unwrap();
    let fixture = Fixture::default();
    let report = fixture.ingest_file(&path, &request("tabular")).await.unwrap();
    assert_eq!((report.inserted, report.bytes), (2, path.metadata().unwrap().len()));
}
