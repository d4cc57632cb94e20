//! Where the `ml-app` binary is: `ML_APP_BIN`, or built once with the profile and target folder of this test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Returns the binary, built from the sources as they are now.
pub(crate) fn ml_app() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("ML_APP_BIN") {
        Some(path) => PathBuf::from(path),
        None => build(),
    })
}

/// Returns the root of the workspace.
pub(crate) fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies inside the workspace")
}

fn build() -> PathBuf {
    let this_test = std::env::current_exe().expect("a running program has a path");
    let profile_folder = this_test.ancestors().nth(2).expect("tests lie in <target>/<profile>/deps");
    let target_folder = profile_folder.parent().expect("tests lie in <target>/<profile>/deps");
    let profile = match profile_folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "ml-app", "--profile", profile, "--target-dir"])
        .arg(target_folder)
        .current_dir(workspace_root())
        .status()
        .expect("cargo starts");
    assert!(status.success(), "ml-app does not build");
    profile_folder.join(format!("ml-app{}", std::env::consts::EXE_SUFFIX))
}
