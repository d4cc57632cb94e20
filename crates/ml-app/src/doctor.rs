//! The doctor: looks at everything that is configured, and says how it is and what to do.
//!
//! Facts come from the stores and folders; what they mean is decided by functions without side effects, one file for each kind
//! of thing. Nothing is changed: no store is made or migrated, and what is absent is reported and the rest goes on.

mod artifacts;
mod finding;
mod folder;
mod mongodb;
mod postgres;
mod space;
mod sqlite;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ml_core::clock::SystemClock;
use ml_core::error::StoreError;
use ml_store_mongo::MongoOptions;
use ml_store_sql::{SqlDiagnosis, SqlStore, SqliteCheck};

use crate::compose::{self, DocumentsBackend};
use crate::config::{Config, ConfigArgs, ConfigError, DocumentBackend, SqlBackend};
use crate::progress::Progress;

use self::artifacts::ArtifactFacts;
pub(crate) use self::finding::{Finding, Subject, Verdict};
use self::folder::FolderFacts;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thoroughness {
    /// Every page of the files, and a sample of the artifacts.
    Usual,
    /// Every index too, and every artifact.
    Thorough,
}

/// How long a server that let us in may take over the questions, beside what making the connection may take.
const LONGEST_EXAMINATION: Duration = Duration::from_secs(30);

/// Examines everything that the configuration names.
pub(crate) async fn examine(args: &ConfigArgs, thoroughness: Thoroughness) -> Vec<Finding> {
    let config = match Config::load(args) {
        Ok(config) => config,
        Err(error) => return config_faults(&error),
    };
    let data_dir = &config.settings.data_dir;
    let mut findings = vec![config_in_force(&config)];
    findings.extend(FolderFacts::gather(data_dir).judge_as_data_folder());
    findings.extend(FolderFacts::gather(&std::env::temp_dir()).judge_as_temporary_folder());
    let (of_documents, of_sql) = tokio::join!(documents(&config, thoroughness), sql(&config, thoroughness));
    findings.extend(of_documents);
    findings.extend(of_sql);
    findings
}

fn config_faults(error: &anyhow::Error) -> Vec<Finding> {
    const ADVICE: &str = "mend it; the stores are examined once the configuration is sound";
    let fault = |message: &str| Subject::Configuration.failure("values", message, ADVICE);
    match error.downcast_ref() {
        Some(ConfigError(faults)) => faults.iter().map(|message| fault(message)).collect(),
        None => vec![fault(&format!("{error:#}"))],
    }
}

fn config_in_force(config: &Config) -> Finding {
    let files: Vec<String> = config.files.iter().map(|file| file.display().to_string()).collect();
    let files = if files.is_empty() { "no files, built-in defaults".to_owned() } else { files.join(", ") };
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut variables: Vec<String> = variables.filter(|name| name.starts_with("ML__")).collect();
    variables.sort();
    let variables = if variables.is_empty() { String::new() } else { format!(", then {}", variables.join(", ")) };
    Subject::Configuration.ok("values", format!("sound: {files}{variables}"))
}

fn sqlite_check(thoroughness: Thoroughness) -> SqliteCheck {
    match thoroughness {
        Thoroughness::Usual => SqliteCheck::Quick,
        Thoroughness::Thorough => SqliteCheck::Full,
    }
}

async fn documents(config: &Config, thoroughness: Thoroughness) -> Vec<Finding> {
    let (backend, data_dir) = (&config.database.documents, &config.settings.data_dir);
    match backend {
        DocumentBackend::Embedded { path } => {
            let file = data_dir.join(path);
            if let Some(finding) = not_made_yet(Subject::Documents, &file) {
                return vec![finding];
            }
            examined(Subject::Documents, embedded_documents(backend, data_dir, thoroughness).await)
        }
        DocumentBackend::Mongodb(options) => {
            let at_most = patience(options);
            let _waiting = Progress::waiting(format!("asking {}, for up to {} s", options.url, at_most.as_secs()));
            match tokio::time::timeout(at_most, server_documents(backend, data_dir, options)).await {
                Ok(found) => examined(Subject::Documents, found),
                Err(_) => vec![no_answer(Subject::Documents, &options.url.to_string(), at_most)],
            }
        }
    }
}

/// How long a server is given: as long as the configuration allows for reaching it, and a while to answer.
fn patience(options: &MongoOptions) -> Duration {
    let reaching = options.connect_timeout_ms.saturating_add(options.server_selection_timeout_ms);
    let answering = LONGEST_EXAMINATION.min(Duration::from_millis(options.operation_timeout_ms));
    Duration::from_millis(reaching).saturating_add(answering)
}

async fn embedded_documents(
    backend: &DocumentBackend,
    data_dir: &Path,
    thoroughness: Thoroughness,
) -> anyhow::Result<Vec<Finding>> {
    let DocumentsBackend::Embedded(store) = DocumentsBackend::open(backend, data_dir).await? else {
        return Ok(Vec::new());
    };
    Ok(sqlite::judge(Subject::Documents, &store.diagnose(sqlite_check(thoroughness)).await?))
}

async fn server_documents(
    backend: &DocumentBackend,
    data_dir: &Path,
    options: &MongoOptions,
) -> anyhow::Result<Vec<Finding>> {
    let DocumentsBackend::Mongodb(store) = DocumentsBackend::open(backend, data_dir).await? else {
        return Ok(Vec::new());
    };
    Ok(mongodb::judge(&store.diagnose(&SystemClock).await?, options.change_streams))
}

async fn sql(config: &Config, thoroughness: Thoroughness) -> Vec<Finding> {
    match &config.database.sql {
        SqlBackend::Embedded { path } => {
            let file = config.settings.data_dir.join(path);
            match not_made_yet(Subject::Sql, &file) {
                Some(finding) => vec![finding],
                None => examined(Subject::Sql, opened_sql(config, thoroughness).await),
            }
        }
        SqlBackend::Postgres(options) => {
            let reaching = options.connect_timeout_ms.saturating_mul(u64::from(options.max_retries) + 1);
            let at_most = Duration::from_millis(reaching).saturating_add(LONGEST_EXAMINATION);
            let _waiting = Progress::waiting(format!("asking {}, for up to {} s", options.shown(), at_most.as_secs()));
            match tokio::time::timeout(at_most, opened_sql(config, thoroughness)).await {
                Ok(found) => examined(Subject::Sql, found),
                Err(_) => vec![no_answer(Subject::Sql, &options.shown(), at_most)],
            }
        }
    }
}

async fn opened_sql(config: &Config, thoroughness: Thoroughness) -> anyhow::Result<Vec<Finding>> {
    let store = Arc::new(compose::open_sql(config).await?);
    let (mut findings, is_readable) = match store.diagnose(sqlite_check(thoroughness), &SystemClock).await? {
        SqlDiagnosis::Sqlite(facts) => {
            let is_readable = facts.pending_migrations.is_empty() && facts.faults.is_empty();
            (sqlite::judge(Subject::Sql, &facts), is_readable)
        }
        SqlDiagnosis::Postgres(facts) => (postgres::judge(&facts), facts.pending_migrations.is_empty()),
    };
    if is_readable {
        let folder = compose::artifacts_folder(&config.settings.data_dir);
        findings.extend(of_artifacts(&store, &folder, thoroughness).await.unwrap_or_else(|error| {
            let advice = "mend what the message names, then run `ml-app doctor` again";
            vec![Subject::Artifacts.failure("references", format!("{error:#}"), advice)]
        }));
    }
    Ok(findings)
}

fn no_answer(subject: Subject, server: &str, waited: Duration) -> Finding {
    let message = format!("{server} did not answer within {} s", waited.as_secs());
    subject.failure("reachable", message, "see whether the server runs and is not overloaded")
}

async fn of_artifacts(
    store: &Arc<SqlStore>,
    folder: &Path,
    thoroughness: Thoroughness,
) -> anyhow::Result<Vec<Finding>> {
    let references = artifacts::list_references(&**store, &**store).await?;
    let folder = folder.to_owned();
    let reads_all = thoroughness == Thoroughness::Thorough;
    let gathering = tokio::task::spawn_blocking(move || artifacts::gather(&folder, &references, reads_all));
    let facts: ArtifactFacts = gathering.await??;
    Ok(facts.judge())
}

/// Finds that an embedded store was not made yet, which opening it would do.
fn not_made_yet(subject: Subject, file: &Path) -> Option<Finding> {
    let message = || format!("{} is not there yet: the first command that needs it makes it", file.display());
    (!file.exists()).then(|| subject.ok("reachable", message()))
}

fn examined(subject: Subject, found: anyhow::Result<Vec<Finding>>) -> Vec<Finding> {
    found.unwrap_or_else(|error| vec![unreachable_store(subject, &error)])
}

/// Finds that a store cannot be opened, or gave up in the middle.
fn unreachable_store(subject: Subject, error: &anyhow::Error) -> Finding {
    let advice = match error.chain().find_map(|cause| cause.downcast_ref::<StoreError>()) {
        Some(StoreError::Unavailable { .. }) => {
            "start the server, or mend its address in config/database.yaml; the timeouts there say how long to wait"
        }
        Some(StoreError::Full { .. }) => "make room where the message says",
        Some(StoreError::ReadOnly { .. }) => "let the user who runs ml-app write there",
        _ => "mend what the message names, then run `ml-app doctor` again",
    };
    subject.failure("reachable", crate::output::in_one_line(error), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_cannot_be_opened_says_what_to_do() {
        let check = |error: StoreError, expected: &str| {
            let finding = unreachable_store(Subject::Documents, &anyhow::Error::new(error).context("cannot open it"));
            assert_eq!(finding.verdict, Verdict::Failure);
            assert!(finding.message.starts_with("cannot open it: "), "{finding:?}");
            assert!(finding.advice.as_ref().unwrap().contains(expected), "{finding:?}");
        };
        check(StoreError::Unavailable { operation: "asking", source: "refused".into() }, "start the server");
        check(StoreError::Full { operation: "asking", source: "quota".into() }, "make room");
        check(StoreError::ReadOnly { operation: "asking", source: "mode".into() }, "write there");
        check(StoreError::Backend { operation: "asking", source: "wrong password".into() }, "mend what");
    }

    #[test]
    fn a_server_is_given_a_bounded_while() {
        let options = MongoOptions {
            connect_timeout_ms: 100,
            server_selection_timeout_ms: 200,
            operation_timeout_ms: 1_000,
            ..MongoOptions::new("mongodb://h")
        };
        assert_eq!(patience(&options), Duration::from_millis(1_300));
        let patient = MongoOptions { operation_timeout_ms: u64::MAX, ..options };
        assert_eq!(patience(&patient), Duration::from_millis(30_300));
    }
}
