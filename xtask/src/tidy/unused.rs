//! Dependencies that are declared and that no source file names.
//!
//! A dependency that is wanted for its effect alone (a feature it switches on) is listed in the crate's manifest under
//! `[package.metadata.cargo-machete] ignored`, where cargo-machete looks too.

use std::collections::HashSet;

use toml::Value;

use crate::tidy::Fault;
use crate::tidy::tokens::tokens_of;
use crate::workspace::{DependencyKind, Package, Workspace};

/// Returns the dependencies that could be removed.
pub(crate) fn faults(workspace: &Workspace) -> Vec<Fault> {
    let mut faults: Vec<Fault> = workspace.packages.iter().flat_map(package_faults).collect();
    let wanted: HashSet<&str> =
        workspace.packages.iter().flat_map(Package::dependencies).map(|dependency| dependency.name).collect();
    for (name, _) in workspace.dependencies() {
        if !wanted.contains(name) {
            let message = format!("no crate depends on `{name}`; remove it from `[workspace.dependencies]`");
            faults.push(Fault::new("Cargo.toml", message));
        }
    }
    faults
}

fn package_faults(package: &Package) -> Vec<Fault> {
    let in_src = words_of(package, |path| path.starts_with(&format!("{}/src/", package.folder)));
    let in_build = words_of(package, |path| path == format!("{}/build.rs", package.folder));
    let anywhere = words_of(package, |_| true);
    let ignored = ignored(package);
    let mut faults = Vec::new();
    for dependency in package.dependencies() {
        let (words, table, place) = match dependency.kind {
            DependencyKind::Normal => (&in_src, "dependencies", "under `src/`"),
            DependencyKind::Dev => (&anywhere, "dev-dependencies", "at all"),
            DependencyKind::Build => (&in_build, "build-dependencies", "in `build.rs`"),
        };
        let is_itself = dependency.name == package.name;
        if is_itself || ignored.contains(&dependency.name) || words.contains(&dependency.name.replace('-', "_")) {
            continue;
        }
        let message = format!("`{}` is not used {place}; remove it from `[{table}]`", dependency.name);
        faults.push(Fault::new(package.manifest_path(), message));
    }
    faults
}

/// Returns every word of the code in the chosen files; a file that is no Rust has none, and `tidy` says so.
fn words_of(package: &Package, is_chosen: impl Fn(&str) -> bool) -> HashSet<String> {
    let chosen = package.sources.iter().filter(|file| is_chosen(&file.path));
    chosen.flat_map(|file| tokens_of(&file.text, false).unwrap_or_default()).map(|token| token.text).collect()
}

fn ignored(package: &Package) -> Vec<&str> {
    let about = package.manifest.get("package").and_then(|about| about.get("metadata"));
    let listed = about.and_then(|metadata| metadata.get("cargo-machete")).and_then(|machete| machete.get("ignored"));
    listed.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::fixtures::{a_package, a_workspace};

    /// Judges a package with `manifest` and these files, and returns the messages.
    fn check(manifest: &str, files: &[(&str, &str)], expected: &[&str]) {
        let faults = package_faults(&a_package("ml-data", manifest, files));
        let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(messages, expected, "{manifest}");
    }

    #[test]
    fn a_dependency_counts_as_used_where_its_kind_is_built() {
        let normal = "[dependencies]\nserde-x = { workspace = true }";
        check(normal, &[("src/lib.rs", "use serde_x::A;")], &[]);
        let unused = ["`serde-x` is not used under `src/`; remove it from `[dependencies]`"];
        check(normal, &[("src/lib.rs", "// serde_x"), ("tests/it/main.rs", "use serde_x::A;")], &unused);

        let dev = "[dev-dependencies]\nserde-x = { workspace = true }";
        check(dev, &[("src/lib.rs", ""), ("tests/it/main.rs", "use serde_x::A;")], &[]);
        check(dev, &[("src/lib.rs", "")], &["`serde-x` is not used at all; remove it from `[dev-dependencies]`"]);
    }

    #[test]
    fn a_crate_may_want_a_dependency_for_its_effect_or_itself_for_its_tests() {
        let manifest = "[package.metadata.cargo-machete]\nignored = [\"sys\"]\n[dependencies]\nsys = { workspace = true }\n\
                        [dev-dependencies]\nml-data = { workspace = true }";
        check(manifest, &[("src/lib.rs", "")], &[]);
    }

    #[test]
    fn what_no_crate_depends_on_leaves_the_root_manifest() {
        let package = a_package("ml-data", "[dependencies]\nb = { workspace = true }", &[("src/lib.rs", "use b;")]);
        let workspace = a_workspace("[workspace.dependencies]\na = \"1\"\nb = \"1\"", vec![package]);
        let found: Vec<String> = faults(&workspace).iter().map(Fault::to_string).collect();
        assert_eq!(found, ["Cargo.toml: no crate depends on `a`; remove it from `[workspace.dependencies]`"]);
    }
}
