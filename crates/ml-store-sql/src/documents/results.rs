//! What the three collections of results have in common: an upsert that leaves alone what did not change.

use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use ml_core::document::UpsertCounts;
use ml_core::id::ResultId;

/// A row of a collection of results.
pub(super) trait ResultRow: Sized {
    /// Inserts the row unless its id is there, and returns whether it did.
    fn insert(&self, sqlite: &mut SqliteConnection) -> QueryResult<bool>;

    /// Returns the stored row that has the same id.
    fn stored(&self, sqlite: &mut SqliteConnection) -> QueryResult<Self>;

    /// Returns whether the rows say the same, whenever they were made.
    fn says_the_same(&self, stored: &Self) -> bool;

    /// Returns whether the row was made before the other.
    fn is_older_than(&self, stored: &Self) -> bool;

    /// Replaces the stored row that has the same id.
    fn replace(&self, sqlite: &mut SqliteConnection) -> QueryResult<()>;

    /// Deletes the row with this id, and returns how many there were.
    fn delete(sqlite: &mut SqliteConnection, id: &str) -> QueryResult<usize>;
}

/// Inserts new rows and replaces those that differ and are not newer, one after the other.
pub(super) fn upsert<R: ResultRow>(sqlite: &mut SqliteConnection, rows: &[R]) -> QueryResult<UpsertCounts> {
    let mut counts = UpsertCounts::default();
    for row in rows {
        if row.insert(sqlite)? {
            counts.inserted += 1;
            continue;
        }
        let stored = row.stored(sqlite)?;
        if row.says_the_same(&stored) || row.is_older_than(&stored) {
            counts.unchanged += 1;
        } else {
            row.replace(sqlite)?;
            counts.changed += 1;
        }
    }
    Ok(counts)
}

/// Deletes the rows with these ids, and returns how many there were.
pub(super) fn delete<R: ResultRow>(sqlite: &mut SqliteConnection, ids: &[String]) -> QueryResult<u64> {
    let mut n_deleted = 0;
    for id in ids {
        n_deleted += R::delete(sqlite, id)? as u64;
    }
    Ok(n_deleted)
}

/// Takes ids along to the blocking thread.
pub(super) fn texts(ids: &[ResultId]) -> Vec<String> {
    ids.iter().map(|id| id.as_str().to_owned()).collect()
}

/// Implements [`ResultRow`] for a row type whose table has the key `id`, and whose column `$made_at` does not count.
macro_rules! result_row {
    ($row:ident, $table:ident, $made_at:ident) => {
        impl crate::documents::results::ResultRow for $row {
            fn insert(&self, sqlite: &mut SqliteConnection) -> QueryResult<bool> {
                struct Insert;
                let insert = diesel::insert_into($table::table).values(self).on_conflict($table::id).do_nothing();
                Ok(prepared::<Insert, _>(insert).execute(sqlite)? == 1)
            }

            fn stored(&self, sqlite: &mut SqliteConnection) -> QueryResult<$row> {
                $table::table.find(&self.id).get_result(sqlite)
            }

            fn says_the_same(&self, stored: &$row) -> bool {
                *self == $row { $made_at: self.$made_at, ..stored.clone() }
            }

            fn is_older_than(&self, stored: &$row) -> bool {
                self.$made_at < stored.$made_at
            }

            fn replace(&self, sqlite: &mut SqliteConnection) -> QueryResult<()> {
                diesel::update($table::table.find(&self.id)).set(self).execute(sqlite)?;
                Ok(())
            }

            fn delete(sqlite: &mut SqliteConnection, id: &str) -> QueryResult<usize> {
                diesel::delete($table::table.find(id)).execute(sqlite)
            }
        }
    };
}
pub(super) use result_row;
