//! A Python of the benchmarks' own, with the packages that they compare with.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use xtask::servers::cache_folder;

use crate::cargo::run;

/// What is set for the machine's own numeric libraries would slow down those of the packages.
const FOREIGN_SETTINGS: [&str; 1] = ["OPENBLAS_CORETYPE"];

/// Returns the interpreter of a virtual environment called `name` in the cache, with the packages of `requirements`; what
/// is there already is kept.
pub(crate) fn provide(name: &str, requirements: &Path) -> Result<PathBuf> {
    let environment = cache_folder()?.join(name);
    let python = environment.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))
            .context("cannot make a Python environment")?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    run(&mut install).context("cannot install what the benchmark compares with")?;
    Ok(python)
}

/// Returns a script to be run by the interpreter, without settings of this shell that are not meant for it.
pub(crate) fn script(python: &Path, script: &Path) -> Command {
    let mut command = Command::new(python);
    command.arg(script);
    for setting in FOREIGN_SETTINGS {
        command.env_remove(setting);
    }
    command
}
