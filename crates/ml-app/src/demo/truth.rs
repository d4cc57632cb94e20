//! What turned out to be true for the scored rows: in the demo it is known at once, and written down as an application would.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use ml_core::dataset::{DatasetVersion, Split};
use ml_core::table::{Column, ColumnValues, Table};
use ml_data::dataset::split::split_of;
use ml_data::dataset::{EVENT_TIME_COLUMN, ID_COLUMN};
use ml_train::spec::PipelineSpec;

use crate::compose::App;

use super::bundle::Subject;

/// Writes the truths of the test rows of `dataset` as JSON lines into `folder`, and returns where.
pub(super) async fn write(
    app: &App,
    subject: &Subject,
    spec: &PipelineSpec,
    dataset: &DatasetVersion,
    folder: &Path,
) -> anyhow::Result<PathBuf> {
    let table = app.datasets.load(dataset).await?;
    let path = folder.join(format!("{}-truth.jsonl", subject.dataset));
    let derived = ml_train::derive::derive(spec, &table)?;
    let lines = lines(&derived, &spec.target, split_of(&table)?.of(Split::Test))?;
    crate::file::replace(&path, |file| Ok(file.write_all(lines.as_bytes())?))?;
    Ok(path)
}

fn lines(table: &Table, target: &str, rows: &[usize]) -> anyhow::Result<String> {
    let ids = table.get(ID_COLUMN)?.as_texts();
    let times = table.get(EVENT_TIME_COLUMN)?.as_times()?;
    let truths = table.get(target)?;
    let mut text = String::new();
    for &row in rows {
        let Some(value) = value_at(truths, row) else { continue };
        let observed_at = times[row].context("a row of the demo has no event time")?;
        let line = json!({"record_id": ids[row], "target": target, "value": value, "observed_at": observed_at});
        text.push_str(&line.to_string());
        text.push('\n');
    }
    Ok(text)
}

fn value_at(column: &Column, row: usize) -> Option<Value> {
    match &column.values {
        ColumnValues::Number(values) => values[row].is_finite().then(|| Value::from(values[row])),
        ColumnValues::Integer(values) => values[row].map(Value::from),
        ColumnValues::Boolean(values) => values[row].map(Value::from),
        ColumnValues::Text(values) => values[row].clone().map(Value::from),
        ColumnValues::Time(_) => None,
    }
}
