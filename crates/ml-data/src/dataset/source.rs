//! Reading the rows of a dataset from their store, and explaining why there are none.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ml_core::error::StoreError;
use ml_core::global_data::ValidatedQuery;
use ml_core::page::PageRequest;

use super::builder::{DatasetObserver, DatasetProgress, DatasetStores};
use super::collector::{RowCollector, Wanted};
use super::error::{DatasetError, Funnel};
use super::gathering::{BaseRow, Gathering};
use super::join::Joiner;
use super::paging::{PAGE_SIZE, fold_pages};
use super::spec::{DatasetSource, DatasetSpec};

/// How many pages are looked at for the data types there are, where the one asked for has none.
const N_PAGES_SAMPLED: usize = 50;

/// Reads the rows of `spec` as they were known at `as_of`, by ascending id, for these joins.
pub(super) async fn read_rows(
    stores: &DatasetStores,
    spec: &DatasetSpec,
    wanted: Wanted,
    joiners: Vec<Joiner>,
    as_of: DateTime<Utc>,
    observer: DatasetObserver<'_>,
) -> Result<Gathering, DatasetError> {
    let query = &spec.query(as_of);
    let n_total = count(stores, &spec.source, query).await?;
    let tell = |gathering: &Gathering| {
        observer(DatasetProgress::Reading { n_rows: gathering.rows.n_rows() as u64, n_total });
    };
    match spec.source {
        DatasetSource::GlobalMlData { .. } => {
            let rows = RowCollector::of_global_records(wanted);
            let list = |page| stores.global_data.list(query, page);
            fold_pages(list, Gathering { rows, joiners }, |gathering, page| add(gathering, page, &tell)).await
        }
        DatasetSource::MarketMetrics {} => {
            let rows = RowCollector::of_market_metrics(wanted);
            let list = |page| stores.market_metrics.list(query, page);
            fold_pages(list, Gathering { rows, joiners }, |gathering, page| add(gathering, page, &tell)).await
        }
        DatasetSource::UserInteractions {} => {
            let rows = RowCollector::of_user_interactions(wanted);
            let list = |page| stores.user_interactions.list(query, page);
            fold_pages(list, Gathering { rows, joiners }, |gathering, page| add(gathering, page, &tell)).await
        }
    }
}

async fn add<R: BaseRow>(
    gathering: Gathering,
    page: Vec<R>,
    tell: &(impl Fn(&Gathering) + Sync),
) -> Result<Gathering, DatasetError> {
    let gathering = gathering.add(page).await?;
    tell(&gathering);
    Ok(gathering)
}

/// Applies the filters of `spec` one after another and counts what each leaves, up to the first that leaves nothing.
pub(super) async fn explain_empty(
    stores: &DatasetStores,
    spec: &DatasetSpec,
    as_of: DateTime<Utc>,
) -> Result<Funnel, StoreError> {
    let n_rows = count(stores, &spec.source, &ValidatedQuery::default()).await?;
    let mut funnel = Funnel { table: spec.source.table(), n_rows, steps: Vec::new(), data_types: Vec::new() };
    let mut n_left = n_rows;
    for (filter, query) in filters(spec, as_of) {
        if n_left == 0 {
            break;
        }
        n_left = count(stores, &spec.source, &query).await?;
        funnel.steps.push((filter, n_left));
    }
    // The data type, where there is one, is the first filter.
    let did_first_leave_nothing = funnel.steps.first().is_some_and(|(_, n_left)| *n_left == 0);
    if did_first_leave_nothing && spec.source.data_type().is_some() {
        funnel.data_types = data_types(stores).await?;
    }
    Ok(funnel)
}

/// Lists the filters of `spec` in the order in which a person thinks of them, each with the query of it and all before it.
fn filters(spec: &DatasetSpec, as_of: DateTime<Utc>) -> Vec<(String, ValidatedQuery)> {
    let mut filters = Vec::new();
    let mut query = ValidatedQuery::default();
    if let Some(data_type) = spec.source.data_type() {
        query.data_type = Some(data_type.clone());
        filters.push((format!("data type `{data_type}`"), query.clone()));
    }
    if let Some(source_app) = &spec.source_app {
        query.source_app = Some(source_app.clone());
        filters.push((format!("source app `{source_app}`"), query.clone()));
    }
    if let Some(from) = spec.event_from {
        query.event_from = Some(from);
        filters.push((format!("event time from {}", from.to_rfc3339()), query.clone()));
    }
    if let Some(before) = spec.event_before {
        query.event_before = Some(before);
        filters.push((format!("event time before {}", before.to_rfc3339()), query.clone()));
    }
    query.known_by = Some(as_of);
    filters.push((format!("known by {}", as_of.to_rfc3339()), query));
    filters
}

async fn count(stores: &DatasetStores, source: &DatasetSource, query: &ValidatedQuery) -> Result<u64, StoreError> {
    match source {
        DatasetSource::GlobalMlData { .. } => stores.global_data.count(query).await,
        DatasetSource::MarketMetrics {} => stores.market_metrics.count(query).await,
        DatasetSource::UserInteractions {} => stores.user_interactions.count(query).await,
    }
}

/// Returns the data types among the first rows, sorted.
async fn data_types(stores: &DatasetStores) -> Result<Vec<String>, StoreError> {
    let query = ValidatedQuery::default();
    let mut names = BTreeSet::new();
    let mut request = PageRequest::first(PAGE_SIZE);
    for _ in 0..N_PAGES_SAMPLED {
        let page = stores.global_data.list(&query, request).await?;
        names.extend(page.items.into_iter().map(|record| String::from(record.data_type)));
        let Some(cursor) = page.next_cursor else { break };
        request = PageRequest::first(PAGE_SIZE).after(cursor);
    }
    Ok(names.into_iter().collect())
}
