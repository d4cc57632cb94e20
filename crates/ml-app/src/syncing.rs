//! Sync: document → SQL with progress, and another try for what was held back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use ml_core::record::Collection;
use ml_data::pipeline::Pipeline;
use ml_data::sync::{DocumentToSql, Replayer, SyncOptions, SyncProgress, SyncReport};

use crate::compose::App;
use crate::progress::Progress;

/// Syncs one collection, or all of them, to the present end of their feeds; with `follow`, again and again until Ctrl-C.
pub(crate) async fn sync(
    app: &App,
    collection: Option<Collection>,
    follow: Option<Duration>,
    stop: &CancellationToken,
) -> anyhow::Result<SyncReport> {
    let sync = DocumentToSql {
        feed: app.documents.feed.clone(),
        store: app.sql.sync.clone(),
        pipeline: pipeline(app)?,
        clock: app.clock.clone(),
    };
    let collections = collection.map_or_else(|| Collection::ALL.to_vec(), |collection| vec![collection]);
    let options = SyncOptions { collections, follow, ..SyncOptions::default() };
    let bar = Mutex::new(None);
    let observer = |done: SyncProgress| show(&bar, &done);
    Ok(sync.sync(&options, &observer, stop).await?)
}

/// Returns what judges quarantined records again.
pub(crate) fn replayer(app: &App) -> anyhow::Result<Replayer> {
    Ok(Replayer {
        documents: app.documents.records.clone(),
        quarantine: app.sql.quarantine.clone(),
        store: app.sql.sync.clone(),
        pipeline: pipeline(app)?,
        clock: app.clock.clone(),
    })
}

fn pipeline(app: &App) -> anyhow::Result<Arc<Pipeline>> {
    Ok(Arc::new(Pipeline::new(&app.config.pipeline)?))
}

/// Shows one bar after the other, one for each collection.
fn show(bar: &Mutex<Option<(Collection, Progress)>>, done: &SyncProgress) {
    let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
    if bar.as_ref().is_none_or(|(collection, _)| *collection != done.collection) {
        *bar = Some((done.collection, Progress::counts(done.collection.name(), Some(done.n_pending))));
    }
    if let Some((_, progress)) = bar.as_ref() {
        progress.set(done.counts.read);
        progress.message(format!("{} quarantined", done.counts.quarantined));
    }
}
