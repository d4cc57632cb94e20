//! Scoring documents where they are: each once, and again only when what the scorer reads of it changed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use ml_core::document::DocumentStore;
use ml_core::error::{BoxError, StoreError};
use ml_core::model::{ModelName, SignatureColumn};
use ml_core::page::PageRequest;
use ml_core::record::Collection;
use ml_core::result::{Prediction, PredictionQuery, PredictionStore};
use ml_core::table::{ColumnKind, Table};
use ml_core::testkit::build::{data_type, model_name};
use ml_data::backoff::PATIENCE;
use ml_data::pipeline::Pipeline;
use ml_data::scoring::{DocumentScorer, DocumentScoring, Score, ScoringCounts, ScoringOptions, ScoringReport};

use crate::fixture::{Fixture, lines_of, request};
use crate::flaky::FlakyPredictions;

/// Predicts how long a text is; refuses a table with a text that says so.
struct Length {
    name: ModelName,
    version: u32,
    inputs: Vec<SignatureColumn>,
    texts: Vec<String>,
    n_scored: AtomicUsize,
}

impl Length {
    fn version(version: u32) -> Arc<Length> {
        let column = |name: &str| SignatureColumn { name: name.to_owned(), kind: ColumnKind::Text, required: true };
        Arc::new(Length {
            name: model_name("length"),
            version,
            inputs: vec![column("headline"), column("text")],
            texts: vec!["headline".to_owned(), "text".to_owned()],
            n_scored: AtomicUsize::new(0),
        })
    }
}

impl DocumentScorer for Length {
    fn model_name(&self) -> &ModelName {
        &self.name
    }

    fn model_version(&self) -> u32 {
        self.version
    }

    fn description(&self) -> String {
        format!("length@{}", self.version)
    }

    fn target(&self) -> &'static str {
        "length"
    }

    fn inputs(&self) -> &[SignatureColumn] {
        &self.inputs
    }

    fn text_columns(&self) -> &[String] {
        &self.texts
    }

    fn score(&self, table: &Table) -> Result<Vec<Score>, BoxError> {
        let texts = table.get("text")?.as_texts();
        assert_eq!(table.get("headline")?.values.kind(), ColumnKind::Text, "a column that no row has is there");
        if texts.iter().flatten().any(|text| text.contains("unfit")) {
            return Err("one of the rows is unfit".into());
        }
        self.n_scored.fetch_add(texts.len(), Ordering::SeqCst);
        let score = |text: &Option<_>| Score {
            value: json!(text.as_ref().map_or(0, |text: &std::borrow::Cow<'_, str>| text.len())),
            probability: None,
            details: Map::new(),
        };
        Ok(texts.iter().map(score).collect())
    }
}

fn scoring(fixture: &Fixture) -> DocumentScoring {
    DocumentScoring {
        documents: fixture.documents.clone(),
        feed: fixture.documents.clone(),
        predictions: fixture.documents.clone(),
        pipeline: Arc::new(Pipeline::default()),
        clock: fixture.clock.clone(),
        patience: PATIENCE,
    }
}

fn all() -> ScoringOptions {
    ScoringOptions::new(Collection::TextCorpus)
}

async fn run(fixture: &Fixture, scorer: &Arc<Length>, options: &ScoringOptions) -> ScoringReport {
    let scorer: Arc<dyn DocumentScorer> = scorer.clone();
    scoring(fixture).run(&scorer, options, &|_| {}, &CancellationToken::new()).await.unwrap()
}

async fn ingest(fixture: &Fixture, lines: impl Into<Vec<u8>>) {
    fixture.clock.advance(TimeDelta::seconds(1));
    fixture.ingest("texts", lines, &request("text")).await.unwrap();
}

async fn predictions(fixture: &Fixture) -> Vec<Prediction> {
    let page = PageRequest::first(50_000);
    let mut found = PredictionStore::list(&*fixture.documents, &PredictionQuery::default(), page).await.unwrap().items;
    found.sort_by(|one, other| one.record_id.cmp(&other.record_id));
    found
}

fn counts(scored: u64, unchanged: u64, without_prediction: u64) -> ScoringCounts {
    ScoringCounts { scored, unchanged, without_prediction, ..ScoringCounts::default() }
}

#[tokio::test]
async fn only_documents_whose_text_changed_are_scored_again() {
    let fixture = Fixture::default();
    ingest(&fixture, lines_of(1_200, |number| format!(r#"{{"id": "d{number}", "text": "text {number}", "by": "a"}}"#)))
        .await;
    let scorer = Length::version(1);
    assert_eq!(run(&fixture, &scorer, &all()).await.counts, counts(1_200, 0, 0));
    assert_eq!(run(&fixture, &scorer, &all()).await.counts, counts(0, 1_200, 0));

    // One text changes, and of another document something that the scorer does not read.
    let changes = "{\"id\": \"d3\", \"text\": \"a longer text\", \"by\": \"a\"}\n{\"id\": \"d4\", \"text\": \"text 4\", \"by\": \"b\"}\n";
    ingest(&fixture, changes).await;
    assert_eq!(run(&fixture, &scorer, &all()).await.counts, counts(1, 1_199, 0));
    assert_eq!(scorer.n_scored.load(Ordering::SeqCst), 1_201);
    let found = predictions(&fixture).await;
    assert_eq!(found.len(), 1_200);
    let of =
        |id: &str| found.iter().find(|prediction| prediction.details["document"]["id"] == format!("app:{id}")).unwrap();
    assert_eq!(of("d3").value, json!(13));
    assert!(of("d3").predicted_at > of("d4").predicted_at, "an unchanged text keeps the time it was scored at");
    assert_eq!(of("d4").details["scorer"], "length@1");
    assert_eq!(of("d4").record_id.as_str(), "text_corpus:app:d4", "the id of the row that it becomes");

    // The new version of the unchanged text is known by its hash now.
    let record =
        DocumentStore::get(&*fixture.documents, Collection::TextCorpus, &"app:d4".parse().unwrap()).await.unwrap();
    assert_eq!(of("d4").details["document"]["content_hash"], json!(record.content_hash));
}

#[tokio::test]
async fn another_version_of_the_scorer_scores_all_and_leaves_the_former_predictions() {
    let fixture = Fixture::default();
    ingest(&fixture, lines_of(5, |number| format!(r#"{{"id": "d{number}", "text": "text {number}"}}"#))).await;
    run(&fixture, &Length::version(1), &all()).await;
    assert_eq!(run(&fixture, &Length::version(2), &all()).await.counts, counts(5, 0, 0));
    assert_eq!(predictions(&fixture).await.len(), 10);
    assert_eq!(run(&fixture, &Length::version(1), &all()).await.counts, counts(0, 5, 0));
    let again = ScoringOptions { again: true, ..all() };
    assert_eq!(run(&fixture, &Length::version(2), &again).await.counts, counts(5, 0, 0));
}

#[tokio::test]
async fn documents_without_text_say_so_and_do_not_stop_the_rest() {
    let fixture = Fixture::default();
    let lines = "{\"id\": \"a\", \"text\": \"fine\"}\n{\"id\": \"b\", \"text\": \"  \"}\n{\"id\": \"c\", \"n\": 1}\n\
                 {\"id\": \"d\", \"text\": \"unfit\"}\n{\"id\": \"e\", \"text\": 12}\n";
    ingest(&fixture, lines).await;
    let scorer = Length::version(1);
    assert_eq!(run(&fixture, &scorer, &all()).await.counts, counts(2, 0, 3));
    let found = predictions(&fixture).await;
    let told: Vec<&Value> = found.iter().filter_map(|prediction| prediction.details.get("missing")).collect();
    assert_eq!(told, ["no text in `headline`, `text`", "no text in `headline`, `text`", "one of the rows is unfit"]);
    assert_eq!(run(&fixture, &scorer, &all()).await.counts, counts(0, 2, 3), "what had no text is not tried again");
}

#[tokio::test]
async fn documents_of_other_types_are_passed_over() {
    let fixture = Fixture::default();
    ingest(&fixture, "{\"id\": \"a\", \"text\": \"fine\"}\n").await;
    let options = ScoringOptions { data_type: Some(data_type("social")), ..all() };
    let passed_over = ScoringCounts { passed_over: 1, ..ScoringCounts::default() };
    assert_eq!(run(&fixture, &Length::version(1), &options).await.counts, passed_over);
    assert!(predictions(&fixture).await.is_empty());
}

#[tokio::test]
async fn a_run_that_was_stopped_goes_on_where_it_was() {
    let fixture = Fixture::default();
    ingest(&fixture, lines_of(1_300, |number| format!(r#"{{"id": "d{number}", "text": "text {number}"}}"#))).await;
    let length = Length::version(1);
    let scorer: Arc<dyn DocumentScorer> = length.clone();
    let cancel = CancellationToken::new();
    let totals = Mutex::new(Vec::new());
    let stop = |counts: ScoringCounts| {
        totals.lock().unwrap().push(counts.total());
        cancel.cancel();
    };
    let report = scoring(&fixture).run(&scorer, &all(), &stop, &cancel).await.unwrap();
    assert!(report.cancelled && report.counts.scored == 500, "{report:?}");
    assert_eq!(*totals.lock().unwrap(), [500]);
    assert_eq!(run(&fixture, &length, &all()).await.counts, counts(800, 500, 0));
    assert_eq!(length.n_scored.load(Ordering::SeqCst), 1_300);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_waited_for() {
    let fixture = Fixture::default();
    ingest(&fixture, lines_of(700, |number| format!(r#"{{"id": "d{number}", "text": "text {number}"}}"#))).await;
    let flaky = Arc::new(FlakyPredictions::away(fixture.documents.clone(), 2));
    let scoring = DocumentScoring { predictions: flaky, ..scoring(&fixture) };
    let scorer: Arc<dyn DocumentScorer> = Length::version(1);
    let report = scoring.run(&scorer, &all(), &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(report.counts, counts(700, 0, 0));

    let away = Arc::new(FlakyPredictions::away(fixture.documents.clone(), i64::MAX));
    let scoring = DocumentScoring { predictions: away, ..scoring };
    let scorer: Arc<dyn DocumentScorer> = Length::version(2);
    let err = scoring.run(&scorer, &all(), &|_| {}, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(err, StoreError::Unavailable { .. }), "{err:?}");
}
