//! The package of a model version: one file with everything that is known of a fitted model, and no code.
//!
//! Beside the model itself (pipeline, signature, fitted preprocessing, predictor) it holds its *papers*: a few training rows
//! with what the model made of them, the profile of its inputs, and the model card. Nothing in it depends on time, threads or
//! hashing: the same training gives the same bytes. What is read was checked: every byte is under a digest, and the model must
//! still predict its golden rows.

mod content;
mod envelope;
mod golden;

use serde::{Deserialize, Serialize};

use crate::error::ModelFormatError;
use crate::model::TrainedModel;

pub use envelope::FORMAT_VERSION;
pub use golden::{GoldenRows, MAX_GOLDEN_CHARS};

/// A model with its papers.
#[derive(Debug)]
pub struct Package {
    /// The model.
    pub model: TrainedModel,
    /// What is kept beside it.
    pub papers: Papers,
}

/// What a package holds beside the model; all of it may be absent, as it is in a package of format version 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Papers {
    /// Rows that the model must predict as it did when it was packaged.
    pub golden: Option<GoldenRows>,
    /// Statistics of each input, as `ml-monitor` writes them; this crate does not look into them.
    pub reference_profile: Option<String>,
    /// What the model is, is for and is worth, in Markdown.
    pub card: Option<String>,
}

impl Package {
    /// Returns the package as bytes, the same for the same training.
    ///
    /// # Errors
    /// [`ModelFormatError::Unencodable`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelFormatError> {
        write(&self.model, &self.papers)
    }

    /// Reads a package of any format version, and has the model predict its golden rows.
    ///
    /// # Errors
    /// [`ModelFormatError`], which says why the bytes are not a package that this release reads, or that the model no longer
    /// predicts what it did.
    pub fn from_bytes(bytes: &[u8]) -> Result<Package, ModelFormatError> {
        let (version, content) = envelope::open(bytes)?;
        let (model, papers) = content::decode(version, content)?;
        if let Some(golden) = &papers.golden {
            golden.check(&model)?;
        }
        Ok(Package { model, papers })
    }
}

impl Papers {
    /// Reads the papers of a package, and skips the model.
    ///
    /// # Errors
    /// [`ModelFormatError`] when the bytes are not a whole package.
    pub fn from_bytes(bytes: &[u8]) -> Result<Papers, ModelFormatError> {
        let (version, content) = envelope::open(bytes)?;
        content::decode_papers(version, content)
    }
}

/// Returns whether `bytes` begin as a package does, whatever follows.
pub fn is_package(bytes: &[u8]) -> bool {
    envelope::begins(bytes)
}

/// Returns the bytes of `model` with `papers`.
pub(crate) fn write(model: &TrainedModel, papers: &Papers) -> Result<Vec<u8>, ModelFormatError> {
    envelope::seal(|bytes| content::encode(model, papers, bytes))
}
