//! The one statement that an ingest runs for every record.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;
use diesel::sql_types::{BigInt, Json, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

use crate::documents::row::RecordRow;
use crate::types::UtcTimestamp;

/// Inserts a record into the table `T`, unless its id is there.
///
/// Written out, because diesel's own statement is put together from its parts several times per execution, which costs a
/// fifth of an ingest. Like that one it is prepared once per connection: the type is its name.
pub(super) struct InsertRecord<'a, T> {
    seq: i64,
    row: &'a RecordRow,
    table_name: &'static str,
    table: PhantomData<T>,
}

impl<'a, T> InsertRecord<'a, T> {
    /// Names `T` as it is in SQL.
    pub(super) fn new(seq: i64, row: &'a RecordRow, table_name: &'static str) -> InsertRecord<'a, T> {
        InsertRecord { seq, row, table_name, table: PhantomData }
    }
}

impl<T: 'static> QueryId for InsertRecord<'_, T> {
    type QueryId = InsertRecord<'static, T>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<T> QueryFragment<Sqlite> for InsertRecord<'_, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let row = self.row;
        out.push_sql("INSERT INTO ");
        out.push_sql(self.table_name);
        out.push_sql(
            " (seq, id, source_app, source, data_type, raw_content, metadata, scraped_at, ingested_at, content_hash) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(&self.seq)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&row.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&row.source_app)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&row.source)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&row.data_type)?;
        out.push_sql(", ");
        out.push_bind_param::<Json, _>(&row.raw_content)?;
        out.push_sql(", ");
        out.push_bind_param::<Json, _>(&row.metadata)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<UtcTimestamp>, _>(&row.scraped_at)?;
        out.push_sql(", ");
        out.push_bind_param::<UtcTimestamp, _>(&row.ingested_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&row.content_hash)?;
        out.push_sql(") ON CONFLICT (id) DO NOTHING");
        Ok(())
    }
}

impl<T> RunQueryDsl<SqliteConnection> for InsertRecord<'_, T> {}
