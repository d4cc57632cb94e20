//! Which crate may depend on which: the arrows of `docs/CONTRIBUTING.md`.

use crate::tidy::Fault;
use crate::workspace::{Dependency, DependencyKind, Package};

const ARROWS_FILE: &str = "xtask/src/tidy/layers.rs";

/// Every crate of the workspace with those of ours that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("ml-core", &[]),
    ("ml-data", &["ml-core"]),
    ("ml-monitor", &["ml-core"]),
    ("ml-registry", &["ml-core"]),
    ("ml-store-mongo", &["ml-core"]),
    ("ml-store-sql", &["ml-core"]),
    ("ml-train", &["ml-core"]),
    ("ml-app", &["ml-core", "ml-data", "ml-monitor", "ml-registry", "ml-store-mongo", "ml-store-sql", "ml-train"]),
    ("ml-e2e", &["ml-app", "ml-core", "xtask"]),
    ("xtask", &[]),
];

/// Libraries that only some crates may see.
const RESERVED: &[(&str, &[&str])] = &[
    ("anyhow", &["ml-app", "ml-e2e", "xtask"]),
    ("axum", &["ml-app"]),
    ("diesel", &["ml-store-sql"]),
    ("diesel-async", &["ml-store-sql"]),
    ("diesel_migrations", &["ml-store-sql"]),
    ("mongodb", &["ml-e2e", "ml-store-mongo"]),
    ("rten", &["ml-train"]),
    ("rten-tensor", &["ml-train"]),
    ("smartcore", &["ml-train"]),
    ("tokio-postgres", &["ml-e2e", "ml-store-sql"]),
];

/// Returns the dependencies that point the wrong way.
pub(crate) fn faults(packages: &[Package]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for package in packages {
        let Some((_, below)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            let message = format!("`{}` has no place in the layers; give it one in {ARROWS_FILE}", package.name);
            faults.push(Fault::new(package.manifest_path(), message));
            continue;
        };
        let messages = package.dependencies().into_iter().filter_map(|dependency| judge(package, below, &dependency));
        faults.extend(messages.map(|message| Fault::new(package.manifest_path(), message)));
    }
    faults
}

/// Returns what is wrong with `dependency` of `package`, which may depend on `below` among ours.
fn judge(package: &Package, below: &[&str], dependency: &Dependency<'_>) -> Option<String> {
    let (from, to) = (package.name.as_str(), dependency.name);
    // A crate may name itself for its tests, to switch on its own features.
    if from == to && dependency.kind == DependencyKind::Dev {
        return None;
    }
    let is_ours = to.starts_with("ml-") || to == "xtask";
    if is_ours && !below.contains(&to) {
        let way_out = "meet through a trait in `ml-core` and let `ml-app` hand one to the other";
        return Some(format!("`{from}` must not depend on `{to}`; {way_out}"));
    }
    // Its interfaces are async without an executor; only its tests need one.
    if from == "ml-core" && to == "tokio" && dependency.kind != DependencyKind::Dev {
        return Some("`ml-core` must not depend on `tokio`; move the work that needs it to a crate above".to_owned());
    }
    let (_, allowed) = RESERVED.iter().find(|(library, _)| *library == to)?;
    if allowed.contains(&from) {
        return None;
    }
    Some(format!("`{from}` must not depend on `{to}`, which is for {} alone", allowed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::fixtures::a_package;

    /// Judges the package `name` with `line` in `table` of its manifest.
    fn check(name: &str, table: &str, line: &str, expected: Option<&str>) {
        let manifest = format!("[{table}]\n{line} = {{ workspace = true }}");
        let faults = faults(&[a_package(name, &manifest, &[])]);
        match (expected, faults.as_slice()) {
            (None, []) => {}
            (Some(text), [fault]) if fault.message.contains(text) => {}
            _ => panic!("{name}, [{table}] {line}: expected {expected:?}, found {faults:?}"),
        }
    }

    #[test]
    fn arrows_point_down_only() {
        check("ml-data", "dependencies", "ml-core", None);
        check("ml-app", "dependencies", "ml-store-sql", None);
        check("ml-core", "dependencies", "ml-data", Some("must not depend on `ml-data`"));
        check("ml-data", "dependencies", "ml-train", Some("meet through a trait"));
        check("ml-data", "dev-dependencies", "ml-store-sql", Some("must not depend on `ml-store-sql`"));
        check("xtask", "dependencies", "ml-core", Some("must not depend on `ml-core`"));
        check("ml-core", "dev-dependencies", "ml-core", None);
    }

    #[test]
    fn a_dependency_of_one_platform_counts() {
        check("ml-data", "target.'cfg(unix)'.dependencies", "ml-train", Some("must not depend on `ml-train`"));
    }

    #[test]
    fn libraries_stay_where_they_belong() {
        check("ml-train", "dependencies", "smartcore", None);
        check("ml-app", "dependencies", "smartcore", Some("for ml-train alone"));
        check("ml-app", "dependencies", "diesel", Some("for ml-store-sql alone"));
        check("ml-data", "dependencies", "anyhow", Some("for ml-app, ml-e2e, xtask alone"));
        check("ml-core", "dependencies", "tokio", Some("move the work"));
        check("ml-core", "dev-dependencies", "tokio", None);
    }

    #[test]
    fn a_crate_without_a_layer_is_a_fault() {
        check("ml-surprise", "dependencies", "serde", Some("has no place in the layers"));
    }
}
