//! A point of a metric as columns.

use std::cmp::Ordering;

use diesel::prelude::{Insertable, Queryable};
use ml_core::id::RunId;
use ml_core::run::Metric;

use crate::schema::sql::{latest_metrics, metrics};
use crate::types::Instant;

/// A row of `metrics`, and of `latest_metrics`, which has the same columns.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable)]
#[diesel(table_name = metrics, treat_none_as_default_value = false)]
pub(super) struct MetricRow {
    pub(super) run_id: String,
    pub(super) key: String,
    pub(super) timestamp: Instant,
    pub(super) step: i64,
    /// SQLite keeps no NaN, so it is told by this, beside a value of 0.
    pub(super) is_nan: bool,
    pub(super) value: f64,
}

/// The same for the other table; diesel ties a struct to one.
#[derive(Debug, Insertable)]
#[diesel(table_name = latest_metrics, treat_none_as_default_value = false)]
pub(super) struct LatestRow<'a> {
    pub(super) run_id: &'a str,
    pub(super) key: &'a str,
    pub(super) timestamp: Instant,
    pub(super) step: i64,
    pub(super) is_nan: bool,
    pub(super) value: f64,
}

impl MetricRow {
    pub(super) fn new(run_id: &RunId, metric: &Metric) -> MetricRow {
        MetricRow {
            run_id: run_id.as_str().to_owned(),
            key: metric.key.clone(),
            timestamp: Instant(metric.timestamp),
            step: metric.step,
            is_nan: metric.value.is_nan(),
            value: if metric.value.is_nan() { 0.0 } else { metric.value },
        }
    }

    pub(super) fn into_metric(self) -> Metric {
        let value = if self.is_nan { f64::NAN } else { self.value };
        Metric { key: self.key, value, step: self.step, timestamp: self.timestamp.0 }
    }

    pub(super) fn as_latest(&self) -> LatestRow<'_> {
        LatestRow {
            run_id: &self.run_id,
            key: &self.key,
            timestamp: self.timestamp,
            step: self.step,
            is_nan: self.is_nan,
            value: self.value,
        }
    }

    /// Orders points of one metric so that the one a run shows is the greatest; NaN is below every number.
    pub(super) fn cmp_shown(&self, other: &MetricRow) -> Ordering {
        (self.step, self.timestamp, !self.is_nan)
            .cmp(&(other.step, other.timestamp, !other.is_nan))
            .then_with(|| self.value.total_cmp(&other.value))
    }
}
