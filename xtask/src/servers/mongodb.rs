//! MongoDB, or SecantusDB in its place: the programs, their settings for tests, and when they are ready.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use bson::doc;

use super::{Durability, Installation, cache_folder, installation::on_path, wire};

/// The release of SecantusDB that the tests are known to pass on.
pub const SECANTUS_VERSION: &str = "0.5.3-beta.196";

const REPLICA_SET: &str = "ml";

/// Returns `mongod` where there is one, else the SecantusDB in the cache.
pub(super) fn find() -> Option<Installation> {
    if let Some(program) = on_path("mongod") {
        return Some(Installation::Mongod(program));
    }
    let program = secantus_program(&secantus_folder().ok()?);
    program.is_file().then_some(Installation::Secantus(program))
}

/// Returns the folder in the cache where SecantusDB is, or is to be.
///
/// # Errors
/// Returns an error when there is no place for a cache.
pub fn secantus_folder() -> Result<PathBuf> {
    Ok(cache_folder()?.join(format!("secantus-mdb-{SECANTUS_VERSION}")))
}

/// Returns the program in a folder that SecantusDB was installed to.
pub fn secantus_program(folder: &Path) -> PathBuf {
    folder.join("bin/secantusd-rs")
}

pub(super) fn url(port: u16) -> String {
    format!("mongodb://127.0.0.1:{port}/")
}

pub(super) fn prepare(folder: &Path) -> Result<()> {
    fs::create_dir(data(folder)).with_context(|| format!("cannot create a folder in {}", folder.display()))
}

/// A replica set of one, because change streams and transactions need one. It always writes a journal.
pub(super) fn mongod(program: &Path, folder: &Path, port: u16, durability: Durability) -> Command {
    let journal_interval_ms = match durability {
        Durability::Fast => "500",
        Durability::Durable => "1",
    };
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string(), "--bind_ip", "127.0.0.1", "--nounixsocket"]);
    command.args(["--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", "0.5"]);
    command.args(["--journalCommitInterval", journal_interval_ms, "--setParameter", "enableTestCommands=1"]);
    command.arg("--dbpath").arg(data(folder));
    command
}

/// It poses as a replica set of one by itself.
pub(super) fn secantus(program: &Path, folder: &Path, port: u16, durability: Durability) -> Command {
    let mut command = Command::new(program);
    command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--enable-test-commands"]);
    // Its own limit of 100,000 changes is less than a test may leave unread.
    command.args(["--cache-size", "512M", "--oplog-max-entries", "5000000", "--log-level", "WARNING"]);
    command.arg("--storage-path").arg(data(folder));
    if durability == Durability::Durable {
        command.arg("--sync-on-commit");
    }
    command
}

/// Returns whether the server takes writes.
pub(super) fn is_ready(port: u16) -> bool {
    let reply = wire::run(port, &doc! { "hello": 1, "$db": "admin" });
    reply.is_ok_and(|reply| reply.get_bool("isWritablePrimary").unwrap_or(false))
}

/// Makes the server a replica set of its own, if it is none yet; always `false`, because it takes writes only later.
pub(super) fn initiate(port: u16) -> bool {
    let members = [doc! { "_id": 0, "host": format!("127.0.0.1:{port}") }];
    let config = doc! { "_id": REPLICA_SET, "members": members.to_vec() };
    // While it starts it does not answer, and later it says that it is one already: both are well.
    let _ = wire::run(port, &doc! { "replSetInitiate": config, "$db": "admin" });
    false
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}
