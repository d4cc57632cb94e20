//! Migrations, up and down, and the schemas they lead to.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use ml_store_sql::{EmbeddedDocuments, SqlStore};

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
