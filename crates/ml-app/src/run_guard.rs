//! Telling runs that are at work from those whose process is gone.
//!
//! A process keeps a lock on a file in the data folder for each of its runs. The system takes the lock away with the process,
//! however that ends; a file without a lock is therefore of a run that nobody will end any more. Runs of other machines have no
//! file here, and are left alone.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use ml_core::error::StoreError;
use ml_core::id::RunId;
use ml_core::run::{RunLog, RunStatus};

use crate::compose::App;

/// The folder of the files, inside the data folder.
const FOLDER: &str = "running";

/// What a file is called before it is locked.
const UNLOCKED_PREFIX: &str = ".new-";

/// The tag that says why a run failed.
pub(crate) const FAILURE_TAG: &str = "ml_app.failure";

const INTERRUPTED: &str = "interrupted: its process ended without a word, as by `kill -9` or a loss of power";

/// Shows that the process of a run is there.
#[derive(Debug)]
pub(crate) struct RunGuard {
    path: PathBuf,
    _lock: File,
}

impl RunGuard {
    /// Shows from now on that run `id` is at work. Where files cannot be locked it is not shown, and the run is never taken for
    /// one that was interrupted.
    pub(crate) fn new(app: &App, id: &RunId) -> Option<RunGuard> {
        let guard = lock(&folder(app), id);
        guard.inspect_err(|error| tracing::debug!(%error, "the file of the run cannot be locked")).ok()
    }

    /// Takes the file away, for the end of the run is recorded. A guard that is dropped instead leaves it without a lock.
    pub(crate) fn release(self) {
        // What cannot be removed changes nothing: a run that has ended stays as it is.
        let _ = fs::remove_file(&self.path);
    }
}

/// Marks the runs as failed whose process is gone.
pub(crate) async fn end_interrupted(app: &App) -> Result<(), StoreError> {
    for (path, _lock) in abandoned(&folder(app)) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Ok(id) = RunId::parse(name)
            && end(app, &id).await?
        {
            tracing::warn!(run = %id, "an earlier training was interrupted: its run is marked as failed");
        }
        let _ = fs::remove_file(&path);
    }
    Ok(())
}

/// Marks a run as failed unless it has ended, and returns whether it had not.
async fn end(app: &App, id: &RunId) -> Result<bool, StoreError> {
    let runs = &app.sql.runs;
    match runs.get(id).await {
        Ok(run) if run.status == RunStatus::Running => {}
        // It ended, or was never recorded, or was deleted.
        Ok(_) | Err(StoreError::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error),
    }
    let tags = BTreeMap::from([(FAILURE_TAG.to_owned(), INTERRUPTED.to_owned())]);
    runs.log(id, &RunLog { tags, ..RunLog::default() }).await?;
    match runs.set_status(id, RunStatus::Running, RunStatus::Failed, Some(app.clock.now())).await {
        Ok(()) => Ok(true),
        // Another process found it at the same time.
        Err(StoreError::Conflict { .. } | StoreError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn folder(app: &App) -> PathBuf {
    app.config.settings.data_dir.join(FOLDER)
}

/// Locks the file of run `id`. It has its name only once it is locked, so that nobody finds it without.
fn lock(folder: &Path, id: &RunId) -> io::Result<RunGuard> {
    fs::create_dir_all(folder)?;
    let unlocked = folder.join(format!("{UNLOCKED_PREFIX}{id}"));
    let path = folder.join(id.as_str());
    let file = File::create_new(&unlocked)?;
    let locked = file.lock().and_then(|()| fs::rename(&unlocked, &path));
    if let Err(error) = locked {
        let _ = fs::remove_file(&unlocked);
        return Err(error);
    }
    Ok(RunGuard { path, _lock: file })
}

/// Returns the files that nobody has a lock on, each with a lock of ours.
fn abandoned(folder: &Path) -> Vec<(PathBuf, File)> {
    // Without the folder there was no run.
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut abandoned = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_new = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNLOCKED_PREFIX));
        let Ok(file) = File::options().write(true).open(&path) else { continue };
        match file.try_lock() {
            Ok(()) if !is_new => abandoned.push((path, file)),
            Ok(()) | Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
    abandoned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u8) -> RunId {
        RunId::parse(format!("run-{number}")).unwrap()
    }

    #[test]
    fn only_files_without_a_lock_are_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        assert!(abandoned(&folder.path().join("absent")).is_empty());
        let live = lock(folder.path(), &run(1)).unwrap();
        fs::write(folder.path().join(run(2).as_str()), "").unwrap();
        fs::write(folder.path().join(format!("{UNLOCKED_PREFIX}{}", run(3))), "").unwrap();

        let names: Vec<PathBuf> = abandoned(folder.path()).into_iter().map(|(path, _)| path).collect();
        assert_eq!(names, [folder.path().join(run(2).as_str())]);

        let path = live.path.clone();
        drop(live);
        assert_eq!(abandoned(folder.path()).len(), 2, "a dropped guard leaves its file");
        assert!(path.is_file());

        let ended = lock(folder.path(), &run(4)).unwrap();
        let path = ended.path.clone();
        ended.release();
        assert!(!path.exists());
    }
}
