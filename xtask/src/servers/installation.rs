//! A server's programs on this machine: where they are, and how each is called.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::account::Account;
use super::{Durability, Engine, mongodb, postgres};

/// The programs of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installation {
    /// PostgreSQL: the folder with `initdb` and `postgres`.
    Postgres(PathBuf),
    /// MongoDB: the program `mongod`.
    Mongod(PathBuf),
    /// SecantusDB, which speaks the protocol of MongoDB: the program `secantusd-rs`.
    Secantus(PathBuf),
}

impl Installation {
    /// Looks for a server on this machine.
    pub fn find(engine: Engine) -> Option<Installation> {
        match engine {
            Engine::Postgres => postgres::find().map(Installation::Postgres),
            Engine::MongoDb => mongodb::find(),
        }
    }

    /// Returns what kind of server it is.
    pub fn engine(&self) -> Engine {
        match self {
            Installation::Postgres(_) => Engine::Postgres,
            Installation::Mongod(_) | Installation::Secantus(_) => Engine::MongoDb,
        }
    }

    /// Returns where clients find a server on `port`.
    pub(super) fn url(&self, port: u16) -> String {
        match self.engine() {
            Engine::Postgres => postgres::url(port),
            Engine::MongoDb => mongodb::url(port),
        }
    }

    /// Lays out empty data in `folder`, which belongs to `account`.
    pub(super) fn prepare(&self, folder: &Path, account: Option<Account>) -> Result<()> {
        match self {
            Installation::Postgres(programs) => postgres::prepare(programs, folder, account),
            Installation::Mongod(_) | Installation::Secantus(_) => mongodb::prepare(folder),
        }
    }

    /// Returns the command that runs the server on the data in `folder`.
    pub(super) fn command(&self, folder: &Path, port: u16, durability: Durability) -> Command {
        match self {
            Installation::Postgres(programs) => postgres::command(programs, folder, port, durability),
            Installation::Mongod(program) => mongodb::mongod(program, folder, port, durability),
            Installation::Secantus(program) => mongodb::secantus(program, folder, port, durability),
        }
    }

    /// Returns whether the server just started takes requests.
    pub(super) fn is_ready(&self, folder: &Path, port: u16, process_id: u32) -> bool {
        match self {
            Installation::Postgres(_) => postgres::is_ready(folder, process_id),
            Installation::Mongod(_) => mongodb::is_ready(port) || mongodb::initiate(port),
            Installation::Secantus(_) => mongodb::is_ready(port),
        }
    }
}

/// Returns the program of this name that a shell would run.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}
