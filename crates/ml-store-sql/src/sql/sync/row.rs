//! A row for one of the validated tables.

use diesel::sqlite::SqliteConnection;
use ml_core::error::{Entity, StoreError};
use ml_core::sync::{RowRef, ValidatedRow};

use crate::error::Failure;
use crate::sql::global_data::GlobalRow;
use crate::sql::ground_truth::TruthRow;
use crate::sql::market_metrics::MarketRow;
use crate::sql::user_interactions::InteractionRow;
use crate::sql::validated::{self, HashedRow};
use crate::types::Instant;

/// An encoded row, whichever table it is for.
pub(super) enum AnyRow {
    Global(GlobalRow),
    Market(MarketRow),
    Interaction(InteractionRow),
    Truth(TruthRow),
}

impl From<&ValidatedRow> for AnyRow {
    fn from(row: &ValidatedRow) -> AnyRow {
        match row {
            ValidatedRow::Global(row) => AnyRow::Global(row.into()),
            ValidatedRow::MarketMetric(row) => AnyRow::Market(row.into()),
            ValidatedRow::UserInteraction(row) => AnyRow::Interaction(row.into()),
            ValidatedRow::GroundTruth(row) => AnyRow::Truth(row.into()),
        }
    }
}

impl AnyRow {
    /// Says that the row was known at `first` at the earliest.
    pub(super) fn stamp_from(&mut self, first: Instant) {
        match self {
            AnyRow::Global(row) => stamp_from(row, first),
            AnyRow::Market(row) => stamp_from(row, first),
            AnyRow::Interaction(row) => stamp_from(row, first),
            AnyRow::Truth(row) => stamp_from(row, first),
        }
    }

    /// Writes the row, and returns whether that changed anything.
    pub(super) fn write(&self, sqlite: &mut SqliteConnection) -> Result<bool, Failure> {
        match self {
            AnyRow::Global(row) => validated::write(sqlite, row),
            AnyRow::Market(row) => validated::write(sqlite, row),
            AnyRow::Interaction(row) => validated::write(sqlite, row),
            AnyRow::Truth(row) => validated::write(sqlite, row),
        }
    }
}

fn stamp_from(row: &mut impl HashedRow, first: Instant) {
    row.set_created_at(row.created_at().max(first));
}

/// Evaluates an expression with `$row` standing for the row of the table that is called `$name`; an error for any other name.
macro_rules! on_table {
    ($name:expr, of $raw_id:expr, $row:ident => $expression:expr) => {
        match $name {
            "global_ml_data" => {
                type $row = $crate::sql::global_data::GlobalRow;
                $expression
            }
            "market_metrics" => {
                type $row = $crate::sql::market_metrics::MarketRow;
                $expression
            }
            "user_interactions" => {
                type $row = $crate::sql::user_interactions::InteractionRow;
                $expression
            }
            "ground_truth" => {
                type $row = $crate::sql::ground_truth::TruthRow;
                $expression
            }
            other => Err($crate::sql::sync::row::no_table(other, $raw_id)),
        }
    };
}
pub(super) use on_table;

/// The names of all tables.
const TABLES: [&str; 4] = ["global_ml_data", "ground_truth", "market_metrics", "user_interactions"];

/// Returns the name of the table that the lineage of a record names.
pub(super) fn table_named(name: &str, raw_id: &str) -> Result<&'static str, Failure> {
    TABLES.into_iter().find(|table| *table == name).ok_or_else(|| no_table(name, raw_id))
}

/// Says that the lineage of a record names a table that is none.
pub(super) fn no_table(name: &str, raw_id: &str) -> Failure {
    StoreError::corrupt(Entity::RecordLineage, raw_id, format!("there is no table `{name}`")).into()
}

/// Removes a row that was made from `raw_id`, and keeps it for as-of reads.
pub(super) fn remove(sqlite: &mut SqliteConnection, row: &RowRef, raw_id: &str, at: Instant) -> Result<(), Failure> {
    on_table!(row.table.as_str(), of raw_id, Row => validated::remove::<Row>(sqlite, &row.id, raw_id, at))
}
