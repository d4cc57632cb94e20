//! The checks that cargo itself can do: formatting, lints and documentation.

use anyhow::{Context, Result};

use crate::cargo::{cargo, run};

/// What `fmt` does about a file that is not formatted.
#[derive(Clone, Copy)]
pub(crate) enum FmtMode {
    /// Shows the difference and fails.
    Check,
    /// Formats it.
    Write,
}

/// Formats all sources, or checks that they are.
pub(crate) fn fmt(mode: FmtMode) -> Result<()> {
    match mode {
        FmtMode::Check => run(&mut cargo(&["fmt", "--all", "--check"])).context("run `cargo xtask fmt`"),
        FmtMode::Write => run(&mut cargo(&["fmt", "--all"])),
    }
}

/// Runs clippy on every target of every crate; a warning is an error.
pub(crate) fn lint() -> Result<()> {
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
}

/// Builds the documentation of our crates; a warning is an error.
pub(crate) fn doc() -> Result<()> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--all-features"]);
    run(command.env("RUSTDOCFLAGS", "-D warnings"))
}
