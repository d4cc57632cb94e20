//! The licences of everything we build with, against the list in `deny.toml`.
//!
//! The list is the one that cargo-deny reads, so the two cannot disagree. Looked at is what this platform builds;
//! cargo-deny, for those who have it, looks at all platforms and at advisories too.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use spdx::{Expression, ParseMode};
use toml::{Table, Value};

use crate::cargo::{cargo, read, root};

/// The licences that `deny.toml` accepts.
#[derive(Debug, Default)]
struct AllowList {
    /// For every crate, as SPDX identifiers.
    everywhere: Vec<String>,
    /// For single crates, by name.
    exceptions: BTreeMap<String, Vec<String>>,
}

/// Checks every dependency of every crate.
pub(crate) fn check() -> Result<()> {
    let path = root().join("deny.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let allowed = AllowList::parse(&text)?;
    let platform = platform()?;
    let arguments = ["metadata", "--format-version", "1", "--all-features", "--filter-platform", &platform];
    let metadata: Json = serde_json::from_str(&read(&mut cargo(&arguments))?)?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    let faults: Vec<String> = packages.iter().filter_map(|package| fault_of(package, &allowed)).collect();
    if !faults.is_empty() {
        bail!("{}\ntake another crate, or allow the licence in deny.toml if it fits Apache-2.0", faults.join("\n"));
    }
    println!("{} packages", packages.len());
    Ok(())
}

/// Returns the target triple of this machine.
fn platform() -> Result<String> {
    let version = read(std::process::Command::new("rustc").arg("-vV"))?;
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("`rustc -vV` names no host")?.to_owned())
}

/// Returns what is wrong with the licence of `package`, as `cargo metadata` describes it.
fn fault_of(package: &Json, allowed: &AllowList) -> Option<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let version = package["version"].as_str().unwrap_or_default();
    let Some(licence) = package["license"].as_str() else {
        return Some(format!("{name} {version} states no licence"));
    };
    match Expression::parse_mode(licence, ParseMode::LAX) {
        Err(err) => Some(format!("{name} {version}: the licence `{licence}` cannot be read: {}", err.reason)),
        Ok(expression) if !allowed.accepts(name, &expression) => {
            Some(format!("{name} {version}: the licence `{licence}` is not allowed"))
        }
        Ok(_) => None,
    }
}

impl AllowList {
    /// Reads the section `[licenses]` of a configuration of cargo-deny.
    fn parse(text: &str) -> Result<AllowList> {
        let table: Table = text.parse().context("deny.toml is not TOML")?;
        let licences = table.get("licenses").context("deny.toml has no section `[licenses]`")?;
        let everywhere = texts(licences.get("allow")).context("`licenses.allow` in deny.toml is no list")?;
        let mut exceptions = BTreeMap::new();
        for exception in licences.get("exceptions").and_then(Value::as_array).into_iter().flatten() {
            let name = exception.get("crate").and_then(Value::as_str);
            let name = name.context("an exception in deny.toml names no crate")?;
            let allow = texts(exception.get("allow")).context("an exception in deny.toml allows nothing")?;
            exceptions.insert(name.to_owned(), allow);
        }
        Ok(AllowList { everywhere, exceptions })
    }

    fn accepts(&self, name: &str, expression: &Expression) -> bool {
        let extra = self.exceptions.get(name).into_iter().flatten();
        let allowed: Vec<&String> = self.everywhere.iter().chain(extra).collect();
        expression.evaluate(|requirement| allowed.iter().any(|licence| **licence == requirement.to_string()))
    }
}

fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    value?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIST: &str = "
        [licenses]
        allow = [\"MIT\", \"Apache-2.0\", \"Apache-2.0 WITH LLVM-exception\"]
        exceptions = [{ crate = \"odd\", allow = [\"MPL-2.0\"] }]";

    fn check(name: &str, licence: &Json, expected: Option<&str>) {
        let package = json!({"name": name, "version": "1.0.0", "license": licence});
        let fault = fault_of(&package, &AllowList::parse(LIST).unwrap());
        assert_eq!(fault.is_some(), expected.is_some(), "{licence}: {fault:?}");
        assert!(fault.clone().unwrap_or_default().contains(expected.unwrap_or_default()), "{licence}: {fault:?}");
    }

    #[test]
    fn an_expression_is_allowed_when_some_choice_is() {
        check("a", &json!("MIT"), None);
        check("a", &json!("MIT/Apache-2.0"), None);
        check("a", &json!("GPL-3.0-only OR MIT"), None);
        check("a", &json!("Apache-2.0 WITH LLVM-exception"), None);
        check("a", &json!("MIT AND GPL-3.0-only"), Some("a 1.0.0: the licence `MIT AND GPL-3.0-only` is not allowed"));
    }

    #[test]
    fn a_licence_that_is_missing_or_unreadable_is_a_fault() {
        check("a", &Json::Null, Some("states no licence"));
        check("a", &json!("my own"), Some("cannot be read"));
    }

    #[test]
    fn an_exception_holds_for_its_crate_alone() {
        check("odd", &json!("MPL-2.0"), None);
        check("even", &json!("MPL-2.0"), Some("is not allowed"));
    }

    #[test]
    fn the_committed_list_is_read() {
        let text = fs::read_to_string(root().join("deny.toml")).unwrap();
        let allowed = AllowList::parse(&text).unwrap();
        assert!(allowed.everywhere.contains(&"Apache-2.0".to_owned()), "{allowed:?}");
    }
}
