//! Queries as MongoDB takes them.

use ml_core::document::RecordQuery;
use ml_core::id::RecordId;
use mongodb::bson::{Bson, Document, doc};
use serde_json::Value;

use crate::codec::{instant, names, write};

/// Returns the filter for what `query` restricts, with ids after `after`.
///
/// Only ids that are texts match: what has another id is no record, and the feed tells of it.
pub(super) fn of(query: &RecordQuery, after: Option<&RecordId>) -> Document {
    let mut conditions = vec![match after {
        Some(id) => doc! { "_id": { "$gt": id.as_str() } },
        None => doc! { "_id": { "$gte": "" } },
    }];
    if let Some(data_type) = &query.data_type {
        conditions.push(doc! { "data_type": data_type.as_str() });
    }
    if let Some(source_app) = &query.source_app {
        conditions.push(doc! { "source_app": source_app.as_str() });
    }
    if let Some(source) = &query.source {
        conditions.push(doc! { "source": source });
    }
    conditions.extend(query.scraped_from.into_iter().flat_map(|time| instant::at_or_after("scraped_at", time)));
    conditions.extend(query.scraped_before.into_iter().flat_map(|time| instant::before("scraped_at", time)));
    conditions.extend(query.known_by.into_iter().flat_map(|time| instant::at_or_before("ingested_at", time)));
    if !query.content_equals.is_empty() {
        // A path looks into the items of an array too, and content that is one has no fields.
        conditions.push(doc! { "raw_content": { "$not": { "$type": "array" } } });
    }
    conditions.extend(query.content_equals.iter().map(|(field, value)| content_equals(field, value)));
    doc! { "$and": conditions }
}

fn content_equals(field: &str, value: &Value) -> Document {
    let path = format!("raw_content.{}", names::encoded(field));
    let equals = match write::field("value", value).remove("value") {
        // Equality with null holds for what is not there as well.
        None | Some(Bson::Null) => doc! { "$type": "null" },
        Some(array @ Bson::Array(_)) => return doc! { path: { "$eq": array } },
        Some(value) => doc! { "$eq": value },
    };
    doc! { "$and": [{ path.clone(): equals }, { path: { "$not": { "$type": "array" } } }] }
}
