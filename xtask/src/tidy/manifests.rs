//! What every manifest says alike.

use toml::{Table, Value};

use crate::tidy::Fault;
use crate::workspace::{Package, Workspace};

/// Keys of `[package]` that are decided once, in the root manifest.
const INHERITED: [&str; 5] = ["edition", "license", "publish", "rust-version", "version"];

/// Returns what is wrong with the manifests.
pub(crate) fn faults(workspace: &Workspace) -> Vec<Fault> {
    let mut faults: Vec<Fault> = unsorted(&workspace.dependencies()).into_iter().collect();
    faults.extend(workspace.packages.iter().flat_map(package_faults));
    faults
}

fn package_faults(package: &Package) -> Vec<Fault> {
    let mut messages = Vec::new();
    if !package.manifest.get("lints").is_some_and(is_inherited) {
        messages.push("the lints of the workspace do not apply; add `[lints] workspace = true`".to_owned());
    }
    let about = package.manifest.get("package").and_then(Value::as_table);
    for key in INHERITED {
        if !about.and_then(|about| about.get(key)).is_some_and(is_inherited) {
            messages.push(format!("`{key}` is not that of the workspace; write `{key}.workspace = true`"));
        }
    }
    if !about.is_some_and(|about| about.contains_key("description")) {
        messages.push("there is no `description`; say in one line what the crate is".to_owned());
    }
    for dependency in package.dependencies().iter().filter(|dependency| !is_inherited(dependency.value)) {
        let way_out = "declare it in the root `[workspace.dependencies]` and write `{ workspace = true }` here";
        messages.push(format!("`{}` brings its own version; {way_out}", dependency.name));
    }
    messages.into_iter().map(|message| Fault::new(package.manifest_path(), message)).collect()
}

fn is_inherited(value: &Value) -> bool {
    value.as_table().and_then(|table| table.get("workspace")).and_then(Value::as_bool) == Some(true)
}

/// Returns the first dependency out of order: our crates come first, then all others, each by name.
fn unsorted(dependencies: &[(&str, &Value)]) -> Option<Fault> {
    let key = |(name, value): &(&str, &Value)| {
        let is_ours = value.as_table().is_some_and(|table: &Table| table.contains_key("path"));
        (!is_ours, name.to_lowercase())
    };
    let pair = dependencies.windows(2).find(|pair| key(&pair[0]) > key(&pair[1]))?;
    let message = format!("`{}` stands before `{}`; ours first, then all others by name", pair[0].0, pair[1].0);
    Some(Fault::new("Cargo.toml", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::fixtures::{a_package, a_workspace};

    const SOUND: &str = "
        [package]
        description = \"Something\"
        edition.workspace = true
        license.workspace = true
        publish.workspace = true
        rust-version.workspace = true
        version.workspace = true
        [dependencies]
        serde = { workspace = true, features = [\"rc\"] }
        [lints]
        workspace = true";

    fn messages_of(manifest: &str) -> Vec<String> {
        package_faults(&a_package("ml-data", manifest, &[])).into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn a_sound_manifest_has_no_fault() {
        assert_eq!(messages_of(SOUND), [""; 0]);
    }

    #[test]
    fn every_fault_is_named_with_its_way_out() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(SOUND.contains(from), "{from}");
            let messages = messages_of(&SOUND.replace(from, to));
            assert!(matches!(messages.as_slice(), [message] if message.contains(expected)), "{from}: {messages:?}");
        };
        check("[lints]\n        workspace = true", "", "add `[lints] workspace = true`");
        check("[lints]\n        workspace = true", "[lints]\n        workspace = false", "add `[lints] workspace");
        check("edition.workspace = true", "edition = \"2021\"", "write `edition.workspace = true`");
        check("description = \"Something\"", "", "no `description`");
        check("serde = { workspace = true, features = [\"rc\"] }", "serde = \"1\"", "`serde` brings its own version");
    }

    #[test]
    fn root_dependencies_are_ours_first_then_by_name() {
        let check = |lines: &str, expected: Option<&str>| {
            let workspace = a_workspace(&format!("[workspace.dependencies]\n{lines}"), Vec::new());
            let fault = faults(&workspace).pop().map(|fault| fault.message);
            assert_eq!(fault.is_some(), expected.is_some(), "{lines}: {fault:?}");
            assert!(fault.unwrap_or_default().contains(expected.unwrap_or_default()), "{lines}");
        };
        check("ml-core = { path = \"crates/ml-core\" }\nanyhow = \"1\"\nserde = \"1\"", None);
        check("anyhow = \"1\"\nzip = \"1\"\nserde = \"1\"", Some("`zip` stands before `serde`"));
        check("anyhow = \"1\"\nml-core = { path = \"crates/ml-core\" }", Some("`anyhow` stands before `ml-core`"));
    }
}
