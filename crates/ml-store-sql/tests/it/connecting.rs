//! What cannot be connected to says why and what to do, and never a password; what breaks is made anew.

use ml_core::error::StoreError;
use ml_core::experiment::{ExperimentStore, NewExperiment};
use ml_core::outbox::OutboxStore as _;
use ml_core::run::RunStore;
use ml_core::secret::Secret;
use ml_core::testkit::build::{a_run, second};
use ml_store_sql::{PostgresOptions, PostgresTls, PostgresTlsMode, SqlStore};

use crate::fixture::{TestSchema, chain, outside, server_url};

async fn refusal(options: &PostgresOptions) -> String {
    let Err(error) = SqlStore::connect(options).await else { panic!("{options:?} was connected to") };
    let (StoreError::Backend { operation, .. } | StoreError::Unavailable { operation, .. }) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*operation, "connecting to PostgreSQL");
    // Both what people read and what is logged.
    let (text, debug) = (chain(&error), format!("{error:?}"));
    assert!(!text.contains("hunter2") && !debug.contains("hunter2"), "{text}\n{debug}");
    text
}

fn impatient(url: &str) -> PostgresOptions {
    PostgresOptions { connect_timeout_ms: 500, max_retries: 0, ..PostgresOptions::new(url) }
}

#[tokio::test]
async fn an_absent_server_is_named() {
    // Port 1 is reserved, and nobody listens there.
    let text = refusal(&impatient("postgres://ann:hunter2@127.0.0.1:1/ml")).await;
    assert!(text.contains("does not answer: no PostgreSQL server at 127.0.0.1:1"), "{text}");
    assert!(text.contains("config/database.yaml"), "{text}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let options = PostgresOptions {
        connect_timeout_ms: 50,
        ..impatient(&format!("postgres://ann:hunter2@{address}/ml?sslmode=disable"))
    };
    let text = refusal(&options).await;
    assert!(text.contains(&format!("the server at {address} did not answer within 100 ms")), "{text}");
}

#[tokio::test]
async fn a_transaction_that_hears_nothing_is_given_up() {
    let Some(schema) = TestSchema::new() else { return };
    drop(schema.migrated().await);
    let options = PostgresOptions { transaction_timeout_ms: 200, max_retries: 0, ..schema.options.clone() };
    let store = SqlStore::connect(&options).await.unwrap();
    // To the store, a server that waits for a lock is as one that says nothing.
    let mut holder = outside().await;
    let holding = holder.transaction().await.unwrap();
    let lock = format!("LOCK TABLE \"{}\".experiments IN ACCESS EXCLUSIVE MODE", options.schema);
    holding.batch_execute(&lock).await.unwrap();
    let refused = ExperimentStore::find_by_name(&store, "any").await;
    holding.rollback().await.unwrap();

    let error = refused.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    let text = chain(&error);
    assert!(text.contains("did not answer within 200 ms") && text.contains("raise `transaction_timeout_ms`"), "{text}");
    assert_eq!(ExperimentStore::find_by_name(&store, "any").await.unwrap(), None);
}

#[tokio::test]
async fn a_look_at_the_migrations_that_hears_nothing_is_given_up() {
    let Some(schema) = TestSchema::new() else { return };
    drop(schema.migrated().await);
    let mut holder = outside().await;
    let holding = holder.transaction().await.unwrap();
    let lock = format!("LOCK TABLE \"{}\".__diesel_schema_migrations IN ACCESS EXCLUSIVE MODE", schema.options.schema);
    holding.batch_execute(&lock).await.unwrap();
    let options = PostgresOptions { transaction_timeout_ms: 200, max_retries: 0, ..schema.options.clone() };
    let Err(error) = SqlStore::connect(&options).await else { panic!("it looked at what is locked") };
    holding.rollback().await.unwrap();

    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    let text = chain(&error);
    assert!(text.contains("did not answer within 200 ms") && text.contains("raise `transaction_timeout_ms`"), "{text}");
}

#[tokio::test]
async fn an_address_of_something_else_is_refused() {
    let text = refusal(&impatient("mongodb://ann:hunter2@127.0.0.1:1")).await;
    assert!(text.contains("is not one of PostgreSQL"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_is_told_apart() {
    let Some(schema) = TestSchema::new() else { return };
    let user = format!("{}_user", schema.options.schema);
    outside().await.batch_execute(&format!("CREATE ROLE {user} LOGIN PASSWORD 'right'")).await.unwrap();
    let options =
        PostgresOptions { user: Some(user.clone()), password: Some(Secret::new("hunter2")), ..schema.options.clone() };
    let outcome = SqlStore::connect(&options).await.map(drop);
    outside().await.batch_execute(&format!("DROP ROLE {user}")).await.unwrap();

    let text = chain(&outcome.unwrap_err());
    assert!(text.contains("refuses the user") && text.contains(&user) && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let Some(url) = server_url() else { return };
    let options = PostgresOptions { database: Some("no_such_database".to_owned()), ..impatient(&url) };
    let text = refusal(&options).await;
    assert!(text.contains("run `CREATE DATABASE \"no_such_database\"`"), "{text}");
}

#[tokio::test]
async fn tls_that_the_server_does_not_have_is_told() {
    let Some(url) = server_url() else { return };
    let has_tls = outside().await.query_one("SELECT current_setting('ssl') = 'on'", &[]).await.unwrap().get(0);
    if has_tls {
        return;
    }
    let tls = PostgresTls { mode: PostgresTlsMode::Require, ..PostgresTls::default() };
    let text = refusal(&PostgresOptions { tls: Some(tls), ..impatient(&url) }).await;
    assert!(text.contains("speaks no TLS") && text.contains("see `tls` in config/database.yaml"), "{text}");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let Some(schema) = TestSchema::new() else { return };
    let store = schema.migrated().await;
    schema.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')").await;

    let text = refusal(&schema.options).await;
    assert!(text.contains("was written by a newer release (migration 29991231000000 is unknown here)"), "{text}");
    for outcome in [store.migrate().await.map(drop), store.revert_migrations().await] {
        let text = chain(&outcome.unwrap_err());
        assert!(text.contains("newer release"), "{text}");
    }
}

#[tokio::test]
async fn a_schema_that_was_not_migrated_says_so() {
    let Some(schema) = TestSchema::new() else { return };
    let text = chain(&schema.connect().await.counts().await.unwrap_err());
    assert!(text.contains("run `ml-app migrate`"), "{text}");
}

#[tokio::test]
async fn a_missing_permission_names_what_to_grant() {
    let Some(schema) = TestSchema::new() else { return };
    drop(schema.migrated().await);
    let name = &schema.options.schema;
    let user = format!("{name}_reader");
    let statements = format!(
        "CREATE ROLE {user} LOGIN PASSWORD 'right'; GRANT USAGE ON SCHEMA {name} TO {user}; \
         GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {user}"
    );
    outside().await.batch_execute(&statements).await.unwrap();
    let options =
        PostgresOptions { user: Some(user.clone()), password: Some(Secret::new("right")), ..schema.options.clone() };
    let outcome = match SqlStore::connect(&options).await {
        Ok(store) => RunStore::create(&store, &a_run().build()).await,
        Err(error) => Err(error),
    };
    outside().await.batch_execute(&format!("DROP OWNED BY {user}; DROP ROLE {user}")).await.unwrap();

    let text = chain(&outcome.unwrap_err());
    assert!(text.contains("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA"), "{text}");
}

/// Ends every other connection that has `application_name`, as a restart of the server does.
async fn cut(application_name: &str) -> i64 {
    let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
    outside().await.query_one(ended, &[&application_name]).await.unwrap().get(0)
}

#[tokio::test]
async fn cut_connections_are_made_anew() {
    let Some(mut schema) = TestSchema::new() else { return };
    schema.options.application_name.clone_from(&schema.options.schema);
    let store = schema.migrated().await;
    for round in 0..5 {
        let experiment = a_new_experiment(&format!("round {round}"));
        let created = ExperimentStore::create(&store, &experiment).await.unwrap();
        assert!(cut(&schema.options.application_name).await > 0, "there was nothing to cut");
        assert_eq!(ExperimentStore::get(&store, &created.id).await.unwrap().name, experiment.name);
    }
}

#[tokio::test]
async fn a_session_that_was_cut_off_within_a_command_is_ended() {
    let Some(mut schema) = TestSchema::new() else { return };
    schema.options.application_name.clone_from(&schema.options.schema);
    drop(schema.migrated().await);
    let options = PostgresOptions { transaction_timeout_ms: 300, ..schema.options.clone() };
    let store = SqlStore::connect(&options).await.unwrap();
    let cut_off = outside().await;
    let name = &options.schema;
    let begin = format!(
        "SET application_name TO {name}; SET search_path TO {name}; BEGIN; \
         LOCK TABLE experiments IN ACCESS EXCLUSIVE MODE"
    );
    cut_off.batch_execute(&begin).await.unwrap();
    // The server waits for what comes next of it, as for the rest of a command that was cut off.
    let _never_sent = cut_off.copy_in::<_, &'static [u8]>("COPY experiments FROM STDIN").await.unwrap();

    assert_eq!(ExperimentStore::find_by_name(&store, "any").await.unwrap(), None);
}

#[tokio::test]
async fn writers_that_wait_for_one_another_all_come_through() {
    let Some(schema) = TestSchema::new() else { return };
    let (one, other) = (schema.migrated().await, schema.connect().await);
    let names: Vec<String> = (0..20).map(|n| format!("experiment {n}")).collect();
    let creating = names.iter().enumerate().map(|(n, name)| {
        let store = if n % 2 == 0 { &one } else { &other };
        async { ExperimentStore::create(store, &a_new_experiment(name)).await.unwrap().id }
    });

    let mut ids = futures::future::join_all(creating).await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), names.len(), "every experiment has a number of its own");
}

#[tokio::test]
async fn a_cancelled_transaction_does_not_spoil_the_next() {
    let Some(schema) = TestSchema::new() else { return };
    let store = schema.migrated().await;
    for round in 0..30 {
        let cancelled = a_run().id(&format!("cancelled{round}")).param("depth", "3").build();
        let waited = std::time::Duration::from_micros(200 * round);
        let _ = tokio::time::timeout(waited, RunStore::create(&store, &cancelled)).await;
        let kept = a_run().id(&format!("kept{round}")).param("depth", "3").build();
        RunStore::create(&store, &kept).await.unwrap();
        assert_eq!(RunStore::get(&store, &kept.id).await.unwrap().params["depth"], "3");
    }
}

fn a_new_experiment(name: &str) -> NewExperiment {
    NewExperiment {
        name: name.to_owned(),
        artifact_location: None,
        tags: std::collections::BTreeMap::new(),
        created_at: second(1),
    }
}
