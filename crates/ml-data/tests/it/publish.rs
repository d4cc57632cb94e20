//! Publishing: what waits in the outbox reaches the documents once, and writing goes where the routing table says.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use ml_core::error::StoreError;
use ml_core::id::{OutboxId, ResultId};
use ml_core::outbox::{OutboxEntry, OutboxStore};
use ml_core::page::PageRequest;
use ml_core::record::DataType;
use ml_core::result::{Figure, FigureKind, FigureStore, Prediction, PredictionQuery, PredictionStore, ResultKind};
use ml_core::testkit::build::{a_model_performance, a_prediction, an_outbox_entry, data_type, second};
use ml_data::backoff::PATIENCE;
use ml_data::manager::{DataManager, DataRecord, DataStores, ManagerError, ReadQuery, Results};
use ml_data::publish::Publisher;
use ml_data::routing::{ResultRoute, Routing, RoutingConfig};

use crate::fixture::{Fixture, request};
use crate::flaky::FlakyPredictions;

fn publisher(fixture: &Fixture) -> Publisher {
    Publisher {
        outbox: fixture.sql.clone(),
        predictions: fixture.documents.clone(),
        embeddings: fixture.documents.clone(),
        intermediate_results: fixture.documents.clone(),
        figures: fixture.documents.clone(),
        clock: fixture.clock.clone(),
        patience: PATIENCE,
    }
}

fn manager(fixture: &Fixture, routing: &RoutingConfig) -> DataManager {
    let (documents, sql) = (fixture.documents.clone(), fixture.sql.clone());
    let stores = DataStores {
        documents: documents.clone(),
        global_data: sql.clone(),
        market_metrics: sql.clone(),
        user_interactions: sql.clone(),
        ground_truth: sql.clone(),
        predictions: documents.clone(),
        embeddings: documents.clone(),
        intermediate_results: documents.clone(),
        figures: documents,
        evaluations: sql.clone(),
        outbox: sql,
    };
    DataManager::new(Arc::new(Routing::new(routing).unwrap()), stores, fixture.clock.clone())
}

fn entry_of(prediction: &Prediction) -> OutboxEntry {
    let mut entry = an_outbox_entry().body(serde_json::to_value(prediction).unwrap()).build();
    entry.id = OutboxId::parse(prediction.id.as_str()).unwrap();
    entry
}

fn predictions(n: u32) -> Vec<Prediction> {
    (0..n).map(|number| a_prediction().record_id(&format!("r{number}")).build()).collect()
}

async fn delivered(fixture: &Fixture) -> Vec<Prediction> {
    let page = PageRequest::first(50_000);
    PredictionStore::list(&*fixture.documents, &PredictionQuery::default(), page).await.unwrap().items
}

#[tokio::test]
async fn a_second_publication_changes_nothing() {
    let fixture = Fixture::default();
    let mut expected = predictions(2_500);
    let entries: Vec<OutboxEntry> = expected.iter().map(entry_of).collect();
    fixture.sql.enqueue(&entries).await.unwrap();
    let cancel = CancellationToken::new();
    let report = publisher(&fixture).publish(&cancel).await.unwrap();
    assert_eq!(report.n_delivered(), 2_500);
    expected.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(delivered(&fixture).await, expected);
    fixture.sql.enqueue(&entries).await.unwrap();
    assert_eq!(publisher(&fixture).publish(&cancel).await.unwrap().n_delivered(), 0);
    assert_eq!(fixture.sql.counts().await.unwrap().delivered, 2_500);
}

#[tokio::test]
async fn an_entry_that_does_not_decode_does_not_hold_up_the_rest() {
    let fixture = Fixture::default();
    let good = predictions(1_500);
    let mut entries: Vec<OutboxEntry> = Vec::new();
    for number in 0..1_200 {
        entries.push(an_outbox_entry().id(&format!("bad{number:04}")).body(json!({"x": 1})).build());
    }
    entries.push(an_outbox_entry().id("figures").kind(ResultKind::ModelPerformance).build());
    entries.push(an_outbox_entry().id("other").body(serde_json::to_value(&good[0]).unwrap()).build());
    entries.extend(good.iter().map(entry_of));
    fixture.sql.enqueue(&entries).await.unwrap();
    let report = publisher(&fixture).publish(&CancellationToken::new()).await.unwrap();
    assert_eq!((report.n_delivered(), report.undecodable.len()), (1_500, 1_202));
    let message = |id: &str| {
        let found = report.undecodable.iter().find(|entry| entry.id.as_str() == id);
        found.map(|entry| entry.message.clone()).unwrap_or_default()
    };
    assert!(message("bad0000").starts_with("missing field"), "{}", message("bad0000"));
    assert!(message("figures").starts_with("missing field `body`"), "{}", message("figures"));
    assert!(message("other").ends_with("not that of the entry"), "{}", message("other"));
    assert_eq!(fixture.sql.counts().await.unwrap().pending, 1_202);
}

#[tokio::test]
async fn results_go_where_the_table_says() {
    let fixture = Fixture::default();
    let results = Results::Predictions(predictions(3));
    let mut routing = RoutingConfig::default();
    routing.results.insert(ResultKind::Predictions, ResultRoute::Documents);
    manager(&fixture, &routing).write(&results).await.unwrap();
    assert_eq!(delivered(&fixture).await.len(), 3);

    let by_outbox = Fixture::default();
    routing.results.insert(ResultKind::Predictions, ResultRoute::Outbox);
    manager(&by_outbox, &routing).write(&results).await.unwrap();
    assert_eq!(delivered(&by_outbox).await, []);
    publisher(&by_outbox).publish(&CancellationToken::new()).await.unwrap();
    assert_eq!(delivered(&by_outbox).await, delivered(&fixture).await);

    let figures = Results::ModelPerformance(vec![a_model_performance().build()]);
    let manager = manager(&fixture, &RoutingConfig::default());
    manager.write(&figures).await.unwrap();
    assert!(matches!(manager.write(&figures).await, Err(ManagerError::Store(_))), "figures are written once");
}

async fn read(manager: &DataManager, data_type: &DataType) -> Result<Vec<DataRecord>, ManagerError> {
    manager.read(data_type, &ReadQuery::default(), PageRequest::first(10)).await.map(|page| page.items)
}

#[tokio::test]
async fn records_are_read_from_where_the_table_says() {
    let fixture = Fixture::default();
    fixture.ingest("-", "{\"id\": 1, \"text\": \"x\"}", &request("text")).await.unwrap();
    fixture.ingest("-", "{\"id\": 2, \"x\": 1}", &request("tabular")).await.unwrap();
    fixture.sync().await.unwrap();
    let manager = manager(&fixture, &RoutingConfig::default());
    let texts = read(&manager, &data_type("text")).await.unwrap();
    assert!(matches!(texts.as_slice(), [DataRecord::Raw(_)]), "{texts:?}");
    let rows = read(&manager, &data_type("tabular")).await.unwrap();
    let [DataRecord::Global(row)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.data_type, data_type("tabular"));
    let err = read(&manager, &data_type("ground_truth")).await.unwrap_err();
    assert!(matches!(err, ManagerError::NotListed(_)), "{err}");
    let err = read(&manager, &data_type("tabula")).await.unwrap_err();
    assert!(err.to_string().contains("did you mean `tabular`?"), "{err}");
}

/// Publishes figures too.
fn publishing_figures() -> RoutingConfig {
    let mut routing = RoutingConfig::default();
    routing.results.insert(ResultKind::ModelPerformance, ResultRoute::Outbox);
    routing
}

async fn figures(fixture: &Fixture) -> Vec<Figure> {
    let page = PageRequest::first(100);
    FigureStore::list(&*fixture.documents, FigureKind::ModelPerformance, page).await.unwrap().items
}

#[tokio::test]
async fn a_published_figure_is_a_row_and_a_document() {
    let fixture = Fixture::default();
    let manager = manager(&fixture, &publishing_figures());
    let performance = a_model_performance().build();
    let results = Results::ModelPerformance(vec![performance.clone()]);
    manager.write(&results).await.unwrap();
    assert!(matches!(manager.write(&results).await, Err(ManagerError::Store(_))), "figures are written once");
    assert_eq!(fixture.sql.counts().await.unwrap().pending, 1);

    publisher(&fixture).publish(&CancellationToken::new()).await.unwrap();

    let published = figures(&fixture).await;
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].id.as_str(), performance.id.as_str());
    assert_eq!(published[0].body, serde_json::to_value(&performance).unwrap());
}

#[tokio::test]
async fn what_is_retracted_is_deleted_in_the_documents() {
    let fixture = Fixture::default();
    let manager = manager(&fixture, &publishing_figures());
    let predictions = predictions(3);
    manager.write(&Results::Predictions(predictions.clone())).await.unwrap();
    manager.write(&Results::ModelPerformance(vec![a_model_performance().id("p").build()])).await.unwrap();
    publisher(&fixture).publish(&CancellationToken::new()).await.unwrap();

    manager.retract(ResultKind::Predictions, &[predictions[1].id.clone()]).await.unwrap();
    manager.retract(ResultKind::ModelPerformance, &[ResultId::parse("p").unwrap()]).await.unwrap();
    let report = publisher(&fixture).publish(&CancellationToken::new()).await.unwrap();

    assert_eq!((report.n_delivered(), report.deletions), (2, 2));
    assert_eq!(delivered(&fixture).await.len(), 2);
    assert_eq!(figures(&fixture).await, []);
    assert_eq!(publisher(&fixture).publish(&CancellationToken::new()).await.unwrap().n_delivered(), 0);
}

#[tokio::test]
async fn a_publisher_that_lags_behind_does_not_have_the_last_word() {
    let fixture = Fixture::default();
    let version = |value: &str, time| a_prediction().value(json!(value)).predicted_at(second(time)).build();
    fixture.sql.enqueue(&[entry_of(&version("old", 1))]).await.unwrap();
    let read_by_the_slow_one = fixture.sql.list_pending(10).await.unwrap();
    fixture.sql.enqueue(&[entry_of(&version("new", 2))]).await.unwrap();
    publisher(&fixture).publish(&CancellationToken::new()).await.unwrap();

    // The slow one goes on: it delivers what it read, marks that, and ends.
    PredictionStore::upsert(&*fixture.documents, &[version("old", 1)]).await.unwrap();
    fixture.sql.mark_delivered(&read_by_the_slow_one, second(9)).await.unwrap();

    assert_eq!(delivered(&fixture).await, [version("new", 2)]);
    assert_eq!(fixture.sql.counts().await.unwrap().pending, 1, "it is delivered once more, to be sure");
    publisher(&fixture).publish(&CancellationToken::new()).await.unwrap();
    assert_eq!(delivered(&fixture).await, [version("new", 2)]);
}

/// Publishes 1,500 predictions, which are two batches, through `store`.
async fn publish_through(
    fixture: &Fixture,
    store: FlakyPredictions,
    cancel: &CancellationToken,
) -> (Result<u64, StoreError>, i64) {
    let entries: Vec<OutboxEntry> = predictions(1_500).iter().map(entry_of).collect();
    fixture.sql.enqueue(&entries).await.unwrap();
    let store = Arc::new(store);
    let publisher = Publisher { predictions: store.clone(), ..publisher(fixture) };
    let published = publisher.publish(cancel).await.map(|report| report.n_delivered());
    (published, store.n_away.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_document_store_that_is_away_is_waited_for() {
    for after_writing in [false, true] {
        let fixture = Fixture::default();
        let store = FlakyPredictions { after_writing, ..FlakyPredictions::away(fixture.documents.clone(), 5) };
        let (published, _) = publish_through(&fixture, store, &CancellationToken::new()).await;
        assert_eq!(published.unwrap(), 1_500);
        assert_eq!(delivered(&fixture).await.len(), 1_500);
        assert_eq!(fixture.sql.counts().await.unwrap().pending, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_store_that_stays_away_is_given_up() {
    let fixture = Fixture::default();
    let started = tokio::time::Instant::now();
    let store = FlakyPredictions::away(fixture.documents.clone(), i64::MAX);
    let (published, n_away) = publish_through(&fixture, store, &CancellationToken::new()).await;
    assert!(matches!(published, Err(StoreError::Unavailable { .. })), "{published:?}");
    assert!(started.elapsed() <= PATIENCE && started.elapsed() > PATIENCE / 3, "{:?}", started.elapsed());
    assert!((5..20).contains(&(i64::MAX - n_away)), "{} attempts", i64::MAX - n_away);
    assert_eq!(fixture.sql.counts().await.unwrap().pending, 1_500, "they wait for the next time");
}

#[tokio::test(start_paused = true)]
async fn what_waiting_does_not_mend_ends_publishing_at_once() {
    let fixture = Fixture::default();
    let error = || StoreError::Backend { operation: "writing predictions", source: "no such table".into() };
    let store = FlakyPredictions { error, ..FlakyPredictions::away(fixture.documents.clone(), i64::MAX) };
    let (published, n_away) = publish_through(&fixture, store, &CancellationToken::new()).await;
    assert!(matches!(published, Err(StoreError::Backend { .. })), "{published:?}");
    assert_eq!(n_away, i64::MAX - 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_can_be_stopped() {
    let fixture = Fixture::default();
    let cancel = CancellationToken::new();
    let store = FlakyPredictions::away(fixture.documents.clone(), i64::MAX);
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        cancel.cancel();
    };
    let ((published, _), ()) = tokio::join!(publish_through(&fixture, store, &cancel), stopping);
    assert_eq!(published.unwrap(), 0);
    assert_eq!(fixture.sql.counts().await.unwrap().pending, 1_500);
}
