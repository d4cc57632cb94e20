//! Section `settings`: folders, and who is at work.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// General settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where the embedded stores and the artifacts are.
    pub(crate) data_dir: PathBuf,
    /// Who registers models and starts runs.
    pub(crate) user: String,
}
