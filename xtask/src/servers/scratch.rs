//! Where servers are kept: folders for a while, and the cache for what is costly to build.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// Makes a folder for data and logs, which vanishes with the returned value, and into which every user may go.
///
/// # Errors
/// Returns an error when it cannot be made.
pub fn new_scratch_folder() -> Result<TempDir> {
    let temp = std::env::temp_dir();
    // A server that runs under another account must get there.
    let parent = if is_open_to_all(&temp) { temp } else { PathBuf::from("/tmp") };
    let folder = tempfile::Builder::new().prefix("ml-app-servers-").tempdir_in(&parent);
    let folder = folder.with_context(|| format!("cannot create a folder in {}", parent.display()))?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
    Ok(folder)
}

/// Returns the folder outside the repository for what is costly to build or download.
///
/// # Errors
/// Returns an error when the environment names neither a cache nor a home.
pub fn cache_folder() -> Result<PathBuf> {
    cache_folder_in(|name| std::env::var_os(name).map(PathBuf::from))
        .context("there is no place for a cache; set HOME or XDG_CACHE_HOME")
}

fn cache_folder_in(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name| variable(name).filter(|path: &PathBuf| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("ml-app"))
}

/// Returns whether every user may go into `path` and all folders above.
fn is_open_to_all(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    path.ancestors().all(|folder| fs::metadata(folder).is_ok_and(|about| about.permissions().mode() & 0o001 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_environment_says_it_is() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into());
            assert_eq!(cache_folder_in(variable), expected.map(PathBuf::from), "{variables:?}");
        };
        check(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")], Some("/c/ml-app"));
        check(&[("HOME", "/h")], Some("/h/.cache/ml-app"));
        // The specification of these variables says that a relative path counts as none.
        check(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")], Some("/h/.cache/ml-app"));
        check(&[("XDG_CACHE_HOME", "")], None);
    }

    #[test]
    fn a_folder_is_open_when_all_above_are() {
        let outer = new_scratch_folder().unwrap();
        let inner = outer.path().join("inner");
        fs::create_dir(&inner).unwrap();
        assert!(is_open_to_all(&inner));

        fs::set_permissions(outer.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(!is_open_to_all(&inner));
        assert!(!is_open_to_all(&outer.path().join("missing")));
    }
}
