//! Adding to what a run logged.

use std::collections::BTreeMap;

use diesel::QueryResult;
use diesel::dsl::max;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl as _;
use ml_core::error::{Entity, StoreError};
use ml_core::id::RunId;
use ml_core::run::{DatasetInput, Metric, RunLog};

use super::metric::{LatestRow, MetricRow};
use crate::connection::{Connection, insert_all, on_backend};
use crate::error::Failure;
use crate::schema::sql::{latest_metrics, metrics, params, run_inputs, tags};
use crate::sql::KEYS_PER_QUERY;
use crate::types::JsonText;

/// Adds everything in `log` to a run that exists.
pub(super) async fn write(connection: &mut Connection, id: &RunId, log: &RunLog) -> Result<(), Failure> {
    if !log.params.is_empty() {
        add_params(connection, id, &log.params).await?;
    }
    if !log.metrics.is_empty() {
        add_points(connection, id, &log.metrics).await?;
    }
    if !log.tags.is_empty() {
        put_tags(connection, id, &log.tags).await?;
    }
    if !log.inputs.is_empty() {
        add_inputs(connection, id, &log.inputs).await?;
    }
    Ok(())
}

async fn add_params(connection: &mut Connection, id: &RunId, new: &BTreeMap<String, String>) -> Result<(), Failure> {
    let select = params::table.filter(params::run_id.eq(id.as_str())).select((params::key, params::value));
    let there: Vec<(String, String)> = on_backend!(connection => select.load(connection).await)?;
    let there: BTreeMap<String, String> = there.into_iter().collect();
    let mut rows = Vec::new();
    for (key, value) in new {
        match there.get(key) {
            Some(former) if former == value => {}
            Some(_) => return Err(StoreError::conflict(Entity::Run, id).into()),
            None => rows.push((params::run_id.eq(id.as_str()), params::key.eq(key), params::value.eq(value))),
        }
    }
    insert_all!(connection, &rows, |values| diesel::insert_into(params::table).values(values));
    Ok(())
}

async fn add_points(connection: &mut Connection, id: &RunId, points: &[Metric]) -> QueryResult<()> {
    let rows: Vec<MetricRow> = points.iter().map(|point| MetricRow::new(id, point)).collect();
    insert_all!(connection, &rows, |values| diesel::insert_into(metrics::table)
        .values(values)
        .on_conflict_do_nothing());
    let mut latest: BTreeMap<&str, &MetricRow> = BTreeMap::new();
    for row in &rows {
        let is_later = latest.get(row.key.as_str()).is_none_or(|former| row.cmp_shown(former).is_gt());
        if is_later {
            latest.insert(&row.key, row);
        }
    }
    let shown = load_shown(connection, id, &latest.keys().copied().collect::<Vec<_>>()).await?;
    latest.retain(|key, row| shown.get(*key).is_none_or(|shown| row.cmp_shown(shown).is_gt()));
    show(connection, &latest.into_values().map(MetricRow::as_latest).collect::<Vec<_>>()).await
}

/// Returns the points that the run shows of these metrics.
async fn load_shown(
    connection: &mut Connection,
    id: &RunId,
    keys: &[&str],
) -> QueryResult<BTreeMap<String, MetricRow>> {
    let mut shown = BTreeMap::new();
    for some in keys.chunks(KEYS_PER_QUERY) {
        let of_run = latest_metrics::table.filter(latest_metrics::run_id.eq(id.as_str()));
        let select = of_run.filter(latest_metrics::key.eq_any(some));
        let rows: Vec<MetricRow> = on_backend!(connection => select.load(connection).await)?;
        shown.extend(rows.into_iter().map(|row| (row.key.clone(), row)));
    }
    Ok(shown)
}

/// Makes these points, each of a metric of its own, those that the run shows.
async fn show(connection: &mut Connection, rows: &[LatestRow<'_>]) -> QueryResult<()> {
    insert_all!(connection, rows, |values| diesel::insert_into(latest_metrics::table)
        .values(values)
        .on_conflict((latest_metrics::run_id, latest_metrics::key))
        .do_update()
        .set((
            latest_metrics::timestamp.eq(excluded(latest_metrics::timestamp)),
            latest_metrics::step.eq(excluded(latest_metrics::step)),
            latest_metrics::is_nan.eq(excluded(latest_metrics::is_nan)),
            latest_metrics::value.eq(excluded(latest_metrics::value)),
        )));
    Ok(())
}

async fn put_tags(connection: &mut Connection, id: &RunId, new: &BTreeMap<String, String>) -> QueryResult<()> {
    let row = |(key, value)| (tags::run_id.eq(id.as_str()), tags::key.eq(key), tags::value.eq(value));
    let rows: Vec<_> = new.iter().map(row).collect();
    insert_all!(connection, &rows, |values| diesel::insert_into(tags::table)
        .values(values)
        .on_conflict((tags::run_id, tags::key))
        .do_update()
        .set(tags::value.eq(excluded(tags::value))));
    Ok(())
}

async fn add_inputs(connection: &mut Connection, id: &RunId, inputs: &[DatasetInput]) -> QueryResult<()> {
    let of_run = run_inputs::table.filter(run_inputs::run_id.eq(id.as_str()));
    let select = of_run.select(max(run_inputs::place));
    let last: Option<i64> = on_backend!(connection => select.get_result(connection).await)?;
    let first = last.map_or(0, |last| last + 1);
    let row = |(place, input): (i64, &'_ DatasetInput)| {
        (
            run_inputs::run_id.eq(id.as_str()),
            run_inputs::name.eq(input.name.clone()),
            run_inputs::digest.eq(input.digest.clone()),
            run_inputs::place.eq(place),
            run_inputs::body.eq(JsonText::of(input)),
        )
    };
    let rows: Vec<_> = (first..).zip(inputs).map(row).collect();
    insert_all!(connection, &rows, |values| diesel::insert_into(run_inputs::table)
        .values(values)
        .on_conflict_do_nothing());
    Ok(())
}
