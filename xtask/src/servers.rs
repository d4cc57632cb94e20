//! Database servers for tests: found on this machine, started on free ports of 127.0.0.1, killed and started again.
//!
//! Installing a server that is missing is not done here but by `cargo xtask`.

mod account;
mod engine;
mod installation;
mod mongodb;
mod postgres;
mod process;
mod scratch;
mod site;
mod wire;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Child;

use anyhow::{Context, Result};
use tempfile::TempDir;

use self::account::Account;
pub use self::engine::{Durability, Engine};
pub use self::installation::{Installation, on_path};
pub use self::mongodb::{SECANTUS_VERSION, secantus_folder, secantus_program};
pub use self::process::{end_group, is_running_in, stop_running_in};
pub use self::scratch::{cache_folder, new_scratch_folder};
use self::site::Site;

/// A running server with data of its own; it stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    site: Site,
    port: u16,
    process: Child,
    /// The folder around the data, where this server owns it.
    scratch: Option<TempDir>,
}

impl Server {
    /// Starts an empty server in a scratch folder that vanishes with it. `None` when this machine has no such server.
    ///
    /// # Errors
    /// Returns an error, with the end of the server's log, when it does not start.
    pub fn start(engine: Engine, durability: Durability) -> Result<Option<Server>> {
        let Some(installation) = Installation::find(engine) else { return Ok(None) };
        let scratch = new_scratch_folder()?;
        let mut server = Server::start_in(scratch.path(), installation, durability)?;
        server.scratch = Some(scratch);
        Ok(Some(server))
    }

    /// Starts an empty server that keeps its data and its log in a folder of its own under `scratch`.
    ///
    /// # Errors
    /// Returns an error, with the end of the server's log, when it does not start.
    pub fn start_in(scratch: &Path, installation: Installation, durability: Durability) -> Result<Server> {
        let engine = installation.engine();
        let folder = scratch.join(engine.to_string().to_lowercase());
        fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let account = Account::for_server(engine)?;
        if let Some(account) = &account {
            account.give(&folder)?;
        }
        let site = Site { installation, durability, folder, account };
        site.prepare()?;
        let (port, process) = site::persist(|| {
            let port = free_port()?;
            Ok((port, site.launch(port)?))
        })?;
        Ok(Server { site, port, process, scratch: None })
    }

    /// Returns where clients find the server, credentials included; it stays the same when the server starts again.
    pub fn url(&self) -> String {
        self.site.installation.url(self.port)
    }

    /// Returns the port of 127.0.0.1 that the server listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the id of the server's main process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Returns the folder with the server's data and its log.
    pub fn folder(&self) -> &Path {
        &self.site.folder
    }

    /// Kills the server and all its processes, as `kill -9` does; the data stays as it is at that moment.
    ///
    /// # Errors
    /// Returns an error when the operating system refuses.
    pub fn kill(&mut self) -> Result<()> {
        process::kill_with_children(&mut self.process)
    }

    /// Stops the server in good order and waits for it; one that does not stop is killed.
    ///
    /// # Errors
    /// Returns an error when the operating system refuses.
    pub fn stop(&mut self) -> Result<()> {
        process::stop(&mut self.process)
    }

    /// Starts the server again with the same port and data, after [`Server::kill`] or [`Server::stop`].
    ///
    /// # Errors
    /// Returns an error, with the end of the server's log, when it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        self.process = site::persist(|| self.site.launch(self.port))?;
        Ok(())
    }

    /// Lets the server go on when this process has ended.
    pub fn leave_running(self) {
        std::mem::forget(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // There is no one to tell about a failure.
        let _ = self.stop();
    }
}

/// Returns a port that was free a moment ago.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    fn answers(server: &Server) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).is_ok()
    }

    /// Starts, kills, starts again and drops a server.
    fn check(engine: Engine, durability: Durability) {
        let Some(mut server) = Server::start(engine, durability).unwrap() else {
            assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "no {engine} on this machine");
            println!("skipped: no {engine} on this machine");
            return;
        };
        let (url, process_id, port) = (server.url(), server.process_id(), server.port());
        assert!(url.contains(&format!("127.0.0.1:{port}")), "{url}");
        assert!(answers(&server) && is_running_in(server.folder(), process_id));

        server.kill().unwrap();
        assert!(!answers(&server) && !is_running_in(server.folder(), process_id));
        server.start_again().unwrap();
        assert!(answers(&server));
        assert_eq!(server.url(), url);
        assert_ne!(server.process_id(), process_id);

        server.stop().unwrap();
        assert!(!answers(&server));
        server.start_again().unwrap();
        let (folder, process_id) = (server.folder().to_owned(), server.process_id());
        drop(server);
        assert!(!folder.exists() && !is_running_in(&folder, process_id));
    }

    #[test]
    fn postgres_starts_again_after_a_kill() {
        check(Engine::Postgres, Durability::Durable);
        check(Engine::Postgres, Durability::Fast);
    }

    #[test]
    fn mongodb_starts_again_after_a_kill() {
        check(Engine::MongoDb, Durability::Durable);
        check(Engine::MongoDb, Durability::Fast);
    }

    #[test]
    fn a_server_that_ends_at_once_is_an_error_with_its_log() {
        let scratch = new_scratch_folder().unwrap();
        let programs = scratch.path().join("bin");
        fs::create_dir(&programs).unwrap();
        let program = programs.join("secantusd-rs");
        fs::write(&program, "#!/bin/sh\necho out of order\nexit 3\n").unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let err = Server::start_in(scratch.path(), Installation::Secantus(program), Durability::Fast).unwrap_err();
        let message = format!("{err:#}");
        assert!(message.contains("exit status: 3") && message.contains("out of order"), "{message}");
    }
}
