//! Models from elsewhere into the registry: exported versions, packages, and ONNX files, told apart by what is in them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use ml_core::artifact::ArtifactRef;
use ml_core::model::{ModelName, ModelVersion};
use ml_registry::registry::{Imported, NewRegistration, Origin};
use ml_train::card::CardContent;
use ml_train::onnx::{self, OnnxImport};
use ml_train::package::{Package, is_package};
use ml_train::spec::Task;

use crate::compose::App;
use crate::training::APP_VERSION;

/// What the first line of an exported version begins with.
const BUNDLE: &[u8] = b"ml-app-bundle";

/// What to import, and what the file may not say of itself.
#[derive(Debug)]
pub(crate) struct ImportRequest {
    /// The file.
    pub(crate) file: PathBuf,
    /// The registered name; by default the one in the file.
    pub(crate) name: Option<ModelName>,
    /// What an ONNX model predicts.
    pub(crate) target: Option<String>,
    /// What an ONNX model reads, in the order of its inputs.
    pub(crate) columns: Vec<String>,
    /// The classes of an ONNX model, in the order of its scores.
    pub(crate) classes: Vec<String>,
    /// Whether an ONNX model tells classes apart or gives a number.
    pub(crate) task: Option<Task>,
}

/// Registers the version in a file; twice is a no-op.
pub(crate) async fn import(app: &App, request: ImportRequest) -> anyhow::Result<Imported> {
    let user = app.config.settings.user.clone();
    if begins_with(&request.file, BUNDLE)? {
        refuse_onnx_settings(&request)?;
        return Ok(app.registry.import_from_file(&request.file, request.name, &user).await?);
    }
    let shown = request.file.display().to_string();
    let bytes = std::fs::read(&request.file).with_context(|| format!("cannot read {shown}"))?;
    if !is_package(&bytes) && !onnx::is_onnx(&bytes) {
        let is_called_onnx = request.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
        if is_called_onnx || request.target.is_some() {
            let fault = onnx::Graph::from_onnx(&bytes)
                .err()
                .map_or_else(|| "it has no operator".to_owned(), |fault| format!("{fault}"));
            anyhow::bail!("{shown} is no whole ONNX model ({fault}): export it again, or copy it anew");
        }
        // Its error says what an exported version is.
        return Ok(app.registry.import_from_file(&request.file, request.name, &user).await?);
    }
    let work = move || {
        let package = if is_package(&bytes) { read_package(&request, &bytes)? } else { read_onnx(&request, bytes)? };
        let bytes = package.to_bytes()?;
        let name = match request.name {
            Some(name) => name,
            None => ModelName::parse(&package.model.spec().name)?,
        };
        Ok::<_, anyhow::Error>((name, package, bytes))
    };
    let read = tokio::task::spawn_blocking(work).await.context("reading the model panicked")?;
    let (name, package, bytes) = read.with_context(|| format!("{shown} is not imported"))?;
    register(app, name, &package, bytes, &shown, user).await
}

fn begins_with(path: &Path, magic: &[u8]) -> anyhow::Result<bool> {
    let mut head = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let read = file.take(magic.len() as u64).read_to_end(&mut head);
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(head == magic)
}

fn refuse_onnx_settings(request: &ImportRequest) -> anyhow::Result<()> {
    let is_given = request.target.is_some()
        || request.task.is_some()
        || !(request.columns.is_empty() && request.classes.is_empty());
    anyhow::ensure!(
        !is_given,
        "`--target`, `--columns`, `--classes` and `--task` are for ONNX models: the file says all that"
    );
    Ok(())
}

fn read_package(request: &ImportRequest, bytes: &[u8]) -> anyhow::Result<Package> {
    refuse_onnx_settings(request)?;
    Ok(Package::from_bytes(bytes)?)
}

fn read_onnx(request: &ImportRequest, bytes: Vec<u8>) -> anyhow::Result<Package> {
    let name = request.name.as_ref().context("an ONNX model needs a name: add `--name NAME`")?;
    let target =
        request.target.clone().context("an ONNX model does not say what it predicts: add `--target COLUMN`")?;
    let wanted = OnnxImport {
        name: name.to_string(),
        target,
        task: request.task,
        pipeline: None,
        columns: request.columns.clone(),
        classes: request.classes.clone(),
    };
    let mut package = onnx::import(bytes, &wanted)?;
    let card = CardContent {
        model: &package.model,
        summary: None,
        comparison: None,
        data: None,
        inputs: &[],
        made_by: "another program, and imported",
    };
    package.papers.card = Some(card.to_markdown());
    Ok(package)
}

async fn register(
    app: &App,
    name: ModelName,
    package: &Package,
    bytes: Vec<u8>,
    file: &str,
    user_id: String,
) -> anyhow::Result<Imported> {
    let artifact = ArtifactRef::of(&bytes);
    if let Some(version) = find_version(app, &name, artifact).await? {
        return Ok(Imported { version, is_new: false });
    }
    let registration = NewRegistration {
        name,
        model: bytes,
        // It is inside the package.
        reference_profile: None,
        pipeline: None,
        signature: package.model.signature().clone(),
        origin: Origin {
            run_id: None,
            dataset: None,
            dataset_hash: None,
            app_version: APP_VERSION.to_owned(),
            framework: package.model.framework().to_string(),
        },
        description: format!("imported from {file}"),
        tags: BTreeMap::new(),
        user_id,
    };
    Ok(Imported { version: app.registry.register(registration).await?, is_new: true })
}

async fn find_version(app: &App, name: &ModelName, artifact: ArtifactRef) -> anyhow::Result<Option<ModelVersion>> {
    let models = app.registry.list_models().await?;
    if !models.iter().any(|model| model.name == *name) {
        return Ok(None);
    }
    let versions = app.registry.list_versions(name).await?;
    Ok(versions.into_iter().find(|version| version.content.artifact == Some(artifact)))
}
