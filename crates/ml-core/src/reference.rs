//! References: values that must be in a column of a SQL table.

use async_trait::async_trait;
use serde_json::Value;

use crate::error::StoreError;

/// A column of a table of the SQL store, ours or another that stands beside ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnRef {
    table: String,
    column: String,
}

/// The text cannot name a table or a column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name a table or column: small letters, digits and `_` are needed, a letter or `_` first")]
pub struct InvalidColumnRef(String);

impl ColumnRef {
    /// Accepts names of small letters, digits and `_`, which mean the same on every engine without quotes.
    pub fn parse(table: &str, column: &str) -> Result<ColumnRef, InvalidColumnRef> {
        for name in [table, column] {
            let is_word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            if !is_word || name.len() > 63 || name.bytes().next().is_none_or(|byte| byte.is_ascii_digit()) {
                return Err(InvalidColumnRef(name.to_owned()));
            }
        }
        Ok(ColumnRef { table: table.to_owned(), column: column.to_owned() })
    }

    /// Returns the name of the table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Returns the name of the column.
    pub fn column(&self) -> &str {
        &self.column
    }
}

/// Looks values up in tables.
#[async_trait]
pub trait ReferenceStore: Send + Sync {
    /// Returns for each of `values`, in order, whether the column has it: a text as it is, a number by value, also in a column of
    /// text that holds it as it prints.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] with [`Entity::Table`](crate::error::Entity::Table) when there is no such table, and with
    /// [`Entity::Column`](crate::error::Entity::Column) when it has no such column.
    async fn are_present(&self, column: &ColumnRef, values: &[Value]) -> Result<Vec<bool>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words() {
        assert!(ColumnRef::parse("market_metrics", "symbol").is_ok());
        for name in ["", "1a", "A", "a b", "a;b", "a\"", &"a".repeat(64)] {
            assert!(ColumnRef::parse(name, "a").is_err(), "{name}");
            assert!(ColumnRef::parse("a", name).is_err(), "{name}");
        }
    }
}
