//! Cases of [`ModelStore`].

use std::collections::BTreeMap;

use super::awkward;
use super::outcome::{assert_already_exists, assert_conflict, assert_not_found};
use super::pages::joined;
use crate::artifact::ArtifactRef;
use crate::error::Entity;
use crate::model::{
    AliasMove, Lineage, ModelStore, ModelVersion, NewModelVersion, RegisteredModel, Signature, SignatureColumn, Stage,
};
use crate::page::PageRequest;
use crate::table::ColumnKind;
use crate::testkit::build::{a_model_version, a_registered_model, model_alias, model_name, second};
use crate::testkit::concurrently::concurrently;

/// Names that a model may have out of the awkward ones.
fn awkward_names() -> Vec<&'static str> {
    awkward::TEXTS.into_iter().filter(|text| !text.contains(['/', ':', '@'])).collect()
}

async fn create(store: &dyn ModelStore, name: &str) {
    store.create(&a_registered_model().name(name).build()).await.unwrap();
}

/// Registers versions of `news`, after the model itself.
async fn create_versions(store: &dyn ModelStore, n_versions: i64) {
    create(store, "news").await;
    for time in 1..=n_versions {
        store.register_version(&a_model_version().created_at(second(time)).build()).await.unwrap();
    }
}

async fn get(store: &dyn ModelStore, version: u32) -> ModelVersion {
    store.get_version(&model_name("news"), version).await.unwrap()
}

async fn updated(store: &dyn ModelStore) -> i64 {
    let model = store.get(&model_name("news")).await.unwrap();
    (model.updated_at - second(0)).num_seconds()
}

async fn set_alias(store: &dyn ModelStore, alias: &str, version: u32, time: i64) {
    store.set_alias(&model_name("news"), &model_alias(alias), version, "ada", second(time)).await.unwrap();
}

async fn aliases(store: &dyn ModelStore) -> Vec<(String, u32)> {
    let model = store.get(&model_name("news")).await.unwrap();
    model.aliases.into_iter().map(|(alias, version)| (alias.to_string(), version)).collect()
}

/// A move of `champion` of `news` by `ada`.
fn champion_moved(from: Option<u32>, to: Option<u32>, time: i64) -> AliasMove {
    let (name, alias) = (model_name("news"), model_alias("champion"));
    AliasMove { name, alias, from, to, user_id: "ada".to_owned(), moved_at: second(time) }
}

async fn moves(store: &dyn ModelStore) -> Vec<AliasMove> {
    store.list_alias_moves(&model_name("news")).await.unwrap()
}

pub async fn a_model_comes_back_as_it_was_given(store: &dyn ModelStore) {
    let text = awkward::text_with_everything().replace('\0', "");
    for name in awkward_names() {
        let model = a_registered_model().name(name).description(&text).tag(name, &text).created_at(awkward::times()[5]);
        let model = model.build();
        store.create(&model).await.unwrap();
        assert_eq!(store.get(&model.name).await.unwrap(), model);
    }
}

pub async fn a_model_begins_without_aliases(store: &dyn ModelStore) {
    store.create(&a_registered_model().alias("champion", 1).build()).await.unwrap();
    assert_eq!(store.get(&model_name("news")).await.unwrap(), a_registered_model().build());
    assert_eq!(moves(store).await, []);
}

pub async fn a_taken_name_is_refused(store: &dyn ModelStore) {
    create(store, "news").await;
    let again = a_registered_model().description("another").tag("t", "v").build();
    assert_already_exists(store.create(&again).await, Entity::RegisteredModel);
    assert_eq!(store.get(&model_name("news")).await.unwrap(), a_registered_model().build());
    create(store, "News").await;
}

pub async fn an_absent_model_is_not_found(store: &dyn ModelStore) {
    create(store, "news").await;
    for absent in ["new", "NEWS", "n%", "news "] {
        let name = model_name(absent);
        assert_not_found(store.get(&name).await, Entity::RegisteredModel);
        assert_not_found(store.delete(&name).await, Entity::RegisteredModel);
        let version = a_model_version().name(absent).build();
        assert_not_found(store.register_version(&version).await, Entity::RegisteredModel);
        assert_not_found(store.get_version(&name, 1).await, Entity::ModelVersion);
        assert_eq!(store.list_versions(&name).await.unwrap(), []);
        assert_eq!(store.list_alias_moves(&name).await.unwrap(), []);
        let alias = model_alias("champion");
        assert_not_found(store.set_alias(&name, &alias, 1, "ada", second(1)).await, Entity::ModelVersion);
        assert_not_found(store.delete_alias(&name, &alias, "ada", second(1)).await, Entity::ModelAlias);
    }
}

pub async fn models_are_listed_by_name(store: &dyn ModelStore) {
    let names = awkward_names();
    for name in names.iter().rev() {
        create(store, name).await;
    }
    let expected: Vec<RegisteredModel> = names.iter().map(|name| a_registered_model().name(name).build()).collect();
    for limit in [1, 4, 100] {
        let list = joined(limit, async |page| store.list(page).await).await;
        assert_eq!(list, expected, "in pages of {limit}");
    }
}

pub async fn models_added_between_pages_shift_nothing(store: &dyn ModelStore) {
    for name in ["b", "d", "f"] {
        create(store, name).await;
    }
    let first = store.list(PageRequest::first(2)).await.unwrap();
    for name in ["a", "e"] {
        create(store, name).await;
    }
    let rest = store.list(PageRequest::first(10).after(first.next_cursor.unwrap())).await.unwrap();
    let rest: Vec<&str> = rest.items.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(rest, ["e", "f"]);
}

pub async fn listed_models_have_their_aliases(store: &dyn ModelStore) {
    create_versions(store, 2).await;
    create(store, "other").await;
    set_alias(store, "champion", 2, 5).await;
    set_alias(store, "a", 1, 6).await;
    let list = store.list(PageRequest::first(10)).await.unwrap().items;
    assert_eq!(list[0], store.get(&model_name("news")).await.unwrap());
    assert_eq!(list[0].aliases, BTreeMap::from([(model_alias("a"), 1), (model_alias("champion"), 2)]));
    assert_eq!(list[1].aliases, BTreeMap::new());
}

async fn check_registered(store: &dyn ModelStore, new: NewModelVersion) {
    let registered = store.register_version(&new).await.unwrap();
    let expected = ModelVersion {
        version: registered.version,
        stage: Stage::Development,
        aliases: Vec::new(),
        updated_at: new.created_at,
        content: new,
    };
    assert_eq!(registered, expected);
    assert_eq!(get(store, registered.version).await, expected);
    assert_eq!(store.list_versions(&model_name("news")).await.unwrap()[0], expected);
}

pub async fn a_version_comes_back_as_it_was_given(store: &dyn ModelStore) {
    create(store, "news").await;
    let kinds = [ColumnKind::Number, ColumnKind::Integer, ColumnKind::Boolean, ColumnKind::Text, ColumnKind::Time];
    let column =
        |(kind, name): (ColumnKind, &str)| SignatureColumn { name: name.to_owned(), kind, required: name.len() > 4 };
    let inputs: Vec<SignatureColumn> = kinds.into_iter().cycle().zip(awkward::TEXTS).map(column).collect();
    let large = ArtifactRef { size_bytes: 5_000_000_000, ..ArtifactRef::of(b"large") };
    let text = awkward::text_with_everything().replace('\0', "");
    let full = a_model_version()
        .description(&text)
        .signature(Signature { outputs: inputs[..1].to_vec(), inputs })
        .artifact(Some(large))
        .tag("o'tag \"%_", &text)
        .created_at(awkward::times()[5]);
    let nothing_known = Lineage {
        run_id: None,
        dataset: None,
        dataset_hash: None,
        pipeline: None,
        app_version: String::new(),
        framework: String::new(),
    };
    let bare = a_model_version()
        .source(None)
        .artifact(None)
        .reference_profile(None)
        .signature(Signature::default())
        .lineage(nothing_known);
    for new in [full.build(), bare.build(), a_model_version().build()] {
        check_registered(store, new).await;
    }
}

pub async fn versions_are_numbered_within_their_model(store: &dyn ModelStore) {
    create(store, "news").await;
    create(store, "other").await;
    for number in 1..=11 {
        assert_eq!(store.register_version(&a_model_version().build()).await.unwrap().version, number);
    }
    assert_eq!(store.register_version(&a_model_version().name("other").build()).await.unwrap().version, 1);
    let versions = store.list_versions(&model_name("news")).await.unwrap();
    let numbers: Vec<u32> = versions.iter().map(|version| version.version).collect();
    assert_eq!(numbers, (1..=11).rev().collect::<Vec<u32>>());
    for absent in [0, 12, u32::MAX] {
        assert_not_found(store.get_version(&model_name("news"), absent).await, Entity::ModelVersion);
    }
}

pub async fn overlapping_registrations_get_numbers_of_their_own(store: &dyn ModelStore) {
    create(store, "news").await;
    let version = a_model_version().build();
    let registrations = (0..20).map(|_| async { store.register_version(&version).await.unwrap().version });
    let mut numbers = concurrently(registrations).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<u32>>());
}

pub async fn a_version_dates_its_model(store: &dyn ModelStore) {
    create_versions(store, 3).await;
    assert_eq!(updated(store).await, 3);
    let news = model_name("news");
    store.set_stage(&news, 1, Stage::Development, Stage::Staging, second(10)).await.unwrap();
    assert_eq!(updated(store).await, 10);
    store.set_version_tag(&news, 1, "key", "value", second(11)).await.unwrap();
    assert_eq!(updated(store).await, 11);
    set_alias(store, "champion", 1, 12).await;
    assert_eq!(updated(store).await, 12);
    store.delete_alias(&news, &model_alias("champion"), "ada", second(13)).await.unwrap();
    assert_eq!(updated(store).await, 13);
    assert_eq!(store.get(&news).await.unwrap().created_at, second(0));
    assert_eq!(get(store, 1).await.updated_at, second(11), "an alias is not part of the version");
    assert_eq!(get(store, 2).await.updated_at, second(2));
}

pub async fn a_stage_moves_from_where_it_is(store: &dyn ModelStore) {
    create_versions(store, 2).await;
    let before = get(store, 1).await;
    let news = model_name("news");
    store.set_stage(&news, 1, Stage::Development, Stage::Staging, second(10)).await.unwrap();
    store.set_stage(&news, 1, Stage::Staging, Stage::Production, second(11)).await.unwrap();
    let expected = ModelVersion { stage: Stage::Production, updated_at: second(11), ..before };
    assert_eq!(get(store, 1).await, expected);
    assert_eq!(get(store, 2).await.stage, Stage::Development);
    assert_not_found(
        store.set_stage(&news, 3, Stage::Development, Stage::Staging, second(12)).await,
        Entity::ModelVersion,
    );
}

pub async fn set_stage_from_a_stale_stage_conflicts(store: &dyn ModelStore) {
    create_versions(store, 1).await;
    let before = get(store, 1).await;
    let moved = store.set_stage(&model_name("news"), 1, Stage::Staging, Stage::Production, second(9)).await;
    assert_conflict(moved, Entity::ModelVersion);
    assert_eq!(get(store, 1).await, before);
    assert_eq!(updated(store).await, 1);
}

pub async fn of_overlapping_stage_moves_one_is_first(store: &dyn ModelStore) {
    create_versions(store, 1).await;
    let news = model_name("news");
    let moves = (0..10).map(|time| store.set_stage(&news, 1, Stage::Development, Stage::Staging, second(time)));
    let outcomes = concurrently(moves).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let winner = outcomes.iter().position(Result::is_ok).unwrap();
    assert_eq!(get(store, 1).await.updated_at, second(winner as i64));
}

pub async fn tags_are_set_and_replaced(store: &dyn ModelStore) {
    create(store, "news").await;
    let news = model_name("news");
    store.register_version(&a_model_version().tag("team", "red").tag("kept", "yes").build()).await.unwrap();
    store.register_version(&a_model_version().build()).await.unwrap();
    store.set_version_tag(&news, 1, "team", "o'blue", second(1)).await.unwrap();
    store.set_version_tag(&news, 1, "🦀\"%_", "", second(2)).await.unwrap();
    let version = get(store, 1).await;
    let expected = [("kept", "yes"), ("team", "o'blue"), ("🦀\"%_", "")];
    let found: Vec<(&str, &str)> =
        version.content.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
    assert_eq!(version.updated_at, second(2));
    assert_eq!(get(store, 2).await.content.tags, BTreeMap::new());
    assert_not_found(store.set_version_tag(&news, 3, "key", "value", second(3)).await, Entity::ModelVersion);
}

pub async fn an_alias_moves_and_is_recorded(store: &dyn ModelStore) {
    create_versions(store, 3).await;
    set_alias(store, "champion", 1, 10).await;
    assert_eq!(get(store, 1).await.aliases, [model_alias("champion")]);
    set_alias(store, "champion", 3, 11).await;
    assert_eq!(get(store, 1).await.aliases, []);
    assert_eq!(get(store, 3).await.aliases, [model_alias("champion")]);
    assert_eq!(aliases(store).await, [("champion".to_owned(), 3)]);
    assert_eq!(moves(store).await, [champion_moved(None, Some(1), 10), champion_moved(Some(1), Some(3), 11)]);
}

pub async fn an_alias_set_again_is_not_a_move(store: &dyn ModelStore) {
    create_versions(store, 1).await;
    set_alias(store, "champion", 1, 10).await;
    set_alias(store, "champion", 1, 11).await;
    assert_eq!(moves(store).await, [champion_moved(None, Some(1), 10)]);
    assert_eq!(updated(store).await, 10);
}

pub async fn a_version_may_have_several_aliases(store: &dyn ModelStore) {
    create_versions(store, 2).await;
    for (alias, time) in [("z", 10), ("champion", 11), ("B", 12), ("a-1", 13), ("a_1", 14)] {
        set_alias(store, alias, 2, time).await;
    }
    let sorted = ["B", "a-1", "a_1", "champion", "z"].map(model_alias);
    assert_eq!(get(store, 2).await.aliases, sorted);
    let listed = store.list_versions(&model_name("news")).await.unwrap();
    assert_eq!(listed[0].aliases, sorted);
    assert_eq!(listed[1].aliases, []);
    assert_eq!(moves(store).await.len(), 5);
}

pub async fn an_alias_of_an_absent_version_is_refused(store: &dyn ModelStore) {
    create_versions(store, 1).await;
    set_alias(store, "champion", 1, 10).await;
    let (news, champion) = (model_name("news"), model_alias("champion"));
    for absent in [0, 2, u32::MAX] {
        let moved = store.set_alias(&news, &champion, absent, "ada", second(11)).await;
        assert_not_found(moved, Entity::ModelVersion);
    }
    assert_eq!(aliases(store).await, [("champion".to_owned(), 1)]);
    assert_eq!(moves(store).await, [champion_moved(None, Some(1), 10)]);
}

pub async fn an_alias_is_removed_and_that_is_recorded(store: &dyn ModelStore) {
    create_versions(store, 1).await;
    set_alias(store, "champion", 1, 10).await;
    let (news, champion) = (model_name("news"), model_alias("champion"));
    store.delete_alias(&news, &champion, "ada", second(11)).await.unwrap();
    assert_not_found(store.delete_alias(&news, &champion, "ada", second(12)).await, Entity::ModelAlias);
    assert_eq!(aliases(store).await, []);
    assert_eq!(get(store, 1).await.aliases, []);
    set_alias(store, "champion", 1, 13).await;
    let expected =
        [champion_moved(None, Some(1), 10), champion_moved(Some(1), None, 11), champion_moved(None, Some(1), 13)];
    assert_eq!(moves(store).await, expected);
}

pub async fn models_have_their_own_aliases(store: &dyn ModelStore) {
    create_versions(store, 2).await;
    create(store, "other").await;
    let other = model_name("other");
    store.register_version(&a_model_version().name("other").build()).await.unwrap();
    store.set_alias(&other, &model_alias("champion"), 1, "o'hara", second(9)).await.unwrap();
    set_alias(store, "champion", 2, 10).await;
    assert_eq!(store.get_version(&other, 1).await.unwrap().aliases, [model_alias("champion")]);
    assert_eq!(moves(store).await, [champion_moved(None, Some(2), 10)]);
    assert_eq!(store.list_alias_moves(&other).await.unwrap()[0].user_id, "o'hara");
}

pub async fn overlapping_moves_of_an_alias_form_a_chain(store: &dyn ModelStore) {
    create_versions(store, 10).await;
    concurrently((1..=10).map(|version| set_alias(store, "champion", version, 20))).await;
    let moves = moves(store).await;
    assert_eq!(moves.len(), 10);
    let mut named = None;
    for entry in moves {
        assert_eq!(entry.from, named);
        named = entry.to;
    }
    assert_eq!(aliases(store).await, [("champion".to_owned(), named.unwrap())]);
}

pub async fn a_deleted_model_leaves_its_alias_moves(store: &dyn ModelStore) {
    create_versions(store, 2).await;
    create(store, "other").await;
    store.register_version(&a_model_version().name("other").build()).await.unwrap();
    set_alias(store, "champion", 2, 10).await;
    let news = model_name("news");

    store.delete(&news).await.unwrap();

    assert_not_found(store.get(&news).await, Entity::RegisteredModel);
    assert_not_found(store.get_version(&news, 1).await, Entity::ModelVersion);
    assert_eq!(store.list_versions(&news).await.unwrap(), []);
    assert_not_found(store.delete(&news).await, Entity::RegisteredModel);
    assert_eq!(moves(store).await, [champion_moved(None, Some(2), 10)]);
    assert_eq!(store.list_versions(&model_name("other")).await.unwrap().len(), 1);
}

pub async fn a_name_can_be_taken_again_after_deletion(store: &dyn ModelStore) {
    create_versions(store, 2).await;
    set_alias(store, "champion", 2, 10).await;
    store.delete(&model_name("news")).await.unwrap();
    create(store, "news").await;
    assert_eq!(store.get(&model_name("news")).await.unwrap(), a_registered_model().build());
    assert_eq!(store.list_versions(&model_name("news")).await.unwrap(), []);
    check_registered(store, a_model_version().build()).await;
}

pub async fn a_number_is_never_given_again(store: &dyn ModelStore) {
    create_versions(store, 2).await;
    for last_version in [2, 3] {
        store.delete(&model_name("news")).await.unwrap();
        create(store, "news").await;
        let next = store.register_version(&a_model_version().build()).await.unwrap();
        assert_eq!(next.version, last_version + 1);
    }
    store.delete(&model_name("news")).await.unwrap();
    create(store, "news").await;
    store.delete(&model_name("news")).await.unwrap();
    create(store, "news").await;
    assert_eq!(store.register_version(&a_model_version().build()).await.unwrap().version, 5);
}

/// Tests a [`ModelStore`].
#[macro_export]
macro_rules! model_store_suite {
    ($fresh:expr) => {
        $crate::suite_tests!(
            model_store,
            $fresh,
            [
                a_model_comes_back_as_it_was_given,
                a_model_begins_without_aliases,
                a_taken_name_is_refused,
                an_absent_model_is_not_found,
                models_are_listed_by_name,
                models_added_between_pages_shift_nothing,
                listed_models_have_their_aliases,
                a_version_comes_back_as_it_was_given,
                versions_are_numbered_within_their_model,
                overlapping_registrations_get_numbers_of_their_own,
                a_version_dates_its_model,
                a_stage_moves_from_where_it_is,
                set_stage_from_a_stale_stage_conflicts,
                of_overlapping_stage_moves_one_is_first,
                tags_are_set_and_replaced,
                an_alias_moves_and_is_recorded,
                an_alias_set_again_is_not_a_move,
                a_version_may_have_several_aliases,
                an_alias_of_an_absent_version_is_refused,
                an_alias_is_removed_and_that_is_recorded,
                models_have_their_own_aliases,
                overlapping_moves_of_an_alias_form_a_chain,
                a_deleted_model_leaves_its_alias_moves,
                a_name_can_be_taken_again_after_deletion,
                a_number_is_never_given_again,
            ]
        );
    };
}
