//! Sync: document → SQL with progress, how far that got, and another try for what was held back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use ml_core::record::Collection;
use ml_data::pipeline::Pipeline;
use ml_data::sync::{
    DocumentToSql, Replayer, StatusReader, SyncOptions, SyncProgress, SyncReport, SyncStage, SyncStatus,
};

use crate::compose::App;
use crate::progress::Progress;

/// What to sync, and how.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SyncRequest {
    /// Only this collection.
    pub(crate) collection: Option<Collection>,
    /// Whether to go on until Ctrl-C, waiting this long at a time.
    pub(crate) follow: Option<Duration>,
    /// Whether to compare both sides first.
    pub(crate) reconcile: bool,
    /// How many records are judged and committed at a time, unless it is as the settings say.
    pub(crate) batch_size: Option<usize>,
}

/// Syncs one collection, or all of them, to the present end of their feeds, or on until Ctrl-C.
pub(crate) async fn sync(app: &App, request: SyncRequest, stop: &CancellationToken) -> anyhow::Result<SyncReport> {
    let sync = DocumentToSql {
        documents: app.documents.records.clone(),
        feed: app.documents.feed.clone(),
        store: app.sql.sync.clone(),
        references: app.sql.references.clone(),
        pipeline: pipeline(app)?,
        clock: app.clock.clone(),
    };
    let SyncRequest { collection, follow, reconcile, batch_size } = request;
    let collections = collection.map_or_else(|| Collection::ALL.to_vec(), |collection| vec![collection]);
    let settings = &app.config.settings.sync;
    let options = SyncOptions {
        collections,
        batch_size: batch_size.unwrap_or(settings.batch_size),
        max_record_bytes: settings.max_record_bytes,
        follow,
        reconcile,
        retention: app.config.database.retention(),
        patience: if follow.is_some() { settings.patience_while_following() } else { settings.patience() },
    };
    let bars = Bars::default();
    let observer = |done: SyncProgress| bars.show(&done);
    Ok(sync.sync(&options, &observer, stop).await?)
}

/// Returns how far the sync of each collection got, and how far behind that is.
pub(crate) async fn status(app: &App) -> anyhow::Result<SyncStatus> {
    let reader = StatusReader {
        feed: app.documents.feed.clone(),
        store: app.sql.sync.clone(),
        quarantine: app.sql.quarantine.clone(),
        warnings: app.sql.warnings.clone(),
        clock: app.clock.clone(),
    };
    Ok(reader.read().await?)
}

/// Returns what judges quarantined records again.
pub(crate) fn replayer(app: &App) -> anyhow::Result<Replayer> {
    Ok(Replayer {
        feed: app.documents.feed.clone(),
        quarantine: app.sql.quarantine.clone(),
        store: app.sql.sync.clone(),
        references: app.sql.references.clone(),
        pipeline: pipeline(app)?,
        max_record_bytes: app.config.settings.sync.max_record_bytes,
        clock: app.clock.clone(),
    })
}

fn pipeline(app: &App) -> anyhow::Result<Arc<Pipeline>> {
    Ok(Arc::new(Pipeline::new(&app.config.pipeline)?))
}

/// A bar for each collection and stage at work.
#[derive(Default)]
struct Bars(Mutex<BTreeMap<Collection, (SyncStage, Progress)>>);

impl Bars {
    fn show(&self, done: &SyncProgress) {
        let mut bars = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(done.collection).or_insert_with(|| (done.stage, bar(done)));
        if bar.0 != done.stage {
            *bar = (done.stage, self::bar(done));
        }
        bar.1.set(done.counts.read);
        bar.1.message(format!("{} quarantined", done.counts.quarantined));
    }
}

fn bar(done: &SyncProgress) -> Progress {
    let verb = match done.stage {
        SyncStage::Snapshot => "first read of ",
        SyncStage::Changes => "",
        SyncStage::Comparison => "comparison of ",
    };
    Progress::counts(&format!("{verb}{}", done.collection), Some(done.n_pending))
}
