//! The SQL side: which backend holds it, opened and seen through the interfaces.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use ml_core::dataset::DatasetStore;
use ml_core::evaluation::EvaluationStore;
use ml_core::experiment::ExperimentStore;
use ml_core::ground_truth::GroundTruthStore;
use ml_core::outbox::OutboxStore;
use ml_core::quarantine::QuarantineStore;
use ml_core::reference::ReferenceStore;
use ml_core::run::RunStore;
use ml_core::sync::SyncStore;
use ml_core::warning::WarningStore;
use ml_store_sql::SqlStore;

use crate::config::SqlBackend;

/// The SQL side.
#[derive(Clone)]
pub(crate) struct Sql {
    /// Commits of the sync.
    pub(crate) sync: Arc<dyn SyncStore>,
    /// Late truths.
    pub(crate) ground_truth: Arc<dyn GroundTruthStore>,
    /// Records that broke a rule.
    pub(crate) quarantine: Arc<dyn QuarantineStore>,
    /// Rules that records broke and passed nevertheless.
    pub(crate) warnings: Arc<dyn WarningStore>,
    /// Where values are looked up.
    pub(crate) references: Arc<dyn ReferenceStore>,
    /// Publications that wait.
    pub(crate) outbox: Arc<dyn OutboxStore>,
    /// Dataset versions.
    pub(crate) datasets: Arc<dyn DatasetStore>,
    /// Lines of work.
    pub(crate) experiments: Arc<dyn ExperimentStore>,
    /// Executions in them.
    pub(crate) runs: Arc<dyn RunStore>,
    /// Evaluation figures and reports.
    pub(crate) evaluations: Arc<dyn EvaluationStore>,
}

impl Sql {
    /// Returns the store as what it does.
    pub(super) fn of(store: Arc<SqlStore>) -> Sql {
        Sql {
            sync: store.clone(),
            ground_truth: store.clone(),
            quarantine: store.clone(),
            warnings: store.clone(),
            references: store.clone(),
            outbox: store.clone(),
            datasets: store.clone(),
            experiments: store.clone(),
            runs: store.clone(),
            evaluations: store,
        }
    }
}

/// Opens the configured store as it is.
pub(super) async fn open(backend: &SqlBackend, data_dir: &Path) -> anyhow::Result<SqlStore> {
    match backend {
        SqlBackend::Embedded { path } => {
            let file = data_dir.join(path);
            SqlStore::open(&file).await.with_context(|| format!("cannot open the SQL store {}", file.display()))
        }
        SqlBackend::Postgres(options) => {
            SqlStore::connect(options).await.with_context(|| format!("cannot open the SQL store {}", options.shown()))
        }
    }
}
