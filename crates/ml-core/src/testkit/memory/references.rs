//! Looking values up, in memory: in the validated tables, which are all there are.

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;

use super::{MemorySql, lock};
use crate::error::{Entity, StoreError};
use crate::reference::{ColumnRef, ReferenceStore};
use crate::testkit::build::{a_global_record, a_ground_truth, a_market_metric, a_user_interaction};

#[async_trait]
impl ReferenceStore for MemorySql {
    async fn are_present(&self, column: &ColumnRef, values: &[Value]) -> Result<Vec<bool>, StoreError> {
        let synced = lock(&self.synced);
        let (example, rows) = match column.table() {
            "global_ml_data" => (cells(&a_global_record().build()), all(synced.global.current())),
            "market_metrics" => (cells(&a_market_metric().build()), all(synced.market.current())),
            "user_interactions" => (cells(&a_user_interaction().build()), all(synced.interactions.current())),
            "ground_truth" => (cells(&a_ground_truth().build()), all(synced.truths.current())),
            other => return Err(StoreError::not_found(Entity::Table, other.to_owned())),
        };
        if example.get(column.column()).is_none() {
            return Err(StoreError::not_found(Entity::Column, format!("{}.{}", column.table(), column.column())));
        }
        let cells: Vec<&Value> = rows.iter().filter_map(|row| row.get(column.column())).collect();
        Ok(values.iter().map(|value| cells.iter().any(|cell| is_same(cell, value))).collect())
    }
}

fn all<'a, R: Serialize + 'a>(rows: impl Iterator<Item = &'a R>) -> Vec<Value> {
    rows.map(cells).collect()
}

fn cells(row: &impl Serialize) -> Value {
    serde_json::to_value(row).expect("rows have text keys")
}

fn is_same(cell: &Value, value: &Value) -> bool {
    match (cell, value) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::String(text), Value::Number(number)) => *text == number.to_string(),
        (Value::Number(number), Value::String(text)) => text.parse().ok() == number.as_f64(),
        (Value::Null, _) | (_, Value::Null) => false,
        _ => cell == value,
    }
}
