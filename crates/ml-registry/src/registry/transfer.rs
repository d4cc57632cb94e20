//! Carrying a version from one registry to another.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use ml_core::error::StoreError;
use ml_core::model::{ModelName, ModelRef, ModelVersion, NewModelVersion};
use tracing::instrument;

use super::Registry;
use crate::bundle::{Bundle, BundleError, Part};
use crate::durable::{self, DurableWriter};
use crate::error::RegistryError;

const EXPORTING: &str = "writing the exported model";
const IMPORTING: &str = "reading the exported model";

/// What an import did.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The version as it is in this registry.
    pub version: ModelVersion,
    /// Whether it is new; a version that was imported before is found again.
    pub is_new: bool,
}

impl Registry {
    /// Collects the version and everything stored beside it, verified.
    pub async fn export(&self, reference: &ModelRef) -> Result<Bundle, RegistryError> {
        let version = self.resolve(reference).await?;
        let mut parts = Vec::new();
        for part in Part::ALL {
            if let Some(bytes) = self.load(&version, part).await? {
                parts.push((part, bytes));
            }
        }
        Ok(Bundle { version: version.version, content: version.content, parts })
    }

    /// Exports the version into the file `path`, replacing a former one; on an error the file is as it was.
    #[instrument(skip_all, fields(model.version = %reference))]
    pub async fn export_to_file(&self, reference: &ModelRef, path: &Path) -> Result<(), RegistryError> {
        let bundle = self.export(reference).await?;
        let path = path.to_owned();
        let write = move || {
            let outcome = DurableWriter::default().write(&path, |file| bundle.write_to(file).map_err(into_io_error));
            outcome.map_err(|err| durable::write_error(EXPORTING, &path, err))
        };
        Ok(run_blocking(EXPORTING, write).await??)
    }

    /// Stores the parts of `bundle` and registers its version, under `name` if one is given, else under the name it had.
    ///
    /// When the model has a version of the same content already, returns that one: a second import changes nothing.
    pub async fn import(
        &self,
        bundle: Bundle,
        name: Option<ModelName>,
        user_id: &str,
    ) -> Result<Imported, RegistryError> {
        let source = format!("import of {}@{}", bundle.content.name, bundle.version);
        let content = NewModelVersion {
            name: name.unwrap_or_else(|| bundle.content.name.clone()),
            source: Some(source),
            user_id: user_id.to_owned(),
            created_at: self.clock.now(),
            ..bundle.content
        };
        for (_, bytes) in bundle.parts {
            self.artifacts.put(bytes).await?;
        }
        let versions = self.models.list_versions(&content.name).await?;
        if let Some(version) = versions.into_iter().find(|version| is_same_model(&version.content, &content)) {
            return Ok(Imported { version, is_new: false });
        }
        Ok(Imported { version: self.take_version(&content).await?, is_new: true })
    }

    /// Imports the file that [`Registry::export_to_file`] wrote.
    ///
    /// # Errors
    /// [`RegistryError::Bundle`] when the file is no exported model, cut short or damaged; nothing is registered then.
    #[instrument(skip_all)]
    pub async fn import_from_file(
        &self,
        path: &Path,
        name: Option<ModelName>,
        user_id: &str,
    ) -> Result<Imported, RegistryError> {
        let path = path.to_owned();
        let read = move || {
            let file = File::open(&path).map_err(|err| durable::read_error(IMPORTING, &path, err))?;
            Ok::<_, RegistryError>(Bundle::read_from(&mut BufReader::new(file))?)
        };
        let bundle = run_blocking(IMPORTING, read).await??;
        self.import(bundle, name, user_id).await
    }
}

/// Returns whether the two would behave and explain themselves alike, whoever registered them, and when.
fn is_same_model(a: &NewModelVersion, b: &NewModelVersion) -> bool {
    a.artifact == b.artifact
        && a.reference_profile == b.reference_profile
        && a.signature == b.signature
        && a.lineage == b.lineage
}

fn into_io_error(err: BundleError) -> io::Error {
    match err {
        BundleError::Io(err) => err,
        other => io::Error::other(other),
    }
}

async fn run_blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.map_err(|err| StoreError::Backend { operation, source: Box::new(err) })
}
