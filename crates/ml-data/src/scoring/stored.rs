//! What a prediction says of the document that it was made of.

use ml_core::digest::Digest;
use ml_core::id::RecordId;
use ml_core::record::{Collection, RawRecord};
use ml_core::result::Prediction;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where it stands among the details.
const DOCUMENT: &str = "document";
/// Which scorer it was, among the details.
const SCORER: &str = "scorer";

/// Which version of which document was scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ScoredDocument {
    /// Its collection.
    pub(super) collection: Collection,
    /// Its id there.
    pub(super) id: RecordId,
    /// The digest of all that was sent.
    pub(super) content_hash: Digest,
    /// The digest of what the scorer read of it.
    pub(super) input_hash: Digest,
}

impl ScoredDocument {
    pub(super) fn of(collection: Collection, record: &RawRecord, inputs: &Map<String, Value>) -> ScoredDocument {
        let input_hash = Digest::of_json(&Value::Object(inputs.clone()));
        ScoredDocument { collection, id: record.id.clone(), content_hash: record.content_hash, input_hash }
    }

    /// Returns what `prediction` says; nothing where another command made it.
    pub(super) fn of_prediction(prediction: &Prediction) -> Option<ScoredDocument> {
        ScoredDocument::deserialize(prediction.details.get(DOCUMENT)?).ok()
    }

    /// Writes it, and which scorer it was, into the details of a prediction.
    pub(super) fn note(&self, scorer: &str, details: &mut Map<String, Value>) {
        let document = serde_json::to_value(self).expect("names and digests are JSON");
        details.insert(DOCUMENT.to_owned(), document);
        details.insert(SCORER.to_owned(), Value::from(scorer));
    }
}
