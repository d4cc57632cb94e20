//! What the embedded stores hold, read from their SQLite files without help from the product.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;

/// Returns every row of every table, without the columns that say when or in which order something was written.
///
/// Rows are sorted, so two dumps are equal when the stores hold the same things, however often the writing was interrupted.
pub(crate) fn dump(data_folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::new();
    for file in database_files(data_folder) {
        let connection = open(&file);
        for table in table_names(&connection) {
            let mut rows = rows(&connection, &table);
            rows.sort();
            tables.insert(table, rows);
        }
    }
    tables
}

/// Returns the number of rows of a table, 0 when no database has it yet.
pub(crate) fn count(data_folder: &Path, table: &str) -> u64 {
    for file in database_files(data_folder) {
        let connection = open(&file);
        if table_names(&connection).iter().any(|name| name == table) {
            let query = format!("SELECT count(*) FROM {table}");
            let n_rows: i64 = connection.query_row(&query, [], |row| row.get(0)).expect("the table can be counted");
            return n_rows.unsigned_abs();
        }
    }
    0
}

/// Checks that no database file is damaged.
#[track_caller]
pub(crate) fn assert_sound(data_folder: &Path) {
    for file in database_files(data_folder) {
        let verdict: String =
            open(&file).query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("the database can be checked");
        assert_eq!(verdict, "ok", "{}", file.display());
    }
}

fn database_files(data_folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(data_folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the data folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "db" || extension == "sqlite"))
        .collect();
    files.sort();
    files
}

fn open(file: &Path) -> Connection {
    let connection = Connection::open(file).expect("the database opens");
    connection.busy_timeout(super::PATIENCE).expect("a timeout can be set");
    connection
}

fn table_names(connection: &Connection) -> Vec<String> {
    let query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                 AND name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY name";
    let mut statement = connection.prepare(query).expect("the tables can be listed");
    let names = statement.query_map([], |row| row.get(0)).expect("the tables can be listed");
    names.map(|name| name.expect("a table has a name")).collect()
}

fn rows(connection: &Connection, table: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).expect("the table can be read");
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut rows = statement.query([]).expect("the table can be read");
    let mut lines = Vec::new();
    while let Some(row) = rows.next().expect("the row can be read") {
        let mut line = String::new();
        for (index, column) in columns.iter().enumerate().filter(|(_, column)| is_content(column)) {
            let value = show(row.get_ref(index).expect("the column is there"));
            let value = if column == "record" { without_ingest_time(value) } else { value };
            let _ = write!(line, "{column}={value} ");
        }
        lines.push(line);
    }
    lines
}

/// Whether two runs over the same input must agree on the column.
fn is_content(column: &str) -> bool {
    !column.ends_with("_at") && !["seq", "last_seq", "token"].contains(&column)
}

fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{bytes:?}"),
    }
}

/// Takes out of a record kept as JSON when it was ingested, as the column of that name is taken out of a table.
fn without_ingest_time(text: String) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(&text) else { return text };
    fields.remove("ingested_at");
    Value::Object(fields).to_string()
}
