//! Builds what models and pipeline steps produce.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{model_name, record_id, result_id, run_id, second};
use crate::result::{Embedding, IntermediateResult, Prediction};

/// Builds a [`Prediction`].
#[derive(Debug, Clone)]
pub struct PredictionBuilder(Prediction);

/// Starts with what version 1 of `news` says of the record `r1`: `up` with probability 0.75, at [`second`] zero.
pub fn a_prediction() -> PredictionBuilder {
    PredictionBuilder(Prediction {
        id: result_id("set when built"),
        model_name: model_name("news"),
        model_version: 1,
        record_id: record_id("r1"),
        target: "direction".to_owned(),
        value: json!("up"),
        probability: Some(0.75),
        details: Map::new(),
        event_time: Some(second(0)),
        predicted_at: second(0),
    })
}

setters!(PredictionBuilder {
    /// Sets the model.
    model_name(name: &str) => model_name = model_name(name);
    /// Sets the number of the version.
    model_version(version: u32) => model_version = version;
    /// Sets the record that was scored.
    record_id(id: &str) => record_id = record_id(id);
    /// Sets the target column.
    target(target: &str) => target = target.to_owned();
    /// Sets the predicted value.
    value(value: Value) => value = value;
    /// Sets or removes the probability.
    probability(probability: Option<f64>) => probability = probability;
    /// Sets the details.
    details(details: Map<String, Value>) => details = details;
    /// Sets or removes when the scored thing happened.
    event_time(instant: Option<DateTime<Utc>>) => event_time = instant;
    /// Sets when it was scored.
    predicted_at(instant: DateTime<Utc>) => predicted_at = instant;
});

impl PredictionBuilder {
    /// Returns the prediction with the id that its model version and record give it.
    pub fn build(self) -> Prediction {
        let prediction = self.0;
        let id = Prediction::id_of(&prediction.model_name, prediction.model_version, &prediction.record_id);
        Prediction { id, ..prediction }
    }
}

/// Builds an [`Embedding`].
#[derive(Debug, Clone)]
pub struct EmbeddingBuilder(Embedding);

/// Starts with the vector `e1` of three numbers that `tf-idf@1` made of the record `r1` at [`second`] zero.
pub fn an_embedding() -> EmbeddingBuilder {
    EmbeddingBuilder(Embedding {
        id: result_id("e1"),
        record_id: record_id("r1"),
        model: "tf-idf@1".to_owned(),
        vector: vec![0.5, -0.25, 1.0],
        created_at: second(0),
    })
}

setters!(EmbeddingBuilder {
    /// Sets the id.
    id(id: &str) => id = result_id(id);
    /// Sets the record that was embedded.
    record_id(id: &str) => record_id = record_id(id);
    /// Sets what made the vector.
    model(model: &str) => model = model.to_owned();
    /// Sets the vector.
    vector(vector: Vec<f32>) => vector = vector;
    /// Sets when it was made.
    created_at(instant: DateTime<Utc>) => created_at = instant;
});

build_as_is!(EmbeddingBuilder => Embedding);

/// Builds an [`IntermediateResult`].
#[derive(Debug, Clone)]
pub struct IntermediateResultBuilder(IntermediateResult);

/// Starts with `i1`, left by the step `fit` of the run `run1` at [`second`] zero.
pub fn an_intermediate_result() -> IntermediateResultBuilder {
    IntermediateResultBuilder(IntermediateResult {
        id: result_id("i1"),
        run_id: run_id("run1"),
        step: "fit".to_owned(),
        body: json!({"n_features": 3}),
        created_at: second(0),
    })
}

setters!(IntermediateResultBuilder {
    /// Sets the id.
    id(id: &str) => id = result_id(id);
    /// Sets the run.
    run_id(id: &str) => run_id = run_id(id);
    /// Sets the step.
    step(step: &str) => step = step.to_owned();
    /// Sets what the step left.
    body(body: Value) => body = body;
    /// Sets when it was made.
    created_at(instant: DateTime<Utc>) => created_at = instant;
});

build_as_is!(IntermediateResultBuilder => IntermediateResult);
