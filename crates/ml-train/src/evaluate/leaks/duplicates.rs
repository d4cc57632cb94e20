//! Rows whose inputs are exactly those of a training row.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use ml_core::table::{Column, ColumnValues, TableError};

use crate::model::TrainedModel;

use super::LeakRows;

/// Returns the scored rows whose inputs are those of a training row, ascending. Rows without any value are left alone.
pub(super) fn find(model: &TrainedModel, rows: LeakRows<'_>) -> Result<Vec<usize>, TableError> {
    let inputs = &model.signature.inputs;
    let columns = inputs.iter().map(|input| rows.table.get(&input.name)).collect::<Result<Vec<&Column>, _>>()?;
    let known: HashSet<u64> = rows.train.iter().filter_map(|&row| hash_of(&columns, row)).collect();
    let is_known = |row: &usize| hash_of(&columns, *row).is_some_and(|hash| known.contains(&hash));
    let mut duplicates: Vec<usize> = rows.scored.iter().copied().filter(is_known).collect();
    duplicates.sort_unstable();
    Ok(duplicates)
}

/// Returns a hash of the values of a row, or `None` when all are missing.
fn hash_of(columns: &[&Column], row: usize) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let mut has_value = false;
    for column in columns {
        match &column.values {
            ColumnValues::Number(values) => {
                has_value |= !values[row].is_nan();
                // Both zeros are one value, and so is every kind of missing.
                let value = if values[row].is_nan() { f64::NAN } else { values[row] + 0.0 };
                value.to_bits().hash(&mut hasher);
            }
            ColumnValues::Integer(values) => {
                has_value |= values[row].is_some();
                values[row].hash(&mut hasher);
            }
            ColumnValues::Boolean(values) => {
                has_value |= values[row].is_some();
                values[row].hash(&mut hasher);
            }
            ColumnValues::Text(values) => {
                has_value |= values[row].is_some();
                values[row].hash(&mut hasher);
            }
            ColumnValues::Time(values) => {
                has_value |= values[row].is_some();
                values[row].map(|time| time.timestamp_micros()).hash(&mut hasher);
            }
        }
    }
    has_value.then(|| hasher.finish())
}
