//! Puts the servers on this machine that are not there: from packages, or built from source into the cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use xtask::servers::{
    Engine, Installation, SECANTUS_VERSION, cache_folder, on_path, secantus_folder, secantus_program,
};

use crate::cargo::{self, cargo};

/// Programs that building SecantusDB takes, with the Debian packages they are in.
const BUILD_TOOLS: [(&str, &str); 3] = [("cmake", "cmake"), ("make", "make"), ("c++", "g++")];

/// Where Debian's scripts read whether to make a cluster of their own.
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.d";

/// Makes sure that the server is on this machine; the error is the reason and the way out.
pub(crate) fn ensure(engine: Engine) -> Result<()> {
    match (engine, Installation::find(engine)) {
        (_, Some(Installation::Secantus(program))) if !runs(&program) => install_secantus(),
        (_, Some(_)) => Ok(()),
        (Engine::Postgres, None) => install_postgres(),
        (Engine::MongoDb, None) => install_secantus(),
    }
}

fn install_postgres() -> Result<()> {
    if !can_install_packages() {
        bail!(
            "no PostgreSQL on this machine; install it, so that `postgres` and `initdb` are on the PATH, or name a \
             running server in {}",
            Engine::Postgres.variable()
        );
    }
    say("installing PostgreSQL");
    // Its package would at once start a server of its own, which no one has asked for.
    let settings = Path::new(CLUSTER_SETTINGS).join("ml-app.conf");
    fs::create_dir_all(CLUSTER_SETTINGS).and_then(|()| fs::write(&settings, "create_main_cluster = false\n"))?;
    let installed = install_packages(&["postgresql"]);
    fs::remove_file(&settings)?;
    installed?;
    Installation::find(Engine::Postgres).context("the package postgresql brought no `postgres`")?;
    Ok(())
}

/// Builds SecantusDB into the cache, all or nothing; a second process waits for the first.
fn install_secantus() -> Result<()> {
    let cache = cache_folder()?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
    let lock = File::create(cache.join("lock"))?;
    lock.lock().context("cannot lock the cache")?;
    let folder = secantus_folder()?;
    if runs(&secantus_program(&folder)) {
        return Ok(());
    }
    let mut command = cargo(&["install", "secantus-mdb", "--version", SECANTUS_VERSION, "--locked"]);
    // It asks for a newer compiler than it needs.
    command.arg("--ignore-rust-version");
    provide_build_tools(&cache, &mut command).with_context(|| {
        let variable = Engine::MongoDb.variable();
        format!("no MongoDB on this machine; install `mongod`, or name a running server in {variable}")
    })?;
    say("building a MongoDB-compatible server, once; on two cores this takes four minutes or more");
    let build = tempfile::Builder::new().prefix("build-").tempdir_in(&cache)?;
    let root = build.path().join("root");
    command.arg("--root").arg(&root).current_dir(&cache);
    command.env("CARGO_TARGET_DIR", build.path().join("target")).env("CARGO_PROFILE_RELEASE_LTO", "off");
    for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env_remove(variable);
    }
    run(command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")).with_context(|| {
        format!("cannot build a MongoDB-compatible server; install `mongod`, or set {}", Engine::MongoDb.variable())
    })?;
    if !runs(&secantus_program(&root)) {
        bail!("the MongoDB-compatible server was built and does not run");
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::rename(&root, &folder).with_context(|| format!("cannot create {}", folder.display()))
}

/// Lets `build` find what it needs: there already, from packages, or as far as they go from PyPI.
fn provide_build_tools(cache: &Path, build: &mut Command) -> Result<()> {
    let missing: Vec<_> = BUILD_TOOLS.iter().filter(|(program, _)| on_path(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let programs = missing.iter().map(|(program, _)| *program).collect::<Vec<_>>();
    let packages = missing.iter().map(|(_, package)| *package).collect::<Vec<_>>();
    if can_install_packages() {
        say(&format!("installing {}", packages.join(", ")));
        return install_packages(&packages);
    }
    if programs != ["cmake"] || on_path("python3").is_none() {
        bail!("building one in its place needs {}", programs.join(", "));
    }
    let tools = cmake_from_pypi(cache).context("building one in its place needs cmake")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    build.env("PATH", std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&path)))?);
    Ok(())
}

/// Returns the folder with a `cmake` of its own.
fn cmake_from_pypi(cache: &Path) -> Result<PathBuf> {
    let folder = cache.join("cmake");
    let programs = folder.join("bin");
    if runs(&programs.join("cmake")) {
        return Ok(programs);
    }
    say("installing cmake from PyPI");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(Command::new(programs.join("pip")).args(["install", "--quiet", "cmake"]))?;
    Ok(programs)
}

fn can_install_packages() -> bool {
    rustix::process::geteuid().is_root() && on_path("apt-get").is_some()
}

fn install_packages(names: &[&str]) -> Result<()> {
    let mut install = apt_get(&["install", "--yes", "--no-install-recommends"]);
    // A question about a file of settings is answered by keeping what is there.
    install.args(["-o", "Dpkg::Options::=--force-confold"]).args(names);
    run(&mut apt_get(&["update"])).and_then(|()| run(&mut install))
}

fn apt_get(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(["--quiet=2", "-o", "Dpkg::Use-Pty=0"]).args(args).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Returns whether the program is there and whole.
fn runs(program: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs `command` with all its output on standard error, because a shell reads the standard output of `services up`.
fn run(command: &mut Command) -> Result<()> {
    cargo::run(command.stdin(Stdio::null()).stdout(std::io::stderr()))
}

fn say(what: &str) {
    eprintln!("servers: {what}");
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_broken_program_does_not_count_as_installed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("server");
        let check = |script: &str, expected: bool| {
            fs::write(&program, script).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            assert_eq!(runs(&program), expected, "{script}");
        };
        assert!(!runs(&program));
        check("#!/bin/sh\nexit 0\n", true);
        check("#!/bin/sh\nexit 1\n", false);
        check("\u{7f}ELF", false);
    }
}
