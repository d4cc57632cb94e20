//! A name for statements that diesel would otherwise put together anew for every row.

use std::any::Any;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;
use diesel::sqlite::{Sqlite, SqliteConnection};

/// A statement whose prepared form is found under the type `Key`.
///
/// Diesel knows most statements by their types, and then neither builds their SQL nor hashes it. It does not for those with
/// `ON CONFLICT`, which are the ones in our inner loops. Each use needs a `Key` of its own, and a text that never varies.
pub(crate) struct Prepared<Key, Q> {
    statement: Q,
    key: PhantomData<Key>,
}

/// Names `statement` after the type `Key`.
pub(crate) fn prepared<Key, Q>(statement: Q) -> Prepared<Key, Q> {
    Prepared { statement, key: PhantomData }
}

impl<Key: Any, Q> QueryId for Prepared<Key, Q> {
    type QueryId = Key;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Key, Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Prepared<Key, Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.statement.walk_ast(out)
    }
}

impl<Key, Q> RunQueryDsl<SqliteConnection> for Prepared<Key, Q> {}
