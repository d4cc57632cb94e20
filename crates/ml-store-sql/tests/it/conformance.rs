//! Everything that the traits promise.

mod documents {
    use crate::fixture::fresh_documents;

    ml_core::document_side_suites!(fresh_documents);
}

mod sql {
    use crate::fixture::fresh_sql;

    ml_core::sql_side_suites!(fresh_sql);
}
