//! Files that are there wholly or not at all, even after a crash: written aside, synced, renamed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ml_core::error::StoreError;

/// What the name of every unfinished file begins with.
const TEMP_PREFIX: &str = ".unfinished-";

/// How often a write begins again after its unfinished file was swept away by another process.
const MAX_ATTEMPTS: u32 = 5;

/// An input or output error, with the file it is about and the way out where there is one.
#[derive(Debug, thiserror::Error)]
enum FileFault {
    #[error("at {}", .path.display())]
    At {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("free some space where {} is to be and run the command again", .path.display())]
    NoRoom {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("let the user who runs the command write {}", .path.display())]
    NoPermission {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Makes the store error of a failed write to `path`.
pub(crate) fn write_error(operation: &'static str, path: &Path, source: io::Error) -> StoreError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            StoreError::Full { operation, source: Box::new(FileFault::NoRoom { path, source }) }
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            StoreError::ReadOnly { operation, source: Box::new(FileFault::NoPermission { path, source }) }
        }
        _ => StoreError::Backend { operation, source: Box::new(FileFault::At { path, source }) },
    }
}

/// Makes the store error of a failed read of `path`; a missing permission to read is not a read-only store.
pub(crate) fn read_error(operation: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Backend { operation, source: Box::new(FileFault::At { path: path.to_owned(), source }) }
}

/// Writes files durably, each under a temporary name that no other write has.
#[derive(Debug, Default)]
pub(crate) struct DurableWriter {
    n_started: AtomicU64,
}

impl DurableWriter {
    /// Makes `path` hold what `write` gives, replacing a former file; on an error `path` is as it was.
    ///
    /// The folder of `path` must exist.
    pub(crate) fn write(
        &self,
        path: &Path,
        write: impl Fn(&mut dyn Write) -> Result<(), io::Error>,
    ) -> Result<(), io::Error> {
        let folder = folder_of(path);
        for attempt in 1.. {
            let mut unfinished = self.start(folder)?;
            {
                let mut buffered = io::BufWriter::new(&mut unfinished.file);
                write(&mut buffered)?;
                buffered.flush()?;
            }
            unfinished.file.sync_all()?;
            match unfinished.rename_to(path) {
                Err(err) if err.kind() == io::ErrorKind::NotFound && attempt < MAX_ATTEMPTS => {}
                outcome => {
                    outcome?;
                    break;
                }
            }
        }
        sync_folder(folder)
    }

    fn start(&self, folder: &Path) -> Result<Unfinished, io::Error> {
        loop {
            let n = self.n_started.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{TEMP_PREFIX}{}-{n}", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // The lock tells a sweep that the writer lives; where locks are not supported, a swept file is written again.
                    let _ = file.try_lock();
                    return Ok(Unfinished { file, path, is_renamed: false });
                }
                // A process that had the same id was killed and left its file; a sweep will find it.
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {}
                Err(err) => return Err(err),
            }
        }
    }
}

/// A file being written; removed unless it is renamed.
struct Unfinished {
    file: File,
    path: PathBuf,
    is_renamed: bool,
}

impl Unfinished {
    fn rename_to(&mut self, path: &Path) -> Result<(), io::Error> {
        fs::rename(&self.path, path)?;
        self.is_renamed = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_renamed {
            // What cannot be removed now is swept on the next open.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes `folder`, durably, if it is not there.
pub(crate) fn create_folder(folder: &Path) -> Result<(), io::Error> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    sync_folder(folder_of(folder))
}

/// Removes the unfinished files in `folder` whose writers are gone, and returns how many.
pub(crate) fn sweep(folder: &Path) -> Result<usize, io::Error> {
    let mut n_removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(TEMP_PREFIX);
        if is_unfinished && is_abandoned(&entry.path()) && fs::remove_file(entry.path()).is_ok() {
            n_removed += 1;
        }
    }
    Ok(n_removed)
}

fn is_abandoned(path: &Path) -> bool {
    let Ok(file) = OpenOptions::new().write(true).open(path) else {
        return false;
    };
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_)))
}

/// Returns the folder that holds `path`; for a bare file name, the current one.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes the names in `folder` durable; only Unix opens a folder as a file, elsewhere renames are journalled.
fn sync_folder(folder: &Path) -> Result<(), io::Error> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_former_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let writer = DurableWriter::default();
        writer.write(&path, |file| file.write_all(b"before")).unwrap();

        let err = writer
            .write(&path, |file| {
                file.write_all(b"half")?;
                Err(io::ErrorKind::StorageFull.into())
            })
            .unwrap_err();

        assert_eq!(err.kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert_eq!(names_in(folder.path()), ["kept"]);
    }

    #[test]
    fn a_sweep_spares_files_whose_writer_lives() {
        let folder = tempfile::tempdir().unwrap();
        let alive = DurableWriter::default().start(folder.path()).unwrap();
        fs::write(folder.path().join(".unfinished-1-1"), b"left by a killed process").unwrap();
        fs::write(folder.path().join("finished"), b"x").unwrap();

        assert_eq!(sweep(folder.path()).unwrap(), 1);

        let alive_name = alive.path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(names_in(folder.path()), [alive_name, "finished".to_owned()]);
    }

    #[test]
    fn a_write_whose_unfinished_file_was_swept_begins_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let n_writes = AtomicU64::new(0);

        DurableWriter::default()
            .write(&path, |file| {
                if n_writes.fetch_add(1, Ordering::Relaxed) == 0 {
                    for name in names_in(folder.path()) {
                        fs::remove_file(folder.path().join(name))?;
                    }
                }
                file.write_all(b"whole")
            })
            .unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(n_writes.into_inner(), 2);
    }

    #[test]
    fn a_full_disk_and_a_read_only_folder_are_told_apart() {
        let error = |kind: io::ErrorKind| write_error("writing artifacts", Path::new("/data/ab"), kind.into());
        assert!(matches!(error(io::ErrorKind::StorageFull), StoreError::Full { .. }));
        assert!(matches!(error(io::ErrorKind::QuotaExceeded), StoreError::Full { .. }));
        assert!(matches!(error(io::ErrorKind::ReadOnlyFilesystem), StoreError::ReadOnly { .. }));
        assert!(matches!(error(io::ErrorKind::PermissionDenied), StoreError::ReadOnly { .. }));
        assert!(matches!(error(io::ErrorKind::Interrupted), StoreError::Backend { .. }));
    }
}
