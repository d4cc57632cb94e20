//! A server's place: what it takes to start it there any number of times.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::account::Account;
use super::{Durability, Installation};

/// A server that does not answer after this long has a fault; recovery after a kill takes some of it.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// How often a start is tried: another process may take the free port, or the rests of a killed server hold its data.
const MAX_STARTS: usize = 4;
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How much of a server's log an error shows.
const N_LOG_LINES: usize = 12;

/// What it takes to start a server on its data.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) installation: Installation,
    pub(super) durability: Durability,
    pub(super) folder: PathBuf,
    /// Whom the folder belongs to and the server runs as, if not this process's own.
    pub(super) account: Option<Account>,
}

impl Site {
    /// Lays out the empty data.
    pub(super) fn prepare(&self) -> Result<()> {
        self.installation
            .prepare(&self.folder, self.account)
            .with_context(|| format!("cannot set up {}", self.installation.engine()))
    }

    /// Starts the server on `port` and waits until it answers.
    pub(super) fn launch(&self, port: u16) -> Result<Child> {
        let log_path = self.folder.join("log");
        let log = File::options().create(true).append(true).open(&log_path);
        let log = log.with_context(|| format!("cannot write to {}", log_path.display()))?;
        let mut command = self.installation.command(&self.folder, port, self.durability);
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        let name = self.installation.engine();
        let mut process = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let deadline = Instant::now() + START_PATIENCE;
        while !self.installation.is_ready(&self.folder, port, process.id()) {
            if let Some(status) = process.try_wait()? {
                bail!("{name} ended with {status}:\n{}", self.end_of_log());
            }
            if Instant::now() > deadline {
                process.kill()?;
                process.wait()?;
                bail!("{name} does not answer on port {port}:\n{}", self.end_of_log());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(process)
    }

    fn end_of_log(&self) -> String {
        let text = fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(N_LOG_LINES)..].join("\n")
    }
}

/// Tries `start` a few times, and returns the last error.
pub(super) fn persist<T>(mut start: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..MAX_STARTS {
        if let Ok(started) = start() {
            return Ok(started);
        }
        std::thread::sleep(RETRY_INTERVAL);
    }
    start()
}
