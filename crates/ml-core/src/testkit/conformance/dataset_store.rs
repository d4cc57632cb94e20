//! Cases of [`DatasetStore`].

use serde_json::json;

use super::awkward;
use super::outcome::assert_not_found;
use crate::artifact::ArtifactRef;
use crate::dataset::{DatasetName, DatasetStore, DatasetVersion, JoinCounts, NewDatasetVersion, SplitCounts};
use crate::error::Entity;
use crate::table::{ColumnKind, ColumnSchema};
use crate::testkit::build::{a_dataset_version, second};
use crate::testkit::concurrently::concurrently;

fn name(text: &str) -> DatasetName {
    DatasetName::parse(text).unwrap()
}

async fn create(store: &dyn DatasetStore, version: &NewDatasetVersion) -> DatasetVersion {
    let created = store.create_version(version).await.unwrap();
    assert_eq!(store.get(&version.name, created.version).await.unwrap(), created);
    created
}

async fn listed(store: &dyn DatasetStore, of: Option<&DatasetName>) -> Vec<(String, u32)> {
    let versions = store.list(of).await.unwrap();
    versions.into_iter().map(|version| (version.content.name.to_string(), version.version)).collect()
}

fn keys(keys: &[(&str, u32)]) -> Vec<(String, u32)> {
    keys.iter().map(|(name, version)| ((*name).to_owned(), *version)).collect()
}

pub async fn an_unknown_dataset_has_no_versions(store: &dyn DatasetStore) {
    assert_eq!(store.find_latest(&name("news")).await.unwrap(), None);
    assert_eq!(store.list(None).await.unwrap(), []);
    assert_eq!(store.list(Some(&name("news"))).await.unwrap(), []);
    assert_not_found(store.get(&name("news"), 1).await, Entity::DatasetVersion);
}

pub async fn a_version_comes_back_as_it_was_given(store: &dyn DatasetStore) {
    let kinds = [ColumnKind::Number, ColumnKind::Integer, ColumnKind::Boolean, ColumnKind::Text, ColumnKind::Time];
    let column =
        |(kind, text): (ColumnKind, &str)| ColumnSchema { name: text.to_owned(), kind, nullable: text.len() > 4 };
    let schema: Vec<ColumnSchema> = kinds.into_iter().cycle().zip(awkward::TEXTS).map(column).collect();
    let joined = |source: &&str| JoinCounts { source: (*source).to_owned(), n_found: 7, ..JoinCounts::default() };
    let joins: Vec<JoinCounts> = awkward::TEXTS.iter().map(joined).collect();
    let version = a_dataset_version()
        .spec(json!({"filter": ["o'hara", "100%", null, 1, 1.0, 0.1], "deep": awkward::nested(60)}))
        .as_of(awkward::times()[2])
        .counts(SplitCounts { train: 3_000_000_000, validation: 0, test: 1 })
        .schema(schema)
        .joins(joins)
        .file(ArtifactRef { size_bytes: 5_000_000_000, ..ArtifactRef::of(b"large") })
        .created_at(awkward::times()[5])
        .build();

    let created = create(store, &version).await;

    assert_eq!(created, DatasetVersion { version: 1, content: version });
    assert_eq!(store.find_latest(&created.content.name).await.unwrap(), Some(created.clone()));
    assert_eq!(store.list(None).await.unwrap(), [created]);
}

pub async fn an_empty_version_is_a_version(store: &dyn DatasetStore) {
    let empty = a_dataset_version().counts(SplitCounts::default()).schema(Vec::new()).build();
    assert_eq!(create(store, &empty).await.content, empty);
}

pub async fn versions_are_numbered_within_their_dataset(store: &dyn DatasetStore) {
    for number in 1..=3 {
        let version = a_dataset_version().rows(&format!("rows {number}")).build();
        assert_eq!(create(store, &version).await.version, number);
    }
    assert_eq!(create(store, &a_dataset_version().name("prices").build()).await.version, 1);
    assert_eq!(create(store, &a_dataset_version().rows("rows 4").build()).await.version, 4);
    let latest = store.find_latest(&name("news")).await.unwrap().unwrap();
    assert_eq!(latest.content, a_dataset_version().rows("rows 4").build());
    assert_not_found(store.get(&name("news"), 5).await, Entity::DatasetVersion);
    assert_not_found(store.get(&name("news"), 0).await, Entity::DatasetVersion);
    assert_not_found(store.get(&name("prices"), 2).await, Entity::DatasetVersion);
}

pub async fn the_same_content_again_is_the_same_version(store: &dyn DatasetStore) {
    let first = create(store, &a_dataset_version().created_at(second(1)).build()).await;
    let later = a_dataset_version().created_at(second(2)).as_of(second(2)).file(ArtifactRef::of(b"other file")).build();

    let again = store.create_version(&later).await.unwrap();

    assert_eq!(again, first);
    assert_eq!(listed(store, None).await, keys(&[("news", 1)]));
}

pub async fn another_spec_or_other_rows_are_another_version(store: &dyn DatasetStore) {
    create(store, &a_dataset_version().build()).await;
    assert_eq!(create(store, &a_dataset_version().spec(json!({"data_type": "social"})).build()).await.version, 2);
    let other_rows = a_dataset_version().spec(json!({"data_type": "social"})).rows("other rows").build();
    assert_eq!(create(store, &other_rows).await.version, 3);
}

pub async fn only_the_newest_version_is_compared(store: &dyn DatasetStore) {
    let (one, other) = (a_dataset_version().rows("one").build(), a_dataset_version().rows("other").build());
    for (version, expected) in [(&one, 1), (&other, 2), (&one, 3), (&one, 3)] {
        assert_eq!(create(store, version).await.version, expected);
    }
}

pub async fn the_same_content_in_two_datasets_is_two_versions(store: &dyn DatasetStore) {
    create(store, &a_dataset_version().name("a").build()).await;
    create(store, &a_dataset_version().name("b").build()).await;
    assert_eq!(listed(store, None).await, keys(&[("a", 1), ("b", 1)]));
}

pub async fn versions_are_listed_by_name_and_number(store: &dyn DatasetStore) {
    for number in 1..=11 {
        create(store, &a_dataset_version().name("a10").rows(&number.to_string()).build()).await;
    }
    for other in ["b", "a9", "B", "a_1", "a.1", "a-1"] {
        create(store, &a_dataset_version().name(other).build()).await;
    }
    let mut expected = keys(&[("B", 1), ("a-1", 1), ("a.1", 1)]);
    expected.extend((1..=11).map(|number| ("a10".to_owned(), number)));
    expected.extend(keys(&[("a9", 1), ("a_1", 1), ("b", 1)]));
    assert_eq!(listed(store, None).await, expected);
    assert_eq!(listed(store, Some(&name("a10"))).await, expected[3..14]);
    assert_eq!(listed(store, Some(&name("a_1"))).await, keys(&[("a_1", 1)]));
    assert_eq!(store.find_latest(&name("a10")).await.unwrap().unwrap().version, 11);
}

pub async fn overlapping_creators_get_numbers_of_their_own(store: &dyn DatasetStore) {
    let creators = (0..20).map(|creator| async move {
        let version = a_dataset_version().rows(&format!("rows {creator}")).build();
        store.create_version(&version).await.unwrap().version
    });
    let mut numbers = concurrently(creators).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<u32>>());
}

pub async fn overlapping_creators_of_the_same_content_get_one_version(store: &dyn DatasetStore) {
    let version = a_dataset_version().build();
    let creators = (0..20).map(|_| async { store.create_version(&version).await.unwrap().version });
    assert_eq!(concurrently(creators).await, [1; 20]);
    assert_eq!(listed(store, None).await, keys(&[("news", 1)]));
}

/// Tests a [`DatasetStore`].
#[macro_export]
macro_rules! dataset_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            dataset_store,
            $fresh,
            [
                an_unknown_dataset_has_no_versions,
                a_version_comes_back_as_it_was_given,
                an_empty_version_is_a_version,
                versions_are_numbered_within_their_dataset,
                the_same_content_again_is_the_same_version,
                another_spec_or_other_rows_are_another_version,
                only_the_newest_version_is_compared,
                the_same_content_in_two_datasets_is_two_versions,
                versions_are_listed_by_name_and_number,
                overlapping_creators_get_numbers_of_their_own,
                overlapping_creators_of_the_same_content_get_one_version,
            ]
        );
    };
}
