//! Values looked up in the columns of tables, ours or others in the same file or schema.

mod postgres;
mod sqlite;

use async_trait::async_trait;
use ml_core::error::{Entity, StoreError};
use ml_core::reference::{ColumnRef, ReferenceStore};
use serde_json::Value;

use crate::connection::Database;
use crate::sql::SqlStore;

#[async_trait]
impl ReferenceStore for SqlStore {
    async fn are_present(&self, column: &ColumnRef, values: &[Value]) -> Result<Vec<bool>, StoreError> {
        let operation = "looking values up";
        match &self.database {
            Database::Sqlite(sqlite) => {
                let (column, values) = (column.clone(), values.to_vec());
                sqlite.read_blocking(operation, move |sqlite| sqlite::are_present(sqlite, &column, &values)).await
            }
            Database::Postgres(postgres) => {
                postgres.read(operation, async |postgres| postgres::are_present(postgres, column, values).await).await
            }
        }
    }
}

/// Says what is not there, the column or all of its table.
fn no_column(column: &ColumnRef, has_table: bool) -> StoreError {
    if has_table {
        StoreError::not_found(Entity::Column, format!("{}.{}", column.table(), column.column()))
    } else {
        StoreError::not_found(Entity::Table, column.table().to_owned())
    }
}
