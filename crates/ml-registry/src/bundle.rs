//! One model version as one file, to carry it from a registry to another.
//!
//! The file begins with a line that says what it is, `ml-app-bundle 1`, the size of the manifest in bytes and its digest. Then
//! comes the manifest, as JSON, which lists the parts with their sizes and digests. Then come the parts, one after another, and
//! nothing else. Whatever was damaged on the way is noticed.

use std::io::{self, BufRead, Read, Write};

use ml_core::artifact::ArtifactRef;
use ml_core::digest::Digest;
use ml_core::model::NewModelVersion;
use serde::{Deserialize, Serialize};

/// What the first line begins with.
const MAGIC: &str = "ml-app-bundle 1";

/// The longest first line that is read.
const MAX_HEADER_BYTES: u64 = 256;

/// The largest manifest that is read.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;

/// Why a file is not a whole exported model version.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file does not begin as one.
    #[error("not an exported model: the file does not begin with `{MAGIC}`; `ml-app models export` makes one")]
    NotABundle,
    /// The file ends too early.
    #[error("the exported model is cut short in its {part}: copy the file again")]
    CutShort {
        /// Where it ends, such as `manifest`.
        part: &'static str,
    },
    /// Bytes changed since the export.
    #[error("the exported model is damaged in its {part}: copy the file again")]
    Damaged {
        /// What no longer has its digest, such as `manifest`.
        part: &'static str,
    },
    /// There are bytes after the last part.
    #[error("the exported model has bytes after its end: copy the file again")]
    TrailingBytes,
    /// The manifest is whole, but says nothing that this release understands.
    #[error("the manifest of the exported model cannot be read; was it made by a newer release?")]
    Manifest(#[source] serde_json::Error),
    /// The manifest lists other parts than the version it describes has.
    #[error("the exported model does not have the parts that its manifest describes")]
    PartsDiffer,
    /// The file cannot be read or written.
    #[error("the exported model cannot be read or written")]
    Io(#[from] io::Error),
}

/// What is stored beside a model version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The fitted model.
    Model,
    /// Statistics of the rows it was fitted on.
    ReferenceProfile,
    /// The pipeline file it was trained by.
    Pipeline,
}

impl Part {
    /// All parts, in the order in which they are written.
    pub const ALL: [Part; 3] = [Part::Model, Part::ReferenceProfile, Part::Pipeline];

    /// Returns the name used in messages.
    pub fn name(self) -> &'static str {
        match self {
            Part::Model => "model",
            Part::ReferenceProfile => "reference profile",
            Part::Pipeline => "pipeline file",
        }
    }

    /// Returns where `content` says the part is stored.
    pub fn of(self, content: &NewModelVersion) -> Option<ArtifactRef> {
        match self {
            Part::Model => content.artifact,
            Part::ReferenceProfile => content.reference_profile,
            Part::Pipeline => content.lineage.pipeline,
        }
    }
}

/// A model version with everything stored beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The number it had in the registry it comes from.
    pub version: u32,
    /// What it is made of.
    pub content: NewModelVersion,
    /// The bytes of each part that `content` names, in the order of [`Part::ALL`].
    pub parts: Vec<(Part, Vec<u8>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "format")]
enum Manifest {
    #[serde(rename = "1")]
    V1(ManifestV1),
}

#[derive(Serialize, Deserialize)]
struct ManifestV1 {
    version: u32,
    content: NewModelVersion,
    parts: Vec<ManifestPart>,
}

#[derive(Serialize, Deserialize)]
struct ManifestPart {
    part: Part,
    #[serde(flatten)]
    artifact: ArtifactRef,
}

impl Bundle {
    /// Writes the file; equal bundles give equal bytes.
    ///
    /// # Errors
    /// [`BundleError::Io`].
    pub fn write_to(&self, writer: &mut dyn Write) -> Result<(), BundleError> {
        let parts =
            self.parts.iter().map(|(part, bytes)| ManifestPart { part: *part, artifact: ArtifactRef::of(bytes) });
        let manifest = ManifestV1 { version: self.version, content: self.content.clone(), parts: parts.collect() };
        let manifest = serde_json::to_vec_pretty(&Manifest::V1(manifest)).map_err(BundleError::Manifest)?;
        writeln!(writer, "{MAGIC} {} {}", manifest.len(), Digest::of(&manifest))?;
        writer.write_all(&manifest)?;
        for (_, bytes) in &self.parts {
            writer.write_all(bytes)?;
        }
        Ok(())
    }

    /// Reads a file whole, and compares every byte of it with what the manifest promises.
    pub fn read_from(reader: &mut dyn BufRead) -> Result<Bundle, BundleError> {
        let (manifest_bytes, manifest_digest) = read_header(reader)?;
        let manifest = read_part(reader, manifest_bytes, "manifest")?;
        if Digest::of(&manifest).to_string() != manifest_digest {
            return Err(BundleError::Damaged { part: "manifest" });
        }
        let Manifest::V1(manifest) = serde_json::from_slice(&manifest).map_err(BundleError::Manifest)?;
        check_parts(&manifest)?;
        let mut parts = Vec::with_capacity(manifest.parts.len());
        for ManifestPart { part, artifact } in &manifest.parts {
            let bytes = read_part(reader, artifact.size_bytes, part.name())?;
            if Digest::of(&bytes) != artifact.digest {
                return Err(BundleError::Damaged { part: part.name() });
            }
            parts.push((*part, bytes));
        }
        if !reader.fill_buf()?.is_empty() {
            return Err(BundleError::TrailingBytes);
        }
        Ok(Bundle { version: manifest.version, content: manifest.content, parts })
    }
}

/// Returns the size of the manifest, and its digest as written.
fn read_header(reader: &mut dyn BufRead) -> Result<(u64, String), BundleError> {
    let mut line = Vec::new();
    reader.take(MAX_HEADER_BYTES).read_until(b'\n', &mut line)?;
    let line = String::from_utf8(line).map_err(|_| BundleError::NotABundle)?;
    let Some(rest) = line.strip_prefix(MAGIC) else {
        return Err(BundleError::NotABundle);
    };
    let Some(rest) = rest.strip_suffix('\n') else {
        return Err(BundleError::CutShort { part: "first line" });
    };
    let damaged = BundleError::Damaged { part: "first line" };
    let Some((size, digest)) = rest.strip_prefix(' ').and_then(|rest| rest.split_once(' ')) else {
        return Err(damaged);
    };
    match size.parse() {
        Ok(size) if size <= MAX_MANIFEST_BYTES => Ok((size, digest.to_owned())),
        _ => Err(damaged),
    }
}

/// Reads `size_bytes`, without taking memory for bytes that do not come.
fn read_part(reader: &mut dyn BufRead, size_bytes: u64, part: &'static str) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    reader.take(size_bytes).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < size_bytes {
        return Err(BundleError::CutShort { part });
    }
    Ok(bytes)
}

fn check_parts(manifest: &ManifestV1) -> Result<(), BundleError> {
    let described = Part::ALL.into_iter().filter_map(|part| Some((part, part.of(&manifest.content)?)));
    let listed = manifest.parts.iter().map(|listed| (listed.part, listed.artifact));
    if described.eq(listed) { Ok(()) } else { Err(BundleError::PartsDiffer) }
}
