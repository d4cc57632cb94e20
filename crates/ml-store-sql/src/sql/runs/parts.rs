//! What runs logged, for many runs at once.

use std::collections::{BTreeMap, HashMap};

use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use ml_core::error::{Entity, StoreError};
use ml_core::run::{DatasetInput, Metric};

use super::metric::MetricRow;
use crate::connection::{Connection, on_backend};
use crate::error::Failure;
use crate::schema::sql::{latest_metrics, params, run_inputs, tags};
use crate::sql::KEYS_PER_QUERY;
use crate::types::JsonText;

/// What one run logged.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) params: BTreeMap<String, String>,
    pub(super) metrics: BTreeMap<String, Metric>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) inputs: Vec<DatasetInput>,
}

type PartsById = HashMap<String, Parts>;

/// Loads what these runs logged, by run id; a run that logged nothing may be absent.
pub(super) async fn load(connection: &mut Connection, run_ids: &[&str]) -> Result<PartsById, Failure> {
    let mut parts = PartsById::with_capacity(run_ids.len());
    for some in run_ids.chunks(KEYS_PER_QUERY) {
        load_params(connection, some, &mut parts).await?;
        load_metrics(connection, some, &mut parts).await?;
        load_tags(connection, some, &mut parts).await?;
        load_inputs(connection, some, &mut parts).await?;
    }
    Ok(parts)
}

async fn load_params(connection: &mut Connection, run_ids: &[&str], parts: &mut PartsById) -> QueryResult<()> {
    let select = params::table.filter(params::run_id.eq_any(run_ids.iter().copied()));
    let rows: Vec<(String, String, String)> = on_backend!(connection => select.load(connection).await)?;
    for (run_id, key, value) in rows {
        parts.entry(run_id).or_default().params.insert(key, value);
    }
    Ok(())
}

async fn load_metrics(connection: &mut Connection, run_ids: &[&str], parts: &mut PartsById) -> QueryResult<()> {
    let select = latest_metrics::table.filter(latest_metrics::run_id.eq_any(run_ids.iter().copied()));
    let rows: Vec<MetricRow> = on_backend!(connection => select.load(connection).await)?;
    for row in rows {
        let of_run = &mut parts.entry(row.run_id.clone()).or_default().metrics;
        of_run.insert(row.key.clone(), row.into_metric());
    }
    Ok(())
}

async fn load_tags(connection: &mut Connection, run_ids: &[&str], parts: &mut PartsById) -> QueryResult<()> {
    let select = tags::table.filter(tags::run_id.eq_any(run_ids.iter().copied()));
    let rows: Vec<(String, String, String)> = on_backend!(connection => select.load(connection).await)?;
    for (run_id, key, value) in rows {
        parts.entry(run_id).or_default().tags.insert(key, value);
    }
    Ok(())
}

async fn load_inputs(connection: &mut Connection, run_ids: &[&str], parts: &mut PartsById) -> Result<(), Failure> {
    let select = run_inputs::table
        .filter(run_inputs::run_id.eq_any(run_ids.iter().copied()))
        .order((run_inputs::run_id, run_inputs::place))
        .select((run_inputs::run_id, run_inputs::body));
    let rows: Vec<(String, JsonText)> = on_backend!(connection => select.load(connection).await)?;
    for (run_id, body) in rows {
        let input = body.parse().map_err(|err| StoreError::corrupt(Entity::Run, &run_id, err))?;
        parts.entry(run_id).or_default().inputs.push(input);
    }
    Ok(())
}
