//! The values of a feature source, read from their store.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use ml_core::document::RecordQuery;
use ml_core::global_data::ValidatedQuery;
use ml_core::record::{Collection, DataType};
use ml_core::sync::first_after;

use super::documents::add_documents;
use super::feature_source::{DocumentForm, FeatureOrigin};
use super::joiner::Joiner;
use crate::dataset::blocking::blocking;
use crate::dataset::builder::DatasetStores;
use crate::dataset::error::DatasetError;
use crate::dataset::named_cells::NamedCells;
use crate::dataset::paging::fold_pages;
use crate::dataset::spec::DatasetSource;
use crate::pipeline::Pipeline;

/// Where values are read, and as of when.
pub(in crate::dataset) struct Reading<'a> {
    pub(in crate::dataset) stores: &'a DatasetStores,
    /// The form of documents.
    pub(in crate::dataset) pipeline: &'a Arc<Pipeline>,
    pub(in crate::dataset) as_of: DateTime<Utc>,
}

/// Gives every value of its source that may count to `joiner`, which has all rows.
///
/// # Errors
/// [`DatasetError::InvalidSpec`] for a data type that nobody has declared and of which there is nothing, among others.
pub(in crate::dataset) async fn read_values(reading: &Reading<'_>, joiner: Joiner) -> Result<Joiner, DatasetError> {
    let joiner = match joiner.source().origin.clone() {
        FeatureOrigin::Rows(table) => reading.rows(&table, joiner).await?,
        FeatureOrigin::Documents { collection, data_type, form } => {
            reading.documents(collection, data_type, &form, joiner).await?
        }
    };
    reading.check_data_type(&joiner)?;
    Ok(joiner)
}

impl Reading<'_> {
    fn check_data_type(&self, joiner: &Joiner) -> Result<(), DatasetError> {
        let (data_type, place) = match &joiner.source().origin {
            FeatureOrigin::Rows(table) => (table.data_type(), table.table()),
            FeatureOrigin::Documents { collection, data_type, .. } => (Some(data_type), collection.name()),
        };
        match data_type {
            Some(data_type) if joiner.is_without_values() && !self.is_planned(data_type) => {
                let name = &joiner.source().name;
                let known: Vec<String> = self.pipeline.data_types().map(|known| format!("`{known}`")).collect();
                let known = known.join(", ");
                Err(DatasetError::InvalidSpec {
                    reason: format!(
                        "feature source `{name}`: {place} has nothing of data type `{data_type}`; the data types are {known}"
                    ),
                })
            }
            _ => Ok(()),
        }
    }

    fn is_planned(&self, data_type: &DataType) -> bool {
        self.pipeline.data_types().any(|planned| planned == data_type)
    }

    async fn rows(&self, table: &DatasetSource, joiner: Joiner) -> Result<Joiner, DatasetError> {
        let stores = self.stores;
        let query = &ValidatedQuery {
            data_type: table.data_type().cloned(),
            source_app: joiner.source().source_app.clone(),
            event_from: None,
            event_before: joiner.latest_row().map(first_after),
            known_by: Some(self.as_of),
        };
        match table {
            DatasetSource::GlobalMlData { .. } => {
                fold_pages(|page| stores.global_data.list(query, page), joiner, add_values).await
            }
            DatasetSource::MarketMetrics {} => {
                fold_pages(|page| stores.market_metrics.list(query, page), joiner, add_values).await
            }
            DatasetSource::UserInteractions {} => {
                fold_pages(|page| stores.user_interactions.list(query, page), joiner, add_values).await
            }
        }
    }

    async fn documents(
        &self,
        collection: Collection,
        data_type: DataType,
        form: &DocumentForm,
        mut joiner: Joiner,
    ) -> Result<Joiner, DatasetError> {
        if *form == DocumentForm::Pipeline && !self.is_planned(&data_type) {
            let name = &joiner.source().name;
            let reason = format!(
                "feature source `{name}`: no pipeline is declared for data type `{data_type}`, join it with `form: raw`"
            );
            return Err(DatasetError::InvalidSpec { reason });
        }
        let documents = &self.stores.documents;
        let source_app = joiner.source().source_app.clone();
        let all = RecordQuery { data_type: Some(data_type), source_app, ..RecordQuery::default() };
        let known = &RecordQuery { known_by: Some(self.as_of), ..all.clone() };
        let n_known = documents.count(collection, known).await?;
        joiner.set_known_later(documents.count(collection, &all).await?.saturating_sub(n_known));
        let take = |joiner, records| add_documents(joiner, collection, form, self, records);
        fold_pages(|page| documents.list(collection, known, page), joiner, take).await
    }
}

async fn add_values<V: NamedCells + Send + 'static>(
    mut joiner: Joiner,
    values: Vec<V>,
) -> Result<Joiner, DatasetError> {
    blocking(move || {
        for value in values {
            joiner.add_value(&value)?;
        }
        Ok(joiner)
    })
    .await
}
