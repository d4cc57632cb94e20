//! The workspace as the rules of `tidy` see it: manifests and source files, read once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value as Json;
use toml::{Table, Value};

use crate::cargo::{cargo, read, root};

/// The root manifest and all packages.
pub(crate) struct Workspace {
    /// The root manifest; tables keep the order of the file.
    pub(crate) manifest: Table,
    /// The packages, by name.
    pub(crate) packages: Vec<Package>,
}

/// One package of the workspace.
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its folder, relative to the root.
    pub(crate) folder: String,
    /// Its manifest.
    pub(crate) manifest: Table,
    /// Its Rust files, by path.
    pub(crate) sources: Vec<SourceFile>,
}

/// A Rust file.
pub(crate) struct SourceFile {
    /// Its path relative to the root, with `/` between the parts.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

/// When a dependency is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    /// Always.
    Normal,
    /// By tests, benches and examples.
    Dev,
    /// By the build script.
    Build,
}

/// One line under a dependency table of a manifest.
pub(crate) struct Dependency<'a> {
    /// The name it is declared by.
    pub(crate) name: &'a str,
    /// When it is needed.
    pub(crate) kind: DependencyKind,
    /// What the manifest says about it.
    pub(crate) value: &'a Value,
}

impl Workspace {
    /// Reads the workspace from disk.
    pub(crate) fn load() -> Result<Workspace> {
        let metadata = read(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
        let metadata: Json = serde_json::from_str(&metadata).context("cannot read what `cargo metadata` wrote")?;
        let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
        let mut packages = packages.iter().map(load_package).collect::<Result<Vec<_>>>()?;
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Workspace { manifest: read_toml(&root().join("Cargo.toml"))?, packages })
    }

    /// Returns what the root manifest declares for all crates, in the order of the file.
    pub(crate) fn dependencies(&self) -> Vec<(&str, &Value)> {
        let declared = self.manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
        let declared = declared.and_then(Value::as_table);
        declared.into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect()
    }
}

impl Package {
    /// Returns the path of the manifest relative to the root.
    pub(crate) fn manifest_path(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }

    /// Returns every dependency of every kind, those of single platforms included.
    pub(crate) fn dependencies(&self) -> Vec<Dependency<'_>> {
        let platforms = self.manifest.get("target").and_then(Value::as_table);
        let platforms = platforms.into_iter().flat_map(Table::values).filter_map(Value::as_table);
        let mut dependencies = Vec::new();
        for table in std::iter::once(&self.manifest).chain(platforms) {
            for (key, kind) in [
                ("dependencies", DependencyKind::Normal),
                ("dev-dependencies", DependencyKind::Dev),
                ("build-dependencies", DependencyKind::Build),
            ] {
                let declared = table.get(key).and_then(Value::as_table).into_iter().flatten();
                dependencies.extend(declared.map(|(name, value)| Dependency { name, kind, value }));
            }
        }
        dependencies
    }
}

impl SourceFile {
    /// Returns whether the file is one of tests only: in a folder `tests`, or a file `tests.rs`.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// Returns whether the file is part of the library or program itself.
    pub(crate) fn is_in_src(&self, package: &Package) -> bool {
        self.path.starts_with(&format!("{}/src/", package.folder))
    }
}

fn load_package(package: &Json) -> Result<Package> {
    let name = package["name"].as_str().context("`cargo metadata` lists a package without a name")?;
    let manifest_path = package["manifest_path"].as_str().context("`cargo metadata` lists a package without a path")?;
    let folder = Path::new(manifest_path).parent().context("a manifest is in a folder")?;
    let mut paths = Vec::new();
    collect_rust_files(folder, &mut paths)?;
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        sources.push(SourceFile { path: relative(&path), text });
    }
    let manifest = read_toml(Path::new(manifest_path))?;
    Ok(Package { name: name.to_owned(), folder: relative(folder), manifest, sources })
}

fn collect_rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect_rust_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

fn read_toml(path: &Path) -> Result<Table> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("{} is not TOML", path.display()))
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
