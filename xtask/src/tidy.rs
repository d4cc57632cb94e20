//! The house rules that neither the compiler nor clippy knows.
//!
//! Each rule is a plain function from what was read to the faults found; a fault names the file and the way out.

mod layers;
mod manifests;
mod sources;
mod tokens;
mod unused;

use std::fmt;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The file, relative to the root; with `:line` where a line is at fault.
    place: String,
    /// What is wrong and what to do.
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl Fault {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Fault {
        Fault { place: place.into(), message: message.into() }
    }
}

/// Checks layers, manifests and sources.
pub(crate) fn check() -> Result<()> {
    let workspace = Workspace::load()?;
    let mut faults = manifests::faults(&workspace);
    faults.extend(layers::faults(&workspace.packages));
    faults.extend(workspace.packages.iter().flat_map(sources::faults));
    none_of(&faults)
}

/// Checks that every declared dependency is used.
pub(crate) fn check_unused_dependencies() -> Result<()> {
    none_of(&unused::faults(&Workspace::load()?))
}

fn none_of(faults: &[Fault]) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    bail!("{}", lines.join("\n"));
}

#[cfg(test)]
mod fixtures {
    //! Small workspaces to try the rules on.

    use crate::workspace::{Package, SourceFile, Workspace};

    /// A package in `crates/` with this manifest and these files, given as path inside the package and text.
    pub(crate) fn a_package(name: &str, manifest: &str, files: &[(&str, &str)]) -> Package {
        let folder = format!("crates/{name}");
        let sources = files
            .iter()
            .map(|(path, text)| SourceFile { path: format!("{folder}/{path}"), text: (*text).to_owned() })
            .collect();
        Package { name: name.to_owned(), manifest: manifest.parse().unwrap(), folder, sources }
    }

    /// A workspace with this root manifest.
    pub(crate) fn a_workspace(manifest: &str, packages: Vec<Package>) -> Workspace {
        Workspace { manifest: manifest.parse().unwrap(), packages }
    }
}
