//! Migrations, up and down, and the schemas they lead to.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use ml_store_sql::{EmbeddedDocuments, SqlStore};

use crate::fixture::{TestSchema, outside};

#[derive(QueryableByName)]
struct Definition {
    #[diesel(sql_type = Nullable<Text>)]
    sql: Option<String>,
}

/// Returns every definition in the file, as SQLite keeps it.
fn schema(path: &Path) -> String {
    let mut sqlite = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let select = "SELECT sql FROM sqlite_master WHERE name NOT LIKE '%diesel%' AND name NOT LIKE 'sqlite%' ORDER BY tbl_name, type DESC, name";
    let definitions: Vec<Definition> = diesel::sql_query(select).load(&mut sqlite).unwrap();
    definitions.into_iter().filter_map(|definition| definition.sql).collect::<Vec<_>>().join(";\n\n")
}

/// Applies all, reverts all and applies all again, and returns the schema.
macro_rules! up_down_up {
    ($store:ident) => {{
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let store = $store::open(&path).await.unwrap();

        let pending = store.pending_migrations().await.unwrap();
        assert!(pending.is_sorted() && !pending.is_empty(), "{pending:?}");
        assert_eq!(store.migrate().await.unwrap(), pending);
        assert_eq!(store.pending_migrations().await.unwrap(), Vec::<String>::new());
        assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());
        let first = schema(&path);

        store.revert_migrations().await.unwrap();
        let reverted = schema(&path);
        assert!(!reverted.contains("CREATE"), "{reverted}");
        assert_eq!(store.migrate().await.unwrap(), pending);
        assert_eq!(schema(&path), first);
        first
    }};
}

#[tokio::test]
async fn documents_migrate_both_ways() {
    insta::assert_snapshot!("documents_schema", up_down_up!(EmbeddedDocuments));
}

#[tokio::test]
async fn the_sql_store_migrates_both_ways() {
    insta::assert_snapshot!("sql_schema", up_down_up!(SqlStore));
}

/// Returns every column, index and constraint of the schema, as PostgreSQL describes them.
async fn postgres_schema(schema: &TestSchema) -> String {
    let select = "
        SELECT format('%s.%s %s%s%s', class.relname, attname, format_type(atttypid, atttypmod),
                      CASE WHEN attcollation <> 0 THEN ' COLLATE ' || collname ELSE '' END,
                      CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
                          || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
                          || CASE attidentity WHEN 'a' THEN ' IDENTITY' ELSE '' END) AS line,
               class.relname AS place, 0 AS kind, attnum AS number
        FROM pg_attribute
        JOIN pg_class AS class ON class.oid = attrelid AND class.relkind IN ('r', 'p')
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE class.relnamespace = $1::text::regnamespace AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT regexp_replace(indexdef, ' ON [a-z0-9_]+[.]', ' ON '), tablename, 1, 0
        FROM pg_indexes WHERE schemaname = $1
        UNION ALL
        SELECT format('%s %s', conrelid::regclass, regexp_replace(pg_get_constraintdef(oid), 'ml_test_[0-9a-f]+[.]', '', 'g')),
               (SELECT relname FROM pg_class WHERE oid = conrelid), 2, 0
        FROM pg_constraint WHERE connamespace = $1::text::regnamespace AND contype IN ('f', 'c')
        ORDER BY place, kind, number, line";
    let name = &schema.options.schema;
    let client = outside().await;
    client.batch_execute(&format!("SET search_path TO {name}")).await.unwrap();
    let rows = client.query(select, &[name]).await.unwrap();
    let lines = rows.iter().map(|row| row.get::<_, String>(0)).filter(|line| !line.contains("diesel"));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_sql_store_on_postgres_migrates_both_ways() {
    let Some(schema) = TestSchema::new() else { return };
    let store = schema.connect().await;

    let pending = store.pending_migrations().await.unwrap();
    assert!(pending.is_sorted() && !pending.is_empty(), "{pending:?}");
    assert_eq!(store.migrate().await.unwrap(), pending);
    assert_eq!(store.pending_migrations().await.unwrap(), Vec::<String>::new());
    assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());
    let first = postgres_schema(&schema).await;

    store.revert_migrations().await.unwrap();
    assert_eq!(postgres_schema(&schema).await, "");
    assert_eq!(store.migrate().await.unwrap(), pending);
    assert_eq!(postgres_schema(&schema).await, first);
    insta::assert_snapshot!("postgres_schema", first);
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |folder: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(folder);
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("postgres"), names("sqlite/sql"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_may_migrate_a_schema_at_once() {
    let Some(schema) = TestSchema::new() else { return };
    let (one, other) = tokio::join!(schema.connect(), schema.connect());
    let (by_one, by_other) = tokio::join!(one.migrate(), other.migrate());
    let (by_one, by_other) = (by_one.unwrap(), by_other.unwrap());
    assert!(by_one.is_empty() != by_other.is_empty(), "{by_one:?} {by_other:?}");
    assert_eq!(one.pending_migrations().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_may_migrate_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sql.sqlite");
    let (one, other) = tokio::join!(SqlStore::open(&path), SqlStore::open(&path));
    let (one, other) = (one.unwrap(), other.unwrap());
    let (by_one, by_other) = tokio::join!(one.migrate(), other.migrate());
    let n_applied = by_one.unwrap().len() + by_other.unwrap().len();
    assert!(n_applied > 0);
    assert_eq!(one.pending_migrations().await.unwrap(), Vec::<String>::new());
}
