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

/// Removes a row that was made from `raw_id`, and keeps it for as-of reads.
pub(super) fn remove(sqlite: &mut SqliteConnection, row: &RowRef, raw_id: &str, at: Instant) -> Result<(), Failure> {
    match row.table.as_str() {
        "global_ml_data" => validated::remove::<GlobalRow>(sqlite, &row.id, raw_id, at),
        "market_metrics" => validated::remove::<MarketRow>(sqlite, &row.id, raw_id, at),
        "user_interactions" => validated::remove::<InteractionRow>(sqlite, &row.id, raw_id, at),
        "ground_truth" => validated::remove::<TruthRow>(sqlite, &row.id, raw_id, at),
        other => {
            let reason = format!("there is no table `{other}`");
            Err(StoreError::corrupt(Entity::RecordLineage, raw_id, reason).into())
        }
    }
}
