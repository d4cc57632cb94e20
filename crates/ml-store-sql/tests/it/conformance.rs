//! Everything that the traits promise.

mod documents {
    use crate::fixture::fresh_documents;

    ml_core::document_side_suites!(fresh_documents);
}

mod sql_on_sqlite {
    use crate::fixture::fresh_sql;

    ml_core::sql_side_suites!(fresh_sql);
}

mod sql_on_postgres {
    use crate::fixture::fresh_postgres;

    ml_core::sql_side_suites!(fresh_postgres);
}
