//! Registering, finding, loading and moving versions.

use std::fs;
use std::sync::Arc;

use ml_core::error::StoreError;
use ml_core::evaluation::ModelPerformance;
use ml_core::model::Stage;
use ml_core::testkit::build::{a_model_performance, second};
use ml_registry::compare::{Difference, compare};
use ml_registry::error::RegistryError;
use ml_registry::fs_artifacts::FsArtifacts;
use ml_registry::gate::Gate;
use ml_registry::registry::Registry;

use crate::fixture::{
    a_registration, a_registry, a_registry_over, alias, model_name, reference, register, register_all,
};

/// Prints an error with its whole chain, as the command line does.
fn chain(err: &RegistryError) -> String {
    let mut text = err.to_string();
    let mut source = std::error::Error::source(err);
    while let Some(err) = source {
        text = format!("{text}: {err}");
        source = err.source();
    }
    text
}

async fn check_refused(registry: &Registry, text: &str, expected: &str) {
    let err = registry.resolve(&reference(text)).await.unwrap_err();
    assert_eq!(chain(&err), expected, "{text}");
}

#[tokio::test]
async fn a_version_is_registered_with_everything_beside_it() {
    let registry = a_registry();

    let first = register(&registry, "news", b"model 1").await;
    let second_version = register(&registry, "news", b"model 2").await;

    assert_eq!((first.version, second_version.version), (1, 2));
    assert_eq!((first.stage, first.content.created_at), (Stage::Development, second(0)));
    assert_eq!(registry.load_artifact(&first).await.unwrap(), b"model 1");
    assert_eq!(registry.load_artifact(&second_version).await.unwrap(), b"model 2");
    assert_eq!(registry.load_reference_profile(&first).await.unwrap().unwrap(), br#"{"format":"1"}"#);
    assert_eq!(registry.load_pipeline(&first).await.unwrap().unwrap(), b"target: topic\n");
    assert_eq!(registry.list_models().await.unwrap().len(), 1);
}

#[tokio::test]
async fn versions_registered_at_once_get_their_own_numbers() {
    let registry = a_registry();
    let registrations = (0..10u8).map(|i| registry.register(a_registration("news", &[i])));
    let outcomes = ml_core::testkit::concurrently::concurrently(registrations).await;
    let mut numbers: Vec<u32> = outcomes.into_iter().map(|outcome| outcome.unwrap().version).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn references_find_their_version() {
    let registry = a_registry();
    register(&registry, "news", b"1").await;
    register(&registry, "news", b"2").await;
    registry.set_alias(&reference("news@1"), &alias("champion"), "ada").await.unwrap();

    for (text, expected) in [("news", 2), ("news@latest", 2), ("news@1", 1), ("news@v2", 2), ("news@champion", 1)] {
        assert_eq!(registry.resolve(&reference(text)).await.unwrap().version, expected, "{text}");
    }
}

#[tokio::test]
async fn what_is_not_found_says_what_there_is() {
    let registry = a_registry();
    check_refused(&registry, "news", "no model `news`; the models are none").await;
    register_all(&registry, &["news-topics", "volatility", "news-topics"]).await;
    registry.set_alias(&reference("news-topics@1"), &alias("champion"), "ada").await.unwrap();

    check_refused(
        &registry,
        "news-topcis@2",
        "no model `news-topcis`, did you mean `news-topics`; the models are `news-topics`, `volatility`",
    )
    .await;
    check_refused(&registry, "weather@x", "no model `weather`; the models are `news-topics`, `volatility`").await;
    check_refused(&registry, "news-topics@9", "model `news-topics` has no version 9; its versions are `2`, `1`").await;
    check_refused(
        &registry,
        "news-topics@champoin",
        "model `news-topics` has no alias `champoin`, did you mean `champion`; its aliases are `champion`",
    )
    .await;
    check_refused(&registry, "volatility@champion", "model `volatility` has no alias `champion`; its aliases are none")
        .await;
}

#[tokio::test]
async fn an_alias_moves_and_every_move_is_kept() {
    let registry = a_registry();
    register_all(&registry, &["news", "news"]).await;
    let (name, champion) = (model_name("news"), alias("champion"));

    registry.set_alias(&reference("news@1"), &champion, "ada").await.unwrap();
    let moved = registry.set_alias(&reference("news@latest"), &champion, "bob").await.unwrap();
    assert_eq!((moved.version, moved.aliases.as_slice()), (2, [champion.clone()].as_slice()));
    registry.delete_alias(&name, &champion, "ada").await.unwrap();

    let err = registry.delete_alias(&name, &champion, "ada").await.unwrap_err();
    assert!(matches!(err, RegistryError::UnknownAlias { .. }), "{err:?}");
    let moves = registry.list_alias_moves(&name).await.unwrap();
    let moves: Vec<_> = moves.iter().map(|made| (made.from, made.to, made.user_id.as_str())).collect();
    assert_eq!(moves, [(None, Some(1), "ada"), (Some(1), Some(2), "bob"), (Some(2), None, "ada")]);
}

fn evaluations() -> Vec<ModelPerformance> {
    let figures = a_model_performance().build();
    let evaluation = |version, split: &str| ModelPerformance {
        model_name: Some(model_name("news")),
        model_version: Some(version),
        run_id: None,
        split: split.to_owned(),
        ..figures.clone()
    };
    vec![evaluation(2, "test"), evaluation(1, "train")]
}

#[tokio::test]
async fn a_version_moves_by_the_moves_there_are_through_open_gates() {
    let registry = a_registry();
    register_all(&registry, &["news", "news"]).await;
    let promote = |text: &'static str, to: Stage| {
        let registry = registry.clone();
        async move { registry.promote(&reference(text), to, Gate::before(to), &evaluations()).await }
    };

    let err = promote("news@2", Stage::Production).await.unwrap_err();
    assert_eq!(
        chain(&err),
        "`news@2` stays where it is: a version in development cannot move to production; \
         from there it may move to staging, archived"
    );
    for to in [Stage::Staging, Stage::Production] {
        assert_eq!(promote("news@2", to).await.unwrap().stage, to);
    }
    promote("news@1", Stage::Staging).await.unwrap();
    let err = promote("news@1", Stage::Production).await.unwrap_err();
    assert!(chain(&err).starts_with("`news@1` cannot move to production: it must have been evaluated"), "{err}");
    assert_eq!(registry.resolve(&reference("news@1")).await.unwrap().stage, Stage::Staging);
}

#[tokio::test]
async fn a_damaged_artifact_neither_loads_nor_moves_on() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = FsArtifacts::open(folder.path()).unwrap();
    let registry = a_registry_over(Arc::new(artifacts.clone()));
    let version = register(&registry, "news", b"model").await;
    let path = artifacts.path_of(&version.content.artifact.unwrap().digest);
    fs::write(&path, b"m0del").unwrap();

    let err = registry.load_artifact(&version).await.unwrap_err();
    assert!(matches!(err, RegistryError::Unloadable { source: StoreError::Corrupt { .. }, .. }), "{err:?}");
    assert!(chain(&err).starts_with("the model of `news@1` cannot be loaded: stored artifact"), "{}", chain(&err));

    let err =
        registry.promote(&reference("news"), Stage::Staging, Gate::before(Stage::Staging), &[]).await.unwrap_err();
    let text = chain(&err);
    assert!(text.starts_with("`news@1` cannot move to staging: its stored model must load: the model of"), "{text}");

    fs::remove_file(&path).unwrap();
    let err = registry.load_artifact(&version).await.unwrap_err();
    assert!(matches!(err, RegistryError::Unloadable { source: StoreError::NotFound { .. }, .. }), "{err:?}");
}

#[tokio::test]
async fn two_versions_are_compared_field_by_field() {
    let registry = a_registry();
    let left = register(&registry, "news", b"model").await;
    let mut changed = a_registration("news", b"model");
    changed.description = "headlines by topic, with bigrams".to_owned();
    changed.tags.clear();
    changed.tags.insert("trial".to_owned(), "7".to_owned());
    changed.signature.inputs[0].required = false;
    let right = registry.register(changed).await.unwrap();

    let text = |text: &str| Some(text.to_owned());
    let difference =
        |field: &str, left: Option<String>, right: Option<String>| Difference { field: field.to_owned(), left, right };
    assert_eq!(
        compare(&left, &right),
        [
            difference("description", text("headlines by topic"), text("headlines by topic, with bigrams")),
            difference("signature.inputs.headline", text("text, required"), text("text, optional")),
            difference("tags.owner", text("desk"), None),
            difference("tags.trial", None, text("7")),
        ]
    );
    assert_eq!(compare(&left, &left), []);
}
