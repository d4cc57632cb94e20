//! Documents as values of a feature source.

use chrono::{DateTime, Utc};
use ml_core::id::RecordId;
use ml_core::record::{Collection, RawRecord};
use ml_core::sync::ValidatedRow;
use serde_json::Value;

use super::feature_source::DocumentForm;
use super::joiner::Joiner;
use super::read::Reading;
use crate::dataset::blocking::blocking;
use crate::dataset::cells::Cell;
use crate::dataset::error::DatasetError;
use crate::dataset::named_cells::NamedCells;
use crate::field::{FieldPath, Fields};
use crate::hints::FieldHints;
use crate::instant::parse_instant;
use crate::pipeline::{Judged, SettleError, Verdict, flatten, judge_batch};

/// Gives `records` to `joiner` in the form that is asked for.
pub(super) async fn add_documents(
    joiner: Joiner,
    collection: Collection,
    form: &DocumentForm,
    reading: &Reading<'_>,
    records: Vec<RawRecord>,
) -> Result<Joiner, DatasetError> {
    match form {
        DocumentForm::Pipeline => {
            let mut judged = judge_batch(reading.pipeline, collection, records).await;
            reading.pipeline.settle(&mut judged, &*reading.stores.references).await.map_err(|error| match error {
                SettleError::Reference { place, source } => DatasetError::Reference { place, source },
                SettleError::Store(source) => DatasetError::Store(source),
            })?;
            blocking(move || add_judged(joiner, judged)).await
        }
        DocumentForm::Raw { event_time } => {
            let event_time = event_time.clone();
            blocking(move || add_raw(joiner, event_time.as_ref(), records)).await
        }
    }
}

fn add_judged(mut joiner: Joiner, judged: Vec<Judged>) -> Result<Joiner, DatasetError> {
    for Judged { verdict, .. } in judged {
        let Verdict::Passed(rows) = verdict else {
            joiner.add_unfit();
            continue;
        };
        for row in rows {
            match row {
                ValidatedRow::Global(row) => joiner.add_value(&row)?,
                ValidatedRow::MarketMetric(row) => joiner.add_value(&row)?,
                ValidatedRow::UserInteraction(row) => joiner.add_value(&row)?,
                // A truth belongs to a record and has no entity.
                ValidatedRow::GroundTruth(_) => joiner.add_unfit(),
            }
        }
    }
    Ok(joiner)
}

fn add_raw(
    mut joiner: Joiner,
    event_time: Option<&FieldPath>,
    records: Vec<RawRecord>,
) -> Result<Joiner, DatasetError> {
    for record in records {
        match RawValue::of(record, event_time) {
            Some(value) => joiner.add_value(&value)?,
            None => joiner.add_unfit(),
        }
    }
    Ok(joiner)
}

/// A record as it was sent, flat.
struct RawValue {
    id: RecordId,
    event_time: DateTime<Utc>,
    known_time: DateTime<Utc>,
    fields: Fields,
}

impl RawValue {
    /// Returns nothing for content without fields, or without a readable event time in the field that has to have it.
    fn of(record: RawRecord, event_time: Option<&FieldPath>) -> Option<RawValue> {
        let Value::Object(content) = record.raw_content else { return None };
        let hint = FieldHints::of(&record.metadata).event_time;
        let event_time = match (event_time, hint.and_then(|hint| hint.get_filled(&content))) {
            (Some(field), _) => parse_instant(field.get_filled(&content)?, &[]).ok()?,
            (None, Some(value)) => parse_instant(value, &[]).ok()?,
            (None, None) => record.scraped_at.unwrap_or(record.ingested_at),
        };
        let mut fields = Fields::new();
        for (name, value) in content {
            flatten(name, value, &mut fields);
        }
        Some(RawValue { id: record.id, event_time, known_time: record.ingested_at, fields })
    }
}

impl NamedCells for RawValue {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn event_time(&self) -> DateTime<Utc> {
        self.event_time
    }

    fn known_time(&self) -> DateTime<Utc> {
        self.known_time
    }

    /// Every field has its own name here: a key or a column is the field, also where it is called `id`.
    fn cell(&self, name: &str) -> Cell {
        self.column(name)
    }

    fn column(&self, name: &str) -> Cell {
        self.fields.get(name).map_or(Cell::Missing, |value| Cell::from_json(value.clone()))
    }

    fn for_each_name<'a>(&'a self, see: &mut dyn FnMut(&'a str)) {
        self.fields.keys().for_each(|name| see(name));
    }
}
