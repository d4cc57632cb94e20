//! Cases of [`EmbeddingStore`].

use super::awkward;
use crate::document::UpsertCounts;
use crate::id::RecordId;
use crate::result::{Embedding, EmbeddingStore};
use crate::testkit::build::{an_embedding, record_id, second};

/// Finds embeddings by the ids of their records, sorted by those.
async fn find(store: &dyn EmbeddingStore, model: &str, ids: &[&str]) -> Vec<Embedding> {
    let ids: Vec<RecordId> = ids.iter().map(|id| record_id(id)).collect();
    let mut found = store.find_by_records(model, &ids).await.unwrap();
    found.sort_by(|a, b| a.record_id.cmp(&b.record_id));
    found
}

fn of(id: &str) -> Embedding {
    an_embedding().id(&format!("e-{id}")).record_id(id).build()
}

pub async fn an_empty_store_has_no_embeddings(store: &dyn EmbeddingStore) {
    assert_eq!(find(store, "tf-idf@1", &["r1"]).await, []);
    assert_eq!(find(store, "tf-idf@1", &[]).await, []);
    assert_eq!(store.upsert(&[]).await.unwrap(), UpsertCounts::default());
}

pub async fn vectors_keep_every_bit(store: &dyn EmbeddingStore) {
    let vectors = [
        vec![0.1, -0.1, 1.0 / 3.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, 16_777_217.0],
        vec![1.0, 2.0],
        vec![0.0],
        (0..4096_u16).map(|number| 1.0 / (1.0 + f32::from(number))).collect(),
    ];
    for (number, vector) in vectors.into_iter().enumerate() {
        let id = format!("r{number}");
        let embedding = an_embedding().id(&id).record_id(&id).vector(vector).created_at(second(1)).build();
        store.upsert(std::slice::from_ref(&embedding)).await.unwrap();
        assert_eq!(find(store, "tf-idf@1", &[&id]).await, [embedding]);
    }
}

pub async fn an_older_embedding_never_replaces_a_newer_one(store: &dyn EmbeddingStore) {
    let version = |value, time| an_embedding().vector(vec![value]).created_at(second(time)).build();
    store.upsert(&[version(1.0, 5)]).await.unwrap();
    let counts = store.upsert(&[version(2.0, 4)]).await.unwrap();
    assert_eq!(counts, UpsertCounts { unchanged: 1, ..UpsertCounts::default() });
    let stored = version(1.0, 5);
    assert_eq!(find(store, &stored.model, &[stored.record_id.as_str()]).await, [version(1.0, 5)]);
}

pub async fn deleted_embeddings_are_gone(store: &dyn EmbeddingStore) {
    store.upsert(&[of("a"), of("b")]).await.unwrap();
    assert_eq!(store.delete(&[of("a").id, of("absent").id]).await.unwrap(), 1);
    assert_eq!(find(store, "tf-idf@1", &["a", "b"]).await, [of("b")]);
}

pub async fn records_without_an_embedding_are_left_out(store: &dyn EmbeddingStore) {
    store.upsert(&[of("a"), of("c")]).await.unwrap();
    assert_eq!(find(store, "tf-idf@1", &["a", "b", "c", "c"]).await, [of("a"), of("c")]);
    assert_eq!(find(store, "tf-idf@1", &["c"]).await, [of("c")]);
    assert_eq!(find(store, "tf-idf@2", &["a"]).await, []);
}

pub async fn models_are_apart(store: &dyn EmbeddingStore) {
    let other = an_embedding().id("other").record_id("a").model("words@2").vector(vec![7.0]).build();
    store.upsert(&[of("a"), other.clone()]).await.unwrap();
    assert_eq!(find(store, "tf-idf@1", &["a"]).await, [of("a")]);
    assert_eq!(find(store, "words@2", &["a"]).await, [other]);
}

pub async fn embedding_again_changes_nothing(store: &dyn EmbeddingStore) {
    let first = an_embedding().created_at(second(1)).build();
    store.upsert(std::slice::from_ref(&first)).await.unwrap();
    let counts = store.upsert(&[an_embedding().created_at(second(2)).build()]).await.unwrap();
    assert_eq!(counts, UpsertCounts { unchanged: 1, ..UpsertCounts::default() });
    assert_eq!(find(store, "tf-idf@1", &["r1"]).await, [first]);
}

pub async fn another_vector_replaces_the_former(store: &dyn EmbeddingStore) {
    store.upsert(&[an_embedding().build()]).await.unwrap();
    let other = an_embedding().vector(vec![1.0, 2.0, 3.0]).created_at(second(2)).build();
    let counts = store.upsert(&[other.clone(), an_embedding().id("new").record_id("r2").build()]).await.unwrap();
    assert_eq!(counts, UpsertCounts { inserted: 1, unchanged: 0, changed: 1 });
    assert_eq!(find(store, "tf-idf@1", &["r1"]).await, [other]);
}

pub async fn awkward_names_are_ordinary_names(store: &dyn EmbeddingStore) {
    for text in awkward::TEXTS {
        let embedding = an_embedding().id(text).record_id(text).model(text).build();
        store.upsert(std::slice::from_ref(&embedding)).await.unwrap();
        assert_eq!(find(store, text, &awkward::TEXTS).await, [embedding]);
    }
}

pub async fn any_number_of_records_can_be_asked_for(store: &dyn EmbeddingStore) {
    let embeddings: Vec<Embedding> = (0..5000).map(|number| of(&format!("r{number}"))).collect();
    assert_eq!(store.upsert(&embeddings).await.unwrap().inserted, 5000);
    let ids: Vec<RecordId> = (0..70_000).map(|number| record_id(&format!("r{number}"))).collect();
    assert_eq!(store.find_by_records("tf-idf@1", &ids).await.unwrap().len(), 5000);
}

/// Tests an [`EmbeddingStore`].
#[macro_export]
macro_rules! embedding_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            embedding_store,
            $fresh,
            [
                an_empty_store_has_no_embeddings,
                vectors_keep_every_bit,
                an_older_embedding_never_replaces_a_newer_one,
                deleted_embeddings_are_gone,
                records_without_an_embedding_are_left_out,
                models_are_apart,
                embedding_again_changes_nothing,
                another_vector_replaces_the_former,
                awkward_names_are_ordinary_names,
                any_number_of_records_can_be_asked_for,
            ]
        );
    };
}
