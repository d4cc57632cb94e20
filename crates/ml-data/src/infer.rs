//! Inference: what the fields of a collection are like, and the mapping and rules that this suggests.
//!
//! Some records are looked at, and for each path into them it is counted what stands there. From these counts a fragment of
//! pipeline.yaml is written, each line with its evidence, for a person to read, mend and accept.

mod proposal;
mod shape;
mod yaml;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use ml_core::document::{DocumentStore, RecordQuery};
use ml_core::error::StoreError;
use ml_core::page::PageRequest;
use ml_core::record::{Collection, DataType, SourceApp};

pub use self::shape::Shape;

/// How many records are read at a time.
const PAGE_SIZE: usize = 500;

/// Of how many records for each that is looked at one is taken, at most.
const MAX_STRIDE: u64 = 10;

/// Deeper values are not looked into.
const MAX_DEPTH: usize = 8;

/// No more paths than these are told apart.
const MAX_PATHS: usize = 1_000;

/// Which records to look at.
#[derive(Debug, Clone)]
pub struct InferRequest {
    /// The collection they are in.
    pub collection: Collection,
    /// What kind they are.
    pub data_type: DataType,
    /// From this application alone.
    pub source_app: Option<SourceApp>,
    /// How many, at least 1.
    pub n_sample: usize,
}

/// What the records are like.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inference {
    /// What kind they are.
    pub data_type: DataType,
    /// The application they are from, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_app: Option<SourceApp>,
    /// How many there are.
    pub n_records: u64,
    /// How many were looked at: in the order of their ids, one of so many that they reach as far as ten times their number.
    pub n_sampled: u64,
    /// How many of those are no objects, and have no fields.
    pub n_without_fields: u64,
    /// Whether there were more paths than are told apart.
    pub is_cut: bool,
    /// What stands at each path.
    pub paths: BTreeMap<String, Shape>,
}

/// Looks at records and says what they are like.
///
/// # Errors
/// What the store says.
pub async fn infer(documents: &dyn DocumentStore, request: &InferRequest) -> Result<Inference, StoreError> {
    let InferRequest { collection, data_type, source_app, n_sample } = request.clone();
    let query =
        RecordQuery { data_type: Some(data_type.clone()), source_app: source_app.clone(), ..RecordQuery::default() };
    let n_records = documents.count(collection, &query).await?;
    let n_sample = n_sample.max(1) as u64;
    let stride = n_records.div_ceil(n_sample).clamp(1, MAX_STRIDE);
    let mut inference = Inference {
        data_type,
        source_app,
        n_records,
        n_sampled: 0,
        n_without_fields: 0,
        is_cut: false,
        paths: BTreeMap::new(),
    };
    let mut next = Some(PageRequest::first(PAGE_SIZE));
    let mut n_read = 0_u64;
    while let Some(request) = next.take() {
        let page = documents.list(collection, &query, request).await?;
        for record in page.items {
            if n_read.is_multiple_of(stride) && inference.n_sampled < n_sample {
                inference.see(&record.raw_content);
            }
            n_read += 1;
        }
        if inference.n_sampled < n_sample {
            next = page.next_cursor.map(|cursor| PageRequest::first(PAGE_SIZE).after(cursor));
        }
    }
    Ok(inference)
}

impl Inference {
    /// Looks at the content of one more record.
    fn see(&mut self, content: &Value) {
        self.n_sampled += 1;
        match content {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.see_at(name.clone(), value, 1, self.n_sampled);
                }
            }
            _ => self.n_without_fields += 1,
        }
    }

    fn see_at(&mut self, path: String, value: &Value, depth: usize, record: u64) {
        if !self.paths.contains_key(&path) && self.paths.len() >= MAX_PATHS {
            self.is_cut = true;
            return;
        }
        self.paths.entry(path.clone()).or_default().see(value, record);
        if depth >= MAX_DEPTH {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.see_at(format!("{path}.{name}"), value, depth + 1, record);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.see_at(format!("{path}[*]"), item, depth + 1, record);
                }
            }
            _ => {}
        }
    }

    /// Writes the fragment of pipeline.yaml that this suggests.
    pub fn to_yaml(&self) -> String {
        proposal::write(self)
    }
}
