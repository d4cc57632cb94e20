//! Cases of [`ExperimentStore`].

use std::collections::BTreeMap;

use super::awkward;
use super::outcome::{assert_already_exists, assert_not_found};
use super::pages::joined;
use crate::error::{Entity, StoreError};
use crate::experiment::{Experiment, ExperimentStore, LifecycleStage, NewExperiment};
use crate::page::PageRequest;
use crate::testkit::build::{an_experiment, experiment_id, second};
use crate::testkit::concurrently::concurrently;

async fn create(store: &dyn ExperimentStore, experiment: &NewExperiment) -> Experiment {
    let created = store.create(experiment).await.unwrap();
    assert_eq!(store.get(&created.id).await.unwrap(), created);
    created
}

async fn named(store: &dyn ExperimentStore, name: &str) -> Experiment {
    create(store, &an_experiment().name(name).build()).await
}

async fn ids(store: &dyn ExperimentStore, stage: Option<LifecycleStage>, limit: usize) -> Vec<String> {
    let list = joined(limit, async |page| store.list(stage, page).await).await;
    list.into_iter().map(|experiment| experiment.id.to_string()).collect()
}

pub async fn a_fresh_store_has_the_default_experiment(store: &dyn ExperimentStore) {
    let default = store.get(&experiment_id("0")).await.unwrap();
    assert_eq!(default.name, "Default");
    assert_eq!(default.artifact_location, None);
    assert_eq!(default.lifecycle_stage, LifecycleStage::Active);
    assert_eq!(default.tags, BTreeMap::new());
    assert_eq!(store.find_by_name("Default").await.unwrap(), Some(default.clone()));
    assert_eq!(store.list(None, PageRequest::first(10)).await.unwrap().items, [default]);
    assert_already_exists(store.create(&an_experiment().name("Default").build()).await, Entity::Experiment);
}

pub async fn an_experiment_comes_back_as_it_was_given(store: &dyn ExperimentStore) {
    let text = awkward::text_with_everything().replace('\0', "");
    let mut builder = an_experiment().artifact_location("s3://bucket/o'hara?x=%20").created_at(awkward::times()[5]);
    for key in awkward::TEXTS {
        builder = builder.tag(key, &text);
    }
    let new = builder.tag("empty", "").build();

    let created = create(store, &new).await;

    let expected = Experiment {
        id: created.id.clone(),
        name: new.name,
        artifact_location: new.artifact_location,
        lifecycle_stage: LifecycleStage::Active,
        tags: new.tags,
        created_at: new.created_at,
        updated_at: new.created_at,
    };
    assert_eq!(created, expected);
    assert_eq!(store.find_by_name("volatility").await.unwrap(), Some(expected));
}

pub async fn experiments_are_numbered(store: &dyn ExperimentStore) {
    for number in 1..=12 {
        assert_eq!(named(store, &format!("e{number}")).await.id.as_str(), number.to_string());
    }
}

pub async fn awkward_names_are_ordinary_names(store: &dyn ExperimentStore) {
    let long = "é".repeat(500);
    for name in awkward::TEXTS.into_iter().chain([long.as_str()]) {
        assert_eq!(store.find_by_name(name).await.unwrap(), None);
        let created = named(store, name).await;
        assert_eq!(created.name, name);
        assert_eq!(store.find_by_name(name).await.unwrap(), Some(created));
    }
}

pub async fn a_taken_name_is_refused(store: &dyn ExperimentStore) {
    let first = named(store, "volatility").await;
    let again = an_experiment().tag("second", "try").build();
    assert_already_exists(store.create(&again).await, Entity::Experiment);
    assert_eq!(store.get(&first.id).await.unwrap(), first);
    assert_eq!(ids(store, None, 10).await, ["0", "1"]);

    store.set_lifecycle_stage(&first.id, LifecycleStage::Deleted, second(1)).await.unwrap();
    assert_already_exists(store.create(&again).await, Entity::Experiment);
}

pub async fn an_absent_experiment_is_not_found(store: &dyn ExperimentStore) {
    for absent in ["1", "00", "01", "-1", "0 ", "zero", "99999999999999999999999", "%"] {
        let id = experiment_id(absent);
        assert_not_found(store.get(&id).await, Entity::Experiment);
        assert_not_found(store.rename(&id, "other", second(1)).await, Entity::Experiment);
        let deleted = store.set_lifecycle_stage(&id, LifecycleStage::Deleted, second(1)).await;
        assert_not_found(deleted, Entity::Experiment);
        assert_not_found(store.set_tag(&id, "key", "value", second(1)).await, Entity::Experiment);
    }
    assert_eq!(store.find_by_name("volatility").await.unwrap(), None);
}

pub async fn experiments_are_listed_by_number(store: &dyn ExperimentStore) {
    for number in 1..=11 {
        named(store, &format!("e{number}")).await;
    }
    let expected: Vec<String> = (0..=11).map(|number| number.to_string()).collect();
    for limit in [1, 2, 5, 12, 13] {
        assert_eq!(ids(store, None, limit).await, expected, "in pages of {limit}");
    }
}

pub async fn stages_restrict_the_list(store: &dyn ExperimentStore) {
    for number in 1..=6 {
        let id = named(store, &format!("e{number}")).await.id;
        if number % 2 == 0 {
            store.set_lifecycle_stage(&id, LifecycleStage::Deleted, second(1)).await.unwrap();
        }
    }
    for limit in [1, 2, 10] {
        assert_eq!(ids(store, Some(LifecycleStage::Active), limit).await, ["0", "1", "3", "5"]);
        assert_eq!(ids(store, Some(LifecycleStage::Deleted), limit).await, ["2", "4", "6"]);
    }
}

pub async fn an_experiment_is_put_away_and_taken_back(store: &dyn ExperimentStore) {
    let created = named(store, "volatility").await;
    for (stage, time) in [(LifecycleStage::Deleted, 1), (LifecycleStage::Deleted, 2), (LifecycleStage::Active, 3)] {
        store.set_lifecycle_stage(&created.id, stage, second(time)).await.unwrap();
        let expected = Experiment { lifecycle_stage: stage, updated_at: second(time), ..created.clone() };
        assert_eq!(store.get(&created.id).await.unwrap(), expected);
        assert_eq!(store.find_by_name("volatility").await.unwrap(), Some(expected));
    }
}

pub async fn an_experiment_is_renamed(store: &dyn ExperimentStore) {
    let created = named(store, "volatility").await;
    store.rename(&created.id, "o'vol 🦀", second(5)).await.unwrap();
    let expected = Experiment { name: "o'vol 🦀".to_owned(), updated_at: second(5), ..created.clone() };
    assert_eq!(store.get(&created.id).await.unwrap(), expected);
    assert_eq!(store.find_by_name("volatility").await.unwrap(), None);
    assert_ne!(named(store, "volatility").await.id, created.id);
}

pub async fn renaming_to_a_taken_name_is_refused(store: &dyn ExperimentStore) {
    let first = named(store, "first").await;
    let other = named(store, "other").await;
    store.set_lifecycle_stage(&other.id, LifecycleStage::Deleted, second(1)).await.unwrap();
    assert_already_exists(store.rename(&first.id, "other", second(2)).await, Entity::Experiment);
    assert_already_exists(store.rename(&first.id, "Default", second(2)).await, Entity::Experiment);
    assert_eq!(store.get(&first.id).await.unwrap(), first);
    store.rename(&first.id, "first", second(3)).await.unwrap();
    assert_eq!(store.get(&first.id).await.unwrap().name, "first");
}

pub async fn tags_are_set_and_replaced(store: &dyn ExperimentStore) {
    let created = create(store, &an_experiment().tag("team", "red").tag("kept", "yes").build()).await;
    store.set_tag(&created.id, "team", "o'blue", second(1)).await.unwrap();
    store.set_tag(&created.id, "", "no key", second(2)).await.unwrap();
    let found = store.get(&created.id).await.unwrap();
    let expected = [("", "no key"), ("kept", "yes"), ("team", "o'blue")];
    let found_tags: Vec<(&str, &str)> = found.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(found_tags, expected);
    assert_eq!(found.updated_at, second(2));
    assert_eq!(store.get(&experiment_id("0")).await.unwrap().tags, BTreeMap::new());
}

pub async fn overlapping_creators_of_a_name_make_one(store: &dyn ExperimentStore) {
    let experiment = an_experiment().build();
    let mut n_created = 0;
    for outcome in concurrently((0..10).map(|_| store.create(&experiment))).await {
        match outcome {
            Ok(_) => n_created += 1,
            Err(StoreError::AlreadyExists { .. }) => {}
            Err(err) => panic!("{err:?}"),
        }
    }
    assert_eq!(n_created, 1);
    assert_eq!(ids(store, None, 100).await.len(), 2);
}

pub async fn overlapping_creators_get_numbers_of_their_own(store: &dyn ExperimentStore) {
    concurrently((0..20).map(|creator| async move { named(store, &format!("e{creator}")).await })).await;
    let expected: Vec<String> = (0..=20).map(|number| number.to_string()).collect();
    assert_eq!(ids(store, None, 100).await, expected);
}

/// Tests an [`ExperimentStore`].
#[macro_export]
macro_rules! experiment_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            experiment_store,
            $fresh,
            [
                a_fresh_store_has_the_default_experiment,
                an_experiment_comes_back_as_it_was_given,
                experiments_are_numbered,
                awkward_names_are_ordinary_names,
                a_taken_name_is_refused,
                an_absent_experiment_is_not_found,
                experiments_are_listed_by_number,
                stages_restrict_the_list,
                an_experiment_is_put_away_and_taken_back,
                an_experiment_is_renamed,
                renaming_to_a_taken_name_is_refused,
                tags_are_set_and_replaced,
                overlapping_creators_of_a_name_make_one,
                overlapping_creators_get_numbers_of_their_own,
            ]
        );
    };
}
