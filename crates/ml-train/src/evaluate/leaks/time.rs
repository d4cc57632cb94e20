//! Knowledge of the future: training rows that are later than what is judged, and columns that are later than the event.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use ml_core::table::{Column, ColumnValues, TableError};

use crate::model::TrainedModel;
use crate::spec::Reads;
use crate::unfit::read_time;

use super::{Leak, LeakKind, LeakRows, TimeOrder};

/// The column that says when each row happened.
const EVENT_TIME: &str = "event_time";

/// On how many texts a column is tried for being one of times.
const MAX_TEXTS_TRIED: usize = 100;

/// Looks at the times of the rows, where they have some.
pub(super) fn find(model: &TrainedModel, rows: LeakRows<'_>) -> Result<Vec<Leak>, TableError> {
    let Some(event_time) = rows.table.find(EVENT_TIME) else { return Ok(Vec::new()) };
    let ColumnValues::Time(events) = &event_time.values else { return Ok(Vec::new()) };
    let mut leaks = Vec::new();

    let looks_at_order = model.spec.derive.iter().any(|derive| derive.order.is_some());
    let first_scored = rows.scored.iter().filter_map(|&row| events[row]).min();
    if let Some(first_scored) = first_scored
        && (rows.time_order == TimeOrder::Expected || looks_at_order)
    {
        let n_later = rows.train.iter().filter(|&&row| events[row].is_some_and(|event| event > first_scored)).count();
        if n_later > 0 {
            leaks.push(Leak {
                kind: LeakKind::LaterTraining,
                column: Some(EVENT_TIME.to_owned()),
                n_rows: n_later,
                n_samples: rows.train.len(),
                message: format!(
                    "{n_later} of {} rows that the model was fitted on are later than the first one it is judged on: it knows the future of those; divide the rows by time, such as with --split time:80/20",
                    rows.train.len()
                ),
            });
        }
    }

    let all = || rows.train.iter().chain(rows.scored);
    for column in super::columns_of_same_row(model, rows)?.into_iter().filter(|column| column.name != EVENT_TIME) {
        let Some(times) = times_of(model, column, all()) else { continue };
        let is_later =
            |row: &&usize| matches!((times[**row], events[**row]), (Some(time), Some(event)) if time > event);
        let n_rows = all().filter(is_later).count();
        if n_rows > 0 {
            let n_samples = all().count();
            leaks.push(Leak {
                kind: LeakKind::LaterColumn,
                column: Some(column.name.clone()),
                n_rows,
                n_samples,
                message: format!(
                    "`{}` is after `{EVENT_TIME}` in {n_rows} of {n_samples} rows: it is not known yet when it happens; leave it out, or join it as of the event",
                    column.name
                ),
            });
        }
    }
    Ok(leaks)
}

/// Returns the instants of a column of times, also of one whose times are texts, as files of text have them: one that the pipeline
/// reads as times, or of which every text that is tried is one.
fn times_of<'c, 'r>(
    model: &TrainedModel,
    column: &'c Column,
    rows: impl Iterator<Item = &'r usize>,
) -> Option<Cow<'c, [Option<DateTime<Utc>>]>> {
    let texts = match &column.values {
        ColumnValues::Time(times) => return Some(Cow::Borrowed(times)),
        ColumnValues::Text(texts) => texts,
        _ => return None,
    };
    let mut features = model.spec.features.iter();
    let is_read_as_times =
        features.any(|feature| feature.reads() == Reads::Times && feature.columns.contains(&column.name));
    let mut tried = rows.filter_map(|&row| texts[row].as_deref()).take(MAX_TEXTS_TRIED).peekable();
    let are_times = is_read_as_times || (tried.peek().is_some() && tried.all(|text| read_time(text).is_some()));
    are_times.then(|| Cow::Owned(texts.iter().map(|text| read_time(text.as_deref()?)).collect()))
}
