//! The rows of a dataset while they are read: their columns, and their places in the joins.

use ml_core::global_data::GlobalRecord;
use ml_core::market_metric::MarketMetric;
use ml_core::user_interaction::UserInteraction;

use super::blocking::blocking;
use super::collector::RowCollector;
use super::error::DatasetError;
use super::join::Joiner;
use super::named_cells::NamedCells;

/// A row that datasets are made of.
pub(super) trait BaseRow: NamedCells + Send + 'static {
    fn push_into(self, rows: &mut RowCollector);
}

/// The rows so far.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) rows: RowCollector,
    pub(super) joiners: Vec<Joiner>,
}

impl Gathering {
    /// Adds a page of rows. Joins may write what does not fit into memory, so that this is done away from the threads that wait.
    pub(super) async fn add<R: BaseRow>(mut self, page: Vec<R>) -> Result<Gathering, DatasetError> {
        blocking(move || {
            for row in page {
                for joiner in &mut self.joiners {
                    joiner.add_row(&row)?;
                }
                row.push_into(&mut self.rows);
            }
            Ok(self)
        })
        .await
    }
}

impl BaseRow for GlobalRecord {
    fn push_into(self, rows: &mut RowCollector) {
        rows.push_global_record(self);
    }
}

impl BaseRow for MarketMetric {
    fn push_into(self, rows: &mut RowCollector) {
        rows.push_market_metric(self);
    }
}

impl BaseRow for UserInteraction {
    fn push_into(self, rows: &mut RowCollector) {
        rows.push_user_interaction(self);
    }
}
