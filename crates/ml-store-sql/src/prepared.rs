//! Statements that diesel would otherwise put together, or have the server put together, anew every time.

use std::any::Any;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
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

/// A statement of a given text that PostgreSQL prepares once per connection.
///
/// Diesel has such statements prepared anew each time, for a text may be put together from values; then the server is asked twice.
pub(crate) struct PreparedText<Q> {
    statement: Q,
}

/// Has `statement` prepared once. There may only be a few texts of it: the connection keeps each.
pub(crate) fn prepared_text<Q>(statement: Q) -> PreparedText<Q> {
    PreparedText { statement }
}

impl<Q> QueryId for PreparedText<Q> {
    // It is known by its text.
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for PreparedText<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.statement.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}
