//! Tables as Parquet files, column by column, without Arrow.
//!
//! | kind | Parquet |
//! | --- | --- |
//! | number | `DOUBLE`; missing (`NaN`) is null |
//! | integer | `INT64` |
//! | boolean | `BOOLEAN` |
//! | text | `BYTE_ARRAY`, `STRING` |
//! | time | `INT64`, `TIMESTAMP(MICROS, UTC)` |
//!
//! A column is `OPTIONAL` when a value is missing, else `REQUIRED`. Writing is deterministic: equal tables give equal bytes.
//! Reading takes any flat file of these types and their narrower relatives, whoever wrote it.

mod reader;
mod writer;

pub use reader::parquet_to_table;
pub use writer::{table_to_parquet, write_parquet};

/// How the format is called in messages.
const FORMAT: &str = "Parquet";

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ml_core::table::{Column, ColumnValues, Table};
    use proptest::prelude::*;

    use super::writer::ROW_GROUP_ROWS;
    use super::*;

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![4 => any::<f64>(), 1 => Just(f64::NAN), 1 => Just(-0.0), 1 => Just(f64::INFINITY)]
    }

    fn values(n_rows: usize) -> impl Strategy<Value = ColumnValues> {
        use prop::collection::vec;
        use prop::option::of;
        let time = (-4_000_000_000_000_000_i64..250_000_000_000_000_000)
            .prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap());
        prop_oneof![
            vec(number(), n_rows).prop_map(ColumnValues::Number),
            vec(of(any::<i64>()), n_rows).prop_map(ColumnValues::Integer),
            vec(of(any::<bool>()), n_rows).prop_map(ColumnValues::Boolean),
            vec(of(any::<String>()), n_rows).prop_map(ColumnValues::Text),
            vec(any::<i64>().prop_map(Some), n_rows).prop_map(ColumnValues::Integer),
            vec(of(time), n_rows).prop_map(ColumnValues::Time),
        ]
    }

    fn tables() -> impl Strategy<Value = Table> {
        (0usize..200).prop_flat_map(|n_rows| prop::collection::vec(values(n_rows), 1..6)).prop_map(|columns| {
            let columns = columns.into_iter().enumerate();
            Table::new(columns.map(|(idx, values)| Column { name: format!("feature.{idx}"), values }).collect())
                .unwrap()
        })
    }

    /// Debug, because `NaN` marks a missing number and does not equal itself.
    fn bits(table: &Table) -> String {
        format!("{table:?}")
    }

    proptest! {
        #[test]
        fn a_table_survives_its_file(table in tables()) {
            let bytes = table_to_parquet(&table).unwrap();
            prop_assert_eq!(&bytes, &table_to_parquet(&table).unwrap());
            let read = parquet_to_table(bytes).unwrap();
            prop_assert_eq!(read.schema(), table.schema());
            prop_assert_eq!(bits(&read), bits(&table));
        }
    }

    #[test]
    fn many_row_groups_read_as_one_table() {
        let n_rows = 2 * ROW_GROUP_ROWS + 1;
        let texts = (0..n_rows).map(|row| (row % 7 != 0).then(|| format!("{row}"))).collect();
        let table = Table::new(vec![
            Column { name: "integer".into(), values: ColumnValues::Integer((0..n_rows as i64).map(Some).collect()) },
            Column { name: "text".into(), values: ColumnValues::Text(texts) },
        ])
        .unwrap();
        assert!(parquet_to_table(table_to_parquet(&table).unwrap()).unwrap() == table);
    }

    #[test]
    fn long_documents_survive() {
        let documents = (0..300).map(|idx| "lorem ipsum ".repeat(1 + idx * 40)).collect::<Vec<_>>();
        let table = Table::new(vec![Column::texts("text", documents)]).unwrap();
        assert!(parquet_to_table(table_to_parquet(&table).unwrap()).unwrap() == table);
    }

    #[test]
    fn what_is_no_parquet_is_refused() {
        let whole = table_to_parquet(&Table::new(vec![Column::numbers("a", vec![1.0; 100])]).unwrap()).unwrap();
        let truncated = whole[..whole.len() / 2].to_vec();
        for bytes in [Vec::new(), b"PAR1".to_vec(), b"id,text\n1,a\n".to_vec(), truncated] {
            let err = parquet_to_table(bytes).unwrap_err();
            assert_eq!(err.to_string(), "not readable as Parquet");
        }
    }
}
