//! Statements that write many rows on PostgreSQL: a column goes as one array, so that the statement is the same however many
//! rows there are.
//!
//! A column that is alike in all rows of a batch, as the name of an application mostly is, goes as one value: the server takes
//! an array apart value by value. Arrays are taken apart side by side in the select list, for `FROM unnest(…)` would keep all
//! rows before the first is written, which takes a third longer.

use std::fmt::Write as _;

/// A statement that inserts, while its columns are named.
pub(in crate::sql) struct ArrayInsert {
    table: &'static str,
    columns: String,
    values: String,
    n_columns: usize,
}

impl ArrayInsert {
    /// Inserts into `table`.
    pub(in crate::sql) fn into(table: &'static str) -> ArrayInsert {
        ArrayInsert { table, columns: String::new(), values: String::new(), n_columns: 0 }
    }

    /// Names a column whose values come as an array.
    pub(in crate::sql) fn each(&mut self, column: &str) {
        self.add(column, ("unnest($", ")"));
    }

    /// Names a column that has the same value in every row.
    pub(in crate::sql) fn alike(&mut self, column: &str) {
        self.add(column, ("$", ""));
    }

    fn add(&mut self, column: &str, (before, after): (&str, &str)) {
        let comma = if self.n_columns == 0 { "" } else { ", " };
        self.n_columns += 1;
        let _ = write!(self.columns, "{comma}{column}");
        let _ = write!(self.values, "{comma}{before}{}{after}", self.n_columns);
    }

    /// Returns the statement; `end` is what follows the values.
    pub(in crate::sql) fn finish(&self, end: &str) -> String {
        let ArrayInsert { table, columns, values, .. } = self;
        format!("INSERT INTO {table} ({columns}) SELECT {values}{end}")
    }
}

/// Returns the end of such a statement that puts what is new in the place of what has the same `key`.
pub(in crate::sql) fn or_replace(key: &[&str], columns: &[&str]) -> String {
    let columns = columns.iter().filter(|column| !key.contains(column));
    let set: Vec<String> = columns.map(|column| format!("{column} = excluded.{column}")).collect();
    format!(" ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", "))
}

/// Inserts `$rows` into `$table` by one statement that ends in `$end`; no two rows are equal. Columns under `alike` go as one value
/// where they are alike in all rows, and are of no floating-point type: of those equal values may differ.
macro_rules! insert_arrays {
    (
        $postgres:expr, $table:expr, $rows:expr, $end:expr,
        each: { $($column:ident: $sql_type:ty),+ $(,)? },
        alike: { $($same:ident: $same_type:ty),+ $(,)? } $(,)?
    ) => {{
        // As a slice, for on a list diesel has a method of its own of that name.
        let rows = &$rows[..];
        match rows.first() {
            None => Ok(0),
            Some(first) => {
                let mut insert = crate::sql::validated::arrays::ArrayInsert::into($table);
                $(insert.each(stringify!($column));)+
                $(
                    let $same = rows.iter().all(|row| row.$same == first.$same);
                    if $same { insert.alike(stringify!($same)) } else { insert.each(stringify!($same)) }
                )+
                let statement = diesel::sql_query(insert.finish($end)).into_boxed::<diesel::pg::Pg>();
                $(
                    let column: Vec<_> = rows.iter().map(|row| &row.$column).collect();
                    let statement = statement.bind::<diesel::sql_types::Array<$sql_type>, _>(column);
                )+
                $(
                    let statement = if $same {
                        statement.bind::<$same_type, _>(&first.$same)
                    } else {
                        let column: Vec<_> = rows.iter().map(|row| &row.$same).collect();
                        statement.bind::<diesel::sql_types::Array<$same_type>, _>(column)
                    };
                )+
                // Shared, so that the next statement can be put together and sent while the server does this one.
                let mut shared: &crate::connection::PostgresConnection = &*$postgres;
                let statement = crate::prepared::prepared_text(statement);
                diesel_async::RunQueryDsl::execute(statement, &mut shared).await
            }
        }
    }};
}
pub(in crate::sql) use insert_arrays;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_beside_their_columns() {
        let mut insert = ArrayInsert::into("things");
        insert.each("id");
        insert.alike("kind");
        insert.each("name");
        let end = or_replace(&["id"], &["id", "kind", "name"]);
        assert_eq!(
            insert.finish(&end),
            "INSERT INTO things (id, kind, name) SELECT unnest($1), $2, unnest($3) \
             ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name"
        );
    }
}
