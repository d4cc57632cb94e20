//! Cases of [`FigureStore`].

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::awkward;
use super::pages::joined;
use crate::document::UpsertCounts;
use crate::id::ResultId;
use crate::result::FigureKind::{self, ModelPerformance, ValidationResults};
use crate::result::{Figure, FigureStore};
use crate::testkit::build::{result_id, second};

fn figure(id: &str, body: Value, recorded_at: DateTime<Utc>) -> Figure {
    Figure { id: result_id(id), body, recorded_at }
}

async fn all(store: &dyn FigureStore, kind: FigureKind) -> Vec<Figure> {
    joined(7, async |page| store.list(kind, page).await).await
}

pub async fn figures_come_back_as_they_were_given(store: &dyn FigureStore) {
    let bodies =
        [json!({"accuracy": 0.1}), json!({"": 1, "$set": {"a.b": [1, 1.0]}}), Value::Null, awkward::nested(60)];
    let figures: Vec<Figure> = (0..).zip(bodies).map(|(n, body)| figure(&format!("f{n}"), body, second(n))).collect();
    let counts = store.upsert(ModelPerformance, &figures).await.unwrap();
    assert_eq!(counts, UpsertCounts { inserted: 4, ..UpsertCounts::default() });
    assert_eq!(all(store, ModelPerformance).await, figures);
    assert_eq!(all(store, ValidationResults).await, []);
}

pub async fn kinds_share_ids(store: &dyn FigureStore) {
    for kind in FigureKind::ALL {
        store.upsert(kind, &[figure("same", json!(kind.name()), second(0))]).await.unwrap();
    }
    assert_eq!(store.delete(ModelPerformance, &[result_id("same")]).await.unwrap(), 1);
    assert_eq!(all(store, ModelPerformance).await, []);
    assert_eq!(all(store, ValidationResults).await, [figure("same", json!("validation_results"), second(0))]);
}

pub async fn an_older_figure_never_replaces_a_newer_one(store: &dyn FigureStore) {
    let version = |text: &str, time| figure("f", json!(text), second(time));
    let steps = [
        (version("one", 5), UpsertCounts { inserted: 1, ..UpsertCounts::default() }, version("one", 5)),
        (version("one", 6), UpsertCounts { unchanged: 1, ..UpsertCounts::default() }, version("one", 5)),
        (version("two", 4), UpsertCounts { unchanged: 1, ..UpsertCounts::default() }, version("one", 5)),
        (version("two", 5), UpsertCounts { changed: 1, ..UpsertCounts::default() }, version("two", 5)),
        (version("three", 9), UpsertCounts { changed: 1, ..UpsertCounts::default() }, version("three", 9)),
    ];
    for (given, counts, expected) in steps {
        assert_eq!(store.upsert(ModelPerformance, std::slice::from_ref(&given)).await.unwrap(), counts, "{given:?}");
        assert_eq!(all(store, ModelPerformance).await, [expected]);
    }
}

pub async fn awkward_ids_are_ordinary_ids(store: &dyn FigureStore) {
    let figures = awkward::TEXTS.map(|id| figure(id, json!(id), second(0)));
    store.upsert(ValidationResults, &figures).await.unwrap();
    assert_eq!(all(store, ValidationResults).await, figures);
    let ids: Vec<ResultId> = awkward::TEXTS[1..].iter().chain(&["absent"]).map(|id| result_id(id)).collect();
    assert_eq!(store.delete(ValidationResults, &ids).await.unwrap(), awkward::TEXTS.len() as u64 - 1);
    assert_eq!(all(store, ValidationResults).await, figures[..1]);
}

/// Tests a [`FigureStore`].
#[macro_export]
macro_rules! figure_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            figure_store,
            $fresh,
            [
                figures_come_back_as_they_were_given,
                kinds_share_ids,
                an_older_figure_never_replaces_a_newer_one,
                awkward_ids_are_ordinary_ids,
            ]
        );
    };
}
