//! The digest by which two datasets are the same, whatever file they are in.

use ml_core::digest::{Digest, DigestWriter};
use ml_core::table::{ColumnValues, Table};

/// Stands before a value, so that nothing that is missing equals something that is there.
const PRESENT: u8 = 1;
const MISSING: u8 = 0;

/// How many bytes are gathered before they are digested.
const BUFFER_BYTES: usize = 1 << 16;

/// Returns the digest of schema and rows, row after row in the order of the table.
///
/// Names, kinds and nullability count, and so does the order of columns and rows. Numbers count by their bits, except that
/// every `NaN` is the same missing value. A table without rows has a digest too.
pub fn content_hash(table: &Table) -> Digest {
    let mut writer = DigestWriter::new();
    let schema = serde_json::to_vec(&table.schema()).expect("names and kinds serialise");
    writer.update(&(schema.len() as u64).to_le_bytes());
    writer.update(&schema);
    writer.update(&(table.n_rows() as u64).to_le_bytes());

    let mut bytes = Vec::with_capacity(2 * BUFFER_BYTES);
    for row in 0..table.n_rows() {
        for column in table.columns() {
            encode(&mut bytes, &column.values, row);
        }
        if bytes.len() >= BUFFER_BYTES {
            writer.update(&bytes);
            bytes.clear();
        }
    }
    writer.update(&bytes);
    writer.finish()
}

fn encode(bytes: &mut Vec<u8>, values: &ColumnValues, row: usize) {
    match values {
        ColumnValues::Number(values) => {
            let value = Some(values[row]).filter(|value| !value.is_nan());
            encode_fixed(bytes, value.map(|value| value.to_bits().to_le_bytes()));
        }
        ColumnValues::Integer(values) => encode_fixed(bytes, values[row].map(i64::to_le_bytes)),
        ColumnValues::Boolean(values) => encode_fixed(bytes, values[row].map(|value| [u8::from(value)])),
        ColumnValues::Time(values) => {
            encode_fixed(bytes, values[row].map(|time| time.timestamp_micros().to_le_bytes()));
        }
        ColumnValues::Text(values) => {
            let text = values[row].as_deref();
            encode_fixed(bytes, text.map(|text| (text.len() as u64).to_le_bytes()));
            bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
    }
}

fn encode_fixed<const N: usize>(bytes: &mut Vec<u8>, value: Option<[u8; N]>) {
    match value {
        None => bytes.push(MISSING),
        Some(value) => {
            bytes.push(PRESENT);
            bytes.extend_from_slice(&value);
        }
    }
}

#[cfg(test)]
mod tests {
    use ml_core::table::Column;

    use super::*;

    fn hash_of(columns: Vec<Column>) -> Digest {
        content_hash(&Table::new(columns).unwrap())
    }

    fn text(values: &[Option<&str>]) -> Column {
        let values = values.iter().map(|value| value.map(str::to_owned)).collect();
        Column { name: "a".to_owned(), values: ColumnValues::Text(values) }
    }

    #[test]
    fn every_difference_shows() {
        let base = hash_of(vec![Column::numbers("a", vec![1.0, 2.0])]);
        assert_eq!(base, hash_of(vec![Column::numbers("a", vec![1.0, 2.0])]));
        assert_ne!(base, hash_of(vec![Column::numbers("b", vec![1.0, 2.0])]), "name");
        assert_ne!(base, hash_of(vec![Column::numbers("a", vec![2.0, 1.0])]), "order of rows");
        assert_ne!(base, hash_of(vec![Column::numbers("a", vec![1.0, 2.0 + f64::EPSILON * 2.0])]), "last bit");
        assert_ne!(base, hash_of(vec![Column::numbers("a", vec![1.0])]), "number of rows");
        let integers = ColumnValues::Integer(vec![Some(1), Some(2)]);
        assert_ne!(base, hash_of(vec![Column { name: "a".to_owned(), values: integers }]), "kind");
    }

    #[test]
    fn values_do_not_run_into_each_other() {
        assert_ne!(hash_of(vec![text(&[Some("ab"), Some("c")])]), hash_of(vec![text(&[Some("a"), Some("bc")])]));
        assert_ne!(hash_of(vec![text(&[None, Some("")])]), hash_of(vec![text(&[Some(""), None])]));
    }

    #[test]
    fn every_nan_is_the_same_missing_value() {
        let other_nan = f64::from_bits(f64::NAN.to_bits() | 1);
        let one = hash_of(vec![Column::numbers("a", vec![f64::NAN])]);
        assert_eq!(one, hash_of(vec![Column::numbers("a", vec![other_nan])]));
        let zeros = |zero| hash_of(vec![Column::numbers("a", vec![zero])]);
        assert_ne!(zeros(0.0), zeros(-0.0));
    }
}
