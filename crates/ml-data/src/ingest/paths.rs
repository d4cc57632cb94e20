//! Names of files with wildcards.

use std::path::{Path, PathBuf};

use super::error::IngestError;

/// Returns the files that `pattern` names, sorted: itself where it exists or has no wildcard, else every file that fits
/// `*`, `?`, `[…]` and `**`.
///
/// # Errors
/// [`IngestError::Pattern`] when wildcards fit no file.
pub fn expand_path(pattern: &str) -> Result<Vec<PathBuf>, IngestError> {
    if !pattern.contains(['*', '?', '[']) || Path::new(pattern).exists() {
        return Ok(vec![PathBuf::from(pattern)]);
    }
    let fault = |fault: String| IngestError::Pattern { pattern: pattern.to_owned(), fault };
    let found = glob::glob(pattern).map_err(|error| fault(format!("not a pattern, {error}")))?;
    let mut paths = Vec::new();
    for path in found {
        let path = path.map_err(|error| fault(error.to_string()))?;
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() { Err(fault("no file fits".to_owned())) } else { Ok(paths) }
}
