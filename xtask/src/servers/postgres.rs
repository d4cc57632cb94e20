//! PostgreSQL: its programs, its settings for tests, and when it is ready.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::account::Account;
use super::{Durability, installation::on_path};

const USER: &str = "postgres";
/// No secret: it guards data that tests make up, on a port that only this machine can reach.
const PASSWORD: &str = "ml-test";

/// Where packages put PostgreSQL: a folder, and how the names of the versions in it begin.
const PLACES: &[(&str, &str)] = &[
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
];

/// Settings of every test server. The tests of several crates run at once, each with pools of its own.
const SETTINGS: &[&str] = &["max_connections=300", "unix_socket_directories=", "timezone=UTC"];
const FAST: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
const DURABLE: &[&str] = &["fsync=on", "synchronous_commit=on", "full_page_writes=on"];

/// Returns the folder with the programs: of the server on the path, else of the newest installed.
pub(super) fn find() -> Option<PathBuf> {
    let on_path = on_path("postgres").and_then(|program| Some(program.canonicalize().ok()?.parent()?.to_owned()));
    let installed = || PLACES.iter().find_map(|(parent, prefix)| newest_in(Path::new(parent), prefix));
    on_path.filter(|folder| has_programs(folder)).or_else(installed)
}

/// Returns the programs of the newest version under `parent`, where the folder of version 16 is named `prefix` and `16`.
fn newest_in(parent: &Path, prefix: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(parent).ok()?.flatten();
    let versions = entries.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
        let programs = entry.path().join("bin");
        has_programs(&programs).then_some((version, programs))
    });
    versions.max().map(|(_, programs)| programs)
}

fn has_programs(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
}

pub(super) fn url(port: u16) -> String {
    format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres")
}

/// Makes a cluster that asks for a password, as those in production do.
pub(super) fn prepare(programs: &Path, folder: &Path, account: Option<Account>) -> Result<()> {
    let password_file = folder.join("password");
    fs::write(&password_file, PASSWORD).with_context(|| format!("cannot write {}", password_file.display()))?;
    let mut command = Command::new(programs.join("initdb"));
    command
        .args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"])
        .arg("--pwfile")
        .arg(&password_file)
        .arg("--pgdata")
        .arg(data(folder));
    command.current_dir(folder).stdin(Stdio::null());
    if let Some(account) = account {
        account.give(&password_file)?;
        account.run(&mut command);
    }
    let output = command.output().context("cannot start `initdb`")?;
    if !output.status.success() {
        bail!("`initdb` ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

pub(super) fn command(programs: &Path, folder: &Path, port: u16, durability: Durability) -> Command {
    let mut command = Command::new(programs.join("postgres"));
    command.arg("-D").arg(data(folder)).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    let speed = match durability {
        Durability::Fast => FAST,
        Durability::Durable => DURABLE,
    };
    for setting in SETTINGS.iter().chain(speed) {
        command.args(["-c", setting]);
    }
    command
}

/// Returns whether the process says in its lock file that it takes connections; that of a killed one names another process.
pub(super) fn is_ready(folder: &Path, process_id: u32) -> bool {
    fs::read_to_string(data(folder).join("postmaster.pid")).is_ok_and(|lock| says_ready(&lock, process_id))
}

/// The first line of the lock file is the process, the eighth its state.
fn says_ready(lock: &str, process_id: u32) -> bool {
    let mut lines = lock.lines().map(str::trim);
    lines.next() == Some(&process_id.to_string()) && lines.nth(6) == Some("ready")
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_installation_is_taken() {
        let parent = tempfile::tempdir().unwrap();
        let install = |name: &str, programs: &[&str]| {
            let folder = parent.path().join(name).join("bin");
            fs::create_dir_all(&folder).unwrap();
            for program in programs {
                fs::write(folder.join(program), "").unwrap();
            }
        };
        assert_eq!(newest_in(parent.path(), ""), None);
        install("9", &["initdb", "postgres"]);
        install("15", &["initdb", "postgres"]);
        install("16", &["psql"]);
        install("odd", &["initdb", "postgres"]);
        install("pgsql-17", &["initdb", "postgres"]);
        assert_eq!(newest_in(parent.path(), ""), Some(parent.path().join("15/bin")));
        assert_eq!(newest_in(parent.path(), "pgsql-"), Some(parent.path().join("pgsql-17/bin")));
        assert_eq!(newest_in(&parent.path().join("missing"), ""), None);
    }

    #[test]
    fn only_the_lock_file_of_this_process_counts() {
        let lock = "42\n/data\n1763942414\n5432\n\n127.0.0.1\n  1234  5\nready   \n";
        assert!(says_ready(lock, 42));
        assert!(!says_ready(lock, 4));
        assert!(!says_ready(&lock.replace("ready   ", "starting"), 42));
        assert!(!says_ready("42\n/data\n", 42));
    }
}
