//! Results as other programs see them, and several writers of the same ones.

use ml_core::document::UpsertCounts;
use ml_core::page::PageRequest;
use ml_core::result::{Figure, FigureKind, Prediction, PredictionQuery, PredictionStore};
use ml_core::testkit::build::{a_prediction, result_id, second};
use ml_core::testkit::concurrently::concurrently;
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::fixture::TestDatabase;

#[tokio::test]
async fn of_versions_that_race_the_newest_stays() {
    let Some(database) = TestDatabase::new() else { return };
    let stores = [database.migrated().await, database.connect().await, database.connect().await];
    let version = |id: usize, time: i64| {
        let record_id = format!("r{id:02}");
        a_prediction().record_id(&record_id).value(json!(time)).predicted_at(second(time)).build()
    };
    let n_versions = 12;
    // Later versions first, so that most writers come with something outdated.
    let batches: Vec<Vec<Prediction>> =
        (0..n_versions).rev().map(|time| (0..40).map(|id| version(id, time)).collect()).collect();
    let writers = batches.iter().enumerate().map(|(writer, predictions)| stores[writer % 3].upsert(predictions));

    let mut total = UpsertCounts::default();
    for counts in concurrently(writers).await {
        total += counts.unwrap();
    }

    assert_eq!((total.inserted, total.total()), (40, 40 * n_versions as u64));
    let everything = PredictionQuery::default();
    let stored = stores[0].list(&everything, PageRequest::first(100)).await.unwrap().items;
    assert_eq!(stored.len(), 40);
    let newest = |prediction: &&Prediction| prediction.value == json!(n_versions - 1);
    assert_eq!(stored.iter().filter(newest).count(), 40, "{stored:?}");
}

#[tokio::test]
async fn results_say_that_they_came_from_here() {
    let Some(database) = TestDatabase::new() else { return };
    let store = database.migrated().await;
    PredictionStore::upsert(&store, &[a_prediction().build()]).await.unwrap();
    let figure = Figure { id: result_id("f"), body: json!({"metadata": 1}), recorded_at: second(1) };
    ml_core::result::FigureStore::upsert(&store, FigureKind::ModelPerformance, &[figure]).await.unwrap();
    for collection in ["predictions", "model_performance"] {
        let documents = database.outside().await.collection::<Document>(collection);
        let marked = doc! { "metadata": { "origin": "ml-app" } };
        assert_eq!(documents.count_documents(marked).await.unwrap(), 1, "{collection}");
    }
}
