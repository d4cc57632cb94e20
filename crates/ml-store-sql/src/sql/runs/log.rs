//! Adding to what a run logged.

use std::collections::BTreeMap;

use diesel::QueryResult;
use diesel::dsl::max;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{Entity, StoreError};
use ml_core::id::RunId;
use ml_core::run::{DatasetInput, Metric, RunLog};

use super::metric::MetricRow;
use crate::connection::{Connection, on_backend};
use crate::error::Failure;
use crate::schema::sql::{latest_metrics, metrics, params, run_inputs, tags};
use crate::types::JsonText;

/// Adds everything in `log` to a run that exists.
pub(super) async fn write(connection: &mut Connection, id: &RunId, log: &RunLog) -> Result<(), Failure> {
    if !log.params.is_empty() {
        add_params(connection, id, &log.params).await?;
    }
    if !log.metrics.is_empty() {
        add_points(connection, id, &log.metrics).await?;
    }
    for (key, value) in &log.tags {
        put_tag(connection, id, key, value).await?;
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
    for (key, value) in new {
        match there.get(key) {
            Some(former) if former == value => {}
            Some(_) => return Err(StoreError::conflict(Entity::Run, id).into()),
            None => {
                let row = (params::run_id.eq(id.as_str()), params::key.eq(key), params::value.eq(value));
                let insert = diesel::insert_into(params::table).values(row);
                on_backend!(connection => insert.execute(connection).await)?;
            }
        }
    }
    Ok(())
}

async fn add_points(connection: &mut Connection, id: &RunId, points: &[Metric]) -> QueryResult<()> {
    let mut latest: BTreeMap<String, MetricRow> = BTreeMap::new();
    for point in points {
        let row = MetricRow::new(id, point);
        let insert = diesel::insert_into(metrics::table).values(&row).on_conflict_do_nothing();
        on_backend!(connection => insert.execute(connection).await)?;
        let is_later = latest.get(&row.key).is_none_or(|former| row.cmp_shown(former).is_gt());
        if is_later {
            latest.insert(row.key.clone(), row);
        }
    }
    for row in latest.values() {
        raise_latest(connection, row).await?;
    }
    Ok(())
}

/// Makes the point the one that the run shows, unless a later one is.
async fn raise_latest(connection: &mut Connection, row: &MetricRow) -> QueryResult<()> {
    let select = latest_metrics::table.find((row.run_id.as_str(), row.key.as_str()));
    let shown: Vec<MetricRow> = on_backend!(connection => select.load(connection).await)?;
    if shown.iter().any(|shown| shown.cmp_shown(row).is_ge()) {
        return Ok(());
    }
    let latest = row.as_latest();
    let insert = diesel::insert_into(latest_metrics::table)
        .values(&latest)
        .on_conflict((latest_metrics::run_id, latest_metrics::key))
        .do_update()
        .set(&latest);
    on_backend!(connection => insert.execute(connection).await)?;
    Ok(())
}

async fn put_tag(connection: &mut Connection, id: &RunId, key: &str, value: &str) -> QueryResult<()> {
    let insert = diesel::insert_into(tags::table)
        .values((tags::run_id.eq(id.as_str()), tags::key.eq(key), tags::value.eq(value)))
        .on_conflict((tags::run_id, tags::key))
        .do_update()
        .set(tags::value.eq(value));
    on_backend!(connection => insert.execute(connection).await)?;
    Ok(())
}

async fn add_inputs(connection: &mut Connection, id: &RunId, inputs: &[DatasetInput]) -> QueryResult<()> {
    let of_run = run_inputs::table.filter(run_inputs::run_id.eq(id.as_str()));
    let select = of_run.select(max(run_inputs::place));
    let last: Option<i64> = on_backend!(connection => select.get_result(connection).await)?;
    let first = last.map_or(0, |last| last + 1);
    for (place, input) in (first..).zip(inputs) {
        let insert = diesel::insert_into(run_inputs::table)
            .values((
                run_inputs::run_id.eq(id.as_str()),
                run_inputs::name.eq(&input.name),
                run_inputs::digest.eq(&input.digest),
                run_inputs::place.eq(place),
                run_inputs::body.eq(JsonText::of(input)),
            ))
            .on_conflict_do_nothing();
        on_backend!(connection => insert.execute(connection).await)?;
    }
    Ok(())
}
