//! Reading the rows of a dataset from their store, and explaining why there are none.

use std::collections::BTreeSet;
use std::future::Future;

use chrono::{DateTime, Utc};
use ml_core::error::StoreError;
use ml_core::global_data::ValidatedQuery;
use ml_core::id::RecordId;
use ml_core::page::{Page, PageRequest};

use super::builder::{DatasetObserver, DatasetProgress, DatasetStores};
use super::collector::{RowCollector, Wanted};
use super::error::Funnel;
use super::spec::{DatasetSource, DatasetSpec};

/// Rows per page: enough that the query costs little, few enough that a page of long documents does too.
const PAGE_SIZE: usize = 1_000;

/// How many rows are looked at for the data types there are, where the one asked for has none.
const N_ROWS_SAMPLED: usize = 50_000;

/// Reads the rows of `spec` as they were known at `as_of`, by ascending id.
pub(super) async fn read_rows(
    stores: &DatasetStores,
    spec: &DatasetSpec,
    wanted: Wanted,
    as_of: DateTime<Utc>,
    observer: DatasetObserver<'_>,
) -> Result<RowCollector, StoreError> {
    let query = &spec.query(as_of);
    let n_total = count(stores, &spec.source, query).await?;
    let tell = |n_rows: usize| observer(DatasetProgress::Reading { n_rows: n_rows as u64, n_total });
    let mut rows;
    match spec.source {
        DatasetSource::GlobalMlData { .. } => {
            rows = RowCollector::of_global_records(wanted);
            let list = |page| stores.global_data.list(query, page);
            for_each_row(usize::MAX, list, tell, |record| rows.push_global_record(record)).await?;
        }
        DatasetSource::MarketMetrics {} => {
            rows = RowCollector::of_market_metrics(wanted);
            let list = |page| stores.market_metrics.list(query, page);
            for_each_row(usize::MAX, list, tell, |metric| rows.push_market_metric(metric)).await?;
        }
        DatasetSource::UserInteractions {} => {
            rows = RowCollector::of_user_interactions(wanted);
            let list = |page| stores.user_interactions.list(query, page);
            for_each_row(usize::MAX, list, tell, |interaction| rows.push_user_interaction(interaction)).await?;
        }
    }
    Ok(rows)
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
    let query = &ValidatedQuery::default();
    let mut names = BTreeSet::new();
    let list = |page| stores.global_data.list(query, page);
    for_each_row(
        N_ROWS_SAMPLED,
        list,
        |_| (),
        |record| {
            names.insert(String::from(record.data_type));
        },
    )
    .await?;
    Ok(names.into_iter().collect())
}

/// Gives the rows of a listing to `push`, page by page, until there are no more or `limit` is reached, and tells `observe` how
/// many they are so far.
async fn for_each_row<T, Listing>(
    limit: usize,
    list: impl Fn(PageRequest<RecordId>) -> Listing,
    observe: impl Fn(usize),
    mut push: impl FnMut(T),
) -> Result<(), StoreError>
where
    Listing: Future<Output = Result<Page<T, RecordId>, StoreError>>,
{
    let mut request = PageRequest::first(PAGE_SIZE);
    let mut n_rows = 0;
    loop {
        let page = list(request).await?;
        n_rows += page.items.len();
        page.items.into_iter().for_each(&mut push);
        observe(n_rows);
        match page.next_cursor {
            Some(cursor) if n_rows < limit => request = PageRequest::first(PAGE_SIZE).after(cursor),
            _ => return Ok(()),
        }
    }
}
