//! The tables as diesel sees them, kept in step with `migrations/` by the tests that read and write every column.

pub(crate) mod documents;
pub(crate) mod sql;
